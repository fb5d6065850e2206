import type { Block, Body, Header } from '../model/block.ts';
import type { Certificate, Jurisdiction } from '../model/certificate.ts';
import { type Hash, Height } from '../model/ids.ts';
import type { BlockReference, PeerMessageOf } from '../model/peer-message.ts';
import type { Offence } from './reputation.ts';
import { FIRST_REQUESTS } from './request-numbers.ts';

export interface SyncSettings {
  readonly jurisdiction: Jurisdiction;
  /**
   * Blocks that a certificate must be ahead before anything is fetched: 0 for a node that only follows. An authority hears
   * of new blocks by voting on them.
   */
  readonly lagMin: number;
  /** How often a peer is asked where its chain is. Milliseconds. */
  readonly statusIntervalMs: number;
}

/** What is known of one peer's chain. */
export interface SyncPeer {
  readonly id: string;
  /** The highest block that it has shown a certificate of and has not failed to serve. */
  head: number;
  /** The lowest block that it serves. */
  oldest: number;
  /** Questions that it left open or could not answer, those that it answered taken off. */
  strikes: number;
  restUntil: number;
  statusAskedAt: number | null;
  askedAt: number;
}

interface Question {
  readonly request: number;
  readonly peer: string;
  readonly askedAt: number;
}

/**
 * Consecutive blocks that one certificate makes final. `headers` is null while only wanted; `bodies` are those of the first
 * headers, as far as they have come.
 */
export interface Segment {
  from: number;
  count: number;
  headers: readonly Header[] | null;
  /** Hash of each header. */
  hashes: readonly Hash[];
  certificate: Certificate | null;
  /** Who sent the headers. */
  source: string | null;
  bodies: Body[];
  bytes: number;
  question: Question | null;
}

export type SyncEffect =
  | { readonly type: 'ask'; readonly peer: string; readonly message: SyncRequest }
  /** Linked to the newest final block, every body that of its header, the certificate of the last: to be executed. */
  | { readonly type: 'import'; readonly blocks: readonly Block[]; readonly certificate: Certificate }
  | { readonly type: 'charge'; readonly peer: string; readonly offence: Offence }
  /** A quorum has signed another history than the one that is final here. */
  | {
      readonly type: 'conflict';
      readonly peer: string;
      readonly headers: readonly Header[];
      readonly certificate: Certificate;
    };

export type SyncRequest = PeerMessageOf<'chain-status-request' | 'header-request' | 'block-request'>;

export type SyncMessage = PeerMessageOf<'chain-status' | 'block-announcement' | 'headers' | 'request-failed'>;

export type SyncEvent =
  | { readonly type: 'up'; readonly peer: string }
  | { readonly type: 'down'; readonly peer: string }
  | { readonly type: 'message'; readonly peer: string; readonly message: SyncMessage }
  /** The answer to a block request, inflated; null when it is no list of bodies. */
  | {
      readonly type: 'bodies';
      readonly peer: string;
      readonly request: number;
      readonly bodies: readonly Body[] | null;
    }
  /** Where the chain here is; `isBusy` while blocks are being executed. */
  | { readonly type: 'chain'; readonly head: BlockReference; readonly isBusy: boolean }
  | { readonly type: 'tick' };

/** What is being fetched, and from whom. */
export interface Sync {
  readonly settings: SyncSettings;
  head: BlockReference;
  isBusy: boolean;
  readonly peers: Map<string, SyncPeer>;
  /** In the order of the chain, from the block above the head on, without gaps. */
  segments: Segment[];
  nextRequest: number;
  /** Since when and from which height on this node catches up; null while it is near the head. */
  since: { readonly height: number; readonly at: number } | null;
  now: number;
  out: SyncEffect[];
}

export function createSync(settings: SyncSettings, head: BlockReference): Sync {
  return {
    settings,
    head,
    isBusy: false,
    peers: new Map(),
    segments: [],
    nextRequest: FIRST_REQUESTS.sync,
    since: null,
    now: 0,
    out: [],
  };
}

/** The highest block that some peer has shown a certificate of; the own head when nobody is ahead. */
export function syncTarget({ peers, head }: Sync): Height {
  let target: number = head.height;
  for (const peer of peers.values()) target = Math.max(target, peer.head);
  return Height(target);
}

/** The last height of a segment. */
export function endOf({ from, count }: Pick<Segment, 'from' | 'count'>): number {
  return from + count - 1;
}

/** Questions that a peer has not answered. */
export function openQuestions({ segments }: Sync, peer?: string): number {
  return segments.filter(({ question }) => question !== null && (peer === undefined || question.peer === peer)).length;
}

/** Whether an answer was asked for: what was not costs no work. */
export function isAwaited({ segments }: Sync, peer: string, request: number): boolean {
  return segments.some(({ question }) => question?.peer === peer && question.request === request);
}
