import { defined } from '../lib/assert.ts';
import { equalBytes } from '../lib/bytes.ts';
import { type Codec, list, nullable, struct } from '../model/codec.ts';
import { type Hash, hashOfBytes, hexBytes, ZERO_HASH } from '../model/ids.ts';
import { hashLayout } from '../model/layouts.ts';
import { treeKey } from './records.ts';
import {
  type Branch,
  bitAt,
  branchHash,
  type Leaf,
  type Link,
  leafHash,
  nodeHash,
  open,
  PAGE_LEVELS,
  type PageReader,
} from './state-pages.ts';

const KEY_BITS = 256;

/** What stands under a state root on the way to one key. */
export interface StateProof {
  /** Hashes beside the way, from the root down. */
  readonly siblings: readonly Hash[];
  /** Where the way ends: a leaf, of this key or of another one with the same beginning, or nothing. */
  readonly end: { readonly key: Hash; readonly recordHash: Hash } | null;
}

export const stateProofLayout: Codec<StateProof> = struct<StateProof>({
  siblings: list(hashLayout, KEY_BITS),
  end: nullable(struct<NonNullable<StateProof['end']>>({ key: hashLayout, recordHash: hashLayout })),
});

/** Proof of what the tree holds under a state key, a record or its absence. */
export function prove(pages: PageReader, stateKey: Uint8Array): StateProof {
  const key = treeKey(stateKey);
  const siblings: Hash[] = [];
  let node = open(pages.page('') ?? null);
  while (node !== null && node.kind !== 'leaf') {
    if (node.kind === 'link') {
      node = linkedPage(pages, key, siblings.length);
    } else {
      const goesRight = bitAt(key, siblings.length) === 1;
      siblings.push(hashOfBytes(nodeHash(goesRight ? node.left : node.right)));
      node = open(goesRight ? node.right : node.left);
    }
  }
  const end = node === null ? null : { key: hashOfBytes(node.key), recordHash: hashOfBytes(node.recordHash) };
  return { siblings, end };
}

function linkedPage(pages: PageReader, key: Uint8Array, depth: number): Leaf | Branch | Link | null {
  const path = hashOfBytes(key).slice(0, depth / PAGE_LEVELS);
  return open(defined(pages.page(path), `the state tree has lost its page ${path}`));
}

/** What a proof shows; `recordHash` is SHA-256 of the record's bytes. */
export type Proven = { readonly isPresent: true; readonly recordHash: Hash } | { readonly isPresent: false };

/** What a proof shows about a state key under a root; undefined when it shows nothing. */
export function verifyProof(root: Hash, stateKey: Uint8Array, proof: StateProof): Proven | undefined {
  const key = treeKey(stateKey);
  const { siblings, end } = proof;
  if (siblings.length > KEY_BITS) return undefined;
  // The key alone says left or right on the way up, so whatever ends it stands where the key's own record would.
  let hash = end === null ? hexBytes(ZERO_HASH) : leafHash(hexBytes(end.key), hexBytes(end.recordHash));
  for (let depth = siblings.length - 1; depth >= 0; depth -= 1) {
    const sibling = hexBytes(defined(siblings[depth], 'within the list'));
    hash = bitAt(key, depth) === 1 ? branchHash(sibling, hash) : branchHash(hash, sibling);
  }
  if (hashOfBytes(hash) !== root) return undefined;
  return end !== null && equalBytes(key, hexBytes(end.key))
    ? { isPresent: true, recordHash: end.recordHash }
    : { isPresent: false };
}
