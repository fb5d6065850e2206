import { type CheckedChunk, type ChunkPlace, checkChunk, type StateChunk } from '../ledger/state-chunks.ts';
import { assert, defined } from '../lib/assert.ts';
import { blockHash, type Header } from '../model/block.ts';
import type { Certificate, Jurisdiction } from '../model/certificate.ts';
import { type Hash, Height } from '../model/ids.ts';
import {
  HISTORY_BLOCKS_MAX,
  SNAPSHOT_ANSWER_MS_MAX,
  SNAPSHOT_REQUESTS_MAX,
  SNAPSHOT_REQUESTS_PER_PEER_MAX,
  SNAPSHOT_REST_MS,
  SNAPSHOT_SILENCES_MAX,
} from '../model/limits.ts';
import { SNAPSHOT_BUSY_MAX } from '../model/peer-limits.ts';
import type { BlockReference, PeerMessageOf, RequestFailure } from '../model/peer-message.ts';
import { checkPastBlocks, type HistoryLink, type PastBlocks } from './past-blocks.ts';
import { FIRST_REQUESTS } from './request-numbers.ts';

/** The block whose state is fetched: its certificate was verified, and makes it final by itself. */
export interface SnapshotTarget {
  readonly header: Header;
  readonly hash: Hash;
  readonly certificate: Certificate;
}

/** How far a snapshot is: what a store keeps with each part, and an interrupted one goes on from. */
export interface SnapshotProgress {
  /** Parts of the state that are still to be had; of a new one, all of it. */
  readonly places: readonly ChunkPlace[];
  /** Below which blocks are still to be had; null when they are all there. */
  readonly history: HistoryLink | null;
}

export type SnapshotEvent =
  /** A peer is there, or says anew what it serves. */
  | { readonly type: 'offer'; readonly peer: string; readonly snapshot: BlockReference | null }
  | { readonly type: 'left'; readonly peer: string }
  /** Undefined for what could not be read. */
  | { readonly type: 'chunk'; readonly peer: string; readonly request: number; readonly chunk: StateChunk | undefined }
  | {
      readonly type: 'history';
      readonly peer: string;
      readonly request: number;
      readonly blocks: PastBlocks | undefined;
    }
  | { readonly type: 'failed'; readonly peer: string; readonly request: number; readonly reason: RequestFailure }
  /** One `store` effect is done. */
  | { readonly type: 'stored' }
  | { readonly type: 'tick' };

type SnapshotQuestion = PeerMessageOf<'snapshot-request'> | PeerMessageOf<'history-request'>;

export type SnapshotEffect =
  | { readonly type: 'ask'; readonly peer: string; readonly message: SnapshotQuestion }
  /** To be stored in one piece: what was at `place`, and what it leaves to be had. */
  | { readonly type: 'store-chunk'; readonly place: ChunkPlace; readonly chunk: CheckedChunk }
  | { readonly type: 'store-history'; readonly blocks: PastBlocks['blocks']; readonly next: HistoryLink | null }
  | {
      readonly type: 'penalize';
      readonly peer: string;
      readonly code: 'CHUNK_INVALID' | 'HISTORY_INVALID' | 'SILENT';
      readonly reason: string;
    }
  /** It is certified, and not the chain that the operator vouches for. */
  | { readonly type: 'distrusted' }
  /** Everything is stored. */
  | { readonly type: 'complete' }
  /** Nobody who is there serves this snapshot. */
  | { readonly type: 'unserved' };

interface Asked {
  readonly peer: string;
  /** Null asks for blocks. */
  readonly place: ChunkPlace | null;
  readonly atMs: number;
}

interface Server {
  serves: boolean;
  /** Whether it has the blocks before it, too. */
  hasHistory: boolean;
  open: number;
  silences: number;
  /** Times in a row that it was busy. */
  refusals: number;
  restUntilMs: number;
}

