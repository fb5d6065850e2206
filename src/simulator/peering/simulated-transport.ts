import { assert } from '../../lib/assert.ts';
import type { PublicKey } from '../../model/ids.ts';
import type { PeerRole } from '../../model/peer-message.ts';
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
} from '../../network/transport.ts';
import { groupOf } from '../../peering/address-group.ts';
import { type Seat, seatFor } from '../../peering/guests.ts';
import type { Internet } from './internet.ts';
import { type End, type Introduction, type Line, otherEnd } from './line.ts';

export interface HostOptions {
  readonly internet: Internet;
  readonly self: PeerId;
  readonly address: string;
  readonly introduction: Introduction;
  /** Of those that come, besides authorities. */
  readonly followersMax: number;
  /** Of those whose addresses lie in one group. */
  readonly followersPerGroupMax: number;
  readonly isBanned: (id: PeerId) => boolean;
  /** Everything that happens to a program happens in here. */
  readonly run: (deed: () => void) => void;
}

const REDIAL_MS = 300;
const VERSION = '0.0.0';

/** One running program's way to the others: what a mesh does, less its sockets. */
export class SimulatedTransport implements Transport, End {
  readonly self: PeerId;
  readonly address: string;
  readonly introduction: Introduction;
  isOn = false;
  readonly #options: HostOptions;
  readonly #lines = new Map<PeerId, { readonly line: Line; readonly info: PeerInfo }>();
  #authorities: ReadonlyMap<PublicKey, number> = new Map();
  #contacts: readonly string[] = [];
  #onEvent: (event: TransportEvent) => void = () => undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    this.self = options.self;
    this.address = options.address;
    this.introduction = options.introduction;
  }

  start(onEvent: (event: TransportEvent) => void): Promise<void> {
    this.#onEvent = onEvent;
    this.isOn = true;
    this.#options.internet.attach(this);
    this.#seekAuthorities();
    return Promise.resolve();
  }

  send(peer: PeerId, frame: Uint8Array, lane: Lane): boolean {
    const held = this.#lines.get(peer);
    return held !== undefined && this.#options.internet.carry(held.line, { from: this, frame: frame.slice(), lane });
  }

  backlog(peer?: PeerId): number {
    let bytes = 0;
    for (const [id, { line }] of this.#lines) {
      if (peer === undefined || peer === id) bytes += line.bytesUnderWay[line.ends[0] === this ? 0 : 1];
    }
    return bytes;
  }

  peers(): readonly PeerInfo[] {
    return [...this.#lines.keys()].sort().flatMap((id) => this.#lines.get(id)?.info ?? []);
  }

  disconnect(peer: PeerId, reason: Refusal): void {
    const held = this.#lines.get(peer);
    if (held === undefined) return;
    this.#options.internet.close(held.line, this, reason);
    this.#drop(peer, reason, 'us');
  }

  dial(address: string, purpose: DialPurpose): void {
    this.#options.internet.dial(this, address, purpose, (outcome) =>
      this.#options.run(() => this.#onEvent({ type: 'dialled', address, outcome })),
    );
  }

  setAuthorities(authorities: readonly AuthorityContact[]): void {
    this.#authorities = new Map(authorities.map(({ publicKey }, index) => [publicKey, index]));
    this.#contacts = authorities.flatMap(({ address }) => (address === undefined ? [] : [address]));
  }

  close(): Promise<void> {
    for (const id of [...this.#lines.keys()]) this.disconnect(id, 'STOPPING');
    this.vanish();
    return Promise.resolve();
  }

  /** The program is gone, as in a power failure. */
  vanish(): void {
    if (!this.isOn) return;
    this.#options.internet.detach(this);
    this.isOn = false;
    this.#lines.clear();
  }

  /** Authorities dial each other by name, again and again. */
  #seekAuthorities(): void {
    if (!this.isOn) return;
    const { internet } = this.#options;
    const connected = new Set([...this.#lines.values()].map(({ line }) => otherEnd(line, this).address));
    for (const address of this.#contacts) {
      if (connected.has(address) || address === this.address) continue;
      internet.dial(this, address, 'session', () => undefined);
    }
    if (this.#contacts.length > 0) internet.time.after(REDIAL_MS, () => this.#seekAuthorities());
  }

  lines(): readonly Line[] {
    return [...this.#lines.values()].map(({ line }) => line);
  }

  lineTo(id: PeerId): Line | undefined {
    return this.#lines.get(id)?.line;
  }

  #holds(line: Line): boolean {
    return this.lineTo(otherEnd(line, this).self) === line;
  }

  shuns(other: End): boolean {
    return this.#roleOf(other).role !== 'authority' && this.#options.isBanned(other.self);
  }

  isFullFor(other: End): boolean {
    return this.#seatOf(other) === 'none';
  }

  /** Authorities always find room. */
  #seatOf(other: End): Seat {
    if (this.#roleOf(other).role === 'authority' || this.#lines.has(other.self)) return 'free';
    const guests = [...this.#lines.values()].flatMap(({ info: { id, direction, role, address, since } }) =>
      direction === 'inbound' && role !== 'authority' ? [{ id, group: groupOf(address), since }] : [],
    );
    const { followersMax, followersPerGroupMax } = this.#options;
    return seatFor(groupOf(other.address), guests, { placesMax: followersMax, perGroupMax: followersPerGroupMax });
  }

  /** @param address what was dialled */
  rise(line: Line, address: string): void {
    const other = otherEnd(line, this);
    if (!this.isOn || !line.isOpen || this.lineTo(other.self) === line) return;
    if (this.#lines.has(other.self)) this.#options.run(() => this.#drop(other.self, 'DUPLICATE_SESSION', 'us'));
    const direction = line.ends[0] === this ? 'outbound' : 'inbound';
    const { internet, run } = this.#options;
    const seat = direction === 'inbound' ? this.#seatOf(other) : 'free';
    if (typeof seat === 'object') run(() => this.disconnect(seat.leaves as PeerId, 'TOO_MANY_PEERS'));
    const info: PeerInfo = {
      ...this.#roleOf(other),
      id: other.self,
      direction,
      address: direction === 'outbound' ? address : ephemeral(other.address),
      listenAddress: other.address,
      version: VERSION,
      since: internet.time.now,
      head: other.introduction.head(),
    };
    this.#lines.set(other.self, { line, info });
    run(() => this.#onEvent({ type: 'up', peer: info }));
  }

  fall(line: Line, reason: DownReason, by: 'us' | 'them'): void {
    if (!this.#holds(line)) return;
    line.isOpen = false;
    this.#options.run(() => this.#drop(otherEnd(line, this).self, reason, by));
  }

  take(from: PeerId, frame: Uint8Array): void {
    assert(this.isOn, 'frames reach programs that run');
    this.#options.run(() => this.#onEvent({ type: 'frame', peer: from, frame }));
  }

  #drop(id: PeerId, reason: DownReason, by: 'us' | 'them'): void {
    const held = this.#lines.get(id);
    if (held === undefined) return;
    this.#lines.delete(id);
    this.#onEvent({ type: 'down', peer: held.info, reason, by });
  }

  #roleOf(other: End): { role: PeerRole; authorityKey?: PublicKey; authorityIndex?: number } {
    const { authorityKey, isBootstrap } = other.introduction;
    const index = authorityKey === undefined ? undefined : this.#authorities.get(authorityKey);
    if (authorityKey === undefined || index === undefined) return { role: isBootstrap ? 'bootstrap' : 'follower' };
    return { role: 'authority', authorityKey, authorityIndex: index };
  }
}

/** Whoever dials comes from a port of its own. */
function ephemeral(address: string): string {
  return `${address.slice(0, address.lastIndexOf(':'))}:50000`;
}
