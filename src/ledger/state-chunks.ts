import { assert, defined } from '../lib/assert.ts';
import { compareBytes, toHex } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { bytes, type Codec, list, malformed, struct, union } from '../model/codec.ts';
import { type Hash, hashOfBytes, hexBytes } from '../model/ids.ts';
import { hashLayout } from '../model/layouts.ts';
import { KEY_BYTES_MAX, SNAPSHOT_CHUNK_BYTES_MAX, STATE_CHUNK_BYTES } from '../model/limits.ts';
import { recordHash, treeKey } from './records.ts';
import type { StateChange } from './state.ts';
import {
  type Leaf,
  type Link,
  nodeHash,
  open,
  PAGE_LEVELS,
  type Page,
  type PageReader,
  type TreeNode,
} from './state-pages.ts';
import { buildSubtree, joinSubtrees } from './state-tree.ts';

/** What lies below one more digit of a path: nothing, one record, or a subtree of which this is the hash. */
type ChunkPart =
  | { readonly kind: 'empty' }
  | { readonly kind: 'record'; readonly record: StateChange }
  | { readonly kind: 'subtree'; readonly hash: Hash };

/**
 * What lies below a path of the state tree: all of its records in the order of their tree keys or, when those are too
 * many, its sixteen parts. Keys in the tree are hashes, so a record comes with the key that it has in the state.
 */
export type StateChunk =
  | { readonly kind: 'records'; readonly records: readonly StateChange[] }
  | { readonly kind: 'split'; readonly parts: readonly ChunkPart[] };

/** Where a chunk belongs, and what it must hash to: the state root of a certified header for the path `''`. */
export interface ChunkPlace {
  /** Hexadecimal digits of the tree keys below it. */
  readonly path: string;
  readonly hash: Hash;
}

/** What a chunk that fits its place adds to a state. */
export interface CheckedChunk {
  readonly records: readonly StateChange[];
  readonly pages: ReadonlyMap<string, Page>;
  /** What is still to be had below it. */
  readonly places: readonly ChunkPlace[];
}

export interface ChunkFault {
  readonly code: 'CHUNK_INVALID';
  readonly reason: string;
}

/** Port: one moment of a state, with its records by the keys of the tree. */
export interface ChunkSource extends PageReader {
  /** Those whose tree keys begin with `path`, in the order of those keys. Lazy. */
  records(path: string): Iterable<StateChange>;
}

const PARTS = 2 ** PAGE_LEVELS;
const PATH_DIGITS_MAX = 64;
/** Counts and tags around one record, and around a chunk. */
const ENVELOPE_BYTES = 8;

const keyLayout: Codec<Uint8Array> = {
  write: bytes(KEY_BYTES_MAX).write,
  read: (reader) => {
    const key = bytes(KEY_BYTES_MAX).read(reader);
    return key.length > 0 ? key : malformed('a record without a key');
  },
};
const recordLayout: Codec<StateChange> = struct<StateChange>({
  key: keyLayout,
  value: bytes(SNAPSHOT_CHUNK_BYTES_MAX),
});
const partLayout: Codec<ChunkPart> = union<ChunkPart>({
  empty: [0, struct({})],
  record: [1, struct({ record: recordLayout })],
  subtree: [2, struct({ hash: hashLayout })],
});

export const stateChunkLayout: Codec<StateChunk> = union<StateChunk>({
  records: [1, struct({ records: list(recordLayout, STATE_CHUNK_BYTES / ENVELOPE_BYTES) })],
  split: [2, struct({ parts: list(partLayout, PARTS) })],
});

/**
 * What `source` has below `path`; no records when it has nothing there.
 *
 * @param bytesMax of records, before they are split
 */
export function cutChunk(source: ChunkSource, path: string, bytesMax: number = STATE_CHUNK_BYTES): StateChunk {
  const records: StateChange[] = [];
  let size = ENVELOPE_BYTES;
  for (const record of source.records(path)) {
    size += ENVELOPE_BYTES + record.key.length + record.value.length;
    // One record is its subtree: there is nothing to split.
    if (size > bytesMax && records.length > 0) return splitChunk(source, path);
    records.push(record);
  }
  return { kind: 'records', records };
}

