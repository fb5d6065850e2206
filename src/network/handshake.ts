import { defined } from '../lib/assert.ts';
import { fromHex, toHex } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { type Hash, hexBytes, type PublicKey, Signature } from '../model/ids.ts';
import { HELLO_STREAM_BYTES_MAX } from '../model/limits.ts';
import { type Channel, cutInTime, farewell, reasonOfCloseCode, reasonOfError } from './channel.ts';
import { channelBinding, type NodeIdentity, peerIdentity } from './identity.ts';
import type { ClaimedHead, Direction, DownReason, PeerId, Refusal } from './transport.ts';
import {
  type AuthorityProof,
  decodeFrame,
  decodeHello,
  encodeHello,
  type Hello,
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR,
  proofBytes,
} from './wire.ts';

/** An authority's key, in the hands of whoever may use it. */
interface AuthoritySigner {
  readonly publicKey: PublicKey;
  readonly sign: (message: Uint8Array) => Uint8Array;
  /** Whether this node votes with the key now: one that must not any more is an observer in its seat. */
  readonly votes: () => boolean;
}

/** What this node says of itself, and how it checks what others say. */
export interface Self {
  readonly identity: NodeIdentity;
  readonly networkId: string;
  /** Hash of the genesis document. */
  readonly chainId: Hash;
  /** Software version; as `networkId`, 1 to 64 characters of ASCII without blanks. */
  readonly version: string;
  readonly authority?: AuthoritySigner;
  /** It knows peers and keeps no chain; it has no authority's key then. False unless told otherwise. */
  readonly isBootstrap?: boolean;
  readonly checkSignature: (publicKey: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean;
  /** The head to claim in a hello sent now. */
  readonly head: () => ClaimedHead;
  readonly listenAddress: () => string | undefined;
}

/** Who is at the other end, as far as it can be proven. */
export interface ProvenPeer {
  readonly id: PeerId;
  /** The authority key that it has proven to hold; whether that makes it an authority is not decided here. */
  readonly provenKey?: PublicKey;
  /** Whether it says that it votes with that key. */
  readonly votes: boolean;
  /** Whether it says that it knows peers alone. */
  readonly isBootstrap: boolean;
  readonly direction: Direction;
  readonly address: string;
  readonly listenAddress?: string;
  readonly version: string;
  readonly head: ClaimedHead;
}

export interface HandshakeFailure {
  readonly reason: DownReason | 'BAD_IDENTITY' | 'UNREACHABLE';
  readonly by: 'us' | 'them';
}

export interface HandshakeOptions {
  readonly timeoutMs: number;
  /** Asked before anything is said, with the key that TLS has proven: a refusal, or nothing. */
  readonly greet: (id: PeerId) => Refusal | undefined;
  /** The last word on a peer that has proven who it is: a refusal, or nothing. */
  readonly admit: (peer: ProvenPeer) => Refusal | undefined;
  /** Called once; after an `ok` nothing of the channel has been read beyond the hello. */
  readonly done: (outcome: Result<ProvenPeer, HandshakeFailure>) => void;
}

/**
 * The exchange of hellos on a fresh channel. The side that dialled speaks first, so a stranger costs no signature;
 * the other answers once it has admitted the peer. Whatever else arrives before that ends the channel.
 */
export class Handshake {
  readonly #channel: Channel;
  readonly #self: Self;
  readonly #options: HandshakeOptions;
  readonly #timer: NodeJS.Timeout;
  #peerId: PeerId | undefined;
  /** Read while the socket is surely open: a hello may be the last word of one that is not. */
  #binding: Uint8Array = new Uint8Array(0);
  #streamBytes = 0;
  #settled = false;
  #succeeded = false;

