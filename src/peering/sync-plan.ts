import { assert } from '../lib/assert.ts';
import { Height } from '../model/ids.ts';
import {
  LAG_BLOCKS,
  SYNC_ANSWER_MS_MAX,
  SYNC_BLOCKS_MAX,
  SYNC_HELD_BYTES_MAX,
  SYNC_REQUESTS_MAX,
  SYNC_REQUESTS_PER_PEER_MAX,
  SYNC_REST_MS_MAX,
  SYNC_REST_MS_MIN,
  SYNC_SEGMENTS_MAX,
} from '../model/limits.ts';
import { FIRST_REQUESTS } from './request-numbers.ts';
import { endOf, openQuestions, type Segment, type Sync, type SyncPeer, syncTarget } from './sync-state.ts';

/** Gives up what is overdue, asks for what is missing, hands on what is complete. */
export function plan(sync: Sync): void {
  expire(sync);
  askStatus(sync);
  extend(sync);
  fillEmpty(sync);
  ask(sync);
  handOn(sync);
}

/** A peer that left a question open, or could not answer it: it is asked less and later. */
export function strike(sync: Sync, peer: SyncPeer): void {
  peer.strikes += 1;
  peer.restUntil = sync.now + Math.min(SYNC_REST_MS_MAX, SYNC_REST_MS_MIN * 2 ** Math.min(peer.strikes, 16));
}

function expire(sync: Sync): void {
  for (const segment of sync.segments) {
    const { question } = segment;
    if (question === null || sync.now - question.askedAt < SYNC_ANSWER_MS_MAX) continue;
    segment.question = null;
    const peer = sync.peers.get(question.peer);
    if (peer === undefined) continue;
    strike(sync, peer);
    sync.out.push({ type: 'charge', peer: peer.id, offence: 'STALLED' });
  }
}

function askStatus(sync: Sync): void {
  for (const peer of sync.peers.values()) {
    if (peer.statusAskedAt !== null && sync.now - peer.statusAskedAt < sync.settings.statusIntervalMs) continue;
    peer.statusAskedAt = sync.now;
    sync.out.push({ type: 'ask', peer: peer.id, message: { kind: 'chain-status-request' } });
  }
}

/** Wants the blocks up to the highest certified one, some at a time. */
function extend(sync: Sync): void {
  const target = syncTarget(sync);
  const lag = target - sync.head.height;
  if (sync.since === null && lag > Math.max(LAG_BLOCKS, sync.settings.lagMin)) {
    sync.since = { height: sync.head.height, at: sync.now };
  }
  if (sync.since !== null && lag <= LAG_BLOCKS) sync.since = null;
  // One that votes is told of the last blocks by those who vote with it.
  if (sync.settings.lagMin > 0 && sync.since === null) return;
  let next = topOf(sync) + 1;
  while (next <= target && sync.segments.length < SYNC_SEGMENTS_MAX) {
    const count = Math.min(SYNC_BLOCKS_MAX, target - next + 1);
    sync.segments.push(wanted(next, count));
    next += count;
  }
}

function topOf({ segments, head }: Sync): number {
  const last = segments.at(-1);
  return last === undefined ? head.height : endOf(last);
}

export function wanted(from: number, count: number): Segment {
  assert(count > 0, 'a segment has blocks');
  return {
    ...{ from, count, headers: null, hashes: [], certificate: null, source: null },
    ...{ bodies: [], bytes: 0, question: null },
  };
}

/** A body without transactions is known from its header. */
function fillEmpty({ segments }: Sync): void {
  for (const { headers, bodies, question } of segments) {
    if (headers === null || question !== null) continue;
    while (bodies.length < headers.length && headers[bodies.length]?.transactionCount === 0) bodies.push([]);
  }
}

function ask(sync: Sync): void {
  for (const segment of sync.segments) {
    if (openQuestions(sync) >= SYNC_REQUESTS_MAX) return;
    if (segment.question !== null || isComplete(segment)) continue;
    // What comes first is always asked for: it makes room.
    if (segment !== sync.segments[0] && segment.headers !== null && isFull(sync)) continue;
    const peer = chosen(sync, segment);
    if (peer === undefined) continue;
    const request = sync.nextRequest;
    sync.nextRequest = request + 1 === FIRST_REQUESTS.snapshot ? FIRST_REQUESTS.sync : request + 1;
    segment.question = { request, peer: peer.id, askedAt: sync.now };
    peer.askedAt = sync.now;
    const from = Height(segment.from + segment.bodies.length);
    const count = segment.count - segment.bodies.length;
    const kind = segment.headers === null ? 'header-request' : 'block-request';
    sync.out.push({ type: 'ask', peer: peer.id, message: { kind, request, from, count } });
  }
}

/** Blocks of which the first are still missing wait in memory. */
function isFull({ segments }: Sync): boolean {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0) >= SYNC_HELD_BYTES_MAX;
}

function isComplete({ headers, bodies }: Segment): boolean {
  return headers !== null && bodies.length === headers.length;
}

/** Whoever has the next of the blocks, has kept its word best, has least to do, and was left alone for longest. */
function chosen(sync: Sync, segment: Segment): SyncPeer | undefined {
  const able = [...sync.peers.values()].filter(
    ({ id, head, oldest, restUntil }) =>
      head >= segment.from + segment.bodies.length &&
      oldest <= segment.from &&
      restUntil <= sync.now &&
      openQuestions(sync, id) < SYNC_REQUESTS_PER_PEER_MAX,
  );
  const rank = (peer: SyncPeer): readonly number[] => [peer.strikes, openQuestions(sync, peer.id), peer.askedAt];
  return able.sort((a, b) => compareRanks(rank(a), rank(b)))[0];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? value);
    if (difference !== 0) return difference;
  }
  return 0;
}

function handOn(sync: Sync): void {
  const [first] = sync.segments;
  if (sync.isBusy || first === undefined) return;
  const { headers, certificate, bodies, from } = first;
  if (headers === null || certificate === null || from !== sync.head.height + 1) return;
  if (headers[0]?.previous !== sync.head.hash) {
    // Proven by its certificate, and not the child of what is final here.
    sync.segments = [];
    sync.out.push({ type: 'conflict', peer: first.source ?? '', headers, certificate });
    return;
  }
  if (!isComplete(first)) return;
  sync.isBusy = true;
  const blocks = headers.flatMap((header, index) => {
    const body = bodies[index];
    return body === undefined ? [] : [{ header, body }];
  });
  sync.out.push({ type: 'import', blocks, certificate });
}
