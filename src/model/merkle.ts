import { concat } from '../lib/bytes.ts';
import { sha256 } from './hash.ts';
import { type Hash, hashOfBytes, hexBytes, ZERO_HASH } from './ids.ts';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

function leafHash(content: Uint8Array): Uint8Array {
  return sha256(concat(LEAF, content));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concat(NODE, left, right));
}

/** Largest power of two below `count`, where RFC 9162 §2.1 splits a list. */
function split(count: number): number {
  let size = 1;
  while (size * 2 < count) size *= 2;
  return size;
}

function subtree(leaves: readonly Uint8Array[], from: number, to: number): Uint8Array {
  const only = leaves[from];
  if (to - from === 1 && only !== undefined) return only;
  const middle = from + split(to - from);
  return nodeHash(subtree(leaves, from, middle), subtree(leaves, middle, to));
}

/** Root of the Merkle tree over a list (RFC 9162 §2.1.1); of an empty list the zero hash. */
export function merkleRoot(contents: readonly Uint8Array[]): Hash {
  if (contents.length === 0) return ZERO_HASH;
  return hashOfBytes(subtree(contents.map(leafHash), 0, contents.length));
}

/** The sibling hashes from one item up to the root (RFC 9162 §2.1.3), nearest first. */
export function merklePath(contents: readonly Uint8Array[], index: number): readonly Hash[] {
  const leaves = contents.map(leafHash);
  const walk = (from: number, to: number): Hash[] => {
    if (to - from <= 1) return [];
    const middle = from + split(to - from);
    return index < middle
      ? [...walk(from, middle), hashOfBytes(subtree(leaves, middle, to))]
      : [...walk(middle, to), hashOfBytes(subtree(leaves, from, middle))];
  };
  return index >= 0 && index < leaves.length ? walk(0, leaves.length) : [];
}

/** Root that `content` at `index` of `count` items and its path lead to; undefined when the path has a wrong length. */
export function merklePathRoot(
  content: Uint8Array,
  position: { readonly index: number; readonly count: number },
  path: readonly Hash[],
): Hash | undefined {
  const { index, count } = position;
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(count) && index >= 0 && index < count)) return undefined;
  let left = path.length;
  const walk = (from: number, to: number): Uint8Array | undefined => {
    if (to - from === 1) return leafHash(content);
    left -= 1;
    const sibling = path[left];
    if (sibling === undefined) return undefined;
    const middle = from + split(to - from);
    const below = index < middle ? walk(from, middle) : walk(middle, to);
    if (below === undefined) return undefined;
    return index < middle ? nodeHash(below, hexBytes(sibling)) : nodeHash(hexBytes(sibling), below);
  };
  const root = walk(0, count);
  return root === undefined || left !== 0 ? undefined : hashOfBytes(root);
}
