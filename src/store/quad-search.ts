import { concat } from '../lib/bytes.ts';
import { GRAPH_REPEATS_STEPPED } from '../model/graph-limits.ts';
import { CorruptionError } from './blocks.ts';
import type { KeyRange, KeyValueEntry, KeyValueReads } from './key-value.ts';
import {
  afterTriple,
  GRAPH_TABLES,
  NumberReader,
  type Numbers,
  numberKey,
  type Order,
  patternPrefix,
  quadKey,
  quadOfKey,
} from './quad-keys.ts';
import { unpackTriples } from './quad-rows.ts';
import { afterPrefix } from './schema.ts';

/** Along which keys the quads of a pattern are found. */
export type Search =
  | { readonly order: Order; readonly prefix: Uint8Array; readonly isUnion: boolean }
  | { readonly order: 'graph'; readonly bound: readonly (number | undefined)[]; readonly graph: number };

/** Where a search stands: at a quad; or, in a graph, its number, a height, and how many triples of that row are behind. */
export interface Place {
  readonly order: Search['order'];
  readonly numbers: Numbers;
}

export interface Found {
  readonly quad: Numbers;
  readonly place: Place;
}

/** @param bound numbers of subject, predicate, object and graph; undefined for any */
export function searchFor(bound: readonly (number | undefined)[], isUnion: boolean): Search {
  const [subject, predicate, object, graph] = bound;
  const isWhole = bound.every((number) => number !== undefined);
  if (graph !== undefined && !isWhole) return { order: 'graph', graph, bound };
  const order = orderFor(subject !== undefined, predicate !== undefined, object !== undefined);
  return { order, prefix: patternPrefix(order, bound), isUnion };
}

/** The order that begins with what is bound. */
function orderFor(subject: boolean, predicate: boolean, object: boolean): Order {
  if (subject) return object && !predicate ? 'ospg' : 'spog';
  if (predicate) return 'posg';
  return object ? 'ospg' : 'spog';
}

/** Lazy. @throws CorruptionError */
export function foundBy(reads: KeyValueReads, search: Search, after: Place | null): Iterable<Found> {
  if (search.order === 'graph') return inGraph(reads, search, after);
  return alongKeys(reads, search, after);
}

/** What each block, from a height on, added to a graph. */
export function graphRows(reads: KeyValueReads, graph: number, fromHeight = 0): Iterable<KeyValueEntry> {
  return reads.range(GRAPH_TABLES.graphs, within(numberKey(graph), numberKey(graph, fromHeight)));
}

function* inGraph(
  reads: KeyValueReads,
  { graph, bound: [s, p, o] }: Extract<Search, { order: 'graph' }>,
  after: Place | null,
): Generator<Found> {
  const [, fromHeight, done] = after?.numbers ?? [graph, 0, 0];
  for (const { key, value } of graphRows(reads, graph, fromHeight)) {
    const reader = new NumberReader(key);
    reader.next();
    const height = reader.next();
    const skipped = height === fromHeight ? done : 0;
    for (const [index, [subject, predicate, object]] of unpackTriples(value).entries()) {
      if (index < skipped) continue;
      if ((s ?? subject) !== subject || (p ?? predicate) !== predicate || (o ?? object) !== object) continue;
      const place: Place = { order: 'graph', numbers: [graph, height, index + 1, 0] };
      yield { quad: [subject, predicate, object, graph], place };
    }
  }
}

function* alongKeys(
  reads: KeyValueReads,
  { order, prefix, isUnion }: Extract<Search, { prefix: Uint8Array }>,
  after: Place | null,
): Generator<Found> {
  let last = after?.numbers;
  let from: Uint8Array | undefined = last === undefined ? prefix : concat(quadKey(order, last), Uint8Array.of(0));
  while (from !== undefined) {
    const range = within(prefix, from);
    from = undefined;
    let repeats = 0;
    for (const { key } of reads.range(GRAPH_TABLES[order], range)) {
      const quad = quadOfKey(order, key);
      if (!isWhole(quad)) throw new CorruptionError(`the graph index has a damaged key in the order ${order}`);
      const isRepeat = isUnion && last !== undefined && isSameTriple(quad, last);
      if (!isRepeat) {
        repeats = 0;
        last = quad;
        yield { quad, place: { order, numbers: quad } };
      } else if (repeats < GRAPH_REPEATS_STEPPED) repeats += 1;
      else {
        from = afterTriple(order, quad);
        break;
      }
    }
  }
}

/** Keys that begin with `prefix`, from `from` on. */
function within(prefix: Uint8Array, from: Uint8Array): KeyRange {
  const to = afterPrefix(prefix);
  return to === undefined ? { from } : { from, to };
}

function isWhole([subject, predicate, object, graph]: Numbers): boolean {
  return !Number.isNaN(subject + predicate + object + graph);
}

function isSameTriple(a: Numbers, b: Numbers): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}
