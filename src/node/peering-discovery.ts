import { unreachable } from '../lib/assert.ts';
import { DISCOVERY_TICK_MS } from '../model/limits.ts';
import type { ListedPeer, PeerMessage } from '../model/peer-message.ts';
import type { DialOutcome as Dialled, PeerId, PeerInfo, Transport } from '../network/transport.ts';
import { type DialOutcome, type DiscoveryEvent, stepDiscovery } from '../peering/discovery.ts';
import {
  createDiscovery,
  type Discovery,
  type DiscoveryEffect,
  type DiscoverySettings,
} from '../peering/discovery-state.ts';
import { discoveryLevels, type Level } from '../peering/levels.ts';
import type { KnownPeers } from './known-peers.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Clock, Log, Timers } from './ports.ts';

export interface PeeringDiscoveryParts extends Omit<DiscoverySettings, 'self' | 'isShunned'> {
  readonly post: Post;
  readonly transport: Transport;
  readonly known: KnownPeers;
  readonly clock: Clock;
  readonly timers: Timers;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/** Finds peers, and tells others of those it knows. */
export class PeeringDiscovery implements PeeringPart {
  readonly kinds = ['peer-discovery', 'peer-list'] as const;
  readonly #parts: PeeringDiscoveryParts;
  readonly #discovery: Discovery;
  #cancelTick: () => void = () => undefined;
  /** Of configured addresses: dials in vain. */
  readonly #failures = new Map<string, number>();
  #isStopped = false;

  constructor(parts: PeeringDiscoveryParts) {
    this.#parts = parts;
    const { transport, known, clock } = parts;
    const settings = { ...parts, self: transport.self, isShunned: (id: string) => known.isShunned(id) };
    this.#discovery = createDiscovery(settings, known.book, clock.monotonicMs());
  }

  start(): void {
    this.#parts.known.start();
    this.#tick();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTick();
    this.#parts.known.stop();
  }

  up(peer: PeerInfo): void {
    this.#step({ type: 'up', peer });
  }

  down({ id }: PeerInfo): void {
    this.#step({ type: 'down', id });
  }

  /** The transport has answered a dial. */
  dialled(address: string, outcome: Dialled): void {
    const { bootstrap, log } = this.#parts;
    const isConfigured = bootstrap.includes(address);
    if (outcome.reached) this.#failures.delete(address);
    else if (isConfigured && outcome.reason !== 'SELF') {
      const times = (this.#failures.get(address) ?? 0) + 1;
      this.#failures.set(address, times);
      // The first, the second, the fourth: a log is not to fill with one address that is gone.
      if (Number.isInteger(Math.log2(times))) {
        log.warn({ address, reason: outcome.reason, by: outcome.by, times }, 'a bootstrap peer cannot be had');
      }
    }
    this.#step({ type: 'dialled', address, outcome: outcomeOf(outcome) });
  }

  message(peer: PeerId, message: PeerMessage): void {
    if (message.kind === 'peer-discovery') this.#step({ type: 'asked', from: peer });
    if (message.kind === 'peer-list') this.#step({ type: 'listed', from: peer, peers: message.peers });
  }

  /** Peers that somebody found by another way: hearsay as well. */
  found(from: PeerId, peers: readonly ListedPeer[]): void {
    this.#step({ type: 'found', from, peers });
  }

  /** An operator wants a session with whoever lives there. */
  connect(address: string): void {
    this.#step({ type: 'connect', address });
  }

  /** An operator wants none with this peer for a while. */
  cut(id: PeerId): void {
    this.#step({ type: 'cut', id });
  }

  levels(): readonly Level[] {
    const { known, transport } = this.#parts;
    return [...discoveryLevels(this.#discovery, transport.peers().length), ...known.levels()];
  }

  #tick(): void {
    this.#cancelTick = this.#parts.timers.after(DISCOVERY_TICK_MS, () => {
      this.#step({ type: 'tick' });
      this.#tick();
    });
  }

  #step(event: DiscoveryEvent): void {
    if (this.#isStopped) return;
    const { clock, random } = this.#parts;
    const moment = { now: clock.monotonicMs(), random };
    for (const effect of stepDiscovery(this.#discovery, event, moment)) this.#do(effect);
  }

  #do(effect: DiscoveryEffect): void {
    const { post, transport } = this.#parts;
    switch (effect.type) {
      case 'dial':
        transport.dial(effect.address, effect.purpose);
        return;
      case 'ask':
        post.send(effect.to as PeerId, { kind: 'peer-discovery' });
        return;
      case 'list':
        post.send(effect.to as PeerId, { kind: 'peer-list', peers: effect.peers });
        return;
      case 'drop':
        transport.disconnect(effect.id as PeerId, 'DISCONNECTED');
        return;
      case 'unsolicited':
        post.charge(effect.id as PeerId, 'UNSOLICITED');
        return;
      default:
        unreachable(effect);
    }
  }
}

function outcomeOf(outcome: Dialled): DialOutcome {
  if (outcome.reached) return { type: 'reached', id: outcome.id };
  switch (outcome.reason) {
    case 'SELF':
      return { type: 'self' };
    case 'TOO_MANY_PEERS':
    case 'NOT_AN_AUTHORITY':
    case 'SEAT_TAKEN':
    case 'DUPLICATE_SESSION':
    case 'DISCONNECTED':
    case 'STOPPING':
      return { type: 'busy' };
    case 'WRONG_NETWORK':
    case 'WRONG_GENESIS':
    case 'PROTOCOL_MISMATCH':
    case 'BANNED':
      return { type: 'foreign' };
    default:
      return { type: 'failed' };
  }
}