/** One snapshot being fetched: the target, what is still to be had, and who was asked for what. */
export interface SnapshotTransfer {
  readonly target: SnapshotTarget;
  readonly jurisdiction: Jurisdiction;
  /** Of a transaction: the blocks of so long before the target are fetched too. Milliseconds. */
  readonly transactionLifeMsMax: number;
  /** A block that the operator vouches for: blocks are fetched down to it, and it must be one of them. */
  readonly trusted: BlockReference | undefined;
  /** The deepest last: finishing one part before the next is begun keeps the list short. */
  readonly places: ChunkPlace[];
  history: HistoryLink | null;
  readonly asked: Map<number, Asked>;
  readonly servers: Map<string, Server>;
  readonly liars: Set<string>;
  /** Parts that were given away to be stored. */
  storing: number;
  lastRequest: number;
  isComplete: boolean;
}

/** Where a snapshot that was never begun stands. */
export function snapshotBeginning({ header, hash }: SnapshotTarget): SnapshotProgress {
  const places = [{ path: '', hash: header.stateRoot }];
  return { places, history: { height: Height(header.height + 1), previous: hash } };
}

/** @param lastRequest the number of the last question that was asked before: late answers to it are nobody's */
export function beginTransfer(
  parts: Pick<SnapshotTransfer, 'target' | 'jurisdiction' | 'transactionLifeMsMax' | 'trusted'>,
  { places, history }: SnapshotProgress,
  lastRequest: number = FIRST_REQUESTS.snapshot,
): SnapshotTransfer {
  return {
    ...parts,
    places: [...places],
    history,
    asked: new Map(),
    servers: new Map(),
    liars: new Set(),
    storing: 0,
    lastRequest,
    isComplete: false,
  };
}

/** What to do now. `nowMs` is monotonic. */
export function stepSnapshot(
  transfer: SnapshotTransfer,
  event: SnapshotEvent,
  nowMs: number,
): readonly SnapshotEffect[] {
  if (transfer.isComplete) return [];
  const effects = [...handle(transfer, event, nowMs)];
  if (
    transfer.places.length === 0 &&
    transfer.history === null &&
    transfer.asked.size === 0 &&
    transfer.storing === 0
  ) {
    transfer.isComplete = true;
    return [...effects, { type: 'complete' }];
  }
  effects.push(...ask(transfer, nowMs));
  if (isUnserved(transfer)) effects.push({ type: 'unserved' });
  return effects;
}

/** Nobody has what is still wanted; what is on its way to the store may yet be all. */
function isUnserved({ servers, places, history, storing }: SnapshotTransfer): boolean {
  const able = [...servers.values()].filter(({ serves }) => serves);
  if (storing > 0) return false;
  return able.length === 0 || (places.length === 0 && history !== null && able.every(({ hasHistory }) => !hasHistory));
}

function handle(transfer: SnapshotTransfer, event: SnapshotEvent, nowMs: number): readonly SnapshotEffect[] {
  switch (event.type) {
    case 'offer':
      offer(transfer, event.peer, event.snapshot);
      return [];
    case 'left':
      giveBack(transfer, event.peer);
      transfer.servers.delete(event.peer);
      return [];
    case 'chunk':
      return takeChunk(transfer, event);
    case 'history':
      return takeHistory(transfer, event);
    case 'failed':
      refused(transfer, event, nowMs);
      return [];
    case 'stored':
      assert(transfer.storing > 0, 'only what was given away is stored');
      transfer.storing -= 1;
      return [];
    case 'tick':
      return expire(transfer, nowMs);
  }
}

function offer({ target, servers, liars }: SnapshotTransfer, peer: string, snapshot: BlockReference | null): void {
  const known = servers.get(peer);
  const isOffered = snapshot?.height === target.header.height && snapshot.hash === target.hash;
  // Saying it once more is no answer.
  const serves = isOffered && !liars.has(peer) && (known === undefined || isHelpful(known));
  // Whoever offers a newer one may serve this one for a while yet: its answers tell.
  if (known === undefined)
    servers.set(peer, { serves, hasHistory: true, open: 0, silences: 0, refusals: 0, restUntilMs: 0 });
  else if (serves) known.serves = true;
}

