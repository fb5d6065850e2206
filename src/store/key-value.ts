import type { Result } from '../lib/result.ts';

/** The number of a table, as the schema gives it. A number is never used again for anything else. */
export type Table = number;

export interface KeyValueEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Which keys, in the order of unsigned bytes. */
export interface KeyRange {
  /** The smallest key, included. */
  readonly from?: Uint8Array;
  /** The end, not included. */
  readonly to?: Uint8Array;
  /** From the largest key down; `from` and `to` keep their meaning. */
  readonly reverse?: boolean;
  /** The largest number of entries. */
  readonly limit?: number;
}

/** A value to put, or `undefined` to remove the key (which need not exist). */
export interface KeyValueChange {
  readonly table: Table;
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

export type StoreErrorCode = 'DISK_FULL' | 'STORE_FAILED';

/** The store can no longer be written. Nothing is lost that was reported durable. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(message: string, options: { readonly code: StoreErrorCode; readonly cause?: unknown }) {
    super(message, options);
    this.code = options.code;
  }
}

/**
 * What becomes of a write. Either `visible` and then `durable` are called, or `failed`, once; never before `write` has
 * returned, and in the order of the writes. A write that was visible can still fail to become durable.
 */
export interface WriteOutcome {
  /** Reads from now on see the write. */
  readonly visible?: () => void;
  /** A crash of the machine no longer loses it. */
  readonly durable?: () => void;
  readonly failed: (error: StoreError) => void;
}

/** The caller owns all bytes that it is given. */
export interface KeyValueReads {
  get(table: Table, key: Uint8Array): Uint8Array | undefined;
  /** Lazy. Drain it before the next write, or take a snapshot: what a live range shows of later writes is not said. */
  range(table: Table, range: KeyRange): Iterable<KeyValueEntry>;
}

/** The state at one moment, for reads that outlast a turn of the event loop. */
export interface KeyValueSnapshot extends KeyValueReads {
  /** Gives the moment back, once; until then its pages cannot be used again. */
  close(): void;
}

/**
 * Tables of binary keys and values (key 1 to KEY_BYTES_MAX bytes, value up to VALUE_BYTES_MAX bytes), one writer.
 * Reads see what is visible. Breaking a limit or naming an unknown table is a bug (InvariantError).
 */
export interface KeyValue extends KeyValueReads {
  /**
   * One transaction: all of the batch or nothing; of several changes of one key the last one counts. The caller no longer
   * changes the bytes. After a failure every later write fails too.
   */
  write(batch: readonly KeyValueChange[], outcome: WriteOutcome): void;
  /** At most SNAPSHOTS_MAX at a time: whoever lets others ask for one keeps count. */
  snapshot(): KeyValueSnapshot;
  /** Bytes that the store takes on disk (or in memory). */
  sizeBytes(): number;
  /** Waits for the writes under way; `done` is called once. Nothing may be called afterwards. */
  close(done: (closed: Result<undefined, StoreError>) => void): void;
}
