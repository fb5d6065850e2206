/** One program at a time: a lock file that names its owner, and survives an owner that was killed. */
import { closeSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 200;
/** A lock without a readable owner was just being written, unless it is older than this. */
const UNREADABLE_MS_MAX = 10_000;
/** No set-up takes this long; covers a process id that was given to another program. */
const HELD_MS_MAX = 20 * 60_000;

/**
 * Runs `work` while holding the lock at `path`; waits for another holder first, calling `onWait(pid)` once.
 * `work` gets a function that names a child which keeps the lock, should we be killed before it ends.
 * @template T
 * @param {string} path
 * @param {(keepFor: (child: number) => void) => Promise<T>} work
 * @param {(pid: number) => void} onWait
 * @returns {Promise<T>}
 */
export async function withLockFile(path, work, onWait) {
  await acquire(path, onWait);
  const release = () => unlinkIfPresent(path);
  process.once('exit', release);
  try {
    return await work((child) => writeFileSync(path, ownedBy(child)));
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

/**
 * @param {string} path
 * @param {(pid: number) => void} onWait
 */
async function acquire(path, onWait) {
  let told = false;
  while (!tryCreate(path)) {
    const seen = read(path);
    if (seen === undefined) continue;
    if (isStale(seen)) {
      remove(path, seen.text);
      continue;
    }
    if (!told) onWait(seen.pid);
    told = true;
    await pause(POLL_MS);
  }
}

/** @param {string} path */
function tryCreate(path) {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, ownedBy());
    closeSync(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** @param {number} [child] */
function ownedBy(child) {
  return JSON.stringify({ pid: process.pid, child, host: hostname() });
}

/**
 * @typedef {{ text: string, pid: number, child: number, host: string, ageMs: number }} Seen
 * @param {string} path
 * @returns {Seen | undefined} undefined when it is gone
 */
function read(path) {
  try {
    const text = readFileSync(path, 'utf8');
    const ageMs = Date.now() - statSync(path).mtimeMs;
    return { text, ageMs, ...ownerOf(text) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * @param {string} text
 * @returns {{ pid: number, child: number, host: string }} pid 0 when unreadable, child 0 when there is none
 */
function ownerOf(text) {
  try {
    const { pid, child = 0, host } = JSON.parse(text);
    if (Number.isSafeInteger(pid) && pid > 0 && Number.isSafeInteger(child)) return { pid, child, host };
  } catch {
    // Half written: the age decides.
  }
  return { pid: 0, child: 0, host: '' };
}

/** @param {Seen} seen */
function isStale(seen) {
  if (seen.pid === 0) return seen.ageMs > UNREADABLE_MS_MAX;
  if (seen.ageMs > HELD_MS_MAX) return true;
  return seen.host === hostname() && !isAlive(seen.pid) && !(seen.child && isAlive(seen.child));
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return !isZombie(pid);
}

/**
 * Ended, but never waited for: so it stays in a container whose first process is no init.
 * @param {number} pid
 */
function isZombie(pid) {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Removes exactly the stale lock that was seen: between look and removal another waiter may have replaced it.
 * @param {string} path
 * @param {string} text
 */
function remove(path, text) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') === text) unlinkIfPresent(aside);
  else renameSync(aside, path);
}

/** @param {string} path */
function unlinkIfPresent(path) {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
