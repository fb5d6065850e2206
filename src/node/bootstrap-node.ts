import { GUIDE_OUTBOUND_PEERS } from '../model/limits.ts';
import type { ListedPeer } from '../model/peer-message.ts';
import type { PeerInfo, Transport, TransportEvent } from '../network/transport.ts';
import type { KnownPeers } from './known-peers.ts';
import type { Metrics } from './metrics.ts';
import { PeeringDiscovery } from './peering-discovery.ts';
import { PeeringLookup } from './peering-lookup.ts';
import type { Clock, Log, Timers } from './ports.ts';
import { PostOffice } from './post-office.ts';
import { TurnedAway } from './turned-away.ts';

export interface BootstrapNodeParts {
  readonly transport: Transport;
  readonly known: KnownPeers;
  readonly clock: Clock;
  readonly timers: Timers;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Others of its kind, or any other nodes to begin with. */
  readonly bootstrap: readonly string[];
  readonly peersMax: number;
}

/** A node that tells others of each other, and keeps no chain: nothing of value is lost with it. */
export class BootstrapNode {
  readonly #parts: BootstrapNodeParts;
  readonly #office: PostOffice;
  readonly #discovery: PeeringDiscovery;
  readonly #lookup: PeeringLookup;
  readonly #turnedAway: TurnedAway;

  constructor(parts: BootstrapNodeParts) {
    this.#parts = parts;
    this.#office = new PostOffice(parts);
    const { post } = this.#office;
    this.#discovery = new PeeringDiscovery({ ...parts, post, outboundMin: GUIDE_OUTBOUND_PEERS, keepsChain: false });
    const found = (from: PeerInfo['id'], peers: readonly ListedPeer[]) => this.#discovery.found(from, peers);
    this.#lookup = new PeeringLookup({ ...parts, post, found });
    this.#turnedAway = new TurnedAway(parts.clock, parts.log);
  }

  async start(): Promise<void> {
    this.#discovery.start();
    this.#lookup.start();
    await this.#parts.transport.start((event) => this.#onTransport(event));
  }

  async stop(): Promise<void> {
    this.#lookup.stop();
    this.#discovery.stop();
    await this.#parts.transport.close();
  }

  #onTransport(event: TransportEvent): void {
    const { log, metrics, transport } = this.#parts;
    switch (event.type) {
      case 'up':
        log.info({ peer: event.peer.id, address: event.peer.address, role: event.peer.role }, 'peer connected');
        for (const part of [this.#office, this.#discovery, this.#lookup]) part.up(event.peer);
        break;
      case 'down':
        log.info({ peer: event.peer.id, reason: event.reason }, 'peer gone');
        for (const part of [this.#office, this.#discovery, this.#lookup]) part.down(event.peer);
        break;
      case 'frame':
        this.#office.deliver(event.peer, event.frame, [this.#discovery, this.#lookup]);
        return;
      case 'dialled':
        this.#discovery.dialled(event.address, event.outcome);
        return;
      case 'refused':
        this.#turnedAway.add(event);
        return;
    }
    metrics.peers(transport.peers().length);
  }
}
