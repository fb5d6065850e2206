import type { PublicKey } from '../model/ids.ts';
import type { Lane, PeerId, PeerInfo, Transport } from '../network/transport.ts';
import type { Links, Urgency } from './ports.ts';

const LANE: Readonly<Record<Urgency, Lane>> = { consensus: 'consensus', sync: 'sync', transactions: 'transactions' };

/** The other authorities by seat, over whatever transport proves who they are. */
export class Seats implements Links {
  readonly #transport: Transport;
  readonly #bySeat = new Map<number, PeerId>();
  readonly #byPeer = new Map<PeerId, number>();
  readonly #seatOf: (key: PublicKey) => number;

  constructor(transport: Transport, seatOf: (key: PublicKey) => number) {
    this.#transport = transport;
    this.#seatOf = seatOf;
  }

  /** Seat of a peer that came up, or undefined when it is no authority or its seat is taken. */
  join(peer: PeerInfo): number | undefined {
    if (peer.role !== 'authority' || peer.authorityKey === undefined) return undefined;
    const seat = this.#seatOf(peer.authorityKey);
    if (seat < 0 || this.#bySeat.has(seat)) return undefined;
    this.#bySeat.set(seat, peer.id);
    this.#byPeer.set(peer.id, seat);
    return seat;
  }

  /** Seat that a peer had which is gone now. */
  leave(peer: PeerId): number | undefined {
    const seat = this.#byPeer.get(peer);
    if (seat === undefined) return undefined;
    this.#byPeer.delete(peer);
    this.#bySeat.delete(seat);
    return seat;
  }

  seat(peer: PeerId): number | undefined {
    return this.#byPeer.get(peer);
  }

  send(seat: number, frame: Uint8Array, urgency: Urgency): void {
    const peer = this.#bySeat.get(seat);
    if (peer !== undefined) this.#transport.send(peer, frame, LANE[urgency]);
  }

  connected(): readonly number[] {
    return [...this.#bySeat.keys()].sort((a, b) => a - b);
  }

  penalize(seat: number): void {
    const peer = this.#bySeat.get(seat);
    if (peer !== undefined) this.#transport.disconnect(peer, 'MALFORMED_FRAME');
  }
}
