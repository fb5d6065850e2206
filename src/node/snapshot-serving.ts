import { cutChunk, splitChunk, stateChunkLayout } from '../ledger/state-chunks.ts';
import { type BoundedMap, createBoundedMap } from '../lib/bounded.ts';
import { encode } from '../model/codec.ts';
import {
  HISTORY_INFLATED_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES_MAX,
  SNAPSHOT_HELD_MS_MAX,
  SNAPSHOT_IDLE_MS,
  SNAPSHOT_SPLITS_KEPT_MAX,
  SNAPSHOTS_HELD_MAX,
  STATE_CHUNK_BYTES,
} from '../model/limits.ts';
import { SNAPSHOT_SERVING_SHARE } from '../model/peer-limits.ts';
import type { BlockReference, PeerMessage, PeerMessageOf, RequestFailure } from '../model/peer-message.ts';
import type { PeerId } from '../network/transport.ts';
import { cutPastBlocks, type PastBlock, pastBlocksLayout } from '../peering/past-blocks.ts';
import { readBlock, readHeadHeight } from '../store/blocks.ts';
import type { Chain } from '../store/chain.ts';
import type { KeyValueReads, KeyValueSnapshot } from '../store/key-value.ts';
import { chunkSource } from '../store/state-rows.ts';
import type { Compression } from './compression.ts';
import { type Cost, Customers } from './customers.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Clock, Timers } from './ports.ts';

type Request = PeerMessageOf<'snapshot-request' | 'history-request'>;

interface Held {
  readonly block: BlockReference;
  readonly reads: KeyValueSnapshot;
  readonly sinceMs: number;
  usedMs: number;
  /** Paths under which there is too much for one answer. */
  readonly large: BoundedMap<string, true>;
}

export interface SnapshotServingParts {
  readonly post: Post;
  readonly chain: Chain;
  /** Heights at whose multiples a snapshot is held: all nodes hold the same, so that several can serve one. */
  readonly checkpointInterval: number;
  readonly compression: Compression;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Shows other nodes a state that stays as it is while blocks go on, and the blocks below it. */
export class SnapshotServing implements PeeringPart {
  readonly kinds = ['snapshot-request', 'history-request'] as const;
  readonly #parts: SnapshotServingParts;
  readonly #customers: Customers<PeerId, Request>;
  /** The oldest first. */
  #held: Held[] = [];
  #cancelTick: () => void = () => undefined;

