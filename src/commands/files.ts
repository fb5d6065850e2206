import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Genesis } from '../ledger/genesis.ts';
import { parseGenesis } from '../ledger/genesis-document.ts';
import { type ResolvedConfig, resolveConfig } from '../node/config/config.ts';
import { type ConfigFile, parseConfigFile } from '../node/config/file.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';

/** Bytes of a file that the user named. @throws CommandError when it cannot be read */
export function readGivenFile(path: string): Uint8Array {
  const bytes = readIfPresent(path);
  if (bytes === undefined) throw new CommandError('NOT_FOUND', `${path} does not exist.`);
  return bytes;
}

export function readIfPresent(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Error(`cannot read ${path}`, { cause });
  }
}

export function homeOf(invocation: Invocation): string {
  return resolve(invocation.home ?? '.');
}

/**
 * A name that was mistyped must not mean the defaults: they may lead to another node.
 *
 * @throws CommandError (CONFIG_INVALID) when the home that was named is no directory
 */
function refuseMissingHome({ home }: Invocation): void {
  if (home === undefined || statSync(home, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new CommandError('CONFIG_INVALID', `The home ${home} does not exist, or is no directory.`, {
    code: 'NO_SUCH_HOME',
    advice: 'Check --home (or COUNTERFOIL_HOME); counterfoil init makes a home.',
  });
}

/** What any home has that a node ran from or can run from. */
const MARKS = ['config.toml', 'genesis.json'];
/** What a home has and the directory of a whole network has not: that keeps a genesis document too. */
const OWN_MARKS = ['config.toml', 'keys', 'data'];

/** @throws CommandError (CONFIG_INVALID) when the home that was named is none of a node */
export function refuseOtherDirectory({ home, config }: Invocation): void {
  if (home === undefined || config !== undefined || hasOne(home, MARKS)) return;
  throw noHome(home, 'Check --home (or COUNTERFOIL_HOME); counterfoil init makes a home.');
}

/** The defaults that a directory of homes would mean are those of none of its nodes. */
function refuseDirectoryOfHomes({ home, config }: Invocation): void {
  if (home === undefined || config !== undefined || hasOne(home, OWN_MARKS)) return;
  const inside = readdirSync(home).filter((name) => existsSync(join(home, name, 'config.toml')));
  if (inside.length === 0) return;
  throw noHome(home, `The homes in it: ${inside.map((name) => join(home, name)).join(', ')}.`);
}

function hasOne(directory: string, names: readonly string[]): boolean {
  return names.some((name) => existsSync(join(directory, name)));
}

function noHome(home: string, advice: string): CommandError {
  const message = `${home} is not the home of a node: it has no config.toml.`;
  return new CommandError('CONFIG_INVALID', message, { code: 'NO_SUCH_HOME', advice });
}

/** A flag that sets a key of config.toml: the flag's name and the text it was given. */
export type ConfigFlags = ReadonlyMap<string, { readonly flag: string; readonly text: string }>;

/**
 * The configuration in force, from flags, environment, file and defaults.
 *
 * @throws CommandError (CONFIG_INVALID) that says everything that is wrong
 */
export function loadConfig(invocation: Invocation, more: ConfigFlags = new Map()): ResolvedConfig {
  refuseMissingHome(invocation);
  refuseDirectoryOfHomes(invocation);
  const home = homeOf(invocation);
  const flags = new Map(more);
  if (invocation.logLevel !== undefined) flags.set('logging.level', { flag: '--log-level', text: invocation.logLevel });
  if (invocation.logFormat !== undefined) {
    flags.set('logging.format', { flag: '--log-format', text: invocation.logFormat });
  }
  const file = loadConfigFile(invocation, home);
  const resolved = resolveConfig({ home, file, environment: invocation.environment, flags });
  if (!resolved.ok) throw new CommandError('CONFIG_INVALID', resolved.error.join('\n  '));
  for (const warning of resolved.value.warnings) invocation.terminal.talk(`counterfoil: ${warning}`);
  return resolved.value;
}

function loadConfigFile(invocation: Invocation, home: string): ConfigFile | undefined {
  const path = invocation.config === undefined ? resolve(home, 'config.toml') : resolve(invocation.config);
  const bytes = readIfPresent(path);
  if (bytes === undefined) {
    if (invocation.config === undefined) return undefined;
    throw new CommandError('CONFIG_INVALID', `${path} does not exist.`, {
      advice: 'counterfoil init writes one, with comments.',
    });
  }
  const parsed = parseConfigFile(path, new TextDecoder().decode(bytes));
  if (!parsed.ok) throw new CommandError('CONFIG_INVALID', parsed.error);
  return parsed.value;
}

export interface LoadedGenesis {
  readonly genesis: Genesis;
  readonly bytes: Uint8Array;
}

/** @throws CommandError that lists the faults of the document */
export function loadGenesis(path: string): LoadedGenesis {
  const bytes = readGivenFile(path);
  const parsed = parseGenesis(bytes);
  if (parsed.ok) return { genesis: parsed.value, bytes };
  const faults = parsed.error.map((fault) => `  ${fault.path}: ${fault.message} (${fault.code})`);
  throw new CommandError('VERIFICATION_FAILED', `${path} is not a genesis document:\n${faults.join('\n')}`);
}
