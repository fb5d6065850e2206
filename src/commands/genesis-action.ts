import { writeFileSync } from 'node:fs';
import type { GenesisDocument, GenesisOrganisation } from '../ledger/genesis.ts';
import { parseGenesis, writeGenesis } from '../ledger/genesis-document.ts';
import { fromUtf8 } from '../lib/bytes.ts';
import { counted } from '../lib/words.ts';
import { type Authority, faultsTolerated, type Parameters, quorumOf } from '../model/authorities.ts';
import { isHex, isName, OrganisationId, PublicKey, Timestamp } from '../model/ids.ts';
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, WINDOW_MAX } from '../model/limits.ts';
import { ROLES, type Role } from '../model/operation.ts';
import { formatDuration, parseDuration, parseSize } from '../node/config/units.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { loadGenesis, readGivenFile } from './files.ts';

export interface NewGenesisOptions {
  readonly networkId: string;
  readonly authority?: readonly string[];
  readonly operator?: readonly string[];
  readonly roles?: readonly string[];
  readonly namespace?: readonly string[];
  readonly iriBase: string;
  readonly blockInterval: string;
  readonly maxBlockSize: string;
  readonly checkpointInterval: string;
  readonly rotationInterval: string;
  readonly maxTtl: string;
  readonly out?: string;
}

export function makeGenesis(invocation: Invocation, options: NewGenesisOptions): void {
  const bytes = checkedGenesis(documentOf(options));
  if (options.out === undefined) {
    invocation.terminal.raw(fromUtf8(bytes) ?? '');
    return;
  }
  writeGenesisFile(options.out, bytes);
  const { genesis } = loadGenesis(options.out);
  invocation.terminal.result({ file: options.out, chain_id: genesis.chainId }, () => genesis.chainId);
  invocation.terminal.talk(`Wrote ${options.out}. Every node needs these very bytes.`);
}

function writeGenesisFile(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o644 });
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    if (exists) throw new CommandError('FAILED', `${path} exists, and nothing is overwritten.`);
    throw new Error(`cannot write ${path}`, { cause });
  }
}

/** Canonical bytes of a document. @throws CommandError that says what is wrong with it */
export function checkedGenesis(document: GenesisDocument): Uint8Array {
  const bytes = writeGenesis(document);
  const parsed = parseGenesis(bytes);
  if (parsed.ok) return bytes;
  const faults = parsed.error.map((fault) => `  ${fault.path}: ${fault.message} (${fault.code})`);
  throw new CommandError('USAGE', `that is no network:\n${faults.join('\n')}`);
}

function documentOf(options: NewGenesisOptions): GenesisDocument {
  const authorities = (options.authority ?? []).map(parseAuthority);
  if (authorities.length === 0) {
    throw new CommandError('USAGE', 'a network needs at least one --authority name=key.', {
      advice: 'counterfoil keys new --kind authority makes a key, counterfoil keys show prints its public half.',
    });
  }
  return {
    networkId: options.networkId,
    created: Timestamp(Date.now()),
    iriBase: options.iriBase,
    parameters: parametersOf(options),
    authorities,
    organisations: organisationsOf(authorities, options),
  };
}

function parametersOf(options: NewGenesisOptions): Parameters {
  return {
    blockTransactionsMax: BLOCK_TRANSACTIONS_MAX,
    blockBytesMax: sizeOf(options.maxBlockSize, '--max-block-size'),
    checkpointInterval: wholeNumber(options.checkpointInterval, '--checkpoint-interval', 1, Number.MAX_SAFE_INTEGER),
    rotationInterval: wholeNumber(options.rotationInterval, '--rotation-interval', 0, Number.MAX_SAFE_INTEGER),
    blockIntervalMs: durationOf(options.blockInterval, '--block-interval'),
    transactionLifeMsMax: durationOf(options.maxTtl, '--max-ttl'),
    windowMax: WINDOW_MAX,
  };
}

/** What a network has unless its founders choose otherwise. */
export const DEFAULT_PARAMETERS: Parameters = {
  blockTransactionsMax: BLOCK_TRANSACTIONS_MAX,
  blockBytesMax: BLOCK_BYTES_MAX,
  checkpointInterval: 100,
  rotationInterval: 0,
  blockIntervalMs: 60_000,
  transactionLifeMsMax: 600_000,
  windowMax: WINDOW_MAX,
};

function durationOf(text: string, flag: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return durationMs;
  throw new CommandError('USAGE', `${flag} is a time with its unit, such as "60s", not ${JSON.stringify(text)}.`);
}

function sizeOf(text: string, flag: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new CommandError('USAGE', `${flag} is a size with its unit, such as "1MiB", not ${JSON.stringify(text)}.`);
}

