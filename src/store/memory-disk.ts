import { assert, defined } from '../lib/assert.ts';
import type { Disk, DiskDone, DiskFile, FileIdentity } from './disk.ts';

/** Takes a task to be run later: when, and in which order, decides how slow the disk is. */
export type Schedule = (task: () => void) => void;

export interface MemoryDiskOptions {
  readonly schedule: Schedule;
  /** Called before each operation; what it throws, the operation throws. */
  readonly onOperation?: (operation: string, name: string) => void;
}

/** A change that is not durable yet and is kept whole or not at all. */
export interface DiskChange {
  readonly kind: 'create' | 'remove' | 'truncate';
  readonly name: string;
}

/** What a crash leaves of that which was not synced. */
export interface CrashChoice {
  /** How many of a file's unsynced bytes remain: 0 to `unsynced`. */
  readonly bytesKept: (name: string, unsynced: number) => number;
  readonly keeps: (change: DiskChange) => boolean;
  /** Whether the bytes that do not remain leave zeros behind: the file's size reached the disk, its bytes did not. */
  readonly zeros?: boolean;
}

interface Node {
  readonly identity: FileIdentity;
  /** Every byte appended; its first `durable` bytes are on the disk. */
  bytes: Uint8Array;
  length: number;
  readable: number;
  durable: number;
  /** What a crash brings back while a truncation is not durable. */
  untruncated: Uint8Array | undefined;
  handles: number;
}

