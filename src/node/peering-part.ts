import type { PeerMessage, PeerMessageKind } from '../model/peer-message.ts';
import type { PeerId, PeerInfo } from '../network/transport.ts';
import type { Level } from '../peering/levels.ts';
import type { Offence } from '../peering/reputation.ts';

/** The way from a part of peering to its peers. */
export interface Post {
  /** False when the peer is gone or too slow: the message is lost. */
  readonly send: (peer: PeerId, message: PeerMessage) => boolean;
  /** Whether it has read what it was sent before, and few others have not: answers that are large are for those. */
  readonly hasRoom: (peer: PeerId) => boolean;
  readonly charge: (peer: PeerId, offence: Offence) => void;
  /** Those that are connected and keep the chain. */
  readonly peers: () => readonly PeerInfo[];
}

/** One thing that nodes do with each other, told of its peers and of the messages that concern it. */
export interface PeeringPart {
  readonly kinds: readonly PeerMessageKind[];
  start(): void;
  up(peer: PeerInfo): void;
  down(peer: PeerInfo): void;
  message(peer: PeerId, message: PeerMessage): void;
  stop(): void;
  /** What it holds that peers can make it hold. */
  levels?(): readonly Level[];
}
