import { type StateChunk, stateChunkLayout } from '../ledger/state-chunks.ts';
import { weakQuorumOf } from '../model/authorities.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { decode } from '../model/codec.ts';
import type { Height } from '../model/ids.ts';
import {
  HISTORY_INFLATED_BYTES_MAX,
  SNAPSHOT_ANSWER_MS_MAX,
  SNAPSHOT_CHUNK_BYTES_MAX,
  SNAPSHOT_GAP_BLOCKS,
  SNAPSHOT_LOOK_MS,
  SNAPSHOT_UNSERVED_MS_MAX,
  SYNC_LOG_MS,
  SYNC_TICK_MS,
} from '../model/limits.ts';
import { SNAPSHOT_TRIES_MAX } from '../model/peer-limits.ts';
import type { BlockReference, PeerMessage, PeerMessageOf, RequestFailure } from '../model/peer-message.ts';
import type { PeerId, PeerInfo } from '../network/transport.ts';
import { type Level, transferLevels } from '../peering/levels.ts';
import { type PastBlocks, pastBlocksLayout } from '../peering/past-blocks.ts';
import { FIRST_REQUESTS } from '../peering/request-numbers.ts';
import {
  beginTransfer,
  type SnapshotEffect,
  type SnapshotEvent,
  type SnapshotTransfer,
  stepSnapshot,
} from '../peering/snapshot.ts';
import {
  chooseSnapshot,
  contradictsCheckpoint,
  createSearch,
  distrust,
  giveUp,
  heardOffer,
  isTooBusy,
  leftSearch,
  offerers,
  provenTarget,
} from '../peering/snapshot-search.ts';
import { type Arrival, beginArrival, readArrival, storeChunk, storePastBlocks } from '../store/arriving.ts';
import type { KeyValue } from '../store/key-value.ts';
import type { Compression } from './compression.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Clock, Timers } from './ports.ts';

/** Where a snapshot is put together. */
export interface ArrivalStore {
  /** What is there now. */
  readonly store: KeyValue;
  /** Throws away what is there: another snapshot is begun in its place. */
  readonly empty: () => Promise<void>;
  /** Everything is there: makes a chain of it. */
  readonly complete: () => Promise<void>;
  /** Closes it; `isWanted` keeps what is there for the next start. */
  readonly close: (isWanted: boolean) => Promise<void>;
}

/** How it ended: the node starts again on what has arrived, or comes to the newest state block by block. */
type ArrivalOutcome = 'arrived' | 'not-worth-it';

export interface SnapshotArrivalParts {
  readonly post: Post;
  readonly jurisdiction: Jurisdiction;
  readonly compression: Compression;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly into: ArrivalStore;
  /** Of the chain that is here already. */
  readonly head: () => number;
  readonly transactionLifeMsMax: number;
  readonly trusted: BlockReference | undefined;
  readonly log: {
    info(fields: Readonly<Record<string, unknown>>, message: string): void;
    warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  };
  /** `reason` is why no snapshot came, for people. */
  readonly done: (outcome: ArrivalOutcome, reason: string) => void;
  readonly failed: (error: Error) => void;
}

/** Fetches a certified state and the blocks before it, instead of all blocks from where this node stands. */
export class SnapshotArrival implements PeeringPart {
  readonly kinds = ['chain-status', 'headers', 'snapshot-chunk', 'history', 'request-failed'] as const;
  readonly #parts: SnapshotArrivalParts;
  readonly #search = createSearch();
  #transfer: SnapshotTransfer | undefined;
  #chosen: { readonly block: BlockReference; readonly peer: PeerId; readonly request: number } | undefined;
  #requests: number = FIRST_REQUESTS.snapshot;
  /** Since when somebody has said what it offers, or since a question was asked that is not answered yet. */
  #sinceMs: number | null = null;
  #unservedSinceMs: number | null = null;
  /** When an offer last turned out to be worth nothing. */
  #failedAtMs: number | null = null;
  /** Resolves when what was thrown away is gone. */
  #emptied: Promise<void> = Promise.resolve();
  #isEmptying = false;
  /** Something of it is stored: giving it up costs what that has cost. */
  #isKept = false;
  #records = 0;
  #bytes = 0;
  #loggedMs = 0;
  #isOver = false;
  #cancelTick: () => void = () => undefined;

