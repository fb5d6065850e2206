import { type StateChunk, stateChunkLayout } from '../ledger/state-chunks.ts';
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
import type { BlockReference, PeerMessage, PeerMessageOf } from '../model/peer-message.ts';
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
import { chooseSnapshot, contradictsCheckpoint, offerers, provenTarget } from '../peering/snapshot-search.ts';
import { type Arrival, beginArrival, readArrival, storeChunk, storePastBlocks } from '../store/arriving.ts';
import type { KeyValue } from '../store/key-value.ts';
import type { Compression } from './compression.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Clock, Timers } from './ports.ts';

/** Where a snapshot is put together. */
export interface ArrivalStore {
  /** What is there; opened once. */
  readonly store: KeyValue;
  /** Everything is there: makes a chain of it. */
  readonly complete: () => Promise<void>;
  /** Closes it; `isWanted` keeps what is there for the next start. */
  readonly close: (isWanted: boolean) => Promise<void>;
}

/** How it ended: the node starts again on what has arrived, or comes to the newest state block by block. */
export type ArrivalOutcome = 'arrived' | 'not-worth-it';

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
  readonly done: (outcome: ArrivalOutcome) => void;
  readonly failed: (error: Error) => void;
}

/** Fetches a certified state and the blocks before it, instead of all blocks from where this node stands. */
export class SnapshotArrival implements PeeringPart {
  readonly kinds = ['chain-status', 'headers', 'snapshot-chunk', 'history', 'request-failed'] as const;
  readonly #parts: SnapshotArrivalParts;
  readonly #offers = new Map<PeerId, BlockReference>();
  #transfer: SnapshotTransfer | undefined;
  #chosen: { readonly block: BlockReference; readonly peer: PeerId; readonly request: number } | undefined;
  #requests: number = FIRST_REQUESTS.snapshot;
  /** Since when somebody has said what it offers, or since a question was asked that is not answered yet. */
  #sinceMs: number | null = null;
  #unservedSinceMs: number | null = null;
  #records = 0;
  #bytes = 0;
  #loggedMs = 0;
  #isOver = false;
  #cancelTick: () => void = () => undefined;

  constructor(parts: SnapshotArrivalParts) {
    this.#parts = parts;
    const arrival = readArrival(parts.into.store);
    if (arrival !== undefined) this.#begin(arrival);
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
    void this.#parts.into.close(true).catch(this.#parts.failed);
  }

  /** The height of the state that is fetched. */
  target(): Height | undefined {
    return this.#transfer?.target.header.height;
  }

  up({ id }: PeerInfo): void {
    this.#parts.post.send(id, { kind: 'chain-status-request' });
  }

  down({ id }: PeerInfo): void {
    this.#offers.delete(id);
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
        if (this.#chosen?.peer === peer && this.#chosen.request === message.request) this.#unproven(peer);
        else this.#step({ type: 'failed', peer, request: message.request, reason: message.reason });
        return;
      default:
    }
  }

  levels(): readonly Level[] {
    const sizeMax = this.#parts.post.peers().length;
    const offers = { what: 'snapshot offers', size: this.#offers.size, sizeMax };
    return [offers, ...(this.#transfer === undefined ? [] : transferLevels(this.#transfer, sizeMax))];
  }

  #begin({ target, progress }: Arrival): void {
    const { jurisdiction, transactionLifeMsMax, trusted, log } = this.#parts;
    // Its question and those of the transfer are numbered apart.
    this.#chosen = undefined;
    this.#transfer = beginTransfer({ target, jurisdiction, transactionLifeMsMax, trusted }, progress);
    log.info({ height: target.header.height, hash: target.hash }, 'fetching the state of this block');
    for (const [peer, snapshot] of this.#offers) this.#step({ type: 'offer', peer, snapshot });
  }

  #offered(peer: PeerId, snapshot: BlockReference | null): void {
    this.#sinceMs ??= this.#parts.clock.monotonicMs();
    if (snapshot === null) this.#offers.delete(peer);
    else this.#offers.set(peer, snapshot);
    this.#step({ type: 'offer', peer, snapshot });
  }

  #tick(): void {
    const { clock, post } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#step({ type: 'tick' });
    const waitedMs = this.#sinceMs === null ? 0 : nowMs - this.#sinceMs;
    if (this.#transfer === undefined && waitedMs >= SNAPSHOT_LOOK_MS) {
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

  #choose(): void {
    const { post, head, trusted } = this.#parts;
    const block = chooseSnapshot(this.#offers, head() + SNAPSHOT_GAP_BLOCKS);
    // As long as nobody is there, nobody knows.
    if (block === undefined) {
      if (post.peers().length > 0) this.#end('not-worth-it');
      return;
    }
    const [peer] = offerers(this.#offers, block) as PeerId[];
    if (peer === undefined || contradictsCheckpoint(block, trusted)) {
      for (const id of offerers(this.#offers, block)) this.#offers.delete(id as PeerId);
      return;
    }
    this.#requests += 1;
    this.#chosen = { block, peer, request: this.#requests };
    post.send(peer, { kind: 'header-request', request: this.#requests, from: block.height, count: 1 });
    this.#sinceMs = this.#parts.clock.monotonicMs();
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

  #unproven(peer: PeerId): void {
    this.#offers.delete(peer);
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
    else this.#unserved();
  }

  #unserved(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#unservedSinceMs ??= nowMs;
    const isKnown = this.#parts.post.peers().length > 0 && nowMs - this.#unservedSinceMs >= SNAPSHOT_UNSERVED_MS_MAX;
    if (isKnown) this.#end('not-worth-it', 'nobody serves this state any more');
  }

  #carryOut(effect: Exclude<SnapshotEffect, { type: 'unserved' }>): void {
    const { post, into, log } = this.#parts;
    switch (effect.type) {
      case 'ask':
        post.send(effect.peer as PeerId, effect.message);
        return;
      case 'store-chunk':
        this.#records += effect.chunk.records.length;
        this.#stored(storeChunk(into.store, effect.place, effect.chunk));
        return;
      case 'store-history':
        this.#stored(storePastBlocks(into.store, effect.blocks, effect.next));
        return;
      case 'penalize':
        log.warn({ peer: effect.peer, code: effect.code, reason: effect.reason }, 'a peer serves no true snapshot');
        post.charge(effect.peer as PeerId, effect.code === 'SILENT' ? 'STALLED' : 'BAD_SNAPSHOT');
        return;
      case 'distrusted':
        this.#end('not-worth-it', 'the trusted checkpoint is not on the chain of this state');
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
      this.#end('not-worth-it', 'this node has come as far by itself');
      return;
    }
    this.#isOver = true;
    this.#cancelTick();
    log.info({ records: this.#records, bytes: this.#bytes }, 'the state is here');
    into
      .complete()
      .then(() => into.close(true))
      .then(() => done('arrived'), failed);
  }

  #end(outcome: ArrivalOutcome, reason?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTick();
    if (reason !== undefined) this.#parts.log.warn({ reason }, 'no snapshot is fetched');
    this.#parts.into.close(false).then(() => this.#parts.done(outcome), this.#parts.failed);
  }
}
