import { assert } from '../lib/assert.ts';
import { concat, fromUtf8, toHex, utf8 } from '../lib/bytes.ts';
import { Hash, hexBytes } from '../model/ids.ts';
import { CorruptionError } from './blocks.ts';
import type { KeyValueReads } from './key-value.ts';
import { GRAPH_TABLES, NUMBER_END, NumberReader, numberBytes, numberKey, putNumber } from './quad-keys.ts';

/** Subject, predicate and object of a quad, by number. */
export type TripleNumbers = readonly [subject: number, predicate: number, object: number];

export function compareTriples(a: TripleNumbers, b: TripleNumbers): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/**
 * What one block added to one graph: its triples, in order and each once. A subject is its distance from the one before, how
 * many triples it has, and then predicates and objects by turns.
 */
export function packTriples(triples: readonly TripleNumbers[]): Uint8Array {
  const numbers: number[] = [];
  let subject = 0;
  let countAt = 0;
  for (const triple of triples) {
    if (triple[0] !== subject) {
      numbers.push(triple[0] - subject, 0);
      countAt = numbers.length - 1;
      subject = triple[0];
    }
    numbers[countAt] = (numbers[countAt] ?? 0) + 1;
    numbers.push(triple[1], triple[2]);
  }
  let length = 0;
  for (const number of numbers) length += numberBytes(number);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const number of numbers) at = putNumber(bytes, at, number);
  return bytes;
}

/** @throws CorruptionError */
export function unpackTriples(bytes: Uint8Array): readonly TripleNumbers[] {
  const reader = new NumberReader(bytes);
  const triples: TripleNumbers[] = [];
  let subject = 0;
  while (!reader.isAtEnd) {
    subject += reader.next();
    let left = reader.next();
    // A reader at its end gives NaN, and stays there.
    if (!(left > 0)) throw new CorruptionError('a graph has a damaged row');
    for (; left > 0; left -= 1) {
      const predicate = reader.next();
      const object = reader.next();
      if (Number.isNaN(subject + predicate + object)) throw new CorruptionError('a graph has a damaged row');
      triples.push([subject, predicate, object]);
    }
  }
  return triples;
}

/** What a graph index holds. */
export interface GraphExtent {
  /** Every block from this height on, up to the other, and none else; null in an empty one. */
  readonly heights: { readonly from: number; readonly to: number } | null;
  readonly quads: number;
  readonly terms: number;
}

/** What an index is of: what differs in one word has to be put together again. */
export interface GraphIdentity {
  /** Of which chain, and by which version of the describer. */
  readonly source: string;
  /** What most IRIs begin with; it is not stored with each. */
  readonly iriBase: string;
}

export interface GraphMeta {
  readonly extent: GraphExtent;
  /** Drawn when the index began: what was kept of an earlier one does not fit. */
  readonly incarnation: number;
  /** Hash of the highest block; null when there is none. */
  readonly tip: Hash | null;
}

/** Of everything below, and of what the describer's lines look like in it. */
const LAYOUT = 1;
const HASH_BYTES = 32;
const META_KEY = utf8('index');

/** An index of another chain, describer or layout: to be removed and put together again. */
export class ForeignGraphError extends Error {
  override readonly name = 'ForeignGraphError';
  readonly code = 'FOREIGN_GRAPH';
}

/** The row that says what is indexed; it is part of every write. */
export function metaRow({ extent, incarnation, tip }: GraphMeta, identity: GraphIdentity) {
  assert(extent.heights !== null && tip !== null, 'a block was indexed');
  const { from, to } = extent.heights;
  const numbers = numberKey(LAYOUT, incarnation, from, to, extent.quads, extent.terms);
  return { table: GRAPH_TABLES.meta, key: META_KEY, value: concat(numbers, hexBytes(tip), utf8(nameOf(identity))) };
}

/**
 * @returns undefined for an index that has not begun
 * @throws ForeignGraphError, CorruptionError
 */
export function readMeta(reads: KeyValueReads, identity: GraphIdentity): GraphMeta | undefined {
  const bytes = reads.get(GRAPH_TABLES.meta, META_KEY);
  if (bytes === undefined) return undefined;
  const reader = new NumberReader(bytes);
  const layout = reader.next();
  if (layout !== LAYOUT) throw new ForeignGraphError(`its layout is ${layout}, and this version reads ${LAYOUT}`);
  const [incarnation, from, to] = [reader.next(), reader.next(), reader.next()];
  const [quads, terms] = [reader.next(), reader.next()];
  const isSound = incarnation + from + to + quads + terms < 5 * NUMBER_END && from <= to;
  if (!isSound || bytes.length < reader.at + HASH_BYTES) {
    throw new CorruptionError('what the graph index says of itself is damaged');
  }
  const end = reader.at + HASH_BYTES;
  const tip = toHex(bytes, reader.at, end);
  const name = fromUtf8(bytes.subarray(end));
  if (name !== nameOf(identity)) throw new ForeignGraphError(`it is of ${name}, not of ${nameOf(identity)}`);
  return { extent: { heights: { from, to }, quads, terms }, incarnation, tip: Hash(tip) };
}

function nameOf({ source, iriBase }: GraphIdentity): string {
  return `${source} ${iriBase}`;
}