/** The parts below `path`, under which there is more than one record. */
export function splitChunk(source: ChunkSource, path: string): StateChunk {
  const parts: ChunkPart[] = Array.from({ length: PARTS }, () => ({ kind: 'empty' }));
  const collect = (node: TreeNode, first: number, count: number): void => {
    const opened = open(node);
    if (opened === null) return;
    if (opened.kind === 'leaf') {
      const [record] = source.records(toHex(opened.key));
      parts[digitOf(opened.key, path)] = { kind: 'record', record: defined(record, 'every leaf has its record') };
    } else if (opened.kind === 'link') {
      parts[first] = { kind: 'subtree', hash: hashOfBytes(opened.hash) };
    } else {
      collect(opened.left, first, count / 2);
      collect(opened.right, first + count / 2, count / 2);
    }
  };
  collect(defined(source.page(path), `two records and more have their page ${path}`), 0, PARTS);
  return { kind: 'split', parts };
}

function digitOf(key: Uint8Array, path: string): number {
  return Number.parseInt(defined(toHex(key)[path.length], 'a key has more digits than a path'), PARTS);
}

/** Checks what anybody sent as the chunk of a place: it hashes to what the place says, so it is what honest nodes have there. */
export function checkChunk(place: ChunkPlace, chunk: StateChunk): Result<CheckedChunk, ChunkFault> {
  return chunk.kind === 'records' ? checkRecords(place, chunk.records) : checkSplit(place, chunk.parts);
}

function checkRecords(place: ChunkPlace, records: readonly StateChange[]): Result<CheckedChunk, ChunkFault> {
  let previous: Uint8Array | undefined;
  for (const { key } of records) {
    const placed = treeKey(key);
    if (!toHex(placed).startsWith(place.path)) return invalid('a record belongs elsewhere');
    if (previous !== undefined && compareBytes(previous, placed) >= 0) return invalid('the records are out of order');
    previous = placed;
  }
  const { top, pages } = buildSubtree(place.path, records);
  return hashOfBytes(nodeHash(top)) === place.hash ? ok({ records, pages, places: [] }) : wrongHash();
}

function checkSplit({ path, hash }: ChunkPlace, parts: readonly ChunkPart[]): Result<CheckedChunk, ChunkFault> {
  if (parts.length !== PARTS || path.length >= PATH_DIGITS_MAX) return invalid('it has another number of parts');
  const records: StateChange[] = [];
  const places: ChunkPlace[] = [];
  const nodes: (Leaf | Link | null)[] = [];
  for (const [index, part] of parts.entries()) {
    const below = path + index.toString(PARTS);
    if (part.kind === 'record') {
      const leaf = leafOf(part.record);
      if (!toHex(leaf.key).startsWith(below)) return invalid('a record belongs elsewhere');
      records.push(part.record);
      nodes.push(leaf);
    } else if (part.kind === 'subtree') {
      places.push({ path: below, hash: part.hash });
      nodes.push({ kind: 'link', hash: hexBytes(part.hash) });
    } else nodes.push(null);
  }
  const top = joinSubtrees(nodes);
  // What is not a branch needs no splitting: whoever does it claims a record's hash for that of a subtree.
  if (top?.kind !== 'branch') return invalid('it splits what is no subtree');
  if (hashOfBytes(top.hash) !== hash) return wrongHash();
  return ok({ records, pages: new Map([[path, top]]), places });
}

function leafOf({ key, value }: StateChange): Leaf {
  return { kind: 'leaf', key: treeKey(key), recordHash: recordHash(value), hash: undefined };
}

function wrongHash(): Result<never, ChunkFault> {
  return invalid('it does not have the hash of its place');
}

function invalid(reason: string): Result<never, ChunkFault> {
  return err({ code: 'CHUNK_INVALID', reason });
}

assert(STATE_CHUNK_BYTES <= SNAPSHOT_CHUNK_BYTES_MAX, 'a chunk of records fits its message');