  constructor(parts: SnapshotServingParts) {
    this.#parts = parts;
    this.#customers = new Customers<PeerId, Request>({
      clock: parts.clock,
      timers: parts.timers,
      isReady: (peer) => parts.post.hasRoom(peer),
      // However many fetch a state at once, this node goes on with its own work.
      timeShare: SNAPSHOT_SERVING_SHARE,
      serve: (peer, request) =>
        request.kind === 'snapshot-request' ? this.#chunk(peer, request) : this.#history(peer, request),
      refuse: (peer, { request }) => this.#fail(peer, request, 'BUSY'),
    });
  }

  start(): void {
    this.#hold();
    this.#cancelTick = this.#parts.timers.after(SNAPSHOT_IDLE_MS, () => {
      this.#expire();
      this.start();
    });
  }

  up(): void {}

  down({ id }: { readonly id: PeerId }): void {
    this.#customers.forget(id);
  }

  stop(): void {
    this.#cancelTick();
    this.#customers.stop();
    for (const { reads } of this.#held.splice(0)) reads.close();
  }

  message(peer: PeerId, message: PeerMessage): void {
    if (message.kind !== 'snapshot-request' && message.kind !== 'history-request') return;
    if (!this.#customers.request(peer, message)) this.#fail(peer, message.request, 'BUSY');
  }

  /** The newest that is held. */
  offer(): BlockReference | null {
    return this.#held.at(-1)?.block ?? null;
  }

  /** The store shows another block. */
  chainMoved(): void {
    const { chain, checkpointInterval } = this.#parts;
    if (chain.visibleHead.header.height % checkpointInterval === 0) this.#hold();
  }

  /** Holds the state of the newest block, when a certificate of its own makes that final. */
  #hold(): void {
    const { chain, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    const { header, hash, certifiedHeight } = chain.visibleHead;
    const { height } = header;
    if (height === 0 || certifiedHeight !== height || this.#held.at(-1)?.block.height === height) return;
    if (!this.#makeRoom(nowMs)) return;
    const reads = chain.store.snapshot();
    // Writes go together: the store may show a block of which nobody has been told yet.
    if (readHeadHeight(reads) !== height) reads.close();
    else
      this.#held.push({
        block: { height, hash },
        reads,
        sinceMs: nowMs,
        usedMs: nowMs,
        large: createBoundedMap(SNAPSHOT_SPLITS_KEPT_MAX),
      });
  }

  #makeRoom(nowMs: number): boolean {
    if (this.#held.length < SNAPSHOTS_HELD_MAX) return true;
    const idle = this.#held.find(({ usedMs }) => nowMs - usedMs >= SNAPSHOT_IDLE_MS);
    const [oldest] = this.#held;
    const leaves =
      idle ?? (oldest !== undefined && nowMs - oldest.sinceMs >= SNAPSHOT_HELD_MS_MAX ? oldest : undefined);
    if (leaves === undefined) return false;
    this.#drop(leaves);
    return true;
  }

  #expire(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const held of [...this.#held]) if (nowMs - held.sinceMs >= SNAPSHOT_HELD_MS_MAX) this.#drop(held);
  }

  #drop(held: Held): void {
    held.reads.close();
    this.#held = this.#held.filter((one) => one !== held);
  }

  #chunk(peer: PeerId, { request, height, prefix }: PeerMessageOf<'snapshot-request'>): Cost {
    const held = this.#held.find(({ block }) => block.height === height);
    if (held === undefined) return this.#fail(peer, request, 'UNKNOWN');
    held.usedMs = this.#parts.clock.monotonicMs();
    const source = chunkSource(held.reads);
    const isLarge = held.large.get(prefix) === true;
    const chunk = isLarge ? splitChunk(source, prefix) : cutChunk(source, prefix);
    if (chunk.kind === 'split') held.large.set(prefix, true);
    const bytes = encode(stateChunkLayout, chunk);
    const finished = this.#customers.begin();
    this.#parts.compression.deflate(bytes, (deflated) => {
      finished();
      const isTooLarge = Math.max(bytes.length, deflated.length) > SNAPSHOT_CHUNK_BYTES_MAX;
      if (isTooLarge) this.#fail(peer, request, 'UNKNOWN');
      else this.#parts.post.send(peer, { kind: 'snapshot-chunk', request, prefix, deflated });
    });
    // To find that there is too much, as much was read as is ever sent.
    return { bytes: chunk.kind === 'split' && !isLarge ? STATE_CHUNK_BYTES : bytes.length, blocks: 1 };
  }

  #history(peer: PeerId, { request, below, count }: PeerMessageOf<'history-request'>): Cost {
    const { store, oldest } = this.#parts.chain;
    const blocks = cutPastBlocks((height) => pastBlockAt(store, height), below, count);
    if (blocks === undefined) return this.#fail(peer, request, below <= oldest ? 'PRUNED' : 'UNKNOWN');
    const bytes = encode(pastBlocksLayout, blocks);
    const finished = this.#customers.begin();
    this.#parts.compression.deflate(bytes, (deflated) => {
      finished();
      const isTooLarge = Math.max(bytes.length, deflated.length) > HISTORY_INFLATED_BYTES_MAX;
      if (isTooLarge) this.#fail(peer, request, 'UNKNOWN');
      else this.#parts.post.send(peer, { kind: 'history', request, below, deflated });
    });
    return { bytes: bytes.length, blocks: blocks.blocks.length };
  }

  #fail(peer: PeerId, request: number, reason: RequestFailure): Cost {
    this.#parts.post.send(peer, { kind: 'request-failed', request, reason });
    return { bytes: 0, blocks: 1 };
  }
}

/** A block above genesis as it is sent; undefined where none is stored. */
export function pastBlockAt(reads: KeyValueReads, height: number): PastBlock | undefined {
  const stored = height < 1 ? undefined : readBlock(reads, height);
  if (stored === undefined || stored.certificate === null) return undefined;
  const { header, body, receipts, certificate, certifiedHeight } = stored;
  return { block: { header, body }, receipts, certificate, certifiedHeight };
}
