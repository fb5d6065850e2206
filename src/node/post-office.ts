import { decode, encode } from '../model/codec.ts';
import { BAN_POINTS, MUTE_POINTS, SEND_BUFFER_BYTES_MAX } from '../model/limits.ts';
import { ANSWERS_WAITING_BYTES_MAX } from '../model/peer-limits.ts';
import { type PeerMessage, type PeerMessageKind, peerMessageLayout } from '../model/peer-message.ts';
import type { Lane, PeerId, PeerInfo, Refusal, Transport } from '../network/transport.ts';
import type { Level } from '../peering/levels.ts';
import { OFFENCES, type Offence } from '../peering/reputation.ts';
import { type Allowance, createAllowance, isAllowed, weightOf } from '../peering/traffic.ts';
import type { KnownPeers } from './known-peers.ts';
import type { Metrics } from './metrics.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Clock, Log } from './ports.ts';

export interface PostOfficeParts {
  readonly transport: Pick<Transport, 'peers' | 'send' | 'backlog' | 'disconnect'>;
  readonly known: KnownPeers;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'messageSent' | 'messageReceived'>;
  readonly log: Log;
}

/** A peer that is connected. */
interface Caller {
  readonly allowance: Allowance;
  readonly role: PeerInfo['role'];
}

/** Frames of peers to the parts that they concern, within bounds for each peer and each kind; and what a breach costs. */
export class PostOffice {
  readonly post: Post;
  readonly #parts: PostOfficeParts;
  readonly #callers = new Map<PeerId, Caller>();

  constructor(parts: PostOfficeParts) {
    this.#parts = parts;
    this.post = {
      send: (peer, message) => this.#send(peer, message),
      hasRoom: (peer) => this.#hasRoom(peer),
      charge: (peer, offence) => this.#charge(peer, offence),
      peers: () => parts.transport.peers().filter(({ role }) => role !== 'bootstrap'),
    };
  }

  up({ id, role }: PeerInfo): void {
    this.#callers.set(id, { allowance: createAllowance(), role });
  }

  down({ id }: PeerInfo): void {
    this.#callers.delete(id);
  }

  levels(): readonly Level[] {
    const sizeMax = this.#parts.transport.peers().length;
    return [{ what: 'allowances', size: this.#callers.size, sizeMax }];
  }

  /** Reads a frame, and hands it to those that take its kind. */
  deliver(peer: PeerId, frame: Uint8Array, parts: readonly PeeringPart[]): void {
    const { metrics, clock } = this.#parts;
    const caller = this.#callers.get(peer);
    if (caller === undefined || this.#isMuted(peer, caller)) return;
    const decoded = decode(peerMessageLayout, frame);
    if (!decoded.ok) {
      this.#charge(peer, 'MALFORMED');
      return;
    }
    const message = decoded.value;
    metrics.messageReceived(message.kind, frame.length);
    if (!isAllowed(caller.allowance, message.kind, clock.monotonicMs(), weightOf(message))) {
      this.#charge(peer, 'FLOOD');
      return;
    }
    for (const part of parts) {
      const kinds: readonly PeerMessageKind[] = part.kinds;
      if (kinds.includes(message.kind)) part.message(peer, message);
    }
  }

  /** Others are banned soon after; what an authority may still say costs this node nothing any more. */
  #isMuted(peer: PeerId, { role }: Caller): boolean {
    return role === 'authority' && this.#parts.known.score(peer) <= -MUTE_POINTS;
  }

  #send(peer: PeerId, message: PeerMessage): boolean {
    const lane: Lane = message.kind.startsWith('transactions') ? 'transactions' : 'sync';
    const frame = encode(peerMessageLayout, message);
    if (!this.#parts.transport.send(peer, frame, lane)) return false;
    this.#parts.metrics.messageSent(message.kind, frame.length);
    return true;
  }

  #hasRoom(peer: PeerId): boolean {
    const { transport } = this.#parts;
    return transport.backlog(peer) < SEND_BUFFER_BYTES_MAX && transport.backlog() < ANSWERS_WAITING_BYTES_MAX;
  }

  /** What it has done wrong is remembered; what is provable and grave ends the session at once. */
  #charge(peer: PeerId, offence: Offence): void {
    const { transport, log, known } = this.#parts;
    const info = transport.peers().find(({ id }) => id === peer);
    if (info === undefined) return;
    const ban = known.charge(info, offence);
    const isGrave = ban !== undefined || OFFENCES[offence].points >= BAN_POINTS / 2;
    if (!isGrave) return;
    log.warn({ peer, address: info.address, offence, isBanned: ban !== undefined }, 'a peer breaks the rules');
    // An authority that errs stays, since a quorum may need its votes, and is heard on nothing else for a while.
    if (info.role !== 'authority') transport.disconnect(peer, ban === undefined ? refusalFor(offence) : 'BANNED');
  }
}

function refusalFor(offence: Offence): Refusal {
  if (offence === 'FLOOD') return 'FLOOD';
  return offence === 'MALFORMED' ? 'MALFORMED_FRAME' : 'DISCONNECTED';
}
