import { formatAddress, parseAddress } from '../lib/address.ts';
import { assert } from '../lib/assert.ts';
import type { PublicKey } from '../model/ids.ts';
import { CLOSE_TIMEOUT_MS_MAX, FOLLOWERS_MAX, HELLO_TIMEOUT_MS_MAX, QUIET_SESSION_MS_MAX } from '../model/limits.ts';
import { GUESTS_PER_GROUP_MAX } from '../model/peer-limits.ts';
import { groupOf } from '../peering/address-group.ts';
import { type Seat, seatFor } from '../peering/guests.ts';
import type { Channel } from './channel.ts';
import { Dialer } from './dialer.ts';
import { Handshake, type ProvenPeer, type Self } from './handshake.ts';
import { Listener } from './listener.ts';
import { Session } from './session.ts';
import type {
  AuthorityContact,
  DialPurpose,
  DownReason,
  Lane,
  PeerId,
  PeerInfo,
  Refusal,
  Transport,
  TransportEvent,
} from './transport.ts';

export interface MeshOptions extends Omit<Self, 'listenAddress'> {
  /** Where to listen; a node without it only dials. `advertise` is `host:port` as others see it, if that differs. */
  readonly listen?: { readonly host?: string; readonly port: number; readonly advertise?: string };
  /** A number in [0, 1), for the jitter of dials. */
  readonly random: () => number;
  /** Time to open a connection and to say hello; HELLO_TIMEOUT_MS_MAX unless told otherwise. */
  readonly connectionTimeoutMs?: number;
  /** A voter is down to a voter when nothing came from it for two of these; any other peer has QUIET_SESSION_MS_MAX. */
  readonly heartbeatIntervalMs: number;
  /** Lets in peers that are no authorities; false unless told otherwise. */
  readonly acceptFollowers?: boolean;
  /** Of those that dial this node; FOLLOWERS_MAX unless told otherwise. */
  readonly followersMax?: number;
  /** Of those whose addresses lie in one group; GUESTS_PER_GROUP_MAX unless told otherwise. */
  readonly followersPerGroupMax?: number;
  /** The group of an address; that of `groupOf` unless told otherwise. */
  readonly groupOf?: (address: string) => string;
  /** Whether a node that is no authority is to be turned away. */
  readonly isBanned?: (id: PeerId) => boolean;
  /** Whether one is to wait before it comes again, unless this node dials it. */
  readonly isCutOff?: (id: PeerId) => boolean;
}

const LOOPBACK = '127.0.0.1';
const EVERY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

/** `Transport` over WebSocket and TLS 1.3: one session with each authority, whoever dialled it. */
export class Mesh implements Transport {
  readonly self: PeerId;
  readonly #options: MeshOptions;
  readonly #listener: Listener | undefined;
  readonly #dialer: Dialer;
  readonly #self: Self;
  readonly #sessions = new Map<PeerId, Session>();
  /** Sessions that are down but whose sockets are not closed yet. */
  readonly #leaving = new Set<Session>();
  #authorities: ReadonlyMap<PublicKey, number> = new Map();
  #emit: ((event: TransportEvent) => void) | undefined;
  #stopping = false;

