/** Sockets: how bytes travel between proven identities. This file is the port; WebSocket over TLS is one way to fill it. */
import { assert } from '../lib/assert.ts';
import { toHex } from '../lib/bytes.ts';
import type { Hash, Height, PublicKey } from '../model/ids.ts';
import type { PeerRole } from '../model/peer-message.ts';

declare const peerIdBrand: unique symbol;

/** Lower-case hex of a node's Ed25519 public key. Not the authority key: that one is proven, not dialled. */
export type PeerId = string & { readonly [peerIdBrand]: true };

/** The id of the node that holds this Ed25519 key (32 bytes). */
export function peerIdOf(nodePublicKey: Uint8Array): PeerId {
  assert(nodePublicKey.length === 32, 'a node key has 32 bytes');
  return toHex(nodePublicKey) as PeerId;
}

/** Strict priority: a frame of an earlier lane leaves before any waiting frame of a later one. Order holds within a lane. */
export const LANES = ['consensus', 'sync', 'transactions'] as const;
export type Lane = (typeof LANES)[number];

export type Direction = 'inbound' | 'outbound';

/** The head that a peer claimed when it connected: a hint, proven by nothing. */
export interface ClaimedHead {
  readonly height: Height;
  readonly hash: Hash;
}

export interface PeerInfo {
  readonly id: PeerId;
  readonly role: PeerRole;
  /** Present exactly for a proven authority. */
  readonly authorityKey?: PublicKey;
  /** Place in the list last given to `setAuthorities`; present exactly for a proven authority. */
  readonly authorityIndex?: number;
  readonly direction: Direction;
  /** `host:port` of the socket's other end. */
  readonly address: string;
  /** `host:port` at which the peer says it listens; absent when it does not. */
  readonly listenAddress?: string;
  /** The peer's software version. */
  readonly version: string;
  /** Moving average of the round trip in milliseconds; absent until the first answer. */
  readonly latencyMs?: number;
  /** Unix milliseconds at which the session came up. */
  readonly since: number;
  readonly head: ClaimedHead;
}

/** Why two nodes do not talk: what an Error frame carries, either way. Append only: the place is the wire value. */
export const REFUSALS = [
  'WRONG_NETWORK',
  'WRONG_GENESIS',
  'PROTOCOL_MISMATCH',
  'NOT_AN_AUTHORITY',
  'DUPLICATE_SESSION',
  'SELF',
  'TOO_MANY_PEERS',
  'HELLO_TIMEOUT',
  'MALFORMED_HELLO',
  'FRAME_TOO_LARGE',
  'FLOOD',
  'MALFORMED_FRAME',
  'SLOW_READER',
  'DISCONNECTED',
  'STOPPING',
  'SEAT_TAKEN',
  'BANNED',
  'PROBED',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** `SILENT`: nothing heard for two pings. `LOST`: the socket closed or failed without a word. */
export type DownReason = Refusal | 'SILENT' | 'LOST';

/** `probe` only looks who lives there, and says no hello. */
export type DialPurpose = 'session' | 'probe';

/** What a dial came to. A node that is connected already is reached as well. */
export type DialOutcome =
  | { readonly reached: true; readonly id: PeerId }
  | {
      readonly reached: false;
      readonly reason: DownReason | 'BAD_IDENTITY' | 'UNREACHABLE';
      readonly by: 'us' | 'them';
    };

export type TransportEvent =
  | { readonly type: 'up'; readonly peer: PeerInfo }
  | { readonly type: 'down'; readonly peer: PeerInfo; readonly reason: DownReason; readonly by: 'us' | 'them' }
  | { readonly type: 'frame'; readonly peer: PeerId; readonly frame: Uint8Array }
  /** A connection that never came up. Strangers can cause many: count them, and bound what is logged. */
  | {
      readonly type: 'refused';
      readonly direction: Direction;
      readonly address: string;
      readonly reason: DownReason | 'BAD_IDENTITY' | 'UNREACHABLE';
      readonly by: 'us' | 'them';
    }
  /** Answers each `dial` once, after the `up` of its session. */
  | { readonly type: 'dialled'; readonly address: string; readonly outcome: DialOutcome };

/** One authority of the set in force, and where to find it. */
export interface AuthorityContact {
  /** Authority key. */
  readonly publicKey: PublicKey;
  /** `host:port` or `[v6]:port`; an authority without one is only waited for. */
  readonly address?: string;
  /** Node key that must answer at the address, when it is known. */
  readonly id?: PeerId;
}

/**
 * Moves opaque frames between proven identities; knows nothing of what is in them.
 * An `up` is followed by frames of that peer and one `down`; after the `down` nothing of that session arrives.
 * What was sent but not delivered when a session ends is lost: the peers ask each other again.
 */
export interface Transport {
  readonly self: PeerId;
  /**
   * Begins to listen and to dial. Called once; no event comes before it.
   *
   * @throws ListenError when the address cannot be had.
   */
  start(onEvent: (event: TransportEvent) => void): Promise<void>;
  /**
   * Queues a frame; its bytes are copied. False when the peer is not up, or its lane is full and the frame was dropped.
   * A full consensus lane ends the session instead (`SLOW_READER`): a gap there would have to be healed anyway.
   */
  send(peer: PeerId, frame: Uint8Array, lane: Lane): boolean;
  /** Bytes that wait for the socket of a peer, in all lanes; of all peers when none is named. */
  backlog(peer?: PeerId): number;
  /** The peers that are up, in the order of their ids. */
  peers(): readonly PeerInfo[];
  /** Ends the session with a peer that misbehaves; its `down` comes before this returns. */
  disconnect(peer: PeerId, reason: Refusal): void;
  /** Dials whoever lives at `host:port`, once, besides the authorities that are dialled anyway. */
  dial(address: string, purpose: DialPurpose): void;
  /** The authorities of the epoch in force: whom to dial, whom to let in. Sessions of those who left are ended. */
  setAuthorities(authorities: readonly AuthorityContact[]): void;
  /** Stops listening, says farewell, and resolves when every socket is closed: within CLOSE_TIMEOUT_MS_MAX. */
  close(): Promise<void>;
}
