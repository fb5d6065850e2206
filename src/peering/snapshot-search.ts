import { type BoundedMap, createBoundedMap } from '../lib/bounded.ts';
import { blockHash } from '../model/block.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import type { Height } from '../model/ids.ts';
import { SCORES_KEPT_MAX } from '../model/limits.ts';
import { SNAPSHOT_PROOF_REFUSALS_MAX } from '../model/peer-limits.ts';
import type { BlockReference, PeerMessageOf } from '../model/peer-message.ts';
import { verifyMessage } from '../model/verified.ts';
import type { SnapshotTarget } from './snapshot.ts';

/** Which snapshots peers offer, by peer. Nothing of it is proven. */
export type Offers = ReadonlyMap<string, BlockReference>;

/** What a node that looks for a snapshot has heard, and what it has found out. */
export interface SnapshotSearch {
  readonly offers: Map<string, BlockReference>;
  /** Peers that proved nothing of what they offered, or did not serve it: they are not listened to again. */
  readonly unreliable: BoundedMap<string, true>;
  /** Of peers that are connected: times that one was busy when it was to prove its offer. */
  readonly refusals: Map<string, number>;
  /** Blocks whose state nobody served in the end. */
  readonly failed: Map<string, BlockReference>;
}

export function createSearch(): SnapshotSearch {
  return { offers: new Map(), unreliable: createBoundedMap(SCORES_KEPT_MAX), refusals: new Map(), failed: new Map() };
}

/** A peer says what it offers. Answers what of it is worth anything. */
export function heardOffer(
  { offers, unreliable, failed }: SnapshotSearch,
  peer: string,
  snapshot: BlockReference | null,
): BlockReference | null {
  const counts = snapshot !== null && unreliable.get(peer) === undefined && !failed.has(keyOf(snapshot));
  if (counts) offers.set(peer, snapshot);
  else offers.delete(peer);
  return counts ? snapshot : null;
}

/** A peer has not kept its word. */
export function distrust({ offers, unreliable }: SnapshotSearch, peer: string): void {
  unreliable.set(peer, true);
  offers.delete(peer);
}

export function leftSearch({ offers, refusals }: SnapshotSearch, peer: string): void {
  offers.delete(peer);
  refusals.delete(peer);
}

/** A peer that is to prove its offer says that it is busy: it will offer it again, and others may be asked meanwhile. */
export function isTooBusy({ offers, refusals }: SnapshotSearch, peer: string): boolean {
  const times = (refusals.get(peer) ?? 0) + 1;
  refusals.set(peer, times);
  offers.delete(peer);
  return times >= SNAPSHOT_PROOF_REFUSALS_MAX;
}

/** Nobody serves the state of this block, whoever offers it. */
export function giveUp({ offers, failed }: SnapshotSearch, block: BlockReference): void {
  failed.set(keyOf(block), block);
  for (const peer of offerers(offers, block)) offers.delete(peer);
}

export interface Preference {
  /** Height of the own head with what it would rather execute: nothing lower is worth it. */
  readonly above: number;
  /** Peers that have proven to be authorities. */
  readonly authorities: ReadonlySet<string>;
  /** One authority more than may lie. */
  readonly weakQuorum: number;
}

/**
 * The snapshot to ask for: one that more authorities offer than may lie, or as many of them as there are; then one that
 * several peers offer rather than one of a single peer; then the newest.
 */
export function chooseSnapshot(offers: Offers, preference: Preference): BlockReference | undefined {
  const { above, authorities, weakQuorum } = preference;
  const counts = new Map<string, { readonly block: BlockReference; count: number; vouched: number }>();
  for (const [peer, block] of offers) {
    if (block.height <= above) continue;
    const key = keyOf(block);
    const known = counts.get(key) ?? { block, count: 0, vouched: 0 };
    known.count += 1;
    if (authorities.has(peer) && known.vouched < weakQuorum) known.vouched += 1;
    counts.set(key, known);
  }
  const [best] = [...counts.values()].sort(
    (a, b) => b.vouched - a.vouched || rank(b) - rank(a) || b.block.height - a.block.height,
  );
  return best?.block;
}

function keyOf({ height, hash }: BlockReference): string {
  return `${height}:${hash}`;
}

/** Beyond two it matters little how many serve it: liars could be any number. */
function rank({ count }: { readonly count: number }): number {
  return Math.min(count, 2);
}

/** The target that an answer proves: the one block that was chosen, under a certificate of its own. */
export function provenTarget(
  chosen: BlockReference,
  { headers, certificate }: Pick<PeerMessageOf<'headers'>, 'headers' | 'certificate'>,
  jurisdiction: Jurisdiction,
): SnapshotTarget | undefined {
  const [header] = headers;
  if (header === undefined || headers.length !== 1) return undefined;
  const isChosen = header.height === chosen.height && blockHash(header) === chosen.hash;
  if (!isChosen || certificate.height !== header.height) return undefined;
  const proof = verifyMessage({ kind: 'final', header, path: [], certificate }, jurisdiction);
  return proof.ok ? { header, hash: chosen.hash, certificate } : undefined;
}

/** Whether a snapshot may be taken although the operator vouches for another block: never for another one at its height. */
export function contradictsCheckpoint(target: BlockReference, trusted: BlockReference | undefined): boolean {
  return trusted !== undefined && trusted.height === target.height && trusted.hash !== target.hash;
}

/** Who offers a block. */
export function offerers(
  offers: Offers,
  { height, hash }: { readonly height: Height; readonly hash: string },
): readonly string[] {
  return [...offers].flatMap(([peer, block]) => (block.height === height && block.hash === hash ? [peer] : []));
}
