/** Sessions between the nodes of a small world: encoded frames, in order, after a fixed delay; a test cuts and heals. */
import { defined } from '../../src/lib/assert.ts';
import { decode } from '../../src/model/codec.ts';
import type { PublicKey } from '../../src/model/ids.ts';
import { type Message, messageLayout } from '../../src/model/message.ts';
import {
  type ClaimedHead,
  type Lane,
  type PeerId,
  type PeerInfo,
  peerIdOf,
  type Refusal,
  type Transport,
  type TransportEvent,
} from '../../src/network/transport.ts';
import type { VirtualTime } from '../../src/simulator/full/time.ts';

const DELAY_MS = 1;
const HANDSHAKE_MS = 2;
const REDIAL_MS = 50;

/** A frame on its way. */
export interface Passing {
  readonly from: number;
  readonly to: number;
  readonly message: Message;
}

function peerOfSeat(seat: number): PeerId {
  return peerIdOf(new Uint8Array(32).fill(seat + 1));
}

export class SmallNetwork {
  readonly #time: VirtualTime;
  readonly #transports = new Map<number, SmallTransport>();
  readonly #cuts = new Set<string>();
  /** Sessions that are up, each with a number of its own. */
  readonly #sessions = new Map<string, number>();
  #sessionsMade = 0;
  /** What does not pass is lost. */
  passes: (frame: Passing) => boolean = () => true;
  /** Whatever leaves a node, before anything can lose it. */
  onSent: (frame: Passing) => void = () => undefined;
  readonly penalties: { readonly by: number; readonly seat: number; readonly reason: Refusal }[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  attach(transport: SmallTransport): void {
    this.#transports.set(transport.seat, transport);
    for (const other of this.#transports.keys()) if (other !== transport.seat) this.#dial(transport.seat, other);
  }

  detach(seat: number): void {
    for (const other of [...this.#transports.keys()]) this.end(seat, other, 'LOST');
    this.#transports.delete(seat);
  }

  /** Nothing passes between two seats any more, and both notice. */
  cut(a: number, b: number): void {
    this.#cuts.add(lineOf(a, b));
    this.end(a, b, 'SILENT');
  }

  isolate(seat: number): void {
    for (const other of [...this.#transports.keys()]) if (other !== seat) this.cut(seat, other);
  }

  heal(): void {
    this.#cuts.clear();
    for (const a of this.#transports.keys()) for (const b of this.#transports.keys()) if (a < b) this.#dial(a, b);
  }

  end(a: number, b: number, reason: 'LOST' | 'SILENT' | Refusal): void {
    if (!this.#sessions.delete(lineOf(a, b))) return;
    this.#transports.get(a)?.tell({ type: 'down', peer: this.describe(b), reason, by: 'us' });
    this.#transports.get(b)?.tell({ type: 'down', peer: this.describe(a), reason, by: 'them' });
    this.#time.after(REDIAL_MS, () => this.#dial(a, b));
  }

  isUp(a: number, b: number): boolean {
    return this.#sessions.has(lineOf(a, b));
  }

  seats(): readonly number[] {
    return [...this.#transports.keys()];
  }

  describe(seat: number): PeerInfo {
    const { publicKey, head } = defined(this.#transports.get(seat), `no transport of seat ${seat}`);
    return {
      id: peerOfSeat(seat),
      role: 'authority',
      authorityKey: publicKey,
      authorityIndex: seat,
      direction: 'outbound',
      address: `127.0.0.1:${7_000 + seat}`,
      version: '0.0.0',
      latencyMs: 2 * DELAY_MS,
      since: 0,
      head: head(),
    };
  }

  transmit(from: number, to: number, frame: Uint8Array): boolean {
    const session = this.#sessions.get(lineOf(from, to));
    const decoded = decode(messageLayout, frame);
    if (!decoded.ok) throw new Error(`seat ${from} sends what cannot be read: ${decoded.error.reason}`);
    const passing = { from, to, message: decoded.value };
    this.onSent(passing);
    if (session === undefined) return false;
    if (this.passes(passing)) this.deliver(from, to, frame.slice());
    return true;
  }

  /** Puts bytes onto a session, whoever made them. */
  deliver(from: number, to: number, frame: Uint8Array): void {
    const session = this.#sessions.get(lineOf(from, to));
    this.#time.after(DELAY_MS, () => {
      if (session === undefined || this.#sessions.get(lineOf(from, to)) !== session) return;
      this.#transports.get(to)?.tell({ type: 'frame', peer: peerOfSeat(from), frame });
    });
  }

  /** What a transport would tell of connections that do not come up. */
  tell(seat: number, event: Extract<TransportEvent, { type: 'refused' }>): void {
    this.#transports.get(seat)?.tell(event);
  }

  #dial(a: number, b: number): void {
    this.#time.after(HANDSHAKE_MS, () => {
      const [one, other] = [this.#transports.get(a), this.#transports.get(b)];
      if (one === undefined || other === undefined || this.#cuts.has(lineOf(a, b)) || this.isUp(a, b)) return;
      this.#sessionsMade += 1;
      this.#sessions.set(lineOf(a, b), this.#sessionsMade);
      one.tell({ type: 'up', peer: this.describe(b) });
      other.tell({ type: 'up', peer: this.describe(a) });
    });
  }
}

function lineOf(a: number, b: number): string {
  return `${Math.min(a, b)}-${Math.max(a, b)}`;
}

/** The transport of one node in a small world. */
export class SmallTransport implements Transport {
  readonly self: PeerId;
  readonly seat: number;
  readonly publicKey: PublicKey;
  readonly head: () => ClaimedHead;
  readonly #network: SmallNetwork;
  #emit: ((event: TransportEvent) => void) | undefined;

  constructor(
    network: SmallNetwork,
    me: { readonly seat: number; readonly publicKey: PublicKey; readonly head: () => ClaimedHead },
  ) {
    this.self = peerOfSeat(me.seat);
    this.seat = me.seat;
    this.publicKey = me.publicKey;
    this.head = me.head;
    this.#network = network;
  }

  start(onEvent: (event: TransportEvent) => void): Promise<void> {
    this.#emit = onEvent;
    this.#network.attach(this);
    return Promise.resolve();
  }

  send(peer: PeerId, frame: Uint8Array, _lane: Lane): boolean {
    const to = this.#network.seats().find((seat) => peerOfSeat(seat) === peer);
    return to !== undefined && this.#network.transmit(this.seat, to, frame);
  }

  /** Frames need no time to be sent. */
  backlog(): number {
    return 0;
  }

  peers(): readonly PeerInfo[] {
    return this.#network
      .seats()
      .filter((seat) => seat !== this.seat && this.#network.isUp(seat, this.seat))
      .map((seat) => this.#network.describe(seat));
  }

  disconnect(peer: PeerId, reason: Refusal): void {
    const other = this.#network.seats().find((seat) => peerOfSeat(seat) === peer);
    if (other === undefined) return;
    this.#network.penalties.push({ by: this.seat, seat: other, reason });
    this.#network.end(this.seat, other, reason);
  }

  setAuthorities(): void {}

  /** In a small world everybody is connected with everybody. */
  dial(): void {}

  close(): Promise<void> {
    this.#network.detach(this.seat);
    this.#emit = undefined;
    return Promise.resolve();
  }

  tell(event: TransportEvent): void {
    this.#emit?.(event);
  }
}
