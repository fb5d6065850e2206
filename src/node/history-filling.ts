import type { Jurisdiction } from '../model/certificate.ts';
import { decode } from '../model/codec.ts';
import {
  HISTORY_BLOCKS_MAX,
  HISTORY_INFLATED_BYTES_MAX,
  HISTORY_PAUSE_MS,
  RETAINED_BLOCKS_MIN,
  SNAPSHOT_ANSWER_MS_MAX,
} from '../model/limits.ts';
import type { PeerMessage, PeerMessageOf } from '../model/peer-message.ts';
import type { PeerId, PeerInfo } from '../network/transport.ts';
import { checkPastBlocks, type HistoryLink, type PastBlocks, pastBlocksLayout } from '../peering/past-blocks.ts';
import { FIRST_REQUESTS } from '../peering/request-numbers.ts';
import { pastBlockRows } from '../store/arriving.ts';
import { oldestRow } from '../store/blocks.ts';
import type { Chain } from '../store/chain.ts';
import type { Compression } from './compression.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Clock, Timers } from './ports.ts';

export interface HistoryFillingParts {
  readonly post: Post;
  readonly chain: Chain;
  readonly jurisdiction: Jurisdiction;
  readonly compression: Compression;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Newest blocks that are kept; null keeps all. */
  readonly retainedBlocks: number | null;
  readonly log: { info(fields: Readonly<Record<string, unknown>>, message: string): void };
}

interface Asked {
  readonly peer: PeerId;
  readonly request: number;
  readonly link: HistoryLink;
  readonly atMs: number;
}

/** Fetches the history below a snapshot, one answer after another and with a pause between, down to the first block. */
export class HistoryFilling implements PeeringPart {
  readonly kinds = ['history', 'request-failed'] as const;
  readonly #parts: HistoryFillingParts;
  /** Who has nothing to give, until it connects again. */
  readonly #lacking = new Set<PeerId>();
  #asked: Asked | undefined;
  #requests: number = FIRST_REQUESTS.history;
  #isStopped = false;
  #isWriting = false;
  #cancelTick: () => void = () => undefined;

  constructor(parts: HistoryFillingParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#cancelTick = this.#parts.timers.after(HISTORY_PAUSE_MS, () => {
      if (this.#isStopped) return;
      this.#ask();
      this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTick();
  }

  up({ id }: PeerInfo): void {
    this.#lacking.delete(id);
  }

  down({ id }: PeerInfo): void {
    this.#lacking.delete(id);
    if (this.#asked?.peer === id) this.#asked = undefined;
  }

  message(peer: PeerId, message: PeerMessage): void {
    const asked = this.#asked;
    if (this.#isStopped || asked?.peer !== peer) return;
    if (message.kind === 'request-failed' && message.request === asked.request) {
      this.#asked = undefined;
      if (message.reason !== 'BUSY') this.#lacking.add(peer);
    }
    if (message.kind === 'history' && message.request === asked.request) this.#take(asked, message);
  }

  #ask(): void {
    const { chain, clock, post } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (this.#asked !== undefined && nowMs - this.#asked.atMs >= SNAPSHOT_ANSWER_MS_MAX) {
      this.#lacking.add(this.#asked.peer);
      this.#asked = undefined;
    }
    const { oldest } = chain;
    const header = chain.block(oldest)?.header;
    if (this.#asked !== undefined || this.#isWriting || !this.#isWantedBelow(oldest) || header === undefined) return;
    const peers = post.peers().filter(({ id }) => !this.#lacking.has(id));
    const peer = peers[this.#requests % Math.max(1, peers.length)];
    if (peer === undefined) return;
    this.#requests = this.#requests === 0xffff_ffff ? FIRST_REQUESTS.history : this.#requests + 1;
    const link = { height: oldest, previous: header.previous };
    this.#asked = { peer: peer.id, request: this.#requests, link, atMs: nowMs };
    const count = HISTORY_BLOCKS_MAX;
    post.send(peer.id, { kind: 'history-request', request: this.#requests, below: oldest, count });
  }

  /** Whether blocks below a height are among those that are kept; then none above it is being removed either. */
  #isWantedBelow(height: number): boolean {
    const { chain, retainedBlocks } = this.#parts;
    const lowest = retainedBlocks === null ? 1 : chain.head.height + 1 - Math.max(retainedBlocks, RETAINED_BLOCKS_MIN);
    return height > Math.max(1, lowest);
  }

  #take({ peer, link }: Asked, { deflated }: PeerMessageOf<'history'>): void {
    const { compression, jurisdiction, post, chain } = this.#parts;
    this.#asked = undefined;
    this.#isWriting = true;
    compression.inflate(deflated, HISTORY_INFLATED_BYTES_MAX, (bytes) => {
      const answer = bytes && decode<PastBlocks>(pastBlocksLayout, bytes);
      const { height } = chain.visibleHead.header;
      const isTrue = answer?.ok === true && checkPastBlocks(link, answer.value, jurisdiction, height).ok;
      // Meanwhile the chain has grown, and the block above may have gone: there must be no gap.
      const fits = chain.oldest === link.height && this.#isWantedBelow(link.height);
      if (isTrue && fits && !this.#isStopped) this.#store(answer.value);
      else this.#isWriting = false;
      if (isTrue) return;
      this.#lacking.add(peer);
      post.charge(peer, 'BAD_BLOCK');
    });
  }

  #store({ blocks }: PastBlocks): void {
    const { chain, log } = this.#parts;
    const lowest = blocks.at(-1)?.block.header.height ?? 0;
    chain.store.write([...pastBlockRows(blocks), oldestRow(lowest)], {
      durable: () => {
        this.#isWriting = false;
        if (lowest <= 1) log.info({}, 'the history below the snapshot is here');
      },
      // The store is at its end, and whoever commits blocks is told.
      failed: () => undefined,
    });
  }
}