  constructor(parts: SnapshotArrivalParts) {
    this.#parts = parts;
    const arrival = readArrival(parts.into.store);
    if (arrival === undefined) return;
    this.#isKept = true;
    this.#begin(arrival);
  }

  start(): void {
    this.#cancelTick = this.#parts.timers.after(SYNC_TICK_MS, () => {
      this.#tick();
      if (!this.#isOver) this.start();
    });
  }

  stop(): void {
    this.#cancelTick();
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#emptied.then(() => this.#parts.into.close(true)).catch(this.#parts.failed);
  }

  /** The height of the state that is fetched. */
  target(): Height | undefined {
    return this.#transfer?.target.header.height;
  }

  up({ id }: PeerInfo): void {
    this.#parts.post.send(id, { kind: 'chain-status-request' });
  }

  down({ id }: PeerInfo): void {
    leftSearch(this.#search, id);
    if (this.#chosen?.peer === id) this.#chosen = undefined;
    this.#step({ type: 'left', peer: id });
  }

  message(peer: PeerId, message: PeerMessage): void {
    if (this.#isOver) return;
    switch (message.kind) {
      case 'chain-status':
        this.#offered(peer, message.snapshot);
        return;
      case 'headers':
        this.#prove(peer, message);
        return;
      case 'snapshot-chunk':
        this.#chunk(peer, message);
        return;
      case 'history':
        this.#history(peer, message);
        return;
      case 'request-failed':
        if (this.#chosen?.peer === peer && this.#chosen.request === message.request)
          this.#refused(peer, message.reason);
        else this.#step({ type: 'failed', peer, request: message.request, reason: message.reason });
        return;
      default:
    }
  }

  levels(): readonly Level[] {
    const sizeMax = this.#parts.post.peers().length;
    const offers = { what: 'snapshot offers', size: this.#search.offers.size, sizeMax };
    return [offers, ...(this.#transfer === undefined ? [] : transferLevels(this.#transfer, sizeMax))];
  }

  #begin({ target, progress }: Arrival): void {
    const { jurisdiction, transactionLifeMsMax, trusted, log } = this.#parts;
    this.#chosen = undefined;
    this.#transfer = beginTransfer({ target, jurisdiction, transactionLifeMsMax, trusted }, progress, this.#requests);
    log.info({ height: target.header.height, hash: target.hash }, 'fetching the state of this block');
    for (const [peer, snapshot] of this.#search.offers) this.#step({ type: 'offer', peer, snapshot });
  }

  #offered(peer: PeerId, snapshot: BlockReference | null): void {
    this.#sinceMs ??= this.#parts.clock.monotonicMs();
    this.#step({ type: 'offer', peer, snapshot: heardOffer(this.#search, peer, snapshot) });
  }

  #tick(): void {
    const { clock, post } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#step({ type: 'tick' });
    const waitedMs = this.#sinceMs === null ? 0 : nowMs - this.#sinceMs;
    if (this.#transfer === undefined && !this.#isEmptying && waitedMs >= SNAPSHOT_LOOK_MS) {
      if (this.#chosen === undefined) this.#choose();
      else if (waitedMs >= SNAPSHOT_ANSWER_MS_MAX) this.#unproven(this.#chosen.peer);
    }
    if (nowMs - this.#loggedMs < SYNC_LOG_MS) return;
    this.#loggedMs = nowMs;
    for (const { id } of post.peers()) post.send(id, { kind: 'chain-status-request' });
    if (this.#transfer !== undefined) {
      const { places, asked } = this.#transfer;
      const open = places.length + asked.size;
      this.#parts.log.info({ records: this.#records, bytes: this.#bytes, open }, 'fetching the state');
    }
  }

  /** The best that is offered. */
  #best(): BlockReference | undefined {
    const { post, head, jurisdiction } = this.#parts;
    const authorities = post.peers().flatMap(({ id, role }) => (role === 'authority' ? [id] : []));
    return chooseSnapshot(this.#search.offers, {
      above: head() + SNAPSHOT_GAP_BLOCKS,
      authorities: new Set(authorities),
      weakQuorum: weakQuorumOf(jurisdiction.authorities.authorities.length),
    });
  }

  #choose(): void {
    const { post, trusted, clock } = this.#parts;
    const block = this.#best();
    if (block === undefined) {
      this.#nothingOffered();
      return;
    }
    const [peer] = offerers(this.#search.offers, block) as PeerId[];
    if (peer === undefined || contradictsCheckpoint(block, trusted)) {
      for (const id of offerers(this.#search.offers, block)) this.#search.offers.delete(id);
      return;
    }
    this.#requests += 1;
    this.#chosen = { block, peer, request: this.#requests };
    post.send(peer, { kind: 'header-request', request: this.#requests, from: block.height, count: 1 });
    this.#sinceMs = clock.monotonicMs();
  }

  /** After lies somebody honest may yet come, or hold the next state. As long as nobody is there, nobody knows. */
  #nothingOffered(): void {
    const { post, clock, head } = this.#parts;
    if (post.peers().length === 0) return;
    if (this.#failedAtMs === null) {
      this.#end(`no peer offers a state that is more than ${SNAPSHOT_GAP_BLOCKS} blocks above height ${head()}`);
    } else if (clock.monotonicMs() - this.#failedAtMs >= SNAPSHOT_UNSERVED_MS_MAX) this.#end(UNSERVED);
  }

  #prove(peer: PeerId, message: PeerMessageOf<'headers'>): void {
    const { post, jurisdiction, into, failed } = this.#parts;
    const chosen = this.#chosen;
    if (chosen?.peer !== peer || chosen.request !== message.request) return;
    const target = provenTarget(chosen.block, message, jurisdiction);
    if (target === undefined) {
      this.#unproven(peer);
      post.charge(peer, 'BAD_CERTIFICATE');
      return;
    }
    beginArrival(into.store, target).then((arrival) => this.#isOver || this.#begin(arrival), failed);
  }

  #refused(peer: PeerId, reason: RequestFailure): void {
    if (reason !== 'BUSY' || isTooBusy(this.#search, peer)) this.#unproven(peer);
    this.#failedAtMs ??= this.#parts.clock.monotonicMs();
    this.#chosen = undefined;
  }

  #unproven(peer: PeerId): void {
    distrust(this.#search, peer);
    this.#failedAtMs = this.#parts.clock.monotonicMs();
    this.#chosen = undefined;
  }

  #chunk(peer: PeerId, { request, deflated }: PeerMessageOf<'snapshot-chunk'>): void {
    if (!this.#isAwaited(peer, request)) return;
    this.#bytes += deflated.length;
    this.#parts.compression.inflate(deflated, SNAPSHOT_CHUNK_BYTES_MAX, (bytes) => {
      const chunk = bytes && decode<StateChunk>(stateChunkLayout, bytes);
      this.#step({ type: 'chunk', peer, request, chunk: chunk?.ok === true ? chunk.value : undefined });
    });
  }

  #history(peer: PeerId, { request, deflated }: PeerMessageOf<'history'>): void {
    if (!this.#isAwaited(peer, request)) return;
    this.#bytes += deflated.length;
    this.#parts.compression.inflate(deflated, HISTORY_INFLATED_BYTES_MAX, (bytes) => {
      const blocks = bytes && decode<PastBlocks>(pastBlocksLayout, bytes);
      this.#step({ type: 'history', peer, request, blocks: blocks?.ok === true ? blocks.value : undefined });
    });
  }

  /** Nothing is inflated that nobody asked for. */
  #isAwaited(peer: PeerId, request: number): boolean {
    return this.#transfer?.asked.get(request)?.peer === peer;
  }

  #step(event: SnapshotEvent): void {
    if (this.#transfer === undefined || this.#isOver) return;
    let isUnserved = false;
    for (const effect of stepSnapshot(this.#transfer, event, this.#parts.clock.monotonicMs())) {
      if (effect.type === 'unserved') isUnserved = true;
      else this.#carryOut(effect);
    }
    if (!isUnserved) this.#unservedSinceMs = null;
    else if (!this.#isOver) this.#unserved(this.#transfer);
  }

  /** What has come is given up when it is nothing, or after a while; then whatever else is offered is tried. */
  #unserved(transfer: SnapshotTransfer): void {
    const { post, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#unservedSinceMs ??= nowMs;
    const isLost = nowMs - this.#unservedSinceMs >= SNAPSHOT_UNSERVED_MS_MAX;
    if (post.peers().length === 0 || (this.#isKept && !isLost)) return;
    const { header, hash } = transfer.target;
    const others = this.#best();
    const isOther = others !== undefined && others.hash !== hash;
    if (isOther && this.#search.failed.size + 1 < SNAPSHOT_TRIES_MAX) this.#tryAnother({ height: header.height, hash });
    else if (isLost) this.#end(UNSERVED);
  }

  #tryAnother(block: BlockReference): void {
    const { into, log, clock, failed } = this.#parts;
    log.warn({ ...block }, 'nobody serves this state: another one is looked for');
    giveUp(this.#search, block);
    // Late answers to the one are none to the other.
    this.#requests = this.#transfer?.lastRequest ?? this.#requests;
    this.#transfer = undefined;
    this.#unservedSinceMs = null;
    this.#failedAtMs = clock.monotonicMs();
    this.#sinceMs = this.#failedAtMs;
    this.#isKept = false;
    this.#records = 0;
    this.#bytes = 0;
    this.#isEmptying = true;
    this.#emptied = into.empty().then(() => {
      this.#isEmptying = false;
    }, failed);
  }

  #carryOut(effect: Exclude<SnapshotEffect, { type: 'unserved' }>): void {
    const { post, into, log } = this.#parts;
    switch (effect.type) {
      case 'ask':
        post.send(effect.peer as PeerId, effect.message);
        return;
      case 'store-chunk':
        this.#isKept = true;
        this.#records += effect.chunk.records.length;
        this.#stored(storeChunk(into.store, effect.place, effect.chunk));
        return;
      case 'store-history':
        this.#stored(storePastBlocks(into.store, effect.blocks, effect.next));
        return;
      case 'penalize':
        log.warn({ peer: effect.peer, code: effect.code, reason: effect.reason }, 'a peer serves no true snapshot');
        post.charge(effect.peer as PeerId, effect.code === 'SILENT' ? 'STALLED' : 'BAD_SNAPSHOT');
        distrust(this.#search, effect.peer);
        return;
      case 'distrusted':
        this.#end('the trusted checkpoint is not on the chain of this state');
        return;
      case 'complete':
        this.#complete();
    }
  }

  #stored(write: Promise<void>): void {
    write.then(() => this.#step({ type: 'stored' }), this.#parts.failed);
  }

  #complete(): void {
    const { into, done, failed, log, head } = this.#parts;
    if (head() >= (this.target() ?? 0)) {
      this.#end('this node has come as far by itself');
      return;
    }
    this.#isOver = true;
    this.#cancelTick();
    log.info({ records: this.#records, bytes: this.#bytes }, 'the state is here');
    into
      .complete()
      .then(() => into.close(true))
      .then(() => done('arrived', ''), failed);
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTick();
    const { log, into, done, failed } = this.#parts;
    const told = 'no snapshot is fetched: every block is executed';
    if (this.#failedAtMs === null) log.info({ reason }, told);
    else log.warn({ reason, tried: this.#search.failed.size + (this.#transfer === undefined ? 0 : 1) }, told);
    into.close(false).then(() => done('not-worth-it', reason), failed);
  }
}

const UNSERVED = 'peers offered states, and none of them served one to its end';
