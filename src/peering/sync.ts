import { isBodyOf } from '../ledger/execute.ts';
import { type Body, blockHash, bodySize, type Header, headerLayout } from '../model/block.ts';
import { type Certificate, isCertificateValid } from '../model/certificate.ts';
import { encode } from '../model/codec.ts';
import type { Hash, Height } from '../model/ids.ts';
import { LAG_BLOCKS, SYNC_BLOCKS_MAX, SYNC_BYTES_MAX, SYNC_SEGMENTS_MAX } from '../model/limits.ts';
import type { BlockReference, PeerMessageOf } from '../model/peer-message.ts';
import { verifyMessage } from '../model/verified.ts';
import { plan, strike, wanted } from './sync-plan.ts';
import {
  endOf,
  type Segment,
  type Sync,
  type SyncEffect,
  type SyncEvent,
  type SyncMessage,
  type SyncPeer,
  syncTarget,
} from './sync-state.ts';

/**
 * How a node comes to hold what others have made final. Nothing that a peer says is believed but for a certificate: headers
 * are asked for in ranges that each end at a certified one, bodies are held against them, and what is complete is handed on
 * in the order of the chain. Whoever does not answer is asked less; nobody can stop what another one serves.
 *
 * @param now milliseconds of a steady clock
 */
export function stepSync(sync: Sync, event: SyncEvent, now: number): readonly SyncEffect[] {
  sync.now = now;
  sync.out = [];
  take(sync, event);
  plan(sync);
  return sync.out;
}

/** How far this node has come with catching up; null when it is near the head. */
export interface SyncProgress {
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly blocksPerSecond: number;
  /** Those that have the next block and answer. */
  readonly peers: number;
  /** The oldest block that any of those ahead still has, when all of them have removed the next one; null otherwise. */
  readonly prunedBelow: number | null;
}

/** @param now milliseconds of the same clock */
export function syncProgress(sync: Sync, now: number): SyncProgress | null {
  const { since, head, peers } = sync;
  if (since === null) return null;
  const seconds = Math.max(0.001, (now - since.at) / 1_000);
  const ahead = [...peers.values()].filter((peer) => peer.head > head.height);
  const serving = ahead.filter(({ oldest }) => oldest <= head.height + 1);
  return {
    from: since.height,
    to: syncTarget(sync),
    height: head.height,
    blocksPerSecond: Math.round((head.height - since.height) / seconds),
    peers: serving.filter(({ restUntil }) => restUntil <= now).length,
    prunedBelow:
      ahead.length === 0 || serving.length > 0
        ? null
        : ahead.reduce((least, { oldest }) => Math.min(least, oldest), Number.POSITIVE_INFINITY),
  };
}

function take(sync: Sync, event: SyncEvent): void {
  switch (event.type) {
    case 'up':
      sync.peers.set(event.peer, newPeer(event.peer));
      return;
    case 'down':
      onDown(sync, event.peer);
      return;
    case 'chain':
      onChain(sync, event.head, event.isBusy);
      return;
    case 'tick':
      return;
    case 'message':
    case 'bodies': {
      const peer = sync.peers.get(event.peer);
      if (peer === undefined) return;
      if (event.type === 'message') onMessage(sync, peer, event.message);
      else onBodies(sync, peer, event.request, event.bodies);
    }
  }
}

function newPeer(id: string): SyncPeer {
  return { id, head: 0, oldest: 0, strikes: 0, restUntil: 0, statusAskedAt: null, askedAt: 0 };
}

function onDown(sync: Sync, peer: string): void {
  sync.peers.delete(peer);
  for (const segment of sync.segments) if (segment.question?.peer === peer) segment.question = null;
}

function onMessage(sync: Sync, peer: SyncPeer, message: SyncMessage): void {
  switch (message.kind) {
    case 'chain-status':
      onStatus(sync, peer, message);
      return;
    case 'block-announcement':
      onAnnouncement(sync, peer, message);
      return;
    case 'headers':
      onHeaders(sync, peer, message);
      return;
    case 'request-failed':
      onFailed(sync, peer, message);
  }
}

