import { existsSync, statfs, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase, type Transaction } from 'lmdb';
import { assert } from '../lib/assert.ts';
import { compareBytes } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { KEY_BYTES_MAX, SNAPSHOTS_MAX } from '../model/limits.ts';
import { makeDirectories } from './directories.ts';
import {
  type KeyRange,
  type KeyValue,
  type KeyValueChange,
  type KeyValueEntry,
  type KeyValueReads,
  type KeyValueSnapshot,
  StoreError,
  type StoreErrorCode,
  type Table,
  type WriteOutcome,
} from './key-value.ts';
import { assertRoots, DATA_FILE, lengthen } from './lmdb-file.ts';
import { Snapshots } from './snapshots.ts';
import { assertKey, type CommitResult, WriteQueue } from './write-queue.ts';

/** A transaction that failed with less than this left on the disk failed for lack of room. */
const FREE_BYTES_LOW = 16 * 1_048_576;
/** ENOSPC, as LMDB reports it when it says anything at all. */
const NO_SPACE = 28;
/** MDB_NOTFOUND: no such table. */
const NOT_FOUND = -30_798;
/** The smallest key: LMDB has no empty ones. */
const LOWEST_KEY = Uint8Array.of(0);

type Bytes = Database<Uint8Array, Uint8Array>;

/**
 * Opens the LMDB environment in the directory `path`, made when it is not there, with the tables of the schema.
 *
 * @throws StoreError with `cause`
 */
export function openLmdb(path: string, tables: readonly Table[]): KeyValue {
  return openEnvironment(path, tables, 'kept');
}

/**
 * The same for what can be put together again. Data are synced before the root that leads to them, and the root with the
 * next write: a crash of the machine may undo the last write, whatever was said of it, and never a part of one. A file that
 * is another's or has been cut is refused, where opening or reading it would end the process.
 *
 * @throws StoreError with `cause`
 */
export function openRebuildableLmdb(path: string, tables: readonly Table[]): KeyValue {
  return openEnvironment(path, tables, 'rebuildable');
}

/** What can be asked of an environment that is not written: a moment of it. */
export type ReadOnlyKeyValue = Pick<KeyValue, 'snapshot' | 'sizeBytes' | 'close'>;

type Manner = 'kept' | 'rebuildable' | 'read';

/**
 * Opens an environment that is there, beside the process that writes it if one does. Nothing of it is changed but the
 * table of readers in `lock.mdb`. A snapshot keeps the writer from using old pages again, so its file grows meanwhile.
 *
 * @throws StoreError with `cause`
 */
export function openLmdbForReading(path: string, tables: readonly Table[]): ReadOnlyKeyValue {
  return openEnvironment(path, tables, 'read');
}

function openEnvironment(path: string, tables: readonly Table[], manner: Manner): LmdbKeyValue {
  let root: RootDatabase<Uint8Array, Uint8Array> | undefined;
  try {
    if (manner !== 'read') makeDirectories(path);
    else if (!existsSync(join(path, DATA_FILE))) throw new Error('there is none');
    if (manner === 'rebuildable') assertRoots(join(path, DATA_FILE));
    root = open<Uint8Array, Uint8Array>({
      path,
      readOnly: manner === 'read',
      noMetaSync: manner === 'rebuildable',
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: tables.length,
      maxReaders: 2 * SNAPSHOTS_MAX,
      // The plain commit of LMDB: pages, sync, root. The package's own scheme becomes visible no sooner, and decides
      // after a crash by the machine's boot which of two roots to believe.
      overlappingSync: false,
      // Every transaction is one explicit batch. The implicit ones make promises of their own, which nobody could catch.
      eventTurnBatching: false,
    });
    const isShort = manner === 'rebuildable' && lengthen(join(path, DATA_FILE), root);
    const opened = new Map<Table, Bytes>();
    for (const table of tables) opened.set(table, openTable(root, table));
    if (isShort) for (const table of opened.values()) readThrough(table);
    return new LmdbKeyValue(path, root, opened);
  } catch (error) {
    root?.close().catch(() => undefined);
    throw new StoreError(`cannot open the database in ${path}`, { code: codeOf(error), cause: error });
  }
}

function openTable(root: RootDatabase<Uint8Array, Uint8Array>, table: Table): Bytes {
  const options = { name: `${table}`, encoding: 'binary', keyEncoding: 'binary' } as const;
  // Of an environment that is only read, the package gives nothing for a table that is not there.
  const opened: Bytes | undefined = root.openDB<Uint8Array, Uint8Array>(options);
  if (opened === undefined) throw Object.assign(new Error(`it has no table ${table}`), { code: NOT_FOUND });
  return opened;
}

function readThrough(table: Bytes): void {
  for (const { value } of table.getRange({})) assert(value !== undefined, 'each key has a value');
}

class LmdbKeyValue implements KeyValue {
  readonly #path: string;
  readonly #root: RootDatabase<Uint8Array, Uint8Array>;
  readonly #tables: ReadonlyMap<Table, Bytes>;
  readonly #queue: WriteQueue;
  readonly #snapshots = new Snapshots();

  constructor(path: string, root: RootDatabase<Uint8Array, Uint8Array>, tables: ReadonlyMap<Table, Bytes>) {
    this.#path = path;
    this.#root = root;
    this.#tables = tables;
    this.#queue = new WriteQueue((changes, result) => this.#commit(changes, result), setImmediate);
  }