function isHelpful({ silences, refusals }: Server): boolean {
  return silences < SNAPSHOT_SILENCES_MAX && refusals < SNAPSHOT_BUSY_MAX;
}

/** Takes an answer to something that this peer was asked; undefined when it was not, or is no longer waited for. */
function settle(
  { asked, servers }: SnapshotTransfer,
  { peer, request }: { readonly peer: string; readonly request: number },
  isHistory: boolean,
): Asked | undefined {
  const found = asked.get(request);
  if (found === undefined || found.peer !== peer || (found.place === null) !== isHistory) return undefined;
  asked.delete(request);
  const server = servers.get(peer);
  if (server !== undefined) {
    server.open -= 1;
    server.silences = 0;
  }
  return found;
}

function served({ servers }: SnapshotTransfer, peer: string): void {
  const server = servers.get(peer);
  if (server !== undefined) server.refusals = 0;
}

function takeChunk(
  transfer: SnapshotTransfer,
  event: Extract<SnapshotEvent, { type: 'chunk' }>,
): readonly SnapshotEffect[] {
  const place = settle(transfer, event, false)?.place ?? undefined;
  if (place === undefined) return [];
  served(transfer, event.peer);
  const checked = event.chunk === undefined ? undefined : checkChunk(place, event.chunk);
  if (checked?.ok !== true) {
    transfer.places.push(place);
    const reason = `the part ${JSON.stringify(place.path)} of the state: ${checked?.error.reason ?? 'it cannot be read'}`;
    return [lied(transfer, event.peer, 'CHUNK_INVALID', reason)];
  }
  transfer.places.push(...checked.value.places);
  transfer.storing += 1;
  return [{ type: 'store-chunk', place, chunk: checked.value }];
}

function takeHistory(
  transfer: SnapshotTransfer,
  event: Extract<SnapshotEvent, { type: 'history' }>,
): readonly SnapshotEffect[] {
  if (settle(transfer, event, true) === undefined) return [];
  served(transfer, event.peer);
  const link = defined(transfer.history, 'blocks were asked for');
  const { peer, blocks } = event;
  if (blocks === undefined) return [lied(transfer, peer, 'HISTORY_INVALID', 'it cannot be read')];
  const checked = checkPastBlocks(link, blocks, transfer.jurisdiction, transfer.target.header.height);
  if (!checked.ok) return [lied(transfer, peer, 'HISTORY_INVALID', checked.error.reason)];
  if (blocks.blocks.some(({ block }) => isRivalOf(transfer.trusted, block.header))) return [{ type: 'distrusted' }];
  const lowest = defined(blocks.blocks.at(-1), 'there is one').block.header;
  transfer.history = isEnough(transfer, lowest) ? null : checked.value;
  transfer.storing += 1;
  return [{ type: 'store-history', blocks: blocks.blocks, next: transfer.history }];
}

function isRivalOf(trusted: BlockReference | undefined, header: Header): boolean {
  return trusted?.height === header.height && trusted.hash !== blockHash(header);
}

/** A transaction of a block that is older than the longest life has expired, so that nobody need know it. */
function isEnough({ target, transactionLifeMsMax, trusted }: SnapshotTransfer, { height, timestamp }: Header): boolean {
  const isTrusted = trusted === undefined || height <= trusted.height;
  return height <= 1 || (isTrusted && timestamp + transactionLifeMsMax < target.header.timestamp);
}

function lied(
  transfer: SnapshotTransfer,
  peer: string,
  code: 'CHUNK_INVALID' | 'HISTORY_INVALID',
  reason: string,
): SnapshotEffect {
  giveBack(transfer, peer);
  transfer.liars.add(peer);
  const server = transfer.servers.get(peer);
  if (server !== undefined) server.serves = false;
  return { type: 'penalize', peer, code, reason };
}

