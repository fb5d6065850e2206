import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { concat, utf8 } from '../lib/bytes.ts';
import { type Hash, hashOfBytes } from './ids.ts';

type Sha256 = (bytes: Uint8Array) => Uint8Array;

let implementation: Sha256 = nobleSha256;

/** SHA-256 (FIPS 180-4), 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return implementation(bytes);
}

/** Swaps in a faster SHA-256 of the same meaning, once, before anything is hashed. */
export function installSha256(faster: Sha256): void {
  implementation = faster;
}

/** The prefix of every hash and signature of this protocol: none can be taken for one of another kind. */
export function domain(tag: string): Uint8Array {
  return utf8(`counterfoil/2/${tag}\0`);
}

/** Hash of bytes under a domain tag. */
export function taggedHash(prefix: Uint8Array, content: Uint8Array): Hash {
  return hashOfBytes(sha256(concat(prefix, content)));
}