  constructor(channel: Channel, self: Self, options: HandshakeOptions) {
    this.#channel = channel;
    this.#self = self;
    this.#options = options;
    this.#timer = setTimeout(() => this.#refuse('HELLO_TIMEOUT'), options.timeoutMs);
    const { ws, socket } = channel;
    ws.on('message', this.#onMessage);
    ws.on('error', this.#onError);
    ws.on('close', this.#onClose);
    socket.on('data', this.#onData);
    this.#identify();
  }

  #identify(): void {
    const { socket, ws, direction } = this.#channel;
    if (socket.destroyed) {
      this.#settle(err({ reason: 'LOST', by: 'them' }));
      return;
    }
    this.#binding = channelBinding(socket);
    const identity = peerIdentity(socket, Date.now());
    if (!identity.ok) {
      ws.terminate();
      this.#settle(err({ reason: 'BAD_IDENTITY', by: 'us' }));
      return;
    }
    this.#peerId = identity.value;
    const refusal = this.#peerId === this.#self.identity.id ? 'SELF' : this.#options.greet(this.#peerId);
    if (refusal !== undefined) this.#refuse(refusal);
    else if (direction === 'outbound') ws.send(this.#ownHello());
  }

  #ownHello(): Uint8Array {
    const { networkId, chainId, version, authority, identity } = this.#self;
    const head = this.#self.head();
    const { direction } = this.#channel;
    let authorityProof: AuthorityProof | null = null;
    if (authority !== undefined) {
      const message = proofBytes(chainId, direction, keyOf(identity.id), this.#binding);
      authorityProof = { publicKey: authority.publicKey, signature: Signature(toHex(authority.sign(message))) };
    }
    return encodeHello({
      protocolMajor: PROTOCOL_MAJOR,
      protocolMinor: PROTOCOL_MINOR,
      networkId,
      genesisHash: chainId,
      role: roleOf(this.#self),
      listenAddress: this.#self.listenAddress() ?? null,
      headHeight: head.height,
      headHash: head.hash,
      version,
      authorityProof,
    });
  }

  #onData = (chunk: Uint8Array): void => {
    this.#streamBytes += chunk.length;
    if (this.#streamBytes > HELLO_STREAM_BYTES_MAX && !this.#succeeded) {
      this.#channel.ws.terminate();
      this.#settle(err({ reason: 'MALFORMED_HELLO', by: 'us' }));
    }
  };

  #onMessage = (data: unknown, isBinary: boolean): void => {
    if (this.#settled) return;
    const frame = isBinary && data instanceof Uint8Array ? decodeFrame(data) : undefined;
    if (frame?.ok && frame.value.kind === 'error') {
      this.#channel.ws.close();
      this.#settle(err({ reason: frame.value.refusal, by: 'them' }));
      return;
    }
    if (!frame?.ok || frame.value.kind !== 'hello') {
      this.#refuse('MALFORMED_HELLO');
      return;
    }
    const peer = this.#judge(frame.value.hello);
    if (!peer.ok) {
      this.#refuse(peer.error);
      return;
    }
    if (this.#channel.direction === 'inbound') this.#channel.ws.send(this.#ownHello());
    this.#settle(peer);
  };

  #judge(payload: Uint8Array): Result<ProvenPeer, Refusal> {
    const decoded = decodeHello(payload);
    if (!decoded.ok) return decoded;
    const hello = decoded.value;
    const needsProof = hello.role === 'authority' || hello.role === 'observer';
    if (needsProof && hello.authorityProof === null) return err('MALFORMED_HELLO');
    if (hello.networkId !== this.#self.networkId) return err('WRONG_NETWORK');
    if (hello.genesisHash !== this.#self.chainId) return err('WRONG_GENESIS');
    const id = defined(this.#peerId, 'the certificate was read before any message');
    if (hello.authorityProof !== null && !this.#proves(hello.authorityProof, id)) return err('NOT_AN_AUTHORITY');
    const peer = introduce(hello, id, this.#channel);
    const refusal = this.#options.admit(peer);
    return refusal === undefined ? ok(peer) : err(refusal);
  }

  #proves(proof: AuthorityProof, id: PeerId): boolean {
    const { direction } = this.#channel;
    const theirSide = direction === 'inbound' ? 'outbound' : 'inbound';
    const message = proofBytes(this.#self.chainId, theirSide, keyOf(id), this.#binding);
    return this.#self.checkSignature(proof.publicKey, message, hexBytes(proof.signature));
  }

  #onError = (error: Error): void => {
    const reason = reasonOfError(error);
    this.#settle(err({ reason, by: reason === 'LOST' ? 'them' : 'us' }));
  };

  #onClose = (code: number): void => {
    this.#channel.socket.off('data', this.#onData);
    this.#settle(err({ reason: reasonOfCloseCode(code), by: 'them' }));
  };

  /** Ends the handshake with a word to the other side. */
  #refuse(refusal: Refusal): void {
    if (this.#settled) return;
    farewell(this.#channel, refusal);
    this.#settle(err({ reason: refusal, by: 'us' }));
  }

  /** After a failure the listeners stay: what a refused peer still sends is counted, and nobody hears it. */
  #settle(outcome: Result<ProvenPeer, HandshakeFailure>): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    if (outcome.ok) {
      this.#succeeded = true;
      this.#unlisten();
    } else {
      cutInTime(this.#channel);
    }
    this.#options.done(outcome);
  }

  #unlisten(): void {
    const { ws, socket } = this.#channel;
    ws.off('message', this.#onMessage);
    ws.off('error', this.#onError);
    ws.off('close', this.#onClose);
    socket.off('data', this.#onData);
  }
}

function roleOf({ authority, isBootstrap }: Self): Hello['role'] {
  if (authority === undefined) return isBootstrap === true ? 'bootstrap' : 'follower';
  return authority.votes() ? 'authority' : 'observer';
}

function keyOf(id: PeerId): Uint8Array {
  return defined(fromHex(id), 'a peer id is hex');
}

function introduce(hello: Hello, id: PeerId, channel: Channel): ProvenPeer {
  return {
    id,
    direction: channel.direction,
    address: channel.address,
    votes: hello.role === 'authority',
    isBootstrap: hello.role === 'bootstrap' && hello.authorityProof === null,
    version: hello.version,
    head: { height: hello.headHeight, hash: hello.headHash },
    ...(hello.authorityProof === null ? {} : { provenKey: hello.authorityProof.publicKey }),
    ...(hello.listenAddress === null ? {} : { listenAddress: hello.listenAddress }),
  };
}
