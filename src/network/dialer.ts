import { connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { formatAddress, type HostAndPort, parseAddress } from '../lib/address.ts';
import type { Result } from '../lib/result.ts';
import type { PublicKey } from '../model/ids.ts';
import { DIAL_BACKOFF_MS_MAX, DIAL_BACKOFF_MS_MIN } from '../model/limits.ts';
import { type Channel, WEBSOCKET_LIMITS } from './channel.ts';
import { Handshake, type HandshakeFailure, type ProvenPeer, type Self } from './handshake.ts';
import type { AuthorityContact, PeerId, Refusal } from './transport.ts';

export interface DialerOptions {
  readonly self: Self;
  readonly timeoutMs: number;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Whether a session with this node makes a dial to an authority needless. */
  readonly isUp: (id: PeerId, target: PublicKey) => boolean;
  readonly admit: (peer: ProvenPeer) => Refusal | undefined;
  readonly onProven: (channel: Channel, peer: ProvenPeer) => void;
  readonly onFailed: (address: string, failure: HandshakeFailure) => void;
}

interface Target {
  readonly contact: AuthorityContact;
  readonly at: HostAndPort;
  /** Dials in a row that led to nothing that lasted. */
  failures: number;
  /** A session with this authority is up, whoever dialled. */
  connected: boolean;
  timer?: NodeJS.Timeout;
  attempt?: Attempt;
}

interface Attempt {
  readonly ws: WebSocket;
  /** Our hello is on its way. */
  introduced: boolean;
  abandoned: boolean;
}

/** Keeps trying to reach every authority that has an address and no session. */
export class Dialer {
  readonly #options: DialerOptions;
  readonly #targets = new Map<PublicKey, Target>();
  #running = false;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    for (const target of this.#targets.values()) this.#dial(target);
  }

  stop(): void {
    this.#running = false;
    for (const target of this.#targets.values()) this.#halt(target);
  }

  /** Replaces the list; what stays the same keeps its connection and its patience. */
  setTargets(contacts: readonly AuthorityContact[], isConnected: (key: PublicKey) => boolean): void {
    const wanted = new Map(contacts.map((contact) => [contact.publicKey, contact]));
    for (const [key, target] of this.#targets) {
      const contact = wanted.get(key);
      if (contact !== undefined && sameContact(contact, target.contact)) continue;
      this.#halt(target);
      this.#targets.delete(key);
    }
    for (const contact of wanted.values()) {
      if (!this.#targets.has(contact.publicKey)) this.#addTarget(contact, isConnected(contact.publicKey));
    }
  }

  #addTarget(contact: AuthorityContact, connected: boolean): void {
    const { publicKey, address } = contact;
    if (address === undefined || publicKey === this.#options.self.authority?.publicKey) return;
    const at = parseAddress(address);
    if (at === undefined) {
      this.#options.onFailed(address, { reason: 'UNREACHABLE', by: 'us' });
      return;
    }
    const target: Target = { contact, at, failures: 0, connected };
    this.#targets.set(publicKey, target);
    this.#dial(target);
  }

  /** Whether our hello to this authority is on its way: then the answer decides, not a connection from there. */
  isIntroducing(key: PublicKey): boolean {
    return this.#targets.get(key)?.attempt?.introduced === true;
  }

  /** A session with this authority is up. One that does not vote ends no dial: a voter may be about to answer. */
  connected(key: PublicKey, votes: boolean): void {
    const target = this.#targets.get(key);
    if (target === undefined) return;
    if (votes) this.#halt(target);
    else clearTimeout(target.timer);
    target.connected = true;
  }

  /** The session with this authority is over. One that lasted proves the address good: the next dial comes soon. */
  disconnected(key: PublicKey, lastedMs: number): void {
    const target = this.#targets.get(key);
    if (target === undefined) return;
    target.connected = false;
    if (lastedMs >= DIAL_BACKOFF_MS_MAX) target.failures = 0;
    this.#retry(target);
  }

  #halt(target: Target): void {
    clearTimeout(target.timer);
    const { attempt } = target;
    delete target.attempt;
    if (attempt === undefined) return;
    attempt.abandoned = true;
    attempt.ws.terminate();
  }

  #retry(target: Target): void {
    if (!this.#running || target.connected) return;
    const ceiling = Math.min(DIAL_BACKOFF_MS_MAX, DIAL_BACKOFF_MS_MIN * 2 ** target.failures);
    target.failures = Math.min(target.failures + 1, 30);
    clearTimeout(target.timer);
    target.timer = setTimeout(() => this.#dial(target), ceiling * (0.5 + this.#options.random() / 2));
  }

  #dial(target: Target): void {
    if (!this.#running || target.connected || target.attempt !== undefined) return;
    const { self, timeoutMs } = this.#options;
    const address = formatAddress(target.at.host, target.at.port);
    let socket: TLSSocket | undefined;
    const ws = new WebSocket(`wss://${address}/`, {
      ...WEBSOCKET_LIMITS,
      followRedirects: false,
      createConnection: () => {
        socket = connect({ ...self.identity.tls, ...target.at, rejectUnauthorized: false });
        return socket;
      },
    });
    const attempt: Attempt = { ws, introduced: false, abandoned: false };
    target.attempt = attempt;
    const timer = setTimeout(() => ws.terminate(), timeoutMs);
    ws.on('error', ignore);
    const onUnreachable = (): void => {
      clearTimeout(timer);
      this.#fail(target, attempt, { reason: 'UNREACHABLE', by: 'them' });
    };
    ws.once('close', onUnreachable);
    ws.once('open', () => {
      clearTimeout(timer);
      ws.off('close', onUnreachable);
      if (socket === undefined || attempt.abandoned) ws.terminate();
      else this.#introduce(target, attempt, { ws, socket, direction: 'outbound', address });
    });
  }

  #introduce(target: Target, attempt: Attempt, channel: Channel): void {
    attempt.introduced = true;
    const { self, timeoutMs } = this.#options;
    new Handshake(channel, self, {
      timeoutMs,
      greet: (id) => this.#greet(target, id),
      admit: (peer) => this.#admit(target, attempt, peer),
      done: (outcome) => this.#finish(target, attempt, channel, outcome),
    });
  }

  /** A wrong address that leads to a node which is connected already must not replace the good session. */
  #greet({ contact }: Target, id: PeerId): Refusal | undefined {
    if (contact.id !== undefined && contact.id !== id) return 'NOT_AN_AUTHORITY';
    return this.#options.isUp(id, contact.publicKey) ? 'DUPLICATE_SESSION' : undefined;
  }

  /** Whoever answers must be the one whose address it is. */
  #admit(target: Target, attempt: Attempt, peer: ProvenPeer): Refusal | undefined {
    if (attempt.abandoned) return 'DUPLICATE_SESSION';
    if (peer.provenKey !== target.contact.publicKey) return 'NOT_AN_AUTHORITY';
    return this.#options.admit(peer);
  }

  #finish(target: Target, attempt: Attempt, channel: Channel, outcome: Result<ProvenPeer, HandshakeFailure>): void {
    if (!outcome.ok) {
      this.#fail(target, attempt, outcome.error);
      return;
    }
    delete target.attempt;
    this.#options.onProven(channel, outcome.value);
  }

  #fail(target: Target, attempt: Attempt, failure: HandshakeFailure): void {
    if (attempt.abandoned) return;
    delete target.attempt;
    this.#options.onFailed(formatAddress(target.at.host, target.at.port), failure);
    if (failure.reason === 'SELF') return;
    this.#retry(target);
  }
}

function sameContact(a: AuthorityContact, b: AuthorityContact): boolean {
  return a.address === b.address && a.id === b.id;
}

/** What failed is told by the `close` that follows. */
function ignore(): void {}
