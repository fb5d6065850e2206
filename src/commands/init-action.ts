import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { planDevnet } from '../devnet/plan.ts';
import type { GenesisDocument } from '../ledger/genesis.ts';
import { formatAddress, parseAddress } from '../lib/address.ts';
import { defined } from '../lib/assert.ts';
import { isName, OrganisationId, Timestamp } from '../model/ids.ts';
import { AUTHORITIES_MAX } from '../model/limits.ts';
import { ROLES } from '../model/operation.ts';
import type { RawValue } from '../node/config/values.ts';
import { generateKeyPair, type KeyPair } from '../node/keys/key-pair.ts';
import { makeDirectories } from '../store/directories.ts';
import { commandName, type Invocation, shellWord, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { homeOf, loadGenesis } from './files.ts';
import { checkedGenesis, DEFAULT_PARAMETERS } from './genesis-action.ts';
import { refuseExistingHome, writeHome } from './homes.ts';
import type { PassphraseOptions } from './passphrase-options.ts';
import { newProtection } from './passphrases.ts';

/** How many nodes a network gets when nobody says: the fewest that bear a faulty one. */
const AUTHORITIES_OTHERWISE = 4;

export interface InitOptions extends PassphraseOptions {
  readonly network?: string;
  readonly authorities?: string;
  readonly names?: string;
  readonly hosts?: string;
  readonly basePort: string;
  readonly networkId?: string;
  readonly iriBase: string;
  readonly genesis?: string;
  readonly follower?: boolean;
}

export async function initNode(invocation: Invocation, options: InitOptions): Promise<void> {
  const directory = homeOf(invocation);
  refuseExistingHome(directory);
  const loaded = options.genesis === undefined ? undefined : loadGenesis(options.genesis);
  const protection = await newProtection(invocation, options);
  const isAuthority = options.follower !== true;
  const authority = isAuthority ? generateKeyPair(randomBytes) : undefined;
  const node = generateKeyPair(randomBytes);
  const operator = generateKeyPair(randomBytes);
  const config = new Map<string, RawValue>([
    ['consensus.is_authority', isAuthority],
    ['network.network_id', loaded?.genesis.networkId ?? ''],
  ]);
  await writeHome({ directory, genesis: loaded?.bytes, config, authority, node, operator, protection });
  const made = {
    home: directory,
    authority_key: authority?.publicKey ?? null,
    node_key: node.publicKey,
    operator_key: operator.publicKey,
  };
  invocation.terminal.result(made, () => nodeSteps(invocation, made, loaded !== undefined));
}

function nodeSteps(
  { environment }: Invocation,
  made: { readonly home: string; readonly authority_key: string | null; readonly operator_key: string },
  hasGenesis: boolean,
): string {
  const home = relative('.', made.home) || '.';
  const authority = made.authority_key === null ? [] : [`  authority  ${made.authority_key}`];
  const keys = [...authority, `  operator   ${made.operator_key}`];
  const steps = [
    ...(hasGenesis ? [] : [`put genesis.json into ${home}, the same bytes as on every other node`]),
    `name the other nodes in ${join(home, 'config.toml')} (bootstrap_peers)`,
    `${commandName(environment)} start --home ${shellWord(home)}`,
  ];
  const reader = hasGenesis ? '' : ', for whoever writes the genesis document';
  return [
    `Prepared ${home}. Its public keys${reader}:`,
    ...keys,
    'Next:',
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
  ].join('\n');
}

/** One node of a network that is being made. */
interface Seat {
  readonly name: string;
  readonly host: string;
  readonly httpPort: number;
  readonly peerPort: number;
  readonly authority: KeyPair;
  readonly node: KeyPair;
  readonly operator: KeyPair;
}

export async function initNetwork(invocation: Invocation, options: InitOptions, network: string): Promise<void> {
  const root = resolve(network);
  const seats = planSeats(options);
  const genesisFile = join(root, 'genesis.json');
  if (existsSync(genesisFile)) throw new CommandError('FAILED', `${genesisFile} exists, and nothing is overwritten.`);
  for (const { name } of seats) refuseExistingHome(join(root, name));
  const networkId =
    options.networkId ??
    basename(root)
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 64);
  const genesis = checkedGenesis(genesisOf(networkId, options.iriBase, seats));
  const protection = await newProtection(invocation, options);
  makeDirectories(root);
  for (const seat of seats) {
    const { authority, node, operator } = seat;
    const config = seatConfig(networkId, seat, { seats, isSpread: options.hosts !== undefined });
    await writeHome({ directory: join(root, seat.name), genesis, config, authority, node, operator, protection });
  }
  writeFileSync(genesisFile, genesis, { flag: 'wx', mode: 0o644 });
  const { chainId } = loadGenesis(genesisFile).genesis;
  const homes = seats.map(({ name }) => join(root, name));
  const made = { network_id: networkId, chain_id: chainId, genesis: genesisFile, homes };
  invocation.terminal.result(made, () => networkSteps(invocation, made, seats, options));
}

