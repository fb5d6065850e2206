import { assert } from '../lib/assert.ts';
import type { Result } from '../lib/result.ts';
import { type Codec, decode, encode, type Malformed, malformed, type Writer } from '../model/codec.ts';
import { sha256 } from '../model/hash.ts';

/** One record of the state, alone in its subtree. */
export interface Leaf {
  readonly kind: 'leaf';
  readonly key: Uint8Array;
  readonly recordHash: Uint8Array;
  /** Known once somebody needed it. */
  hash: Uint8Array | undefined;
}

/** A subtree of two or more leaves. */
export interface Branch {
  readonly kind: 'branch';
  readonly hash: Uint8Array;
  readonly left: TreeNode;
  readonly right: TreeNode;
}

/** A subtree of two or more leaves that begins a page of its own. */
export interface Link {
  readonly kind: 'link';
  readonly hash: Uint8Array;
}

/** A leaf, branch or link as a page was stored, not read any further until somebody needs what is in it. */
interface Packed {
  readonly kind: 'packed';
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Null is an empty subtree. */
export type TreeNode = Leaf | Branch | Link | Packed | null;

/** Four levels of the tree: its top node; what lies four levels deeper is a link to the next page. */
export type Page = Leaf | Branch | Packed;

/** Levels of the tree in one page: one hexadecimal digit of the key. */
export const PAGE_LEVELS = 4;

/** Port: the newest pages, by path: the hexadecimal digits of the key that lead there, `''` for the top page. */
export interface PageReader {
  page(path: string): Page | undefined;
}

/** The pages that a block wrote on top of its parent's; see `Overlay` for what may happen underneath. */
export class PageOverlay implements PageReader {
  readonly #base: PageReader;
  #parent: PageOverlay | undefined;
  readonly #writes: ReadonlyMap<string, Page>;

  constructor(base: PageReader, parent?: PageOverlay, writes: ReadonlyMap<string, Page> = new Map()) {
    this.#base = base;
    this.#parent = parent;
    this.#writes = writes;
  }