function refused(transfer: SnapshotTransfer, event: Extract<SnapshotEvent, { type: 'failed' }>, nowMs: number): void {
  const isHistory = transfer.asked.get(event.request)?.place === null;
  const found = settle(transfer, event, isHistory);
  const server = transfer.servers.get(event.peer);
  if (found === undefined || server === undefined) return;
  if (found.place !== null) transfer.places.push(found.place);
  if (event.reason === 'BUSY') {
    server.restUntilMs = nowMs + SNAPSHOT_REST_MS;
    server.refusals += 1;
    server.serves &&= isHelpful(server);
  } else if (isHistory) server.hasHistory = false;
  else server.serves = false;
}

/** Everything that a peer was asked for, and does not answer any more. */
function giveBack({ asked, places, servers }: SnapshotTransfer, peer: string): void {
  for (const [request, one] of asked) {
    if (one.peer !== peer) continue;
    asked.delete(request);
    if (one.place !== null) places.push(one.place);
  }
  const server = servers.get(peer);
  if (server !== undefined) server.open = 0;
}

function expire(transfer: SnapshotTransfer, nowMs: number): readonly SnapshotEffect[] {
  const effects: SnapshotEffect[] = [];
  for (const [request, { peer, place, atMs }] of transfer.asked) {
    const server = transfer.servers.get(peer);
    if (nowMs - atMs < SNAPSHOT_ANSWER_MS_MAX || server === undefined) continue;
    transfer.asked.delete(request);
    if (place !== null) transfer.places.push(place);
    server.open -= 1;
    server.silences += 1;
    server.restUntilMs = nowMs + SNAPSHOT_REST_MS;
    if (server.silences !== SNAPSHOT_SILENCES_MAX) continue;
    server.serves = false;
    effects.push({ type: 'penalize', peer, code: 'SILENT', reason: 'it offers a snapshot and does not answer' });
  }
  return effects;
}

function ask(transfer: SnapshotTransfer, nowMs: number): readonly SnapshotEffect[] {
  const effects: SnapshotEffect[] = [];
  const isAsked = [...transfer.asked.values()].some(({ place }) => place === null);
  if (transfer.history !== null && !isAsked) effects.push(...askOne(transfer, nowMs, null));
  for (let place = transfer.places.pop(); place !== undefined; place = transfer.places.pop()) {
    const asked = askOne(transfer, nowMs, place);
    effects.push(...asked);
    if (asked.length > 0) continue;
    transfer.places.push(place);
    break;
  }
  return effects;
}

function askOne(transfer: SnapshotTransfer, nowMs: number, place: ChunkPlace | null): readonly SnapshotEffect[] {
  const found =
    transfer.asked.size + transfer.storing < SNAPSHOT_REQUESTS_MAX
      ? idlest(transfer, nowMs, place === null)
      : undefined;
  if (found === undefined) return [];
  transfer.lastRequest += 1;
  transfer.asked.set(transfer.lastRequest, { peer: found.peer, place, atMs: nowMs });
  found.server.open += 1;
  return [{ type: 'ask', peer: found.peer, message: questionOf(transfer, place) }];
}

function idlest(
  { servers }: SnapshotTransfer,
  nowMs: number,
  isHistory: boolean,
): { readonly peer: string; readonly server: Server } | undefined {
  let best: { readonly peer: string; readonly server: Server } | undefined;
  for (const [peer, server] of servers) {
    const serves = server.serves && (server.hasHistory || !isHistory);
    const isFree = serves && server.open < SNAPSHOT_REQUESTS_PER_PEER_MAX && server.restUntilMs <= nowMs;
    if (isFree && (best === undefined || rank(server) < rank(best.server))) best = { peer, server };
  }
  return best;
}

/** Those who answer before those who did not, then those with less to do. */
function rank({ silences, open }: Server): number {
  return silences * (SNAPSHOT_REQUESTS_PER_PEER_MAX + 1) + open;
}

function questionOf(transfer: SnapshotTransfer, place: ChunkPlace | null): SnapshotQuestion {
  const request = transfer.lastRequest;
  if (place !== null) {
    return { kind: 'snapshot-request', request, height: transfer.target.header.height, prefix: place.path };
  }
  const { height } = defined(transfer.history, 'blocks are wanted');
  return { kind: 'history-request', request, below: height, count: HISTORY_BLOCKS_MAX };
}
