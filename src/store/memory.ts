import { assert } from '../lib/assert.ts';
import { ok, type Result } from '../lib/result.ts';
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
import type { Schedule } from './memory-disk.ts';
import { Snapshots } from './snapshots.ts';
import { applyChanges, getFrom, rangeOf, type SortedPages } from './sorted-pages.ts';
import { assertKey, type CommitResult, WriteQueue } from './write-queue.ts';

type Tables = ReadonlyMap<Table, SortedPages>;

export interface MemoryKeyValueOptions {
  readonly tables: readonly Table[];
  /** Decides when a write becomes visible, and when durable. */
  readonly schedule: Schedule;
}

/** A store in memory that forgets what was not durable: for tests and for the simulator. */
export class MemoryKeyValue implements KeyValue {
  readonly #options: MemoryKeyValueOptions;
  readonly #queue: WriteQueue;
  readonly #snapshots = new Snapshots();
  #visible: Tables;
  #durable: Tables;
  #failure: StoreErrorCode | undefined;
  #crashed = false;

  constructor(options: MemoryKeyValueOptions) {
    this.#options = options;
    this.#queue = new WriteQueue(
      (changes, result) => this.#commit(changes, result),
      (task) => this.#later(task),
    );
    this.#visible = new Map(options.tables.map((table) => [table, []]));
    this.#durable = this.#visible;
  }

  get(table: Table, key: Uint8Array): Uint8Array | undefined {
    return readsOf(this.#visible).get(table, key);
  }

  range(table: Table, range: KeyRange): Iterable<KeyValueEntry> {
    return readsOf(this.#visible).range(table, range);
  }

  write(batch: readonly KeyValueChange[], outcome: WriteOutcome): void {
    for (const { table } of batch) pagesOf(this.#visible, table);
    this.#queue.add(batch, outcome);
  }

  snapshot(): KeyValueSnapshot {
    return this.#snapshots.open(() => ({ reads: readsOf(this.#visible), release: () => {} }));
  }

  sizeBytes(): number {
    let bytes = 0;
    for (const pages of this.#visible.values()) {
      for (const { key, value } of pages.flat()) bytes += key.length + value.length;
    }
    return bytes;
  }

  close(done: (closed: Result<undefined, StoreError>) => void): void {
    this.#queue.end(() => done(ok(undefined)));
  }

  /** What every crash of the machine would leave, were it now. */
  get durable(): KeyValueReads {
    return readsOf(this.#durable);
  }

  /** The next transaction fails. */
  failNextWrite(code: StoreErrorCode): void {
    this.#failure = code;
  }

  /**
   * Ends this store, as a power failure would: no callback under way is ever called.
   *
   * @param keepsVisible whether a transaction that is visible and not yet durable survives.
   * @returns the store that the next start finds.
   */
  crash(keepsVisible: boolean): MemoryKeyValue {
    this.#crashed = true;
    const store = new MemoryKeyValue(this.#options);
    store.#visible = keepsVisible ? this.#visible : this.#durable;
    store.#durable = store.#visible;
    return store;
  }

  /** Another store that begins with what this one shows, and lives by its own schedule. */
  copy(schedule: Schedule): MemoryKeyValue {
    const store = new MemoryKeyValue({ ...this.#options, schedule });
    store.#visible = this.#visible;
    store.#durable = store.#visible;
    return store;
  }

  #later(task: () => void): void {
    this.#options.schedule(() => {
      if (!this.#crashed) task();
    });
  }

  #commit(changes: readonly KeyValueChange[], result: CommitResult): void {
    const code = this.#failure;
    this.#later(() => {
      if (code !== undefined) {
        result.failed(new StoreError('the store was told to fail', { code }));
        return;
      }
      this.#visible = changed(this.#visible, changes);
      result.visible();
      this.#later(() => {
        this.#durable = this.#visible;
        result.durable();
      });
    });
  }
}

function changed(tables: Tables, changes: readonly KeyValueChange[]): Tables {
  const next = new Map(tables);
  for (const table of new Set(changes.map((change) => change.table))) {
    const own = changes.filter((change) => change.table === table);
    next.set(table, applyChanges(pagesOf(tables, table), own));
  }
  return next;
}

function pagesOf(tables: Tables, table: Table): SortedPages {
  const pages = tables.get(table);
  assert(pages !== undefined, `no table ${table}`);
  return pages;
}

function readsOf(tables: Tables): KeyValueReads {
  return {
    get: (table, key) => {
      assertKey(key);
      return getFrom(pagesOf(tables, table), key)?.slice();
    },
    range: (table, range) => copies(rangeOf(pagesOf(tables, table), range)),
  };
}

function* copies(entries: Iterable<KeyValueEntry>): Generator<KeyValueEntry> {
  for (const { key, value } of entries) yield { key: key.slice(), value: value.slice() };
}
