import { defined } from '../lib/assert.ts';
import { compareBytes, fromHex } from '../lib/bytes.ts';
import { sha256 } from '../model/hash.ts';
import { type Hash, hexBytes } from '../model/ids.ts';
import { KADEMLIA_BUCKET_SIZE, KADEMLIA_CONTACTS_MAX, KADEMLIA_PARALLELISM } from '../model/limits.ts';
import type { ListedPeer } from '../model/peer-message.ts';

interface Contact {
  readonly peer: ListedPeer;
  /** SHA-256 of its id: nobody chooses his place but by trying keys. */
  readonly point: Uint8Array;
}

/** Peers by the length of the prefix that they share with this node (Maymounkov and Mazières, "Kademlia", §2.2). */
export interface KBuckets {
  readonly self: Uint8Array;
  /** Each from the longest unseen to the last seen. */
  readonly buckets: Map<number, readonly Contact[]>;
}

/** @param self lower-case hex of this node's id */
export function createKBuckets(self: string): KBuckets {
  return { self: pointOf(self), buckets: new Map() };
}

/** Where an id lies. */
export function pointOf(id: string): Uint8Array {
  return sha256(defined(fromHex(id), 'a peer id is hex'));
}

/**
 * A peer is connected, or has answered. In a full bucket those who have been there longest stay: who was up for long
 * stays up (§4.1), and nobody floods the table with new ids.
 */
export function seen(table: KBuckets, peer: ListedPeer): void {
  const contact: Contact = { peer, point: pointOf(peer.id) };
  const index = sharedBits(table.self, contact.point);
  if (index === BITS) return;
  const others = (table.buckets.get(index) ?? []).filter((one) => one.peer.id !== peer.id);
  if (others.length < KADEMLIA_BUCKET_SIZE) table.buckets.set(index, [...others, contact]);
}

/** A peer is gone. */
export function lost(table: KBuckets, id: string): void {
  const index = sharedBits(table.self, pointOf(id));
  const others = (table.buckets.get(index) ?? []).filter(({ peer }) => peer.id !== id);
  if (others.length > 0) table.buckets.set(index, others);
  else table.buckets.delete(index);
}

/** The peers of the table nearest to a point, nearest first. */
export function nearest(table: KBuckets, target: Hash, count = KADEMLIA_BUCKET_SIZE): readonly ListedPeer[] {
  const point = hexBytes(target);
  return [...table.buckets.values()]
    .flat()
    .map(({ peer, point: place }) => ({ peer, distance: distanceOf(point, place) }))
    .sort((a, b) => compareBytes(a.distance, b.distance))
    .slice(0, count)
    .map(({ peer }) => peer);
}

type Progress = 'new' | 'asked' | 'answered' | 'silent';

interface Candidate {
  readonly peer: ListedPeer;
  readonly distance: Uint8Array;
  progress: Progress;
}

/** A search for the peers nearest to a point, which comes nearer with every answer (§2.3). */
export interface Lookup {
  readonly target: Hash;
  /** By id. */
  readonly candidates: Map<string, Candidate>;
}

export function startLookup(table: KBuckets, target: Hash): Lookup {
  const lookup: Lookup = { target, candidates: new Map() };
  learn(lookup, nearest(table, target));
  return lookup;
}

/** Whom to ask now: of the nearest that are not silent those not asked yet, KADEMLIA_PARALLELISM open at a time. */
export function nextToAsk(lookup: Lookup): readonly ListedPeer[] {
  const near = frontier(lookup);
  const open = near.filter(({ progress }) => progress === 'asked').length;
  const next = near.filter(({ progress }) => progress === 'new').slice(0, Math.max(0, KADEMLIA_PARALLELISM - open));
  for (const candidate of next) candidate.progress = 'asked';
  return next.map(({ peer }) => peer);
}

/** A peer that was asked has answered; false when it was not asked. */
export function answered(lookup: Lookup, id: string, peers: readonly ListedPeer[]): boolean {
  const candidate = lookup.candidates.get(id);
  if (candidate?.progress !== 'asked') return false;
  candidate.progress = 'answered';
  learn(lookup, peers.slice(0, KADEMLIA_BUCKET_SIZE));
  return true;
}

/** A peer cannot be asked, or has not answered in time. */
export function silent(lookup: Lookup, id: string): void {
  const candidate = lookup.candidates.get(id);
  if (candidate !== undefined && candidate.progress !== 'answered') candidate.progress = 'silent';
}

/** Whether all of the nearest have answered: asking on brings nothing nearer. */
export function isDone(lookup: Lookup): boolean {
  return frontier(lookup).every(({ progress }) => progress === 'answered');
}

/** The nearest peers that have answered, nearest first. */
export function found(lookup: Lookup): readonly ListedPeer[] {
  return frontier(lookup)
    .filter(({ progress }) => progress === 'answered')
    .map(({ peer }) => peer);
}

function frontier({ candidates }: Lookup): readonly Candidate[] {
  return [...candidates.values()]
    .filter(({ progress }) => progress !== 'silent')
    .sort((a, b) => compareBytes(a.distance, b.distance))
    .slice(0, KADEMLIA_BUCKET_SIZE);
}

function learn(lookup: Lookup, peers: readonly ListedPeer[]): void {
  const { candidates } = lookup;
  const target = hexBytes(lookup.target);
  for (const peer of peers) {
    if (candidates.has(peer.id)) continue;
    candidates.set(peer.id, { peer, distance: distanceOf(target, pointOf(peer.id)), progress: 'new' });
  }
  if (candidates.size <= KADEMLIA_CONTACTS_MAX) return;
  const byDistance = [...candidates.values()].sort((a, b) => compareBytes(a.distance, b.distance));
  for (const { peer } of byDistance.slice(KADEMLIA_CONTACTS_MAX)) candidates.delete(peer.id);
}

const BITS = 256;

function distanceOf(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] ?? 0));
}

/** How many leading bits two points have in common. */
function sharedBits(a: Uint8Array, b: Uint8Array): number {
  const distance = distanceOf(a, b);
  const first = distance.findIndex((byte) => byte !== 0);
  return first === -1 ? BITS : 8 * first + Math.clz32(distance[first] ?? 0) - 24;
}