function diskError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: ${call}`), { code });
}

/** A disk in memory that forgets what was not synced: for tests, and for the simulator, which runs the real journal on it. */
export class MemoryDisk implements Disk {
  readonly #options: MemoryDiskOptions;
  readonly #names: Map<string, Node>;
  /** The directory as the disk has it, and what has been done to it since. */
  #durableNames: Map<string, Node>;
  #changes: { readonly change: DiskChange; readonly node: Node }[] = [];
  #nextInode: number;
  #capacityBytes = Number.POSITIVE_INFINITY;
  #failure: string | undefined;
  #crashed = false;

  constructor(options: MemoryDiskOptions) {
    this.#options = options;
    this.#names = new Map();
    this.#durableNames = new Map();
    this.#nextInode = 1;
  }

  list(): readonly string[] {
    this.#operate('list', '');
    return [...this.#names.keys()].sort();
  }

  create(name: string): DiskFile {
    this.#operate('create', name);
    if (this.#names.has(name)) throw diskError('EEXIST', `create ${name}`);
    const node = this.#makeNode(new Uint8Array(0));
    this.#names.set(name, node);
    this.#changes.push({ change: { kind: 'create', name }, node });
    return this.#handle(name, node);
  }

  open(name: string): DiskFile {
    this.#operate('open', name);
    const node = this.#names.get(name);
    if (node === undefined) throw diskError('ENOENT', `open ${name}`);
    return this.#handle(name, node);
  }

  remove(name: string): void {
    this.#operate('remove', name);
    const node = this.#names.get(name);
    if (node === undefined) throw diskError('ENOENT', `remove ${name}`);
    assert(node.handles === 0, `${name} is removed while it is open`);
    this.#names.delete(name);
    this.#changes.push({ change: { kind: 'remove', name }, node });
  }

  syncDirectory(done: DiskDone): void {
    this.#operate('syncDirectory', '');
    const names = new Map(this.#names);
    const changes = this.#changes.length;
    this.#complete(done, () => {
      this.#durableNames = names;
      this.#changes = this.#changes.slice(changes);
    });
  }

  /** The next sync of a file or of the directory fails with `code`, for example EIO. */
  failNextSync(code: string): void {
    this.#failure = code;
  }

  /** From now on all files together hold `bytes` at most; a write beyond that is cut short there and fails with ENOSPC. */
  limitCapacity(bytes: number): void {
    this.#capacityBytes = bytes;
  }

  /**
   * Ends this disk, as a power failure would: no callback under way is ever called.
   *
   * @returns the disk that the next start finds.
   */
  crash(choice: CrashChoice): MemoryDisk {
    const names = new Map(this.#durableNames);
    for (const { change, node } of this.#changes) {
      if (!choice.keeps(change)) continue;
      if (change.kind === 'create') names.set(change.name, node);
      else if (names.get(change.name) === node) names.delete(change.name);
    }
    this.#crashed = true;
    return this.#successor([...names].map(([name, node]) => [name, node.identity, survivor(name, node, choice)]));
  }

  /**
   * Ends the process and not the machine: everything that was appended is there for the next start, and still not
   * durable. No callback under way is ever called.
   */
  kill(): MemoryDisk {
    this.#crashed = true;
    const disk = this.#successor([]);
    const heirs = new Map<Node, Node>();
    const heir = (node: Node): Node => {
      const known = heirs.get(node) ?? { ...node, bytes: node.bytes.slice(), readable: node.length, handles: 0 };
      heirs.set(node, known);
      return known;
    };
    for (const [name, node] of this.#names) disk.#names.set(name, heir(node));
    for (const [name, node] of this.#durableNames) disk.#durableNames.set(name, heir(node));
    disk.#changes = this.#changes.map(({ change, node }) => ({ change, node: heir(node) }));
    return disk;
  }

  /** The same bytes in other files, as `cp -r` makes them. Everything in it is durable. */
  copy(): MemoryDisk {
    const disk = this.#successor([]);
    for (const [name, node] of this.#names) disk.overwrite(name, node.bytes.slice(0, node.readable));
    return disk;
  }

  /** The very same files as they are now, on a disk of its own: what a snapshot of the machine keeps. Everything in it is durable. */
  snapshot(): MemoryDisk {
    return this.#successor(
      [...this.#names].map(([name, node]) => [name, node.identity, node.bytes.slice(0, node.readable)]),
    );
  }

  /** What a reader of `name` sees now. */
  bytesOf(name: string): Uint8Array {
    const node = defined(this.#names.get(name), `no file ${name}`);
    return node.bytes.slice(0, node.readable);
  }

  /** What every crash of the machine would leave of `name`, were it now; nothing of a file whose name is not durable. */
  durableBytesOf(name: string): Uint8Array {
    const node = this.#durableNames.get(name);
    return node === undefined ? new Uint8Array(0) : node.bytes.slice(0, node.durable);
  }

  /** Replaces a closed file's bytes, durably, and leaves its identity: damage, or an older copy put back in place. */
  overwrite(name: string, bytes: Uint8Array): void {
    const before = this.#names.get(name);
    assert((before?.handles ?? 0) === 0, `${name} is overwritten while it is open`);
    const node = this.#makeNode(bytes, before?.identity);
    this.#names.set(name, node);
    this.#durableNames.set(name, node);
  }

  #successor(files: readonly (readonly [string, FileIdentity, Uint8Array])[]): MemoryDisk {
    const disk = new MemoryDisk(this.#options);
    disk.#nextInode = this.#nextInode;
    for (const [name, identity, bytes] of files) {
      const node = disk.#makeNode(bytes, identity);
      disk.#names.set(name, node);
      disk.#durableNames.set(name, node);
    }
    return disk;
  }

  #makeNode(bytes: Uint8Array, known?: FileIdentity): Node {
    const inode = String(this.#nextInode);
    this.#nextInode += 1;
    const identity = known ?? { device: 'memory', inode, birthTime: `${inode}000` };
    const { length } = bytes;
    const copy = bytes.slice();
    return { identity, bytes: copy, length, readable: length, durable: length, untruncated: undefined, handles: 0 };
  }

  #operate(operation: string, name: string): void {
    if (this.#crashed) throw diskError('EIO', `${operation} after a crash`);
    this.#options.onOperation?.(operation, name);
  }

  #complete(done: DiskDone, succeed: () => void): void {
    const code = this.#failure;
    this.#failure = undefined;
    this.#options.schedule(() => {
      if (this.#crashed) return;
      if (code === undefined) succeed();
      done(code === undefined ? undefined : diskError(code, 'sync'));
    });
  }

  #handle(name: string, node: Node): DiskFile {
    node.handles += 1;
    let open = true;
    let syncing = false;
    let failed = false;
    const operate = (operation: string): void => {
      assert(open, `${operation} on ${name}, which is closed`);
      this.#operate(operation, name);
    };
    return {
      name,
      identity: () => node.identity,
      size: () => node.length,
      append: (bytes) => {
        operate('append');
        extend(node, bytes);
      },
      sync: (done) => {
        operate('sync');
        assert(!syncing && !failed, `${name} is synced ${failed ? 'after a failure' : 'twice at a time'}`);
        syncing = true;
        const end = Math.min(node.length, node.durable + this.#freeBytes());
        if (end < node.length) {
          this.#failure ??= 'ENOSPC';
          node.length = end;
        }
        const finish: DiskDone = (error) => {
          syncing = false;
          failed = error !== undefined;
          done(error);
        };
        this.#complete(finish, () => {
          node.durable = end;
          node.readable = end;
          node.untruncated = undefined;
        });
      },
      read: (offset, length) => {
        operate('read');
        return node.bytes.slice(offset, Math.max(offset, Math.min(offset + length, node.readable)));
      },
      truncate: (size) => {
        operate('truncate');
        assert(node.length === node.readable && size <= node.length, `${name} is truncated with bytes under way`);
        node.untruncated ??= node.bytes.slice(0, node.length);
        node.length = size;
        node.readable = size;
        node.durable = Math.min(node.durable, size);
      },
      close: () => {
        assert(open, `${name} is closed twice`);
        open = false;
        node.handles -= 1;
      },
    };
  }

  #freeBytes(): number {
    let used = 0;
    for (const node of this.#names.values()) used += node.durable;
    return Math.max(0, this.#capacityBytes - used);
  }
}

function extend(node: Node, bytes: Uint8Array): void {
  const length = node.length + bytes.length;
  if (length > node.bytes.length) {
    const larger = new Uint8Array(Math.max(length, 2 * node.bytes.length));
    larger.set(node.bytes.subarray(0, node.length));
    node.bytes = larger;
  }
  node.bytes.set(bytes, node.length);
  node.length = length;
}

function survivor(name: string, node: Node, choice: CrashChoice): Uint8Array {
  if (node.untruncated !== undefined && !choice.keeps({ kind: 'truncate', name })) return node.untruncated;
  const unsynced = node.length - node.durable;
  const kept = node.durable + (unsynced > 0 ? choice.bytesKept(name, unsynced) : 0);
  assert(kept >= node.durable && kept <= node.length, 'a crash keeps what was synced and invents nothing');
  const bytes = node.bytes.slice(0, choice.zeros === true ? node.length : kept);
  return bytes.fill(0, kept);
}