/** A head above the own one counts when a quorum has signed it; whether the peer has it shows when it is asked. */
function onStatus(sync: Sync, peer: SyncPeer, { head, certificate, oldest }: PeerMessageOf<'chain-status'>): void {
  if (head.height > sync.head.height && !provesHead(sync, head, certificate)) {
    peer.head = 0;
    sync.out.push({ type: 'charge', peer: peer.id, offence: 'BAD_CERTIFICATE' });
    return;
  }
  peer.head = head.height;
  peer.oldest = oldest;
}

function provesHead(sync: Sync, { height, hash }: BlockReference, certificate: Certificate | null): boolean {
  return (
    certificate !== null &&
    certificate.phase === 'COMMIT' &&
    certificate.height === height &&
    certificate.digest === hash &&
    isCertificateValid(certificate, sync.settings.jurisdiction)
  );
}

function onAnnouncement(
  sync: Sync,
  peer: SyncPeer,
  { header, certificate }: PeerMessageOf<'block-announcement'>,
): void {
  const { head, segments, settings } = sync;
  if (header.height <= head.height) {
    peer.head = Math.max(peer.head, header.height);
    return;
  }
  if (!verifyMessage({ kind: 'final', header, path: [], certificate }, settings.jurisdiction).ok) {
    sync.out.push({ type: 'charge', peer: peer.id, offence: 'BAD_CERTIFICATE' });
    return;
  }
  peer.head = Math.max(peer.head, header.height);
  const last = segments.at(-1);
  const above = last === undefined ? head.height : endOf(last);
  if (settings.lagMin > 0 || header.height !== above + 1 || segments.length >= SYNC_SEGMENTS_MAX) return;
  const segment = wanted(header.height, 1);
  fill(segment, { headers: [header], hashes: [blockHash(header)], certificate, source: peer.id });
  segments.push(segment);
}

interface Proven {
  readonly headers: readonly Header[];
  readonly hashes: readonly Hash[];
  readonly certificate: Certificate;
  readonly source: string;
}

function fill(segment: Segment, { headers, hashes, certificate, source }: Proven): void {
  segment.count = headers.length;
  segment.headers = headers;
  segment.hashes = hashes;
  segment.certificate = certificate;
  segment.source = source;
}

function onHeaders(sync: Sync, peer: SyncPeer, message: PeerMessageOf<'headers'>): void {
  const segment = answered(sync, peer, message.request);
  if (segment === undefined || segment.headers !== null) return;
  const { headers, certificate } = message;
  const [first, ...path] = headers;
  const offence = first === undefined ? 'BAD_BLOCK' : headersOffence(sync, segment, first, message);
  if (first === undefined || offence !== undefined) {
    strike(sync, peer);
    sync.out.push({ type: 'charge', peer: peer.id, offence: offence ?? 'BAD_BLOCK' });
    return;
  }
  peer.strikes = Math.floor(peer.strikes / 2);
  const { count } = segment;
  fill(segment, { headers, hashes: [first, ...path].map(blockHash), certificate, source: peer.id });
  cutToFit(sync, segment, count);
}

/** Verified under the set that genesis names, back from the certificate by the hash links. */
function headersOffence(
  { settings }: Sync,
  segment: Segment,
  first: Header,
  { headers, certificate }: PeerMessageOf<'headers'>,
): 'BAD_BLOCK' | 'BAD_CERTIFICATE' | undefined {
  if (first.height !== segment.from || headers.length > SYNC_BLOCKS_MAX) return 'BAD_BLOCK';
  const message = { kind: 'final', header: first, path: headers.slice(1), certificate } as const;
  const verified = verifyMessage(message, settings.jurisdiction);
  if (verified.ok) return undefined;
  return verified.error.code === 'BAD_FORM' ? 'BAD_BLOCK' : 'BAD_CERTIFICATE';
}

/** A range ends where a certificate does, which may be before or behind the end that was asked for. */
function cutToFit(sync: Sync, segment: Segment, askedCount: number): void {
  const at = sync.segments.indexOf(segment);
  const missing = askedCount - segment.count;
  if (missing > 0) {
    sync.segments.splice(at + 1, 0, wanted(endOf(segment) + 1, missing));
    return;
  }
  const end = endOf(segment);
  const rest = sync.segments.slice(at + 1);
  sync.segments = [...sync.segments.slice(0, at + 1), ...rest.flatMap((other) => cutBelow(other, end))];
}

