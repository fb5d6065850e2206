/** The state tree as docs/protocol.md, section 9, defines it, hashed anew from all its leaves: what the stored one must agree with. */
import { concat, toHex } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/model/hash.ts';

export interface NaiveLeaf {
  readonly key: Uint8Array;
  readonly recordHash: Uint8Array;
}

export function naiveLeaf(key: Uint8Array, value: Uint8Array): NaiveLeaf {
  return { key: sha256(key), recordHash: sha256(value) };
}

export function naiveRoot(leaves: readonly NaiveLeaf[]): string {
  return toHex(subtree(leaves, 0));
}

function subtree(leaves: readonly NaiveLeaf[], depth: number): Uint8Array {
  const [only, second] = leaves;
  if (only === undefined) return new Uint8Array(32);
  if (second === undefined) return sha256(concat(Uint8Array.of(0), only.key, only.recordHash));
  const side = (bit: string): NaiveLeaf[] => leaves.filter(({ key }) => bits(key)[depth] === bit);
  return sha256(concat(Uint8Array.of(1), subtree(side('0'), depth + 1), subtree(side('1'), depth + 1)));
}

function bits(key: Uint8Array): string {
  return [...key].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}
