import type { StateChange, StateReader } from '../../ledger/state.ts';
import { encodePage, type Page, type PageReader } from '../../ledger/state-pages.ts';
import { compareBytes, fromHex, toHex } from '../../lib/bytes.ts';
import { REPLAYED_STATE_BYTES_MAX } from '../../model/limits.ts';

import type { KeyValue, KeyValueChange, KeyValueEntry } from '../../store/key-value.ts';
import { TABLES } from '../../store/schema.ts';
import { pageKey, readPage } from '../../store/state-rows.ts';

/** What a page takes in memory, and a record beside its own bytes: measured on chains of 80,000 records. */
const PAGE_BYTES = 4_096;
const RECORD_BYTES = 320;

/** The state that a replay has reached: in memory while it is small, else in a store that the caller lends. */
export class ReplayedState implements StateReader, PageReader {
  readonly #open: () => KeyValue;
  readonly #bytesMax: number;
  #records = new Map<string, Uint8Array>();
  #pages = new Map<string, Page>();
  #bytes = 0;
  #store: KeyValue | undefined;

  /** @param open gives an empty store with the tables `state` and `pages`; called at most once */
  constructor(open: () => KeyValue, bytesMax: number = REPLAYED_STATE_BYTES_MAX) {
    this.#open = open;
    this.#bytesMax = bytesMax;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#records.get(toHex(key)) ?? this.#store?.get(TABLES.state, key);
  }

  page(path: string): Page | undefined {
    return this.#pages.get(path) ?? (this.#store && readPage(this.#store, path));
  }

  put(changes: readonly StateChange[], pageWrites: ReadonlyMap<string, Page>): void {
    for (const { key, value } of changes) {
      const name = toHex(key);
      if (!this.#records.has(name)) this.#bytes += RECORD_BYTES + 3 * key.length + value.length;
      this.#records.set(name, value);
    }
    for (const [path, page] of pageWrites) {
      if (!this.#pages.has(path)) this.#bytes += PAGE_BYTES;
      this.#pages.set(path, page);
    }
  }

  /** Makes room when too much is held in memory. */
  async settle(): Promise<void> {
    if (this.#bytes > this.#bytesMax) await this.#spill();
  }

  /** All records and pages as a store would hold them, in the order of their keys. Nothing is put any more. */
  async rows(): Promise<ReadonlyMap<number, Iterable<KeyValueEntry>>> {
    const store = this.#store;
    if (store === undefined) {
      const sorted = (table: number): Iterable<KeyValueEntry> => entriesOf(this.#changes(table));
      return new Map([TABLES.state, TABLES.pages].map((table) => [table, sorted(table)]));
    }
    await this.#spill();
    return new Map([TABLES.state, TABLES.pages].map((table) => [table, store.range(table, {})]));
  }

  /** Gives the store back, if it was asked for. */
  close(): Promise<void> {
    const store = this.#store;
    return new Promise((resolve, reject) => {
      if (store === undefined) resolve();
      else store.close((closed) => (closed.ok ? resolve() : reject(closed.error)));
    });
  }

  async #spill(): Promise<void> {
    this.#store ??= this.#open();
    const store = this.#store;
    const batch = [...this.#changes(TABLES.state), ...this.#changes(TABLES.pages)];
    await new Promise<void>((resolve, reject) => store.write(batch, { durable: resolve, failed: reject }));
    this.#records = new Map();
    this.#pages = new Map();
    this.#bytes = 0;
  }

  #changes(table: number): readonly (KeyValueChange & KeyValueEntry)[] {
    if (table === TABLES.pages) {
      return [...this.#pages].map(([path, page]) => ({ table, key: pageKey(path), value: encodePage(page) }));
    }
    return [...this.#records].map(([name, value]) => ({ table, key: fromHex(name) ?? new Uint8Array(), value }));
  }
}

function entriesOf(changes: readonly KeyValueEntry[]): readonly KeyValueEntry[] {
  return [...changes].sort((a, b) => compareBytes(a.key, b.key));
}
