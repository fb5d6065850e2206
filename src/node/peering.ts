import type { LocalEvent } from '../consensus/event.ts';
import type { Replica } from '../consensus/replica.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import type { Height } from '../model/ids.ts';
import { CHAIN_STATUS_MS_MIN, SYNC_LAG_BLOCKS } from '../model/limits.ts';
import type { BlockReference } from '../model/peer-message.ts';
import type { Transaction } from '../model/transaction.ts';
import type { DialOutcome, PeerId, PeerInfo, Transport } from '../network/transport.ts';
import type { DiscoverySettings } from '../peering/discovery-state.ts';
import type { GossipSettings } from '../peering/gossip.ts';
import type { Level } from '../peering/levels.ts';
import type { Offence } from '../peering/reputation.ts';
import type { SyncProgress } from '../peering/sync.ts';
import type { Chain, ChainEntry } from '../store/chain.ts';
import type { Compression } from './compression.ts';
import type { Heard } from './deferred.ts';
import type { Contradiction } from './explain.ts';
import { ForkWatch } from './fork-watch.ts';
import { HistoryFilling, type HistoryFillingParts } from './history-filling.ts';
import type { BanView, KnownPeers } from './known-peers.ts';
import type { Mempool } from './mempool.ts';
import type { Metrics } from './metrics.ts';
import { PeerHeads } from './peer-heads.ts';
import { PeeringDiscovery } from './peering-discovery.ts';
import { PeeringLookup } from './peering-lookup.ts';
import { PeeringNews } from './peering-news.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import { PeeringServing } from './peering-serving.ts';
import { PeeringSync } from './peering-sync.ts';
import { PeeringTrust, type PeeringTrustParts } from './peering-trust.ts';
import type { Clock, Log, Timers } from './ports.ts';
import { PostOffice } from './post-office.ts';
import { SnapshotArrival, type SnapshotArrivalParts } from './snapshot-arrival.ts';
import { SnapshotServing } from './snapshot-serving.ts';

/** How a node takes part among its peers, besides voting. */
export interface PeeringSettings {
  /** It has no key of an authority: all that it knows it has from its peers. */
  readonly isFollower: boolean;
  readonly gossip: GossipSettings;
  /** How often what waits, and where the chain is, is compared. Milliseconds. */
  readonly antiEntropyMs: number;
  readonly compression: Compression;
  readonly known: KnownPeers;
  /** Whom to ask first, what to look for, and for how many there is room. */
  readonly discovery: Pick<DiscoverySettings, 'bootstrap' | 'outboundMin' | 'peersMax'>;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** For a node that would rather fetch a state than execute what led to it. */
  readonly arrival?: ArrivalSettings;
  /** A block that the operator vouches for: no other is taken at its height. */
  readonly trusted?: BlockReference | undefined;
  /** For a node that wants the history below its snapshot, as far as it keeps blocks. */
  readonly filling?: Pick<HistoryFillingParts, 'retainedBlocks'> | undefined;
  /** For a node that was away for too long: whose word it may take. */
  readonly trust?: Pick<PeeringTrustParts, 'isConfigured'>;
}

export type ArrivalSettings = Pick<SnapshotArrivalParts, 'into' | 'trusted' | 'failed'> & {
  /** The state has arrived: the node is to start again on it. */
  readonly arrived: () => void;
};

export interface PeeringParts {
  readonly settings: PeeringSettings;
  readonly transport: Transport;
  readonly chain: Chain;
  readonly replica: Replica;
  readonly jurisdiction: Jurisdiction;
  readonly mempool: Mempool;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly report: (event: LocalEvent) => void;
  readonly take: (heard: Heard, transactions: readonly Transaction[]) => void;
  readonly isSeated: (peer: PeerId) => boolean;
}