  get(table: Table, key: Uint8Array): Uint8Array | undefined {
    return getFrom(this.#table(table), key);
  }

  range(table: Table, range: KeyRange): Iterable<KeyValueEntry> {
    return rangeOf(this.#table(table), range);
  }

  write(batch: readonly KeyValueChange[], outcome: WriteOutcome): void {
    for (const { table } of batch) this.#table(table);
    this.#queue.add(batch, outcome);
  }

  snapshot(): KeyValueSnapshot {
    return this.#snapshots.open(() => {
      const transaction = this.#root.useReadTransaction();
      const reads: KeyValueReads = {
        get: (table, key) => getFrom(this.#table(table), key, transaction),
        range: (table, range) => rangeOf(this.#table(table), range, transaction),
      };
      return { reads, release: () => transaction.done() };
    });
  }

  sizeBytes(): number {
    return statSync(join(this.#path, DATA_FILE)).size;
  }

  close(done: (closed: Result<undefined, StoreError>) => void): void {
    this.#queue.end(() => {
      this.#root.close().then(
        () => done(ok(undefined)),
        (error: unknown) =>
          done(err(new StoreError('cannot close the database', { code: 'STORE_FAILED', cause: error }))),
      );
    });
  }

  #table(table: Table): Bytes {
    const database = this.#tables.get(table);
    assert(database !== undefined, `no table ${table}`);
    return database;
  }

  #commit(changes: readonly KeyValueChange[], result: CommitResult): void {
    const put = (): void => {
      for (const { table, key, value } of changes) {
        if (value === undefined) this.#table(table).remove(key);
        else this.#table(table).put(key, value);
      }
    };
    this.#root.batch(put).then(
      () =>
        setImmediate(() => {
          result.visible();
          result.durable();
        }),
      (error: unknown) => this.#explain(error, (reason) => result.failed(reason)),
    );
  }

  /** LMDB says "Commit failed" and, at best, a number in another promise: the free space tells the rest. */
  #explain(error: unknown, done: (reason: StoreError) => void): void {
    const told = error instanceof Error && 'commitError' in error ? error.commitError : undefined;
    Promise.resolve(told).then(
      () => this.#explainBySpace(error, done),
      (cause: unknown) => this.#explainBySpace(cause, done),
    );
  }

  #explainBySpace(cause: unknown, done: (reason: StoreError) => void): void {
    statfs(this.#path, (error, free) => {
      const isLow = error === null && free.bavail * free.bsize < FREE_BYTES_LOW;
      const code = isLow ? 'DISK_FULL' : codeOf(cause);
      done(new StoreError(`cannot write the database in ${this.#path}`, { code, cause }));
    });
  }
}

/** Errors of LMDB itself, which it gives for a file that it did not write so, but for those of room: MDB_MAP_FULL, MDB_READERS_FULL. */
const LMDB_ERRORS = { from: -30_799, to: -30_778, ofRoom: [-30_792, -30_790] } as const;

/** Whether an error, or what is behind it, says that the file is not as LMDB has written it. One of the system, or of want of room, does not. */
export function tellsOfDamage(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if ('code' in at && isOfDamage(at.code)) return true;
  return false;
}

function isOfDamage(code: unknown): boolean {
  if (typeof code !== 'number') return false;
  return code >= LMDB_ERRORS.from && code <= LMDB_ERRORS.to && !LMDB_ERRORS.ofRoom.some((one) => one === code);
}

function codeOf(cause: unknown): StoreErrorCode {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === NO_SPACE || code === 'ENOSPC' ? 'DISK_FULL' : 'STORE_FAILED';
}

function getFrom(database: Bytes, key: Uint8Array, transaction?: Transaction): Uint8Array | undefined {
  assertKey(key);
  const value = transaction === undefined ? database.get(key) : database.get(key, { transaction });
  return value === undefined ? undefined : plain(value);
}

function* rangeOf(database: Bytes, range: KeyRange, transaction?: Transaction): Generator<KeyValueEntry> {
  const { from, to, reverse = false } = range;
  for (const bound of [from, to]) assert((bound?.length ?? 0) <= KEY_BYTES_MAX, 'the bound of a range is too long');
  let left = range.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0 || to?.length === 0) return;
  const lowest = from === undefined || from.length === 0 ? LOWEST_KEY : from;
  const bounds = reverse
    ? { ...(to === undefined ? {} : { start: to }), end: lowest, inclusiveEnd: true, reverse }
    : { start: lowest, ...(to === undefined ? {} : { end: to }) };
  for (const { key, value } of database.getRange({
    ...bounds,
    ...(transaction === undefined ? {} : { transaction }),
  })) {
    // Going down, LMDB begins at `to`; it belongs to the range's outside.
    if (to !== undefined && compareBytes(key, to) >= 0) continue;
    yield { key: plain(key), value: plain(value) };
    left -= 1;
    if (left <= 0) return;
  }
}

/** So many bytes lie within their object; to ask for the buffer of such would make one, which costs more than a copy. */
const INNER_BYTES_MAX = 64;

/** The package hands out Buffers of its own making. */
function plain(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= INNER_BYTES_MAX) return new Uint8Array(bytes);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
