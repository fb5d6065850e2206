import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { err, ok, type Result } from '../../lib/result.ts';
import { makeDirectories } from '../../store/directories.ts';
import {
  formatKey,
  type Key,
  type KeyFileFault,
  type KeyFileHeader,
  type Protection,
  parseKey,
  parseKeyHeader,
} from './key-format.ts';
import type { KeyKind } from './key-pair.ts';

/** A key file has some 600 bytes; whatever is larger is something else. */
const KEY_FILE_BYTES_MAX = 4_096;
const PERMISSIONS_OF_OTHERS = 0o077;

/**
 * Reads a key file that only its owner can read.
 *
 * @param passphrase needed when the file is encrypted, ignored otherwise
 * @param kind what the key must be for; any when left out
 * @throws when the disk fails; never says anything of the secret
 */
export function readKeyFile(path: string, passphrase?: string, kind?: KeyKind): Result<Key, KeyFileFault> {
  return readText(path, (text) => parseKey(text, passphrase, kind));
}

/** What a key file says without its passphrase. */
export function readKeyFileHeader(path: string): Result<KeyFileHeader, KeyFileFault> {
  return readText(path, parseKeyHeader);
}

function readText<T>(path: string, parse: (text: string) => Result<T, KeyFileFault>): Result<T, KeyFileFault> {
  const text = readPrivateFile(path, KEY_FILE_BYTES_MAX);
  if (!text.ok) return text;
  const parsed = parse(text.value);
  return parsed.ok ? parsed : err({ ...parsed.error, reason: `${path}: ${parsed.error.reason}` });
}

/** Text of a small file that nobody but its owner may read. What is judged is what is read: one open descriptor. */
export function readPrivateFile(path: string, bytesMax: number): Result<string, KeyFileFault> {
  const descriptor = openExisting(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (descriptor === undefined) return err({ code: 'KEY_MISSING', reason: `${path} does not exist` });
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile() || status.size > bytesMax)
      return err({ code: 'KEY_MALFORMED', reason: `${path} is not a file of at most ${bytesMax} bytes` });
    if ((status.mode & PERMISSIONS_OF_OTHERS) !== 0)
      return err({ code: 'KEY_READABLE_BY_OTHERS', reason: `${path} is open to others: chmod 600 ${path}` });
    return ok(readFileSync(descriptor, 'utf8'));
  } finally {
    closeSync(descriptor);
  }
}

function openExisting(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return undefined;
    throw new Error(`cannot open ${path}`, { cause });
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/**
 * Writes a key into a new file (0600, its directory 0700 when it is made here): whole and durable, or not at all.
 * Never replaces a file: a lost key cannot be had back.
 *
 * @throws when the disk fails
 */
export function writeKeyFile(path: string, key: Key, protection: Protection): Result<void, KeyFileFault> {
  return writeNewPrivateFile(path, formatKey(key, protection));
}

function writeNewPrivateFile(path: string, text: string): Result<void, KeyFileFault> {
  const directory = dirname(path);
  makeDirectories(directory);
  const temporary = join(directory, `.${basename(path)}.${process.pid}.new`);
  // One that a killed process left; in a container every process may have the same pid.
  rmSync(temporary, { force: true });
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
    // A link, not a rename: a rename would replace a key that another process wrote in the meantime.
    linkSync(temporary, path);
  } catch (cause) {
    if (isErrno(cause, 'EEXIST')) return err({ code: 'KEY_EXISTS', reason: `${path} exists and is not replaced` });
    throw new Error(`cannot write ${path}`, { cause });
  } finally {
    closeSync(descriptor);
    rmSync(temporary);
  }
  syncDirectory(directory);
  return ok(undefined);
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Text that carries a key to another machine: a key file of its own, always under a passphrase.
 * An authority's key travels without its journal of votes, so it may not vote where it arrives: see `movingNotice`.
 */
export function exportKey(key: Key, protection: Extract<Protection, { kind: 'passphrase' }>): string {
  return formatKey(key, protection);
}

/** Takes such a text, from wherever it was read. */
export function importKey(text: string, passphrase: string | undefined): Result<Key, KeyFileFault> {
  if (text.length > KEY_FILE_BYTES_MAX)
    return err({ code: 'KEY_MALFORMED', reason: `a key is at most ${KEY_FILE_BYTES_MAX} bytes of text` });
  return parseKey(text, passphrase);
}

/** What whoever moves a key of this kind must be told; undefined when there is nothing to tell. */
export function movingNotice(kind: KeyKind): string | undefined {
  return kind === 'authority'
    ? 'An authority key moves without its journal of votes, by design: where it arrives it observes and does not vote. ' +
        'To move the seat, give the new machine a new key through governance.'
    : undefined;
}
