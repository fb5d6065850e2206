import { treeKey } from '../ledger/records.ts';
import type { StateChange } from '../ledger/state.ts';
import type { ChunkSource } from '../ledger/state-chunks.ts';
import { decodePage, encodePage, type Page } from '../ledger/state-pages.ts';
import { fromHex, toHex, utf8 } from '../lib/bytes.ts';
import { CorruptionError } from './blocks.ts';
import type { KeyValueChange, KeyValueReads } from './key-value.ts';
import { TABLES } from './schema.ts';
import { stateIndexChanges } from './tickets.ts';

/**
 * Every row that records and pages of the state yield.
 *
 * @param before what a record was, if it was there
 */
export function stateRows(
  changes: readonly StateChange[],
  pageWrites: ReadonlyMap<string, Page>,
  before: (key: Uint8Array) => Uint8Array | undefined,
): readonly KeyValueChange[] {
  const earlier = new Map(changes.map(({ key }) => [key, before(key)]));
  return [
    ...stateIndexChanges(changes, (key) => earlier.get(key)),
    ...changes.filter(({ key }) => earlier.get(key) === undefined).map(({ key }) => treeKeyRow(key)),
    ...changes.map(({ key, value }) => ({ table: TABLES.state, key, value })),
    ...[...pageWrites].map(([path, page]) => ({ table: TABLES.pages, key: pageKey(path), value: encodePage(page) })),
  ];
}

/** Where a record of the state is found by its key in the tree. */
export function treeKeyRow(key: Uint8Array): KeyValueChange & { readonly value: Uint8Array } {
  return { table: TABLES.treeKeys, key: treeKey(key), value: key };
}

/** The top page has the empty path, and keys are not empty. */
export function pageKey(path: string): Uint8Array {
  return utf8(`/${path}`);
}

/** @throws CorruptionError when what is stored is no page of the state tree */
export function readPage(reads: KeyValueReads, path: string): Page | undefined {
  const bytes = reads.get(TABLES.pages, pageKey(path));
  if (bytes === undefined) return undefined;
  const page = decodePage(bytes);
  if (!page.ok) throw new CorruptionError(`page ${path} of the state tree is damaged: ${page.error.reason}`);
  return page.value;
}

const KEY_DIGITS = 64;

/**
 * The state of a store for cutting chunks of it: of a snapshot, or it changes between two of them.
 *
 * @throws CorruptionError while it is read, when a record or a page is not as it was written
 */
export function chunkSource(reads: KeyValueReads): ChunkSource {
  return {
    page: (path) => readPage(reads, path),
    *records(path) {
      const from = fromHex(path.padEnd(KEY_DIGITS, '0')) ?? new Uint8Array();
      for (const { key: placed, value: key } of reads.range(TABLES.treeKeys, { from })) {
        if (!toHex(placed).startsWith(path)) return;
        const value = reads.get(TABLES.state, key);
        if (value === undefined)
          throw new CorruptionError(`the record at ${toHex(placed)} of the state tree is missing`);
        yield { key, value };
      }
    },
  };
}
