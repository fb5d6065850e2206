import type { Hash } from '../model/ids.ts';
import { ANNOUNCED_IDS_MAX, TRANSACTION_FANOUT_MIN } from '../model/limits.ts';
import type { PeerMessage } from '../model/peer-message.ts';
import type { Transaction } from '../model/transaction.ts';
import type { PeerId, PeerInfo } from '../network/transport.ts';
import { createGossip, type Gossip, type GossipSettings, isNews, listeners, nextHops } from '../peering/gossip.ts';
import { gossipLevels, type Level } from '../peering/levels.ts';
import { seenCount } from '../peering/seen-ids.ts';
import type { StoredBlock } from '../store/blocks.ts';
import type { Chain } from '../store/chain.ts';
import { BlockNews } from './block-news.ts';
import type { Heard } from './deferred.ts';
import { inFrames } from './intake.ts';
import type { Mempool } from './mempool.ts';
import type { Metrics } from './metrics.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Timers } from './ports.ts';

export interface PeeringNewsParts {
  readonly post: Post;
  readonly gossip: GossipSettings;
  readonly antiEntropyMs: number;
  /** It has no key of an authority. */
  readonly isFollower: boolean;
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly timers: Timers;
  readonly metrics: Metrics;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Authorities hear of everything from each other. */
  readonly isSeated: (peer: PeerId) => boolean;
  /** What a peer passes on, to be checked. */
  readonly take: (heard: Heard, transactions: readonly Transaction[]) => void;
}

/** Passes on what is new: blocks that have become final, and transactions; now and then compares what waits. */
export class PeeringNews implements PeeringPart {
  readonly kinds = ['block-announcement', 'transactions', 'transactions-held', 'transactions-wanted'] as const;
  readonly #parts: PeeringNewsParts;
  readonly #gossip: Gossip;
  /** An authority is always among those told of a transaction: more than a few of the others gain little. */
  readonly #sparing: Pick<Gossip, 'settings'>;
  readonly #blocks: BlockNews;
  #cancelComparison: () => void = () => undefined;

  constructor(parts: PeeringNewsParts) {
    this.#parts = parts;
    this.#gossip = createGossip(parts.gossip);
    const fanoutMin = Math.min(parts.gossip.fanoutMin, TRANSACTION_FANOUT_MIN);
    this.#sparing = { settings: { ...parts.gossip, fanoutMin } };
    this.#blocks = new BlockNews({
      ...parts,
      gossip: this.#gossip,
      neighbours: () => this.#neighbours(),
      tell: (peer, announcement) => this.#tell(peer, announcement),
    });
  }

  start(): void {
    this.#cancelComparison = this.#parts.timers.after(this.#parts.antiEntropyMs, () => {
      this.#compare();
      this.start();
    });
  }

  stop(): void {
    this.#cancelComparison();
    this.#blocks.stop();
  }

  up(): void {}

  down(): void {}

  message(peer: PeerId, message: PeerMessage): void {
    const { metrics, mempool } = this.#parts;
    metrics.gossipReceived(message.kind);
    switch (message.kind) {
      case 'block-announcement':
        this.#blocks.heard(peer, message);
        return;
      case 'transactions':
        this.#onTransactions({ peer, hops: message.hops }, message.transactions);
        return;
      case 'transactions-held': {
        const ids = message.ids.filter((id) => !this.#isKnown(id));
        if (ids.length > 0) this.#tell(peer, { kind: 'transactions-wanted', ids });
        return;
      }
      case 'transactions-wanted': {
        // Whoever does not read is asked again when it does.
        if (!this.#parts.post.hasRoom(peer)) return;
        const wanted = message.ids.flatMap((id) => mempool.get(id) ?? []);
        // One portion: what is left is compared again.
        for (const transactions of inFrames(wanted)) {
          this.#tell(peer, { kind: 'transactions', transactions, hops: 0 });
          return;
        }
        return;
      }
      default:
    }
  }

  levels(): readonly Level[] {
    return [...gossipLevels(this.#gossip), ...this.#blocks.levels()];
  }

  /** As `announce` of the news of blocks. */
  announce(block: StoredBlock): void {
    this.#blocks.announce(block);
  }

  /**
   * Passes transactions on, each once.
   *
   * @param heard who passed them on to this node; null for its own
   * @param isAgain whether they have waited too long: then it does not matter that they were passed on before
   */
  spread(transactions: readonly Transaction[], heard: Heard | null, isAgain: boolean): void {
    const { random, metrics, post, isSeated } = this.#parts;
    const { hopsMax } = this.#gossip.settings;
    const news = transactions.filter(({ id }) => isNews(this.#gossip, id) || isAgain);
    metrics.gossipCache(seenCount(this.#gossip.seen));
    const hops = nextHops(this.#gossip, heard?.hops ?? hopsMax);
    if (news.length === 0 || hops === undefined) return;
    // Whoever has a seat has told all other seats before.
    const toldAnyway = post.peers().filter(({ id }) => isSeated(id)).length;
    const audience = { neighbours: this.#neighbours(), from: heard?.peer ?? null, toldAnyway };
    const peers = listeners(this.#sparing, audience, random);
    for (const portion of inFrames(news)) {
      for (const peer of peers) this.#tell(peer as PeerId, { kind: 'transactions', transactions: portion, hops });
    }
  }

  #onTransactions(heard: Heard, transactions: readonly Transaction[]): void {
    const fresh = transactions.filter(({ id }) => {
      const isKnown = this.#isKnown(id);
      this.#parts.metrics.gossipCacheAsked(isKnown);
      return !isKnown;
    });
    if (fresh.length > 0) this.#parts.take(heard, fresh);
  }

  #isKnown(id: Hash): boolean {
    return this.#parts.mempool.has(id) || this.#parts.chain.has(id);
  }

  /** Asks one peer whether it lacks something that waits here. */
  #compare(): void {
    const { mempool, random } = this.#parts;
    if (mempool.size === 0) return;
    const neighbours = this.#neighbours();
    const peer = neighbours[Math.floor(random() * neighbours.length)];
    if (peer === undefined) return;
    const ids: Hash[] = [];
    for (const { id } of mempool.waiting()) {
      if (ids.length === ANNOUNCED_IDS_MAX) break;
      ids.push(id);
    }
    this.#tell(peer.id, { kind: 'transactions-held', ids });
  }

  #neighbours() {
    const { post, isSeated } = this.#parts;
    return post
      .peers()
      .filter(({ id }) => !isSeated(id))
      .map(({ id, role }: PeerInfo) => ({ id, isAuthority: role === 'authority' }));
  }

  #tell(peer: PeerId, message: PeerMessage): void {
    if (this.#parts.post.send(peer, message)) this.#parts.metrics.gossipSent(message.kind);
  }
}