/** `name=key` or `name@organisation=key`. */
function parseAuthority(text: string): Authority {
  const { name, rest } = halves(text, '--authority');
  const [id = '', organisation = id] = name.split('@');
  return { id: checkedName(id), publicKey: checkedKey(rest), organisation: checkedName(organisation) };
}

function organisationsOf(
  authorities: readonly Authority[],
  { operator = [], roles = [], namespace = [] }: NewGenesisOptions,
): readonly GenesisOrganisation[] {
  const operators = operator.map((text) => halves(text, '--operator'));
  const given = new Map(roles.map((text) => halves(text, '--roles')).map(({ name, rest }) => [name, parseRoles(rest)]));
  const names = [...authorities.map(({ organisation }) => organisation), ...operators.map(({ name }) => name)];
  const namespaces = new Map(
    namespace.map((text) => halves(text, '--namespace')).map(({ name, rest }) => [name, rest]),
  );
  const stranger = [...given.keys(), ...namespaces.keys()].find((name) => !names.includes(name));
  if (stranger !== undefined) {
    throw new CommandError(
      'USAGE',
      `${JSON.stringify(stranger)} has neither a seat nor an operator key in this network.`,
    );
  }
  return [...new Set(names)].map((name) => ({
    id: OrganisationId(checkedName(name)),
    title: name,
    roles: given.get(name) ?? ROLES,
    keys: operators.filter((entry) => entry.name === name).map(({ rest }) => checkedKey(rest)),
    namespace: namespaces.get(name) ?? null,
  }));
}

function parseRoles(text: string): readonly Role[] {
  return text.split(',').map((word) => {
    const role = ROLES.find((known) => known === word);
    if (role !== undefined) return role;
    throw new CommandError('USAGE', `there is no role ${JSON.stringify(word)}; roles are ${ROLES.join(', ')}.`);
  });
}

function halves(text: string, flag: string): { readonly name: string; readonly rest: string } {
  const at = text.indexOf('=');
  if (at < 1) throw new CommandError('USAGE', `${flag} is written name=..., not ${JSON.stringify(text)}.`);
  return { name: text.slice(0, at), rest: text.slice(at + 1) };
}

function checkedName(text: string): string {
  if (isName(text)) return text;
  throw new CommandError('USAGE', `${JSON.stringify(text)} is no name: 1 to 64 of A-Z a-z 0-9 . _ -`);
}

function checkedKey(text: string): PublicKey {
  if (isHex(text, 32)) return PublicKey(text);
  throw new CommandError('USAGE', `${JSON.stringify(text)} is no public key: 64 digits of lower-case hex.`);
}

export function verifyGenesis(invocation: Invocation, file: string): void {
  const parsed = parseGenesis(readGivenFile(file));
  if (parsed.ok) {
    const { chainId, networkId } = parsed.value;
    const answer = { valid: true, chain_id: chainId, network_id: networkId };
    invocation.terminal.result(answer, () => `${file} is in order. Chain id ${chainId}.`);
    return;
  }
  const faults = parsed.error.map(({ code, path, message }) => ({ code, path, message }));
  if (invocation.terminal.isJson) invocation.terminal.data(JSON.stringify({ valid: false, faults }));
  else for (const { code, path, message } of faults) invocation.terminal.data(`${path}: ${message} (${code})`);
  throw new CommandError('VERIFICATION_FAILED', `${file} has ${counted(faults.length, 'fault')}.`);
}

function organisationLine({ id, roles, keys, namespace }: GenesisOrganisation): string {
  const described = namespace === null ? '' : `; describes ${namespace}`;
  return `  ${id.padEnd(16)} ${keys.length} key(s); ${roles.join(', ')}${described}`;
}

export function showGenesis(invocation: Invocation, file: string): void {
  const { genesis, bytes } = loadGenesis(file);
  if (invocation.terminal.isJson) {
    const document: unknown = JSON.parse(fromUtf8(bytes) ?? 'null');
    invocation.terminal.data(JSON.stringify({ chain_id: genesis.chainId, document }));
    return;
  }
  const { authorities, organisations, parameters } = genesis;
  const count = authorities.length;
  const lines = [
    `network      ${genesis.networkId}`,
    `chain id     ${genesis.chainId}`,
    `created      ${new Date(genesis.created).toISOString()}`,
    `iri base     ${genesis.iriBase}`,
    `authorities  ${count}: ${quorumOf(count)} signatures make a block final, ${faultsTolerated(count)} may be faulty`,
    ...authorities.map(({ id, publicKey, organisation }) => `  ${id.padEnd(16)} ${publicKey}  (${organisation})`),
    'organisations',
    ...organisations.map(organisationLine),
    `blocks       at most ${parameters.blockTransactionsMax} transactions and ${parameters.blockBytesMax} bytes;` +
      ` an empty one after ${formatDuration(parameters.blockIntervalMs)}; checkpoint every ${parameters.checkpointInterval}`,
  ];
  invocation.terminal.data(lines.join('\n'));
}
