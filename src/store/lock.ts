import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { err, ok, type Result } from '../lib/result.ts';

/** Who holds a lock: enough to tell a living owner from a later process with the same number. */
interface Owner {
  readonly pid: number;
  /** When the process started, in the system's own words; empty where it does not tell. */
  readonly started: string;
  readonly host: string;
  /** Which run of the machine, and which set of process numbers in it; empty where it does not tell. */
  readonly boot: string;
  readonly processes: string;
}

export interface DataDirLock {
  release(): void;
}

export interface DataDirLocked {
  readonly code: 'DATA_DIR_LOCKED';
  readonly pid: number;
  readonly host: string;
  readonly file: string;
}

/** A lock, the lock for taking over a dead one's place, and so on: each level needs a crash within microseconds. */
const LEVELS_MAX = 4;

/**
 * Takes the file LOCK in `directory` for this process, over from an owner that died if there is one. An owner on
 * another machine (or in another container with another host name) cannot be looked at and is taken to be alive.
 *
 * @throws when the directory cannot be written
 */
export function lockDataDir(directory: string): Result<DataDirLock, DataDirLocked> {
  const taken = take(join(directory, 'LOCK'), LEVELS_MAX);
  if (!taken.ok) return taken;
  return ok({ release: () => giveBack(taken.value) });
}

/** Somebody may have removed the file by hand, and another process may hold it since. */
function giveBack(file: string): void {
  const owner = readOwner(file);
  const own = ownDescription();
  if (owner?.pid === own.pid && owner.host === own.host && owner.started === own.started) unlinkSync(file);
}

function take(file: string, levels: number): Result<string, DataDirLocked> {
  for (;;) {
    if (link(file)) return ok(file);
    const owner = readOwner(file);
    if (owner === undefined) continue;
    const { pid, host } = owner;
    const locked = err({ code: 'DATA_DIR_LOCKED', pid, host, file } as const);
    if (isAlive(owner) || levels === 0) return locked;
    // Between looking and removing, another process may have put its own lock there: only one at a time may try.
    const turn = take(`${file}.takeover`, levels - 1);
    if (!turn.ok) return turn;
    try {
      const now = readOwner(file);
      if (now !== undefined && !isAlive(now)) unlinkSync(file);
    } finally {
      unlinkSync(turn.value);
    }
  }
}

/** Makes the file whole or not at all: a link to a finished file, which fails when the name is taken. */
function link(file: string): boolean {
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, `${JSON.stringify(ownDescription())}\n`, { mode: 0o600 });
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new Error(`cannot lock ${file}`, { cause: error });
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Undefined when the lock is gone. A lock that nobody can read is a dead one: it was never made by `link`. */
function readOwner(file: string): Owner | undefined {
  try {
    return parseOwner(readFileSync(file, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Error(`cannot read ${file}`, { cause: error });
  }
}

function parseOwner(text: string): Owner {
  const nobody: Owner = { pid: 0, started: '', host: hostname(), boot: '', processes: '' };
  try {
    const value: unknown = JSON.parse(text);
    return isOwner(value) ? value : nobody;
  } catch {
    return nobody;
  }
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null || !('pid' in value)) return false;
  const texts = ['started', 'host', 'boot', 'processes'];
  const entries = new Map<string, unknown>(Object.entries(value));
  return Number.isSafeInteger(value.pid) && texts.every((name) => typeof entries.get(name) === 'string');
}

function isAlive(owner: Owner): boolean {
  if (owner.pid <= 0) return false;
  const own = ownDescription();
  const isVisible = owner.boot === own.boot && owner.processes === own.processes;
  // The same name after a new start of the machine, or of the container: whoever it was is gone.
  if (!isVisible) return owner.host !== own.host;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  const started = startOf(owner.pid);
  return started === owner.started || started === '' || owner.started === '';
}

function ownDescription(): Owner {
  const { pid } = process;
  const boot = firstOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  return {
    pid,
    started: startOf(pid),
    host: hostname(),
    boot,
    processes: firstOf(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** Linux counts the start of a process in ticks since the machine's; elsewhere `ps` gives it as a date. */
function startOf(pid: number): string {
  return firstOf(
    () => `${ticksOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))}`,
    () =>
      execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], {
        encoding: 'utf8',
        env: { LC_ALL: 'C', TZ: 'UTC' },
      }).trim(),
  );
}

/** Field 22 of proc(5) stat, counted after the program's name, which may hold spaces and brackets. */
function ticksOf(stat: string): string {
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  if (ticks === undefined) throw new Error('an unknown form of /proc/pid/stat');
  return ticks;
}

function firstOf(...sources: readonly (() => string)[]): string {
  for (const source of sources) {
    try {
      return source();
    } catch {
      // The system has no such source: the next one may be there, and nothing known is an answer too.
    }
  }
  return '';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