/** A segment without its blocks up to a height. */
function cutBelow(segment: Segment, height: number): readonly Segment[] {
  const gone = Math.min(segment.count, height + 1 - segment.from);
  if (gone <= 0) return [segment];
  if (gone === segment.count) return [];
  segment.from += gone;
  segment.count -= gone;
  segment.headers = segment.headers?.slice(gone) ?? null;
  segment.hashes = segment.hashes.slice(gone);
  segment.bodies = segment.bodies.slice(gone);
  // Its answer would begin too low.
  segment.question = null;
  return [segment];
}

function onBodies(sync: Sync, peer: SyncPeer, request: number, bodies: readonly Body[] | null): void {
  const segment = answered(sync, peer, request);
  if (segment === undefined) return;
  const { headers } = segment;
  if (headers === null) return;
  if (bodies === null || bodies.length === 0) {
    strike(sync, peer);
    sync.out.push({ type: 'charge', peer: peer.id, offence: bodies === null ? 'MALFORMED' : 'STALLED' });
    return;
  }
  for (const body of bodies) {
    const header = headers[segment.bodies.length];
    if (header === undefined || !isBodyOf(header, body)) {
      strike(sync, peer);
      sync.out.push({ type: 'charge', peer: peer.id, offence: 'BAD_BLOCK' });
      return;
    }
    segment.bodies.push(body);
    segment.bytes += encode(headerLayout, header).length + bodySize(body);
  }
  peer.strikes = Math.floor(peer.strikes / 2);
  if (segment.bytes > SYNC_BYTES_MAX && segment.count > 1) shrink(sync, segment);
}

/** Whoever stores blocks under one certificate serves them in one answer: a range with more would be served to nobody. */
function shrink(sync: Sync, segment: Segment): void {
  const source = segment.source === null ? undefined : sync.peers.get(segment.source);
  if (source !== undefined) {
    strike(sync, source);
    sync.out.push({ type: 'charge', peer: source.id, offence: 'OVERSIZED' });
  }
  const half = Math.ceil(segment.count / 2);
  const halves = [wanted(segment.from, half), wanted(segment.from + half, segment.count - half)];
  sync.segments.splice(sync.segments.indexOf(segment), 1, ...halves);
}

/** The segment whose question this peer answers; answers that come too late are nobody's. */
function answered(sync: Sync, peer: SyncPeer, request: number): Segment | undefined {
  const segment = sync.segments.find(({ question }) => question?.peer === peer.id && question.request === request);
  if (segment !== undefined) segment.question = null;
  return segment;
}

function onFailed(sync: Sync, peer: SyncPeer, { request, reason }: PeerMessageOf<'request-failed'>): void {
  const segment = answered(sync, peer, request);
  if (segment === undefined) return;
  // Several questions that a busy peer turns down at once are one reason to leave it alone, not as many.
  if (reason !== 'BUSY' || peer.restUntil <= sync.now) strike(sync, peer);
  if (reason === 'PRUNED') peer.oldest = Math.max(peer.oldest, endOf(segment) + 1);
  if (reason !== 'UNKNOWN') return;
  peer.head = Math.min(peer.head, segment.from - 1);
  sync.out.push({ type: 'charge', peer: peer.id, offence: 'LIED_ABOUT_HEIGHT' });
}

/** The chain has moved, by what was fetched here or otherwise; or an import has come to its end. */
function onChain(sync: Sync, head: BlockReference, isBusy: boolean): void {
  sync.isBusy = isBusy;
  if (head.height === sync.head.height) return;
  sync.head = head;
  sync.segments = sync.segments.flatMap((segment) => cutBelow(segment, head.height));
}

/** Whether this node is so far behind what a quorum has signed that it answers for nothing new. */
export function isBehind(sync: Sync): Height | undefined {
  const target = syncTarget(sync);
  return target > sync.head.height + LAG_BLOCKS ? target : undefined;
}
