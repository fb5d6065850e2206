import { createBoundedMap } from '../lib/bounded.ts';
import type { Hash } from '../model/ids.ts';
import { ANNOUNCERS_KEPT_MAX } from '../model/limits.ts';
import { LATE_NEWS_MS } from '../model/peer-limits.ts';
import type { PeerMessageOf } from '../model/peer-message.ts';
import type { PeerId } from '../network/transport.ts';
import { type Gossip, listeners, type Neighbour, nextHops } from '../peering/gossip.ts';
import type { Level } from '../peering/levels.ts';
import type { StoredBlock } from '../store/blocks.ts';
import type { Timers } from './ports.ts';

type Announcement = PeerMessageOf<'block-announcement'>;

export interface BlockNewsParts {
  readonly gossip: Pick<Gossip, 'settings'>;
  /** It has no key of an authority: of new blocks it hears from its peers alone. */
  readonly isFollower: boolean;
  readonly timers: Timers;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly neighbours: () => readonly Neighbour[];
  readonly tell: (peer: PeerId, announcement: Announcement) => void;
}

/** What is known of who knows of one block. */
interface Audience {
  /** Those who have told of it, and those who were told. */
  readonly aware: Set<string>;
  /** The most hops that anybody left to it; null when nobody has told of it. */
  hops: number | null;
}

/** Passes on that a block has become final: to some at once, and a moment later to those of whom nobody knows that they know. */
export class BlockNews {
  readonly #parts: BlockNewsParts;
  readonly #audiences = createBoundedMap<Hash, Audience>(ANNOUNCERS_KEPT_MAX);
  #newest: Announcement | undefined;
  #isTellingLate = false;
  #cancel: () => void = () => undefined;

  constructor(parts: BlockNewsParts) {
    this.#parts = parts;
  }

  stop(): void {
    this.#cancel();
  }

  levels(): readonly Level[] {
    return [{ what: 'announced blocks', size: this.#audiences.size, sizeMax: ANNOUNCERS_KEPT_MAX }];
  }

  heard(from: PeerId, { certificate, hops }: Announcement): void {
    const audience = this.#audience(certificate.digest);
    audience.aware.add(from);
    audience.hops = Math.max(audience.hops ?? 0, hops);
  }

  /** Tells of a block that is in the store, with the certificate that is its own. */
  announce({ header, hash, certificate, certifiedHeight }: StoredBlock): void {
    if (certificate === null || certifiedHeight !== header.height) return;
    const { gossip, random, isFollower } = this.#parts;
    const { aware, hops: left } = this.#audience(hash);
    // An authority knows of it by itself, whoever has told it as well.
    const from = isFollower ? left : null;
    const hops = nextHops(gossip, from ?? gossip.settings.hopsMax);
    const announcement: Announcement = { kind: 'block-announcement', header, certificate, hops: hops ?? 0 };
    if (hops !== undefined) {
      const audience = { neighbours: this.#unaware(aware), from: null, toldAnyway: 0 };
      for (const peer of listeners(gossip, audience, random)) this.#tell(peer, announcement);
    }
    this.#newest = announcement;
    this.#tellLate();
  }

  /**
   * Of the newest block alone: whoever hears of that misses the others, too. Neighbours are told whether or not there are
   * hops left, so that nobody who gives news none keeps it from them.
   */
  #tellLate(): void {
    if (this.#isTellingLate) return;
    this.#isTellingLate = true;
    this.#cancel = this.#parts.timers.after(LATE_NEWS_MS, () => {
      this.#isTellingLate = false;
      const announcement = this.#newest;
      if (announcement === undefined) return;
      const { aware } = this.#audience(announcement.certificate.digest);
      for (const { id } of this.#unaware(aware)) this.#tell(id, announcement);
    });
  }

  #tell(peer: string, announcement: Announcement): void {
    this.#audience(announcement.certificate.digest).aware.add(peer);
    this.#parts.tell(peer as PeerId, announcement);
  }

  #unaware(aware: ReadonlySet<string>): readonly Neighbour[] {
    return this.#parts.neighbours().filter(({ id }) => !aware.has(id));
  }

  #audience(block: Hash): Audience {
    const known = this.#audiences.get(block);
    if (known !== undefined) return known;
    const audience: Audience = { aware: new Set(), hops: null };
    this.#audiences.set(block, audience);
    return audience;
  }
}