function planSeats(options: InitOptions): readonly Seat[] {
  const given = listOf(options.names);
  const hosts = listOf(options.hosts);
  const count = seatCount(options.authorities, given);
  if (hosts.length > 0 && hosts.length !== count) {
    throw new CommandError('USAGE', `--hosts names ${hosts.length} machines for ${count} authorities: one each.`);
  }
  const plan = planDevnet(count, wholeNumber(options.basePort, '--base-port', 1, 65_535));
  if (!plan.ok) throw new CommandError('USAGE', plan.error);
  const { nodes } = plan.value;
  return Array.from({ length: count }, (_, index) => {
    const host = hosts[index];
    const { name } = defined(nodes[index], 'every node is in the plan');
    const { httpPort, peerPort } = defined(nodes[host === undefined ? index : 0], 'there is a first node');
    return {
      name: checkedName(given[index] ?? name),
      host: host === undefined ? '127.0.0.1' : checkedHost(host),
      httpPort,
      peerPort,
      authority: generateKeyPair(randomBytes),
      node: generateKeyPair(randomBytes),
      operator: generateKeyPair(randomBytes),
    };
  });
}

/** @throws CommandError (USAGE) when the number and the names contradict each other, or a name is there twice */
function seatCount(authorities: string | undefined, names: readonly string[]): number {
  const otherwise = names.length > 0 ? names.length : AUTHORITIES_OTHERWISE;
  const count = wholeNumber(authorities ?? `${otherwise}`, '--authorities', 1, AUTHORITIES_MAX);
  if (names.length > 0 && names.length !== count) {
    throw new CommandError('USAGE', `--names names ${names.length} of ${count} authorities: one name each.`);
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new CommandError('USAGE', `--names has ${JSON.stringify(twice)} twice.`);
  return count;
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function checkedName(name: string): string {
  if (isName(name)) return name;
  throw new CommandError('USAGE', `${JSON.stringify(name)} is no name: 1 to 64 of A-Z a-z 0-9 . _ -`);
}

function checkedHost(host: string): string {
  if (parseAddress(formatAddress(host, 1)) !== undefined) return host;
  throw new CommandError('USAGE', `${JSON.stringify(host)} is no host name or address.`);
}

function genesisOf(networkId: string, iriBase: string, seats: readonly Seat[]): GenesisDocument {
  return {
    networkId,
    created: Timestamp(Date.now()),
    iriBase,
    parameters: DEFAULT_PARAMETERS,
    authorities: seats.map(({ name, authority }) => ({
      id: name,
      publicKey: authority.publicKey,
      organisation: name,
    })),
    organisations: seats.map(({ name, operator }) => ({
      id: OrganisationId(name),
      title: name,
      roles: ROLES,
      keys: [operator.publicKey],
      namespace: null,
    })),
  };
}

function seatConfig(
  networkId: string,
  seat: Seat,
  { seats, isSpread }: { readonly seats: readonly Seat[]; readonly isSpread: boolean },
): ReadonlyMap<string, RawValue> {
  const others = seats.filter((other) => other !== seat);
  return new Map<string, RawValue>([
    ['network.network_id', networkId],
    ['network.listen_address', isSpread ? '0.0.0.0' : '127.0.0.1'],
    ['network.listen_port', seat.peerPort],
    ['network.advertise_address', isSpread ? formatAddress(seat.host, seat.peerPort) : ''],
    ['network.bootstrap_peers', others.map(({ name, host, peerPort }) => `${name}@${formatAddress(host, peerPort)}`)],
    ['consensus.authority_keys', seats.map(({ authority }) => authority.publicKey)],
    ['api.port', seat.httpPort],
  ]);
}

function networkSteps(
  { environment }: Invocation,
  made: { readonly network_id: string; readonly chain_id: string; readonly homes: readonly string[] },
  seats: readonly Seat[],
  { hosts, passphraseFile }: InitOptions,
): string {
  const secret = passphraseFile === undefined ? '' : ` --passphrase-file ${shellWord(passphraseFile)}`;
  const starts = made.homes.map((path) => {
    const home = shellWord(relative('.', path) || '.');
    return `  ${commandName(environment)} start --home ${home}${secret}`;
  });
  const rows = seats.map(
    ({ name, host, httpPort, peerPort }) =>
      `  ${name.padEnd(12)} http://127.0.0.1:${httpPort}  ${formatAddress(host, peerPort)}`,
  );
  const next =
    hosts !== undefined
      ? [
          'Next: mount each home into the container of its name and start it there (counterfoil start --home ...).',
          'Mount, do not copy: a copied journal does not vote. For machines of their own, run counterfoil init on each',
          'and write the genesis document from the public keys (counterfoil genesis new).',
        ]
      : ['Next, each in a terminal of its own:', ...starts];
  return [`Network ${made.network_id}, chain ${made.chain_id}:`, ...rows, ...next].join('\n');
}
