/** What survives a crash: the journal, the key-value store and what is written once above them. */

/** Which file this is, beyond its name. A copy of a file has the same bytes and another identity. */
export interface FileIdentity {
  readonly device: string;
  readonly inode: string;
  /** Nanoseconds since 1970 in decimal; empty where the file system does not keep the time of birth. */
  readonly birthTime: string;
}

/** Called exactly once, never before the call that took it has returned. */
export type DiskDone = (error: Error | undefined) => void;

/**
 * One open file that only grows at its end. What is read, its size and its identity are of this moment; they throw
 * (with `cause`) when the environment fails.
 */
export interface DiskFile {
  readonly name: string;
  identity(): FileIdentity;
  /** Bytes appended so far, written or not. */
  size(): number;
  /** Hands bytes over without blocking; the caller no longer changes them. Whether they could be written, `sync` tells. */
  append(bytes: Uint8Array): void;
  /**
   * Makes everything appended before durable (fdatasync), or reports the error. After an error nobody knows what the
   * disk holds: the caller must stop using it, a second sync may claim success for bytes that were dropped.
   */
  sync(done: DiskDone): void;
  /** Up to `length` bytes from `offset`, fewer only at the end of the file. Appended bytes count once a sync succeeded. */
  read(offset: number, length: number): Uint8Array;
  /** Cuts the file to `size` bytes; durable with the next `sync`. Only while nothing appended waits for a sync. */
  truncate(size: number): void;
  close(): void;
}

/** The files of one directory, without folders. Names are plain: no separators. */
export interface Disk {
  /** Names of all files, sorted. */
  list(): readonly string[];
  /** Makes an empty file that must not exist. Its name is durable after `syncDirectory`. */
  create(name: string): DiskFile;
  /** Opens a file that exists. */
  open(name: string): DiskFile;
  /** Removes a closed file; durable after `syncDirectory`. */
  remove(name: string): void;
  /** Makes the directory durable: which names exist. */
  syncDirectory(done: DiskDone): void;
}

/** Whether a lack of room is behind an error: it hides behind what could not be done because of it. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && (cause.code === 'ENOSPC' || cause.code === 'DISK_FULL')) return true;
  }
  return false;
}
