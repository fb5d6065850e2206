import { formatAddress, type HostAndPort, parseAddress } from '../lib/address.ts';
import type { Result } from '../lib/result.ts';
import type { PublicKey } from '../model/ids.ts';
import { DIAL_BACKOFF_MS_MAX, DIAL_BACKOFF_MS_MIN } from '../model/limits.ts';
import { Attempt } from './attempt.ts';
import type { Channel } from './channel.ts';
import type { HandshakeFailure, ProvenPeer, Self } from './handshake.ts';
import type { AuthorityContact, DialOutcome, DialPurpose, PeerId, Refusal } from './transport.ts';

export interface DialerOptions {
  readonly self: Self;
  readonly timeoutMs: number;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Whether a session with this node makes a dial to an authority needless. */
  readonly isUp: (id: PeerId, target?: PublicKey) => boolean;
  readonly admit: (peer: ProvenPeer) => Refusal | undefined;
  readonly onProven: (channel: Channel, peer: ProvenPeer) => void;
  readonly onFailed: (address: string, failure: HandshakeFailure) => void;
  /** Answers `dial`, after `onProven` when a session came of it. */
  readonly onDialled: (address: string, outcome: DialOutcome) => void;
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

/** Keeps trying to reach every authority that has an address and no session, and dials others once when told to. */
export class Dialer {
  readonly #options: DialerOptions;
  readonly #targets = new Map<PublicKey, Target>();
  /** Dials of no configured authority. */
  readonly #calls = new Set<Attempt>();
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
    for (const call of this.#calls) call.abandon();
    this.#calls.clear();
  }

  /** Dials whoever lives at an address, once; `onDialled` is called later, unless the dialer stops before. */
  dial(address: string, purpose: DialPurpose): void {
    const { self, timeoutMs, isUp, admit, onProven, onDialled } = this.#options;
    const at = parseAddress(address);
    if (!this.#running || at === undefined) {
      setImmediate(() => onDialled(address, { reached: false, reason: 'UNREACHABLE', by: 'us' }));
      return;
    }
    const call: Attempt = new Attempt(at, {
      self,
      timeoutMs,
      greet: (id) => (purpose === 'probe' ? 'PROBED' : isUp(id) ? 'DUPLICATE_SESSION' : undefined),
      admit,
      done: (outcome) => {
        this.#calls.delete(call);
        if (outcome.ok) onProven(outcome.value.channel, outcome.value.peer);
        onDialled(address, outcomeOf(call, outcome));
      },
    });
    this.#calls.add(call);
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

  /** Whether our hello to this node is on its way: then the answer decides, not a connection from there. */
  isIntroducing({ id, provenKey }: ProvenPeer): boolean {
    const target = provenKey === undefined ? undefined : this.#targets.get(provenKey);
    return target?.attempt?.id !== undefined || [...this.#calls].some((call) => call.id === id);
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
    attempt?.abandon();
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
    target.attempt = new Attempt(target.at, {
      self,
      timeoutMs,
      greet: (id) => this.#greet(target, id),
      admit: (peer) => this.#admit(target, peer),
      done: (outcome) => {
        delete target.attempt;
        if (outcome.ok) this.#options.onProven(outcome.value.channel, outcome.value.peer);
        else this.#fail(target, outcome.error);
      },
    });
  }

  /** A wrong address that leads to a node which is connected already must not replace the good session. */
  #greet({ contact }: Target, id: PeerId): Refusal | undefined {
    if (contact.id !== undefined && contact.id !== id) return 'NOT_AN_AUTHORITY';
    return this.#options.isUp(id, contact.publicKey) ? 'DUPLICATE_SESSION' : undefined;
  }

  /** Whoever answers must be the one whose address it is. */
  #admit(target: Target, peer: ProvenPeer): Refusal | undefined {
    if (peer.provenKey !== target.contact.publicKey) return 'NOT_AN_AUTHORITY';
    return this.#options.admit(peer);
  }

  #fail(target: Target, failure: HandshakeFailure): void {
    this.#options.onFailed(formatAddress(target.at.host, target.at.port), failure);
    if (failure.reason === 'SELF') return;
    this.#retry(target);
  }
}

/** Who is connected already, or says that we are, lives where the dial ended. */
function outcomeOf({ id }: Attempt, outcome: Result<unknown, HandshakeFailure>): DialOutcome {
  if (outcome.ok && id !== undefined) return { reached: true, id };
  const failure: HandshakeFailure = outcome.ok ? { reason: 'LOST', by: 'us' } : outcome.error;
  const isThere = failure.reason === 'PROBED' || failure.reason === 'DUPLICATE_SESSION';
  return isThere && id !== undefined ? { reached: true, id } : { reached: false, ...failure };
}

function sameContact(a: AuthorityContact, b: AuthorityContact): boolean {
  return a.address === b.address && a.id === b.id;
}
