import type { PublicKey } from '../model/ids.ts';
import type { Lane, PeerId, PeerInfo, Transport } from '../network/transport.ts';
import type { Links, Urgency } from './ports.ts';

const LANE: Readonly<Record<Urgency, Lane>> = { consensus: 'consensus', sync: 'sync', transactions: 'transactions' };

/**
 * The other authorities by seat, over whatever transport proves who they are. Of several sessions that prove one key,
 * the first has the seat; the next one gets it when that has ended.
 */
export class Seats implements Links {
  readonly #transport: Transport;
  readonly #bySeat = new Map<number, PeerId[]>();
  readonly #byPeer = new Map<PeerId, number>();
  readonly #seatOf: (key: PublicKey) => number;

  constructor(transport: Transport, seatOf: (key: PublicKey) => number) {
    this.#transport = transport;
    this.#seatOf = seatOf;
  }

  /** Takes a peer that came up; undefined when it is no authority. `isTwin`: another session proved the same key. */
  join(peer: PeerInfo): { readonly seat: number; readonly isTwin: boolean } | undefined {
    if (peer.role !== 'authority' || peer.authorityKey === undefined) return undefined;
    const seat = this.#seatOf(peer.authorityKey);
    if (seat < 0) return undefined;
    const peers = this.#bySeat.get(seat) ?? [];
    this.#bySeat.set(seat, [...peers, peer.id]);
    this.#byPeer.set(peer.id, seat);
    return { seat, isTwin: peers.length > 0 };
  }

  /** Forgets a peer that is gone. `wasSeated`: it spoke for its seat; `isSeatTaken`: another session does now. */
  leave(
    peer: PeerId,
  ): { readonly seat: number; readonly wasSeated: boolean; readonly isSeatTaken: boolean } | undefined {
    const seat = this.#byPeer.get(peer);
    if (seat === undefined) return undefined;
    const wasSeated = this.#speaker(seat) === peer;
    const left = (this.#bySeat.get(seat) ?? []).filter((other) => other !== peer);
    this.#byPeer.delete(peer);
    if (left.length === 0) this.#bySeat.delete(seat);
    else this.#bySeat.set(seat, left);
    return { seat, wasSeated, isSeatTaken: left.length > 0 };
  }

  /** The seat that a peer speaks for. */
  seat(peer: PeerId): number | undefined {
    const seat = this.#byPeer.get(peer);
    return seat !== undefined && this.#speaker(seat) === peer ? seat : undefined;
  }

  send(seat: number, frame: Uint8Array, urgency: Urgency): void {
    const peer = this.#speaker(seat);
    if (peer !== undefined) this.#transport.send(peer, frame, LANE[urgency]);
  }

  connected(): readonly number[] {
    return [...this.#bySeat.keys()].sort((a, b) => a - b);
  }

  roundTripMs(seat: number): number | undefined {
    const speaker = this.#speaker(seat);
    return this.#transport.peers().find(({ id }) => id === speaker)?.latencyMs;
  }

  penalize(seat: number): void {
    const peer = this.#speaker(seat);
    if (peer !== undefined) this.#transport.disconnect(peer, 'MALFORMED_FRAME');
  }

  #speaker(seat: number): PeerId | undefined {
    return this.#bySeat.get(seat)?.[0];
  }
}
