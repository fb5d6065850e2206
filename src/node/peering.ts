import type { LocalEvent } from '../consensus/event.ts';
import type { Replica } from '../consensus/replica.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { decode, encode } from '../model/codec.ts';
import type { Height } from '../model/ids.ts';
import { BAN_POINTS, SYNC_LAG_BLOCKS } from '../model/limits.ts';
import { type PeerMessage, type PeerMessageKind, peerMessageLayout } from '../model/peer-message.ts';
import type { Transaction } from '../model/transaction.ts';
import type { Lane, PeerId, PeerInfo, Refusal, Transport } from '../network/transport.ts';
import type { GossipSettings } from '../peering/gossip.ts';
import { charge, createReputation, isBanned, OFFENCES, type Offence, type Reputation } from '../peering/reputation.ts';
import type { SyncProgress } from '../peering/sync.ts';
import { type Allowance, createAllowance, isAllowed } from '../peering/traffic.ts';
import type { Chain, ChainEntry } from '../store/chain.ts';
import type { Compression } from './compression.ts';
import type { Heard } from './deferred.ts';
import type { Mempool } from './mempool.ts';
import type { Metrics } from './metrics.ts';
import { PeeringNews } from './peering-news.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import { PeeringServing } from './peering-serving.ts';
import { PeeringSync } from './peering-sync.ts';
import type { Clock, Log, Timers } from './ports.ts';
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
  /** A number in [0, 1). */
  readonly random: () => number;
  /** For a node that would rather fetch a state than execute what led to it. */
  readonly arrival?: ArrivalSettings;
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
  readonly #sync: PeeringSync;
  readonly #news: PeeringNews;
  readonly #snapshots: SnapshotServing;
  /** Those that take part now. */
  #all: readonly PeeringPart[];
  #arrival: SnapshotArrival | undefined;
  readonly #reputation: Reputation = createReputation();
  readonly #allowances = new Map<PeerId, Allowance>();

  constructor(parts: PeeringParts) {
    this.#parts = parts;
    const { settings, chain, metrics } = parts;
    const post: Post = {
      send: (peer, message) => this.#send(peer, message),
      charge: (peer, offence) => this.#charge(peer, offence),
      peers: () => parts.transport.peers(),
    };
    const shared = { ...parts, ...settings, post };
    this.#sync = new PeeringSync({
      ...shared,
      lagMin: settings.isFollower ? 0 : SYNC_LAG_BLOCKS,
      statusIntervalMs: settings.antiEntropyMs,
      lag: (blocks) => metrics.syncLag(blocks),
    });
    this.#news = new PeeringNews(shared);
    const { checkpointInterval } = parts.jurisdiction.authorities.parameters;
    this.#snapshots = new SnapshotServing({ ...shared, checkpointInterval });
    const offer = () => ({ oldest: chain.oldest, snapshot: this.#snapshots.offer() });
    const serving = [new PeeringServing({ ...shared, offer }), this.#snapshots];
    this.#arrival = settings.arrival && this.#expect(settings.arrival, post);
    this.#all = this.#arrival === undefined ? [this.#sync, this.#news, ...serving] : [this.#arrival, ...serving];
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
      done: (outcome) => (outcome === 'arrived' ? arrival.arrived() : this.#goOnByBlocks()),
    });
  }

  #goOnByBlocks(): void {
    const { report, transport } = this.#parts;
    report({ type: 'sync-taken-over', isTakenOver: false });
    const begun = [this.#sync, this.#news];
    this.#all = [...begun, ...this.#all.filter((part) => part !== this.#arrival)];
    this.#arrival = undefined;
    for (const part of begun) {
      part.start();
      for (const peer of transport.peers()) part.up(peer);
    }
  }

  start(): void {
    if (this.#arrival !== undefined) this.#parts.report({ type: 'sync-taken-over', isTakenOver: true });
    for (const part of this.#all) part.start();
  }

  stop(): void {
    for (const part of this.#all) part.stop();
  }

  up(peer: PeerInfo): void {
    if (isBanned(this.#reputation, peer.id, this.#parts.clock.monotonicMs())) {
      this.#parts.transport.disconnect(peer.id, 'DISCONNECTED');
      return;
    }
    this.#allowances.set(peer.id, createAllowance());
    for (const part of this.#all) part.up(peer);
  }

  down(peer: PeerInfo): void {
    this.#allowances.delete(peer.id);
    for (const part of this.#all) part.down(peer);
  }

  frame(peer: PeerId, frame: Uint8Array): void {
    const { metrics, clock } = this.#parts;
    const allowance = this.#allowances.get(peer);
    if (allowance === undefined) return;
    const decoded = decode(peerMessageLayout, frame);
    if (!decoded.ok) {
      this.#charge(peer, 'MALFORMED');
      return;
    }
    const message = decoded.value;
    metrics.messageReceived(message.kind, frame.length);
    if (!isAllowed(allowance, message.kind, clock.monotonicMs())) {
      this.#charge(peer, 'FLOOD');
      return;
    }
    for (const part of this.#all) {
      const kinds: readonly PeerMessageKind[] = part.kinds;
      if (kinds.includes(message.kind)) part.message(peer, message);
    }
  }

  /** A block is final here and can be read. */
  final({ stored }: ChainEntry): void {
    this.#snapshots.chainMoved();
    if (this.#arrival !== undefined) return;
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
    return this.#arrival?.target() ?? this.#sync.heightAhead();
  }

  /** A peer passed on what no honest node does. */
  blame(peer: PeerId, offence: Offence): void {
    this.#charge(peer, offence);
  }

  #send(peer: PeerId, message: PeerMessage): boolean {
    const lane: Lane = message.kind.startsWith('transactions') ? 'transactions' : 'sync';
    const frame = encode(peerMessageLayout, message);
    if (!this.#parts.transport.send(peer, frame, lane)) return false;
    this.#parts.metrics.messageSent(message.kind, frame.length);
    return true;
  }

  /** What it has done wrong is remembered; what is provable and grave ends the session at once. */
  #charge(peer: PeerId, offence: Offence): void {
    const { transport, log, clock } = this.#parts;
    const info = transport.peers().find(({ id }) => id === peer);
    if (info === undefined) return;
    const ban = charge(this.#reputation, info, offence, clock.monotonicMs());
    const isGrave = ban !== undefined || OFFENCES[offence].points >= BAN_POINTS / 2;
    if (!isGrave) return;
    log.warn({ peer, address: info.address, offence, isBanned: ban !== undefined }, 'a peer breaks the rules');
    // An authority that errs stays: a quorum may need its votes.
    if (info.role !== 'authority') transport.disconnect(peer, refusalFor(offence));
  }
}

function refusalFor(offence: Offence): Refusal {
  if (offence === 'FLOOD') return 'FLOOD';
  return offence === 'MALFORMED' ? 'MALFORMED_FRAME' : 'DISCONNECTED';
}