  /** The overlay of the next block, with what it wrote. */
  child(writes: ReadonlyMap<string, Page>): PageOverlay {
    return new PageOverlay(this.#base, this, writes);
  }

  page(path: string): Page | undefined {
    return this.#writes.get(path) ?? (this.#parent ?? this.#base).page(path);
  }

  /** Lets the parent go, once the stored pages hold everything that the parent wrote. */
  detach(): void {
    this.#parent = undefined;
  }
}

const EMPTY_TAG = 0;
const LEAF_TAG = 1;
const BRANCH_TAG = 2;
const LINK_TAG = 3;
const HASH_BYTES = 32;
const LEAF_BYTES = 1 + 2 * HASH_BYTES;
const LINK_BYTES = 1 + HASH_BYTES;

function writeNode(writer: Writer, node: TreeNode): void {
  if (node === null) {
    writer.u8(EMPTY_TAG);
  } else if (node.kind === 'packed') {
    writer.raw(node.bytes.subarray(node.start, node.end));
  } else if (node.kind === 'leaf') {
    writer.u8(LEAF_TAG);
    writer.raw(node.key);
    writer.raw(node.recordHash);
  } else {
    writer.u8(node.kind === 'link' ? LINK_TAG : BRANCH_TAG);
    writer.raw(node.hash);
    if (node.kind === 'link') return;
    writeNode(writer, node.left);
    writeNode(writer, node.right);
  }
}

/** Checks the form of a whole page; its nodes stay packed, since an update opens few of them. */
const pageLayout: Codec<Page> = {
  write: writeNode,
  read: (reader) => {
    const bytes = reader.raw(reader.remaining);
    const isSubtree = bytes[0] === LEAF_TAG || bytes[0] === BRANCH_TAG;
    if (!isSubtree || endOf(bytes, 0, PAGE_LEVELS) !== bytes.length) return malformed('no page of the state tree');
    return { kind: 'packed', bytes, start: 0, end: bytes.length };
  },
};

/** The stored form of a page. Hashes are kept, so that a change costs only those on its own path. */
export function encodePage(page: Page): Uint8Array {
  return encode(pageLayout, page);
}

export function decodePage(bytes: Uint8Array): Result<Page, Malformed> {
  return decode(pageLayout, bytes);
}

/** Where the node that begins at `start` ends; NaN when it is none. Links stand at the lower edge, branches above it. */
function endOf(bytes: Uint8Array, start: number, levels: number): number {
  const tag = bytes[start];
  if (tag === EMPTY_TAG) return start + 1;
  if (tag === LEAF_TAG) return start + LEAF_BYTES;
  if (tag === LINK_TAG && levels === 0) return start + LINK_BYTES;
  if (tag !== BRANCH_TAG || levels === 0) return Number.NaN;
  return endOf(bytes, endOf(bytes, start + LINK_BYTES, levels - 1), levels - 1);
}

/** Reads one node of a page that `decodePage` let pass. */
export function open(node: TreeNode): Leaf | Branch | Link | null {
  if (node?.kind !== 'packed') return node;
  const { bytes, start, end } = node;
  const tag = bytes[start];
  const hash = bytes.subarray(start + 1, start + 1 + HASH_BYTES);
  if (tag === LEAF_TAG) return { kind: 'leaf', key: hash, recordHash: recordHashIn(node), hash: undefined };
  if (tag === LINK_TAG) return { kind: 'link', hash };
  const left = start + LINK_BYTES;
  const right = skip(bytes, left);
  return { kind: 'branch', hash, left: packed(bytes, left, right), right: packed(bytes, right, end) };
}

function packed(bytes: Uint8Array, start: number, end: number): Packed | null {
  return bytes[start] === EMPTY_TAG ? null : { kind: 'packed', bytes, start, end };
}

function recordHashIn({ bytes, start }: Packed): Uint8Array {
  return bytes.subarray(start + 1 + HASH_BYTES, start + LEAF_BYTES);
}

/** Where a node ends that is known to be one. */
function skip(bytes: Uint8Array, start: number): number {
  const tag = bytes[start];
  if (tag === EMPTY_TAG) return start + 1;
  if (tag === LEAF_TAG) return start + LEAF_BYTES;
  return tag === LINK_TAG ? start + LINK_BYTES : skip(bytes, skip(bytes, start + LINK_BYTES));
}

const EMPTY_HASH = new Uint8Array(HASH_BYTES);

// Reused for every hash: sha256 is synchronous and keeps nothing of its input.
const input = new Uint8Array(1 + 2 * HASH_BYTES);

function hashOfTwo(tag: number, first: Uint8Array, second: Uint8Array): Uint8Array {
  assert(first.length === HASH_BYTES && second.length === HASH_BYTES, 'the state tree hashes pairs of 32 bytes');
  input[0] = tag;
  input.set(first, 1);
  input.set(second, 1 + HASH_BYTES);
  return sha256(input);
}

/** H(0x00‖key‖H(record)). */
export function leafHash(key: Uint8Array, recordHash: Uint8Array): Uint8Array {
  return hashOfTwo(0, key, recordHash);
}

/** H(0x01‖left‖right). */
export function branchHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hashOfTwo(1, left, right);
}

/** Hash of any subtree: zero when it is empty, and that of its leaf when it has but one. */
export function nodeHash(node: TreeNode): Uint8Array {
  if (node === null) return EMPTY_HASH;
  if (node.kind === 'packed') return packedHash(node);
  if (node.kind !== 'leaf') return node.hash;
  node.hash ??= leafHash(node.key, node.recordHash);
  return node.hash;
}

function packedHash(node: Packed): Uint8Array {
  const first = node.bytes.subarray(node.start + 1, node.start + 1 + HASH_BYTES);
  return node.bytes[node.start] === LEAF_TAG ? leafHash(first, recordHashIn(node)) : first;
}

/** Whether a subtree is one leaf. */
export function isLeaf(node: TreeNode): boolean {
  return node?.kind === 'leaf' || (node?.kind === 'packed' && node.bytes[node.start] === LEAF_TAG);
}

/** Bit of a key at a depth, from the top. */
export function bitAt(key: Uint8Array, depth: number): number {
  return ((key[depth >>> 3] ?? 0) >>> (7 - (depth & 7))) & 1;
}
