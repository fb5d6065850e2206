import { assert } from '../lib/assert.ts';
import { type Codec, encode, list, oneOf, struct, textWhere, u32, u53 } from './codec.ts';
import { domain, taggedHash } from './hash.ts';
import { type Epoch, type Hash, type Height, isName, type PublicKey, type View } from './ids.ts';
import { epochLayout, heightLayout, publicKeyLayout, viewLayout } from './layouts.ts';
import { AUTHORITIES_MAX, NAME_CHARS_MAX } from './limits.ts';

/** One seat in consensus. */
export interface Authority {
  /** The name of the node, as in genesis. */
  readonly id: string;
  readonly publicKey: PublicKey;
  /** The organisation that runs it. */
  readonly organisation: string;
}

/** What every node must agree on to take part; part of genesis and of every hand-over to a new set. */
export interface Parameters {
  readonly blockTransactionsMax: number;
  readonly blockBytesMax: number;
  /** A CHECKPOINT is signed at every multiple of this height. */
  readonly checkpointInterval: number;
  /** The view changes by vote at every multiple of this height; 0 never. */
  readonly rotationInterval: number;
  /** An empty block is proposed when none came for this long; 0 never. Milliseconds. */
  readonly blockIntervalMs: number;
  /** A transaction expires at most this long after the block that takes it. Milliseconds. */
  readonly transactionLifeMsMax: number;
  /** Largest number of blocks that may be in flight above the final one. */
  readonly windowMax: number;
}

/** An authority set in force from `firstHeight` on. */
export interface AuthoritySet {
  readonly epoch: Epoch;
  readonly firstHeight: Height;
  readonly startView: View;
  readonly mode: 'bft';
  readonly authorities: readonly Authority[];
  readonly parameters: Parameters;
}

const authorityLayout: Codec<Authority> = struct<Authority>({
  id: textWhere(NAME_CHARS_MAX, isName),
  publicKey: publicKeyLayout,
  organisation: textWhere(NAME_CHARS_MAX, isName),
});

const parametersLayout: Codec<Parameters> = struct<Parameters>({
  blockTransactionsMax: u32,
  blockBytesMax: u32,
  checkpointInterval: u32,
  rotationInterval: u32,
  blockIntervalMs: u53,
  transactionLifeMsMax: u53,
  windowMax: u32,
});

export const authoritySetLayout: Codec<AuthoritySet> = struct<AuthoritySet>({
  epoch: epochLayout,
  firstHeight: heightLayout,
  startView: viewLayout,
  mode: oneOf(['bft']),
  authorities: list(authorityLayout, AUTHORITIES_MAX),
  parameters: parametersLayout,
});

const EPOCH = domain('EPOCH');

/** The hash that block headers name the set in force by. */
export function authoritySetHash(set: AuthoritySet): Hash {
  return taggedHash(EPOCH, encode(authoritySetLayout, set));
}

/** How many of `n` may lie without harm: f = ⌊(n-1)/3⌋. */
export function faultsTolerated(n: number): number {
  return Math.floor((n - 1) / 3);
}

/** Votes that make a certificate: ⌈(n+f+1)/2⌉, so that any two quorums share an honest voter, for every n. */
export function quorumOf(n: number): number {
  return Math.ceil((n + faultsTolerated(n) + 1) / 2);
}

/** Votes of which at least one is honest: f+1. */
export function weakQuorumOf(n: number): number {
  return faultsTolerated(n) + 1;
}

export function primaryIndex(set: AuthoritySet, view: View): number {
  return view % set.authorities.length;
}

/** Seat of a public key, or -1. */
export function seatOf(set: AuthoritySet, publicKey: PublicKey): number {
  return set.authorities.findIndex((authority) => authority.publicKey === publicKey);
}

for (let n = 1; n <= AUTHORITIES_MAX; n += 1) {
  const f = faultsTolerated(n);
  assert(2 * quorumOf(n) - n >= f + 1 && quorumOf(n) <= n - f, `quorum of ${n} intersects and is reachable`);
}
