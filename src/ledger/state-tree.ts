import { assert, defined } from '../lib/assert.ts';
import { compareBytes, toHex } from '../lib/bytes.ts';
import { type Hash, hashOfBytes } from '../model/ids.ts';
import { recordHash, treeKey } from './records.ts';
import type { StateChange } from './state.ts';
import {
  type Branch,
  bitAt,
  branchHash,
  isLeaf,
  type Leaf,
  type Link,
  nodeHash,
  open,
  PAGE_LEVELS,
  type Page,
  type PageReader,
  type TreeNode,
} from './state-pages.ts';

const KEY_BITS = 256;

/** What an update cost. */
export interface TreeWork {
  readonly nodeHashes: number;
  readonly pageReads: number;
  readonly pageWrites: number;
}

export interface TreeUpdate {
  readonly root: Hash;
  /** By path; the other pages are as they were. */
  readonly pageWrites: ReadonlyMap<string, Page>;
  readonly work: TreeWork;
}

interface PlacedLeaf {
  readonly leaf: Leaf;
  /** Its key in hexadecimal: what page paths are prefixes of. */
  readonly path: string;
}

interface Update {
  readonly pages: PageReader;
  /** Sorted by key. */
  readonly leaves: readonly PlacedLeaf[];
  readonly writes: Map<string, Page>;
  nodeHashes: number;
  pageReads: number;
}

/** A run of the update's leaves that share a path so far. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Puts records into the tree that `pages` show, in any order; every key at most once. Nothing is ever taken out. */
export function updateTree(pages: PageReader, changes: readonly StateChange[]): TreeUpdate {
  const leaves = changes.map(placedLeaf).sort((a, b) => compareBytes(a.leaf.key, b.leaf.key));
  const update: Update = { pages, leaves, writes: new Map(), nodeHashes: 0, pageReads: 0 };
  const root = enterPage(update, pages.page('') ?? null, 0, { from: 0, to: leaves.length });
  return {
    root: hashOfBytes(nodeHash(root)),
    pageWrites: update.writes,
    work: { nodeHashes: update.nodeHashes, pageReads: update.pageReads, pageWrites: update.writes.size },
  };
}

function placedLeaf(change: StateChange): PlacedLeaf {
  const key = treeKey(change.key);
  return {
    leaf: { kind: 'leaf', key, recordHash: recordHash(change.value), hash: undefined },
    path: toHex(key),
  };
}

/** Updates the subtree at the top of a page, which is kept as a page of its own from two leaves on. */
function enterPage(update: Update, slot: TreeNode, depth: number, span: Span): TreeNode {
  const first = update.leaves[span.from];
  if (first === undefined || span.from === span.to) return slot;
  const path = first.path.slice(0, depth / PAGE_LEVELS);
  let top: TreeNode = open(slot);
  if (top?.kind === 'link') {
    update.pageReads += 1;
    top = defined(update.pages.page(path), `the state tree has lost its page ${path}`);
  }
  const next = place(update, top, depth, span);
  if (depth === 0 || next.kind === 'branch') update.writes.set(path, next);
  return depth > 0 && next.kind === 'branch' ? { kind: 'link', hash: next.hash } : next;
}

function place(update: Update, node: TreeNode, depth: number, span: Span): Leaf | Branch {
  assert(depth < KEY_BITS, 'every key is given once');
  const first = update.leaves[span.from];
  const opened = open(node);
  if (first !== undefined && span.to - span.from === 1 && replaces(first.leaf, opened)) return first.leaf;
  const [left, right] = halves(opened, depth);
  const middle = firstWithBit(update.leaves, span, depth);
  return join(
    update,
    descend(update, left, depth + 1, { from: span.from, to: middle }),
    descend(update, right, depth + 1, { from: middle, to: span.to }),
  );
}

function descend(update: Update, node: TreeNode, depth: number, span: Span): TreeNode {
  if (span.from === span.to) return node;
  return depth % PAGE_LEVELS === 0 ? enterPage(update, node, depth, span) : place(update, node, depth, span);
}

function replaces(leaf: Leaf, node: Leaf | Branch | Link | null): boolean {
  return node === null || (node.kind === 'leaf' && compareBytes(node.key, leaf.key) === 0);
}

function halves(node: Leaf | Branch | Link | null, depth: number): readonly [TreeNode, TreeNode] {
  if (node === null) return [null, null];
  if (node.kind === 'leaf') return bitAt(node.key, depth) === 0 ? [node, null] : [null, node];
  assert(node.kind === 'branch', 'a link stands at the lower edge of a page');
  return [node.left, node.right];
}

function firstWithBit(leaves: readonly PlacedLeaf[], span: Span, depth: number): number {
  let index = span.from;
  for (; index < span.to; index += 1) {
    const placed = leaves[index];
    if (placed !== undefined && bitAt(placed.leaf.key, depth) === 1) break;
  }
  return index;
}

/** Two or more leaves lie below: nothing is ever taken out, and a single leaf is never split. */
function join(update: Update, left: TreeNode, right: TreeNode): Branch {
  assert((left !== null && right !== null) || !isLeaf(left ?? right), 'a leaf alone is its subtree');
  update.nodeHashes += 1;
  return branchOf(left, right);
}

function branchOf(left: TreeNode, right: TreeNode): Branch {
  return { kind: 'branch', hash: branchHash(nodeHash(left), nodeHash(right)), left, right };
}

/** A part of the tree by itself. */
export interface Subtree {
  readonly top: TreeNode;
  /** Its pages, by path in the whole tree. */
  readonly pages: ReadonlyMap<string, Page>;
}

const NO_PAGES: PageReader = { page: () => undefined };

/** The subtree at `path` of all records below it, in any order; every key once. */
export function buildSubtree(path: string, records: readonly StateChange[]): Subtree {
  const leaves = records.map(placedLeaf).sort((a, b) => compareBytes(a.leaf.key, b.leaf.key));
  const update: Update = { pages: NO_PAGES, leaves, writes: new Map(), nodeHashes: 0, pageReads: 0 };
  const top = enterPage(update, null, path.length * PAGE_LEVELS, { from: 0, to: leaves.length });
  return { top, pages: update.writes };
}

/** The top of a subtree whose parts one page further down are known: a leaf, a link or nothing for each next digit. */
export function joinSubtrees(parts: readonly (Leaf | Link | null)[]): TreeNode {
  assert(parts.length === 2 ** PAGE_LEVELS, 'a page has one part for each digit');
  let nodes: readonly TreeNode[] = parts;
  while (nodes.length > 1)
    nodes = nodes.flatMap((node, index) => (index % 2 === 1 ? [lift(nodes[index - 1], node)] : []));
  return nodes[0] ?? null;
}

/** A leaf alone is its subtree, however high. */
function lift(left: TreeNode = null, right: TreeNode = null): TreeNode {
  if (left === null && (right === null || isLeaf(right))) return right;
  if (right === null && isLeaf(left)) return left;
  return branchOf(left, right);
}
