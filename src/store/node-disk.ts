import {
  chmodSync,
  closeSync,
  fdatasync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writev,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { assert } from '../lib/assert.ts';
import { makeDirectories } from './directories.ts';
import type { Disk, DiskDone, DiskFile, FileIdentity } from './disk.ts';

/** What one system call takes: Linux ends at 1,024 parts (IOV_MAX). */
const WRITE_PARTS_MAX = 512;
/** File times tick every 1 to 10 ms; a change that shows no new time by then will show none. */
const PROBE_MS_MAX = 100;

/** Opens the directory at `path`, made for this user alone when it is not there. @throws with `cause` */
export function openNodeDisk(path: string): Disk {
  return attempt(`cannot open the directory ${path}`, () => {
    const made = makeDirectories(path);
    if (made !== undefined) syncNow(dirname(made));
    return new NodeDisk(path, keepsBirthTimes(path));
  });
}

class NodeDisk implements Disk {
  readonly #path: string;
  readonly #keepsBirthTimes: boolean;

  constructor(path: string, keepsBirthTimes: boolean) {
    this.#path = path;
    this.#keepsBirthTimes = keepsBirthTimes;
  }

  list(): readonly string[] {
    return attempt(`cannot list ${this.#path}`, () =>
      readdirSync(this.#path, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .sort(),
    );
  }

  create(name: string): DiskFile {
    return this.#open(name, 'wx+');
  }

  open(name: string): DiskFile {
    return this.#open(name, 'r+');
  }

  remove(name: string): void {
    const path = join(this.#path, name);
    attempt(`cannot remove ${path}`, () => unlinkSync(path));
  }

  syncDirectory(done: DiskDone): void {
    const descriptor = attempt(`cannot open ${this.#path}`, () => openSync(this.#path, 'r'));
    fsync(descriptor, (error) => {
      closeSync(descriptor);
      done(error === null ? undefined : failure(`cannot sync ${this.#path}`, error));
    });
  }

  #open(name: string, flags: string): DiskFile {
    const path = join(this.#path, name);
    return attempt(`cannot open ${path}`, () => {
      const descriptor = openSync(path, flags, 0o600);
      return new NodeFile(name, path, descriptor, this.#keepsBirthTimes);
    });
  }
}

class NodeFile implements DiskFile {
  readonly name: string;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #keepsBirthTimes: boolean;
  #written: number;
  #size: number;
  #queue: Uint8Array[] = [];
  #syncing = false;

  constructor(name: string, path: string, descriptor: number, keepsBirthTimes: boolean) {
    this.name = name;
    this.#path = path;
    this.#descriptor = descriptor;
    this.#keepsBirthTimes = keepsBirthTimes;
    this.#size = fstatSync(descriptor).size;
    this.#written = this.#size;
  }

  identity(): FileIdentity {
    return attempt(`cannot look at ${this.#path}`, () => {
      const { dev, ino, birthtimeNs } = fstatSync(this.#descriptor, { bigint: true });
      return { device: `${dev}`, inode: `${ino}`, birthTime: this.#keepsBirthTimes ? `${birthtimeNs}` : '' };
    });
  }

  size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#size += bytes.length;
  }

  sync(done: DiskDone): void {
    assert(!this.#syncing, `${this.#path} is synced twice at a time`);
    this.#syncing = true;
    const finish = (error: Error | null): void => {
      this.#syncing = false;
      done(error === null ? undefined : failure(`cannot write ${this.#path}`, error));
    };
    const parts = this.#queue;
    this.#queue = [];
    this.#write(parts, (error) => {
      if (error === null) fdatasync(this.#descriptor, finish);
      else finish(error);
    });
  }

  read(offset: number, length: number): Uint8Array {
    return attempt(`cannot read ${this.#path}`, () => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#written - offset)));
      let filled = 0;
      while (filled < bytes.length) {
        const count = readSync(this.#descriptor, bytes, filled, bytes.length - filled, offset + filled);
        if (count === 0) break;
        filled += count;
      }
      return bytes.subarray(0, filled);
    });
  }

  truncate(size: number): void {
    assert(this.#queue.length === 0 && !this.#syncing, `${this.#path} is truncated with bytes under way`);
    attempt(`cannot truncate ${this.#path}`, () => ftruncateSync(this.#descriptor, size));
    this.#size = size;
    this.#written = size;
  }

  close(): void {
    attempt(`cannot close ${this.#path}`, () => closeSync(this.#descriptor));
  }

  /** Writes all parts at the end, in as many system calls as the system wants. */
  #write(parts: readonly Uint8Array[], done: (error: Error | null) => void): void {
    if (parts.length === 0) {
      done(null);
      return;
    }
    writev(this.#descriptor, parts.slice(0, WRITE_PARTS_MAX), this.#written, (error, count) => {
      this.#written += count;
      if (error !== null) done(error);
      else this.#write(withoutFirst(parts, count), done);
    });
  }
}

function withoutFirst(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  const index = parts.findIndex((part) => {
    if (part.length > left) return true;
    left -= part.length;
    return false;
  });
  const first = parts[index];
  return first === undefined ? [] : [first.subarray(left), ...parts.slice(index + 1)];
}

/**
 * Whether files here keep the time of their birth. Where they do not, the system reports zero, or the time of the last
 * change, which moves: taken for an identity, it would make every file look like a copy.
 */
function keepsBirthTimes(path: string): boolean {
  const first = statSync(path, { bigint: true });
  let now = first;
  const end = performance.now() + PROBE_MS_MAX;
  while (now.birthtimeNs === now.ctimeNs && now.ctimeNs === first.ctimeNs && performance.now() < end) {
    chmodSync(path, Number(first.mode & 0o7777n));
    now = statSync(path, { bigint: true });
  }
  return now.birthtimeNs !== 0n && now.birthtimeNs !== now.ctimeNs;
}

function syncNow(path: string): void {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function attempt<T>(sentence: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw failure(sentence, error);
  }
}

/** An error of the environment that keeps the system's code (ENOSPC, EIO, ...). */
function failure(sentence: string, cause: unknown): Error {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(`${sentence}: ${reason}`, { cause }), { code });
}
