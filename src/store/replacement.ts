import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** The file that LMDB keeps everything in, and the one by which processes tell each other that they use it. */
const DATA_FILE = 'data.mdb';
const LOCK_FILE = 'lock.mdb';
/** The last data file that was found damaged: for whoever wants to know why. */
export const DAMAGED_FILE = 'damaged.mdb';

/**
 * There while a node opens its data: LMDB ends the process that reads a damaged file, and the next start should know. It
 * holds what was found to be wrong with them, if something was.
 */
const OPENING_FILE = 'opening';

/** Whether the last start ended while it opened the data. From here on, this one does. */
export function beginOpening(dataDir: string): boolean {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, OPENING_FILE);
  const wasThere = existsSync(path);
  if (!wasThere) writeFileSync(path, '');
  return wasThere;
}

/** Leaves for the next start what is wrong with the data. */
export function noteDamage(dataDir: string, reason: string): void {
  writeFileSync(join(dataDir, OPENING_FILE), reason);
}

/** What an earlier start, or a node that ran, found to be wrong with the data that are there; null for nothing. */
export function notedDamage(dataDir: string): string | null {
  const path = join(dataDir, OPENING_FILE);
  const reason = hasData(dataDir) && existsSync(path) ? readFileSync(path, 'utf8') : '';
  return reason === '' ? null : reason;
}

/** The data are open, and the node runs. */
export function endOpening(dataDir: string): void {
  rmSync(join(dataDir, OPENING_FILE), { force: true });
}

/** Where in a data directory another one is put together, to take its place when it is whole. */
export function replacementDir(dataDir: string): string {
  return join(dataDir, 'replacement');
}

export function hasData(dir: string): boolean {
  return existsSync(join(dir, DATA_FILE));
}

/** Forgets what was put together so far. */
export function dropReplacement(dataDir: string): void {
  rmSync(replacementDir(dataDir), { recursive: true, force: true });
}

/**
 * Puts what was put together in the place of the old data, which is kept aside or goes. Nobody has either of them open;
 * the one step that counts is the renaming of one file, so that a crash leaves the old data or the new.
 */
export function installReplacement(dataDir: string, old: 'goes' | 'is kept'): void {
  const data = join(dataDir, DATA_FILE);
  if (old === 'is kept') setAside(dataDir);
  // What it says of transactions is of the old file, and would be believed by whoever opens the new one first.
  rmSync(join(dataDir, LOCK_FILE), { force: true });
  renameSync(join(replacementDir(dataDir), DATA_FILE), data);
  // It was noted of the old data.
  if (notedDamage(dataDir) !== null) noteDamage(dataDir, '');
  sync(dataDir);
  dropReplacement(dataDir);
}

/** Moves a data file that cannot be used out of the way, over the one before. */
export function setAside(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true });
  if (!hasData(dataDir)) return;
  renameSync(join(dataDir, DATA_FILE), join(dataDir, DAMAGED_FILE));
  rmSync(join(dataDir, LOCK_FILE), { force: true });
  sync(dataDir);
}

/** Removes a data file that nobody has open, and what others would believe of it. */
export function dropData(dataDir: string): void {
  for (const name of [DATA_FILE, LOCK_FILE]) rmSync(join(dataDir, name), { force: true });
}

function sync(dir: string): void {
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