/** What nodes say to each other besides consensus: frames to the parts that they concern, within bounds for each peer. */
export class Peering {
  readonly #parts: PeeringParts;
  readonly #office: PostOffice;
  readonly #discovery: PeeringDiscovery;
  readonly #heads = new PeerHeads();
  /** What peers do that keep no chain, as well. */
  readonly #acquainting: readonly PeeringPart[];
  readonly #sync: PeeringSync;
  readonly #news: PeeringNews;
  readonly #snapshots: SnapshotServing;
  /** Those that take part now. */
  #all: readonly PeeringPart[];
  #arrival: SnapshotArrival | undefined;
  #trust: PeeringTrust | undefined;
  readonly #filling: HistoryFilling | undefined;
  #noSnapshot: string | null = null;

  constructor(parts: PeeringParts) {
    this.#parts = parts;
    const { settings, chain, metrics } = parts;
    this.#office = new PostOffice({ ...parts, known: settings.known });
    const { post } = this.#office;
    const shared = { ...parts, ...settings, post };
    this.#discovery = new PeeringDiscovery({ ...shared, ...settings.discovery, keepsChain: true });
    const lookup = new PeeringLookup({ ...shared, found: (from, peers) => this.#discovery.found(from, peers) });
    this.#acquainting = [this.#discovery, lookup];
    this.#sync = new PeeringSync({
      ...shared,
      lagMin: settings.isFollower ? 0 : SYNC_LAG_BLOCKS,
      statusIntervalMs: Math.max(settings.antiEntropyMs, CHAIN_STATUS_MS_MIN),
      lag: (blocks) => metrics.syncLag(blocks),
    });
    this.#news = new PeeringNews(shared);
    const { checkpointInterval } = parts.jurisdiction.authorities.parameters;
    this.#snapshots = new SnapshotServing({ ...shared, checkpointInterval });
    const offer = () => ({ oldest: chain.oldest, snapshot: this.#snapshots.offer() });
    const serving = [new ForkWatch(shared), new PeeringServing({ ...shared, offer }), this.#snapshots];
    this.#filling = settings.filling && new HistoryFilling({ ...shared, ...settings.filling });
    this.#arrival = settings.arrival && this.#expect(settings.arrival, post);
    this.#trust = settings.trust && new PeeringTrust({ ...shared, ...settings.trust, agreed: () => this.#goOn() });
    this.#all = [...this.#next(), ...serving];
  }

  /** One after another: whether the own chain is to be trusted, the state, and all else. */
  #next(): readonly PeeringPart[] {
    if (this.#trust !== undefined) return [this.#trust];
    if (this.#arrival !== undefined) return [this.#arrival];
    return [this.#sync, this.#news, ...(this.#filling === undefined ? [] : [this.#filling])];
  }

  /** Until the state is here, or is not worth it, nothing else is fetched. */
  #expect(arrival: ArrivalSettings, post: Post): SnapshotArrival {
    const { chain, jurisdiction, settings } = this.#parts;
    return new SnapshotArrival({
      ...this.#parts,
      ...arrival,
      post,
      compression: settings.compression,
      head: () => chain.head.height,
      transactionLifeMsMax: jurisdiction.authorities.parameters.transactionLifeMsMax,
      done: (outcome, reason) => {
        if (outcome === 'arrived') arrival.arrived();
        else {
          this.#noSnapshot = reason;
          this.#goOn();
        }
      },
    });
  }

  #goOn(): void {
    const over = this.#next();
    if (this.#trust === undefined) this.#arrival = undefined;
    this.#trust = undefined;
    const begun = this.#next();
    if (this.#arrival === undefined) this.#parts.report({ type: 'sync-taken-over', isTakenOver: false });
    this.#all = [...begun, ...this.#all.filter((part) => !over.includes(part))];
    for (const part of begun) {
      part.start();
      for (const peer of this.#office.post.peers()) part.up(peer);
    }
  }

  start(): void {
    const waits = this.#trust !== undefined || this.#arrival !== undefined;
    if (waits) this.#parts.report({ type: 'sync-taken-over', isTakenOver: true });
    for (const part of this.#partsFor('authority')) part.start();
  }

  stop(): void {
    for (const part of this.#partsFor('authority')) part.stop();
  }

  up(peer: PeerInfo): void {
    // Nothing but an operator's word makes this node dial one that was cut off.
    if (peer.direction === 'outbound') this.#parts.settings.known.readmit(peer.id);
    this.#office.up(peer);
    for (const part of this.#partsFor(peer.role)) part.up(peer);
  }

  down(peer: PeerInfo): void {
    this.#office.down(peer);
    this.#heads.down(peer);
    for (const part of this.#partsFor(peer.role)) part.down(peer);
  }

  frame(peer: PeerId, frame: Uint8Array): void {
    this.#office.deliver(peer, frame, [this.#heads, ...this.#partsFor('authority')]);
  }

  /** The transport has answered a dial. */
  dialled(address: string, outcome: DialOutcome): void {
    this.#discovery.dialled(address, outcome);
  }

  /** From 0 for a peer that keeps the rules down to -BAN_POINTS. */
  score(peer: PeerId): number {
    return this.#parts.settings.known.score(peer);
  }

  /** The head that a peer told last, proven or not. */
  headOf(peer: PeerId): BlockReference | undefined {
    return this.#heads.get(peer);
  }

  /** An operator wants a session with whoever lives there. */
  connect(address: string): void {
    this.#discovery.connect(address);
  }

  /** An operator wants none with this peer for a while. False when there is none. */
  disconnect(peer: PeerId): boolean {
    const { transport, settings } = this.#parts;
    if (!transport.peers().some(({ id }) => id === peer)) return false;
    this.#discovery.cut(peer);
    settings.known.cutOff(peer);
    transport.disconnect(peer, 'DISCONNECTED');
    return true;
  }

  /** @param lengthMs how long */
  ban(peer: PeerId, lengthMs: number): Promise<BanView> {
    const ban = this.#parts.settings.known.ban(peer, lengthMs);
    this.#parts.transport.disconnect(peer, 'BANNED');
    return ban;
  }

  /** False when it is not banned. */
  unban(peer: PeerId): Promise<boolean> {
    return this.#parts.settings.known.unban(peer);
  }

  /** Those in force, the latest to end first. */
  bans(): readonly BanView[] {
    return this.#parts.settings.known.bans();
  }

  /** What was to be executed has been, or not: what comes next need not wait for the disk. */
  importEnded(): void {
    this.#sync.chainMoved();
  }

  /** A block is final here and can be read. */
  final({ stored }: ChainEntry): void {
    // A state that is held while thousands of blocks go by keeps its pages, and the file grows to ten times its size.
    if (this.#sync.progress() === null) this.#snapshots.chainMoved();
    if (this.#trust !== undefined || this.#arrival !== undefined) return;
    this.#sync.chainMoved();
    // Those who are told of every block on the way would fetch each for itself.
    if (this.#sync.progress() === null) this.#news.announce(stored);
  }

  spread(transactions: readonly Transaction[], heard: Heard | null, isAgain: boolean): void {
    this.#news.spread(transactions, heard, isAgain);
  }

  /** How far catching up has come; null while this node is near the head. */
  progress(): SyncProgress | null {
    return this.#sync.progress();
  }

  /** The height that a quorum has signed, when it is well above this node's. */
  heightAhead(): Height | undefined {
    return this.#trust?.heightAhead() ?? this.#arrival?.target() ?? this.#sync.heightAhead();
  }

  /** The block of the peers that the operator's checkpoint rules out, if they have such a one. */
  contradiction(): Contradiction | null {
    return this.#sync.contradiction();
  }

  /** Why every block is executed although this node would rather have begun with a snapshot; null when it would not. */
  noSnapshot(): string | null {
    return this.#noSnapshot;
  }

  /** A peer passed on what no honest node does. */
  blame(peer: PeerId, offence: Offence): void {
    this.#office.post.charge(peer, offence);
  }

  /** What this node holds that its peers can make it hold, and the bound of each. */
  levels(): readonly Level[] {
    return [...this.#office.levels(), ...this.#partsFor('authority').flatMap((part) => part.levels?.() ?? [])];
  }

  /** A node that only knows peers has nothing to say of the chain. */
  #partsFor(role: PeerInfo['role']): readonly PeeringPart[] {
    return role === 'bootstrap' ? this.#acquainting : [...this.#acquainting, ...this.#all];
  }
}
