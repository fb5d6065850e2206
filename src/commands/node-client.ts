import { resolve } from 'node:path';
import type { Answered } from '../client/call.ts';
import { type Client, createClient } from '../client/http.ts';
import { OPERATOR_TOKEN_BYTES_MAX } from '../model/limits.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { parseDuration } from '../node/config/units.ts';
import { readPrivateFile } from '../node/keys/key-file.ts';
import { commandName, type Invocation, sameNode } from './command-line.ts';
import { CommandError, type ExitName, exitNameOfStatus } from './exit-codes.ts';
import { loadConfig, refuseOtherDirectory } from './files.ts';
import type { NodeOptions } from './node-options.ts';

const DEFAULT_URLS = ['http://localhost:7180', 'http://localhost:7181'];

type Failure = Extract<Answered<unknown>, { readonly ok: false }>['error'];

/** The node that a command line means. @throws CommandError (UNREACHABLE) when none answers at the usual places */
export async function connect(
  invocation: Invocation,
  options: NodeOptions & { readonly tokenFile?: string },
): Promise<Client> {
  const token = operatorToken(invocation, options.tokenFile);
  const more = token === undefined ? {} : { operatorToken: token };
  const named = options.node ?? urlOfHome(invocation);
  if (named !== undefined) return createClient({ url: checkedUrl(named), ...more });
  for (const url of DEFAULT_URLS) {
    const health = await createClient({ url, tries: 1 }).health();
    if (health.ok || health.error.code !== 'UNREACHABLE') return createClient({ url, ...more });
  }
  throw new CommandError('UNREACHABLE', `No node answers at ${DEFAULT_URLS.join(' or ')}.`, {
    code: 'UNREACHABLE',
    advice: 'Start one (npm start), or name one: --node http://host:port',
  });
}

function checkedUrl(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url.origin;
  throw new CommandError('USAGE', `--node is an address such as http://localhost:7180, not ${JSON.stringify(text)}.`);
}

function urlOfHome(invocation: Invocation): string | undefined {
  if (invocation.home === undefined && invocation.config === undefined) return undefined;
  const { address, port } = configOfNode(invocation).api;
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function operatorToken(invocation: Invocation, file: string | undefined): string | undefined {
  const path = file === undefined ? tokenFileOfHome(invocation) : resolve(file);
  if (path === undefined) return undefined;
  const read = readPrivateFile(path, OPERATOR_TOKEN_BYTES_MAX);
  if (read.ok) return read.value.trim();
  if (file === undefined && read.error.code === 'KEY_MISSING') return undefined;
  throw new CommandError('FAILED', `${read.error.reason}.`, { code: read.error.code });
}

function tokenFileOfHome(invocation: Invocation): string | undefined {
  return invocation.home === undefined ? undefined : configOfNode(invocation).node.operatorTokenFile;
}

/** @throws CommandError (CONFIG_INVALID) when the home that was named is none */
export function configOfNode(invocation: Invocation): NodeConfig {
  const { config } = loadConfig(invocation);
  refuseOtherDirectory(invocation);
  return config;
}

/** What was answered. @throws CommandError with the node's own sentence and the exit code that fits */
export function answerOf<T>(answered: Answered<T>): T {
  if (answered.ok) return answered.value;
  throw failureError(answered.error);
}

/** @param words the command line that failed */
export function failureError(failure: Failure, words: readonly string[] = process.argv.slice(2)): CommandError {
  const { code, detail } = failure;
  const sentence = /[.!?]$/.test(detail) ? detail : `${detail}.`;
  return new CommandError(exitOf(failure), sentence, { code, advice: adviceFor(failure, words) });
}

function exitOf({ code, status }: Failure): ExitName {
  if (code === 'UNREACHABLE' || code === 'TIMEOUT' || code === 'NOT_A_NODE') return 'UNREACHABLE';
  if (status === 400) return 'USAGE';
  return status === null ? 'FAILED' : exitNameOfStatus(status);
}

/** Of a node that answers and cannot do its part now: it can say why itself. */
const UNWELL = ['NO_QUORUM', 'NOT_SYNCED', 'NOT_READY', 'OVERLOADED', 'NOT_FINAL_YET', 'TIMEOUT', 'INTERNAL_ERROR'];

function adviceFor({ code, transactionId }: Failure, words: readonly string[]): string {
  if (code === 'UNAUTHORIZED')
    return 'Name the home of the node (--home) or its token (--token-file), or sign yourself (--key).';
  if (code === 'UNREACHABLE') return 'Is it running? counterfoil start, or npm start for a devnet.';
  const about = transactionId === undefined ? '' : `Transaction ${transactionId}.`;
  if (!UNWELL.includes(code)) return about;
  // Last and without a full stop, which would be copied with the address.
  return `${about} Why: ${commandName(process.env)} explain${sameNode(words)}`.trimStart();
}

/** Milliseconds of `--wait`. */
export function waitMsOf(text: string): number {
  const waitMs = parseDuration(text);
  if (waitMs !== undefined) return waitMs;
  throw new CommandError('USAGE', `--wait is a time with its unit, such as "5s", not ${JSON.stringify(text)}.`);
}
