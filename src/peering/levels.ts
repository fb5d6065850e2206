import {
  BANS_MAX,
  DIALS_IN_FLIGHT_MAX,
  HEARD_ADDRESSES_MAX,
  KADEMLIA_BUCKET_SIZE,
  KADEMLIA_CONTACTS_MAX,
  OWN_ADDRESSES_MAX,
  PROBES_IN_FLIGHT_MAX,
  PROBES_WAITING_MAX,
  SCORES_KEPT_MAX,
  SEEN_IDS_EXACT_MAX,
  SNAPSHOT_REQUESTS_MAX,
  SYNC_BLOCKS_MAX,
  SYNC_BYTES_MAX,
  SYNC_HELD_BYTES_MAX,
  SYNC_REQUESTS_MAX,
  SYNC_SEGMENTS_MAX,
  TRIED_ADDRESSES_MAX,
} from '../model/limits.ts';
import type { Discovery } from './discovery-state.ts';
import type { Gossip } from './gossip.ts';
import type { KBuckets, Lookup } from './k-buckets.ts';
import type { Reputation } from './reputation.ts';
import type { SnapshotTransfer } from './snapshot.ts';
import { openQuestions, type Sync } from './sync-state.ts';

/** How much of something a node holds that its peers can make it hold, and the most that it may be. */
export interface Level {
  readonly what: string;
  readonly size: number;
  readonly sizeMax: number;
}

const ADDRESSES_MAX = TRIED_ADDRESSES_MAX + HEARD_ADDRESSES_MAX;
/** With the answers to all questions that may be open when it is full. */
const SYNC_BYTES_HELD_MAX = SYNC_HELD_BYTES_MAX + SYNC_REQUESTS_MAX * SYNC_BYTES_MAX;
/** Records that come and go between two writes of the address book. */
const ADDRESS_CHANGES_MAX = 8 * ADDRESSES_MAX;

/** @param sessions that are up */
export function syncLevels(sync: Sync, sessions: number): readonly Level[] {
  const { segments, peers } = sync;
  const sum = (size: (segment: Sync['segments'][number]) => number): number =>
    segments.reduce((all, segment) => all + size(segment), 0);
  return [
    { what: 'sync peers', size: peers.size, sizeMax: sessions },
    { what: 'sync questions', size: openQuestions(sync), sizeMax: SYNC_REQUESTS_MAX },
    { what: 'sync blocks', size: sum(({ count }) => count), sizeMax: SYNC_SEGMENTS_MAX * SYNC_BLOCKS_MAX },
    { what: 'sync bytes', size: sum(({ bytes }) => bytes), sizeMax: SYNC_BYTES_HELD_MAX },
    { what: 'sync bodies', size: sum(({ bodies }) => bodies.length), sizeMax: SYNC_SEGMENTS_MAX * SYNC_BLOCKS_MAX },
  ];
}

/** @param sessions that are up */
export function discoveryLevels(discovery: Discovery, sessions: number): readonly Level[] {
  const { book, dials, claims, own, bootstrap } = discovery;
  const dialsMax = DIALS_IN_FLIGHT_MAX + PROBES_IN_FLIGHT_MAX + discovery.settings.bootstrap.length;
  return [
    { what: 'discovery sessions', size: discovery.sessions.size, sizeMax: sessions },
    { what: 'dials', size: dials.size, sizeMax: dialsMax },
    { what: 'claims', size: claims.size, sizeMax: PROBES_WAITING_MAX },
    { what: 'own addresses', size: own.size, sizeMax: OWN_ADDRESSES_MAX },
    { what: 'bootstrap addresses', size: bootstrap.size, sizeMax: discovery.settings.bootstrap.length },
    { what: 'addresses', size: book.records.size, sizeMax: ADDRESSES_MAX },
    { what: 'places', size: book.places.size, sizeMax: ADDRESSES_MAX },
    { what: 'contested places', size: book.contested.size, sizeMax: TRIED_ADDRESSES_MAX },
    { what: 'changed addresses', size: book.changed.size, sizeMax: ADDRESS_CHANGES_MAX },
  ];
}

export function reputationLevels({ scores, bans, changed }: Reputation): readonly Level[] {
  return [
    { what: 'scores', size: scores.size, sizeMax: SCORES_KEPT_MAX },
    { what: 'bans', size: bans.size, sizeMax: 2 * BANS_MAX },
    { what: 'changed bans', size: changed.size, sizeMax: 2 * BANS_MAX },
  ];
}

export function gossipLevels({ seen }: Gossip): readonly Level[] {
  return [
    { what: 'ids seen exactly', size: seen.newest.size, sizeMax: SEEN_IDS_EXACT_MAX },
    { what: 'ids in the filter', size: seen.count, sizeMax: seen.idsMax },
  ];
}

export function lookupLevels({ buckets }: KBuckets, lookup: Lookup | undefined): readonly Level[] {
  const largest = Math.max(0, ...[...buckets.values()].map((bucket) => bucket.length));
  return [
    { what: 'largest bucket', size: largest, sizeMax: KADEMLIA_BUCKET_SIZE },
    { what: 'candidates', size: lookup?.candidates.size ?? 0, sizeMax: KADEMLIA_CONTACTS_MAX },
  ];
}

/** @param sessions that are up */
export function transferLevels(
  { asked, servers, liars, storing }: SnapshotTransfer,
  sessions: number,
): readonly Level[] {
  return [
    { what: 'snapshot questions', size: asked.size, sizeMax: SNAPSHOT_REQUESTS_MAX },
    { what: 'snapshot parts being stored', size: storing, sizeMax: SNAPSHOT_REQUESTS_MAX },
    { what: 'snapshot servers', size: servers.size, sizeMax: sessions },
    { what: 'snapshot liars', size: liars.size, sizeMax: SCORES_KEPT_MAX },
  ];
}
