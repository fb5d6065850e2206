import { assert } from '../lib/assert.ts';
import { compareBytes } from '../lib/bytes.ts';
import type { KeyRange, KeyValueChange, KeyValueEntry } from './key-value.ts';

type Page = readonly KeyValueEntry[];

/** The entries of a table in the order of their keys, in pages that are never changed: an old state is a reference. */
export type SortedPages = readonly Page[];

/** Copying a page costs little, and so does copying the list of all pages. */
const PAGE_ENTRIES_MAX = 128;

export function getFrom(pages: SortedPages, key: Uint8Array): Uint8Array | undefined {
  const page = pages[pageFor(pages, key)] ?? [];
  const entry = page[lowerBound(page, key)];
  return entry !== undefined && compareBytes(entry.key, key) === 0 ? entry.value : undefined;
}

export function* rangeOf(pages: SortedPages, range: KeyRange): Generator<KeyValueEntry> {
  const { from, to, reverse = false, limit = Number.POSITIVE_INFINITY } = range;
  let left = limit;
  for (const entry of reverse ? downFrom(pages, to) : upFrom(pages, from)) {
    if (left <= 0) return;
    if (reverse && from !== undefined && compareBytes(entry.key, from) < 0) return;
    if (!reverse && to !== undefined && compareBytes(entry.key, to) >= 0) return;
    left -= 1;
    yield entry;
  }
}

/** The table after the changes; of several for one key the last one counts. */
export function applyChanges(pages: SortedPages, changes: readonly KeyValueChange[]): SortedPages {
  const byPage = new Map<number, KeyValueChange[]>();
  for (const change of changes) {
    const index = pageFor(pages, change.key);
    const list = byPage.get(index);
    if (list === undefined) byPage.set(index, [change]);
    else list.push(change);
  }
  if (pages.length === 0) return split(merge([], byPage.get(0) ?? []));
  return pages.flatMap((page, index) => {
    const list = byPage.get(index);
    return list === undefined ? [page] : split(merge(page, list));
  });
}

function merge(page: Page, changes: readonly KeyValueChange[]): Page {
  const merged = [...page];
  for (const { key, value } of changes) {
    const index = lowerBound(merged, key);
    const found = merged[index];
    const isThere = found !== undefined && compareBytes(found.key, key) === 0;
    if (value !== undefined) merged.splice(index, isThere ? 1 : 0, { key, value });
    else if (isThere) merged.splice(index, 1);
  }
  return merged;
}

function split(page: Page): Page[] {
  const count = Math.ceil(page.length / PAGE_ENTRIES_MAX);
  const size = Math.ceil(page.length / Math.max(1, count));
  return Array.from({ length: count }, (_, index) => page.slice(index * size, (index + 1) * size));
}

/** The page whose keys surround `key`: the last that begins at or before it, or else the first. */
function pageFor(pages: SortedPages, key: Uint8Array): number {
  let low = 0;
  let high = pages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const first = pages[middle]?.[0];
    assert(first !== undefined, 'a page is never empty');
    if (compareBytes(first.key, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** The first index of a page whose key is not below `key`. */
function lowerBound(page: Page, key: Uint8Array): number {
  let low = 0;
  let high = page.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = page[middle];
    if (entry !== undefined && compareBytes(entry.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function* upFrom(pages: SortedPages, from: Uint8Array | undefined): Generator<KeyValueEntry> {
  const start = from === undefined ? 0 : pageFor(pages, from);
  for (let index = start; index < pages.length; index += 1) {
    const page = pages[index] ?? [];
    yield* from !== undefined && index === start ? page.slice(lowerBound(page, from)) : page;
  }
}

function* downFrom(pages: SortedPages, to: Uint8Array | undefined): Generator<KeyValueEntry> {
  const start = to === undefined ? pages.length - 1 : pageFor(pages, to);
  for (let index = start; index >= 0; index -= 1) {
    const page = pages[index] ?? [];
    const end = to !== undefined && index === start ? lowerBound(page, to) : page.length;
    for (let at = end - 1; at >= 0; at -= 1) {
      const entry = page[at];
      if (entry !== undefined) yield entry;
    }
  }
}