  constructor(options: MeshOptions) {
    this.#options = options;
    this.self = options.identity.id;
    this.#self = { ...options, listenAddress: () => this.listenAddress };
    const timeoutMs = options.connectionTimeoutMs ?? HELLO_TIMEOUT_MS_MAX;
    const { identity, listen } = options;
    const advertised = listen?.advertise;
    assert(advertised === undefined || parseAddress(advertised) !== undefined, 'what a node advertises is host:port');
    this.#dialer = new Dialer({
      self: this.#self,
      timeoutMs,
      random: options.random,
      isUp: (id, target) => this.#isUp(id, target),
      admit: (peer) => this.#admit(peer),
      onProven: (channel, peer) => this.#up(channel, peer),
      onFailed: (address, { reason, by }) =>
        this.#tell({ type: 'refused', direction: 'outbound', address, reason, by }),
      onDialled: (address, outcome) => this.#tell({ type: 'dialled', address, outcome }),
    });
    if (listen !== undefined) {
      this.#listener = new Listener({
        identity,
        host: listen.host ?? LOOPBACK,
        port: listen.port,
        timeoutMs,
        onChannel: (channel, timeLeftMs, admitted) => this.#onChannel(channel, timeLeftMs, admitted),
        onRefused: (address, reason) =>
          this.#tell({ type: 'refused', direction: 'inbound', address, reason, by: 'us' }),
      });
    }
  }

  /** `host:port` at which others are told to find this node; undefined when there is no one such address. */
  get listenAddress(): string | undefined {
    const bound = this.#listener?.address;
    if (bound === undefined) return undefined;
    const { advertise } = this.#options.listen ?? {};
    if (advertise !== undefined) return advertise;
    return EVERY_ADDRESS.includes(bound.host) ? undefined : formatAddress(bound.host, bound.port);
  }

  /** Connections that have not introduced themselves. */
  get pendingConnections(): number {
    return this.#listener?.pending ?? 0;
  }

  /** Frames and bytes that wait for a peer's socket; nothing for a peer that is not up. */
  waiting(peer: PeerId): { readonly frames: number; readonly bytes: number } {
    return this.#sessions.get(peer)?.waiting ?? { frames: 0, bytes: 0 };
  }

  async start(onEvent: (event: TransportEvent) => void): Promise<void> {
    assert(this.#emit === undefined, 'a transport is started once');
    this.#emit = onEvent;
    await this.#listener?.open();
    if (!this.#stopping) this.#dialer.start();
  }

  send(peer: PeerId, frame: Uint8Array, lane: Lane): boolean {
    return this.#sessions.get(peer)?.send(frame, lane) ?? false;
  }

  backlog(peer?: PeerId): number {
    if (peer !== undefined) return this.#sessions.get(peer)?.backlog ?? 0;
    let bytes = 0;
    for (const session of this.#sessions.values()) bytes += session.backlog;
    return bytes;
  }

  peers(): readonly PeerInfo[] {
    return [...this.#sessions.keys()].sort().flatMap((id) => {
      const session = this.#sessions.get(id);
      return session === undefined ? [] : [this.#describe(session)];
    });
  }

  disconnect(peer: PeerId, reason: Refusal): void {
    this.#sessions.get(peer)?.close(reason);
  }

  dial(address: string, purpose: DialPurpose): void {
    this.#dialer.dial(address, purpose);
  }

  setAuthorities(authorities: readonly AuthorityContact[]): void {
    this.#authorities = new Map(authorities.map(({ publicKey }, index) => [publicKey, index]));
    assert(this.#authorities.size === authorities.length, 'an authority is listed once');
    for (const session of [...this.#sessions.values()]) {
      if (!this.#isWelcome(session.peer)) session.close('NOT_AN_AUTHORITY');
    }
    this.#dialer.setTargets(authorities, (key) => this.#sessionOf(key) !== undefined);
  }

  async close(): Promise<void> {
    this.#stopping = true;
    this.#dialer.stop();
    for (const session of [...this.#sessions.values()]) session.close('STOPPING');
    const open = [...this.#leaving].map((session) => session.closed);
    const timer = setTimeout(() => {
      for (const session of this.#leaving) session.terminate();
    }, CLOSE_TIMEOUT_MS_MAX);
    await Promise.all([...open, this.#listener?.close()]);
    clearTimeout(timer);
  }

  #onChannel(channel: Channel, timeLeftMs: number, admitted: () => void): void {
    new Handshake(channel, this.#self, {
      timeoutMs: timeLeftMs,
      greet: () => undefined,
      admit: (peer) => this.#admit(peer),
      done: (outcome) => {
        if (outcome.ok) {
          admitted();
          this.#up(channel, outcome.value);
          return;
        }
        const { reason, by } = outcome.error;
        this.#tell({ type: 'refused', direction: 'inbound', address: channel.address, reason, by });
      },
    });
  }

  #roleOf(peer: ProvenPeer): Pick<PeerInfo, 'role' | 'authorityKey' | 'authorityIndex'> {
    const key = peer.provenKey;
    const index = key === undefined ? undefined : this.#authorities.get(key);
    if (key === undefined || index === undefined) return { role: peer.isBootstrap ? 'bootstrap' : 'follower' };
    return { role: 'authority', authorityKey: key, authorityIndex: index };
  }

  #isWelcome(peer: ProvenPeer): boolean {
    return this.#options.acceptFollowers === true || this.#roleOf(peer).role === 'authority';
  }

  #admit(peer: ProvenPeer): Refusal | undefined {
    if (this.#stopping) return 'STOPPING';
    const { provenKey } = peer;
    if (provenKey !== undefined && provenKey === this.#options.authority?.publicKey) return 'SELF';
    if (!this.#isWelcome(peer)) return 'NOT_AN_AUTHORITY';
    if (this.#isBanned(peer)) return 'BANNED';
    if (this.#isGuest(peer) && this.#options.isCutOff?.(peer.id) === true) return 'DISCONNECTED';
    if (this.#seatOf(peer) === 'none') return 'TOO_MANY_PEERS';
    if (!peer.votes && this.#rivals(peer).some(({ peer: rival }) => rival.votes)) return 'SEAT_TAKEN';
    return this.#isRedundant(peer) ? 'DUPLICATE_SESSION' : undefined;
  }

  /** Votes that stay out have to be noticed at once; nothing waits for the word of anybody else. */
  #isBetweenVoters(peer: ProvenPeer): boolean {
    return this.#options.authority?.votes() === true && peer.votes && this.#roleOf(peer).role === 'authority';
  }

  #isBanned(peer: ProvenPeer): boolean {
    return this.#roleOf(peer).role !== 'authority' && this.#options.isBanned?.(peer.id) === true;
  }

  /** Authorities always find room, and so do those that this node has chosen to dial. */
  #seatOf(peer: ProvenPeer): Seat {
    if (!this.#isGuest(peer) || this.#sessions.has(peer.id)) return 'free';
    const group = this.#options.groupOf ?? groupOf;
    const guests = [...this.#sessions.values()].flatMap(({ peer: guest, since, latencyMs }) =>
      this.#isGuest(guest) ? [{ id: guest.id, group: group(guest.address), since, latencyMs }] : [],
    );
    return seatFor(group(peer.address), guests, {
      placesMax: this.#options.followersMax ?? FOLLOWERS_MAX,
      perGroupMax: this.#options.followersPerGroupMax ?? GUESTS_PER_GROUP_MAX,
    });
  }

  #isGuest(peer: ProvenPeer): boolean {
    return peer.direction === 'inbound' && this.#roleOf(peer).role !== 'authority';
  }

  /**
   * Two nodes that dial each other at once keep what the one with the lower id dialled: both ends decide alike. A
   * second connection the same way means that the first is dead on the other side, so the newer one stays. An observer
   * with the keys of a voter runs beside it from a copy of its home, and yields.
   */
  #isRedundant(peer: ProvenPeer): boolean {
    const preferred = this.self < peer.id ? 'outbound' : 'inbound';
    if (peer.direction === preferred) return false;
    const existing = this.#sessions.get(peer.id);
    if (existing !== undefined && peer.votes && !existing.peer.votes) return false;
    if (existing !== undefined) return existing.peer.direction === preferred;
    return peer.direction === 'inbound' && this.#dialer.isIntroducing(peer);
  }

  /** The sessions that would have to end for this peer's: of the same node, or of the same authority. */
  #rivals({ id, provenKey }: ProvenPeer): readonly Session[] {
    return [...this.#sessions.values()].filter(
      ({ peer }) => peer.id === id || (provenKey !== undefined && peer.provenKey === provenKey),
    );
  }

  /** An observer in the seat of the authority that is dialled keeps nobody from it. */
  #isUp(id: PeerId, target?: PublicKey): boolean {
    const peer = this.#sessions.get(id)?.peer;
    return peer !== undefined && (target === undefined || peer.votes || peer.provenKey !== target);
  }

  #sessionOf(key: PublicKey): Session | undefined {
    for (const session of this.#sessions.values()) if (session.peer.provenKey === key) return session;
    return undefined;
  }

  /** One session per node, and one per authority key: an authority that opens more replaces its own. */
  #up(channel: Channel, peer: ProvenPeer): void {
    const seat = this.#seatOf(peer);
    if (typeof seat === 'object') this.#sessions.get(seat.leaves as PeerId)?.close('TOO_MANY_PEERS');
    for (const rival of this.#rivals(peer)) rival.close('DUPLICATE_SESSION');
    const session: Session = new Session(channel, peer, {
      heartbeatIntervalMs: this.#options.heartbeatIntervalMs,
      patienceMs: () => (this.#isBetweenVoters(peer) ? 0 : QUIET_SESSION_MS_MAX),
      onFrame: (frame) => this.#tell({ type: 'frame', peer: peer.id, frame }),
      onDown: (reason, by) => this.#down(session, reason, by),
    });
    this.#sessions.set(peer.id, session);
    if (peer.provenKey !== undefined) this.#dialer.connected(peer.provenKey, peer.votes);
    this.#tell({ type: 'up', peer: this.#describe(session) });
  }

  #down(session: Session, reason: DownReason, by: 'us' | 'them'): void {
    const { peer } = session;
    const info = this.#describe(session);
    this.#sessions.delete(peer.id);
    this.#leaving.add(session);
    void session.closed.then(() => this.#leaving.delete(session));
    this.#tell({ type: 'down', peer: info, reason, by });
    if (peer.provenKey !== undefined && this.#sessionOf(peer.provenKey) === undefined) {
      this.#dialer.disconnected(peer.provenKey, Date.now() - session.since);
    }
  }

  #describe(session: Session): PeerInfo {
    const { peer, since, latencyMs } = session;
    const { id, direction, address, listenAddress, version, head } = peer;
    return {
      ...this.#roleOf(peer),
      ...{ id, direction, address, version, head, since },
      ...(listenAddress === undefined ? {} : { listenAddress }),
      ...(latencyMs === undefined ? {} : { latencyMs }),
    };
  }

  #tell(event: TransportEvent): void {
    if (this.#stopping && event.type !== 'down') return;
    this.#emit?.(event);
  }
}
