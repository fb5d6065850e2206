import type { Effect } from '../consensus/effect.ts';
import type { Event, LocalEvent, Timer } from '../consensus/event.ts';
import { step } from '../consensus/pbft.ts';
import { type JournalRecord, journalRecordLayout } from '../consensus/record.ts';
import type { Replica } from '../consensus/replica.ts';
import { wants } from '../consensus/wants.ts';
import { assert, unreachable } from '../lib/assert.ts';
import { type Body, blockHash } from '../model/block.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { decode, encode } from '../model/codec.ts';
import type { Evidence } from '../model/evidence.ts';
import type { Hash, Height } from '../model/ids.ts';
import { type Message, type MessageKind, messageLayout } from '../model/message.ts';
import { verifyMessage, verifyTransaction } from '../model/verified.ts';
import type { Chain, ChainEntry } from '../store/chain.ts';
import type { Journal } from '../store/journal.ts';
import type { Executor } from './executor.ts';
import type { Mempool } from './mempool.ts';
import type { Clock, Links, Signer, Timers, Urgency } from './ports.ts';
import { serve } from './serving.ts';
import { signPledge } from './signing.ts';

/** What the host tells whoever runs it; every call is made outside a step. */
export interface HostListener {
  /** Final and visible in this order, one call a block; not yet durable. `waited`: for how long its oldest transaction was known here. */
  readonly final: (entry: ChainEntry, waitedMs: number | null) => void;
  /** A crash no longer loses the chain up to this height. */
  readonly durable: (height: Height) => void;
  readonly evidence: (evidence: Evidence) => void;
  readonly halted: (reason: Extract<Effect, { type: 'halt' }>['reason']) => void;
  /** The environment failed (disk full, journal lost): nothing may be signed any more and the process must end. */
  readonly fatal: (error: Error) => void;
  readonly sent: (kind: MessageKind, bytes: number, copies: number) => void;
  readonly received: (kind: MessageKind, bytes: number) => void;
  /** How long it took until it was durable, in milliseconds. */
  readonly stored: (operation: 'journal_append' | 'chain_commit', ms: number) => void;
  /** A frame was refused before it reached the core. */
  readonly rejected: (seat: number, code: string) => void;
}

export interface HostParts {
  readonly replica: Replica;
  /** Seat of this authority; -1 for one that only follows. */
  readonly seat: number;
  readonly signer: Signer | null;
  readonly journal: Journal | null;
  readonly jurisdiction: Jurisdiction;
  readonly executor: Executor;
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly links: Links;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly listener: HostListener;
}

const URGENCIES: Partial<Record<MessageKind, Urgency>> = {
  transactions: 'transactions',
  blocks: 'sync',
  body: 'sync',
};

/** The one loop: events in, one step each, effects carried out in order. */
export class Host {
  readonly #parts: HostParts;
  readonly #queue: Event[] = [];
  readonly #timers = new Map<Timer, () => void>();
  #draining = false;
  #stopped = false;
  #pendingAnnounced = false;

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  start(): void {
    this.report({ type: 'start' });
  }

  /** No effect is carried out any more. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  get replica(): Replica {
    return this.#parts.replica;
  }

  report(event: LocalEvent): void {
    this.#enqueue({ ...event, now: this.#parts.clock.now() });
  }

  /** What another authority sent. */
  frame(seat: number, frame: Uint8Array): Message | undefined {
    const { listener, links, journal } = this.#parts;
    // A disk that cannot keep up: what is dropped here will be sent again.
    if (this.#stopped || journal?.full() === true) return undefined;
    const decoded = decode(messageLayout, frame);
    if (!decoded.ok) {
      listener.rejected(seat, decoded.error.code);
      links.penalize(seat, decoded.error.reason);
      return undefined;
    }
    const message = decoded.value;
    listener.received(message.kind, frame.length);
    if (message.kind === 'transactions') return message;
    this.#receive(seat, message);
    return undefined;
  }

  /** The mempool has grown: told once, however many transactions arrive in the same turn. */
  transactionsArrived(): void {
    if (this.#pendingAnnounced) return;
    this.#pendingAnnounced = true;
    this.#parts.timers.soon(() => {
      this.#pendingAnnounced = false;
      const { size, bytes } = this.#parts.mempool;
      if (size > 0) this.report({ type: 'pending', pending: { count: size, bytes } });
    });
  }

  broadcast(message: Message): void {
    const { links, seat } = this.#parts;
    const frame = encode(messageLayout, message);
    const seats = links.connected().filter((other) => other !== seat);
    for (const other of seats) links.send(other, frame, URGENCIES[message.kind] ?? 'consensus');
    this.#parts.listener.sent(message.kind, frame.length, seats.length);
  }

  send(to: number, message: Message): void {
    const frame = encode(messageLayout, message);
    this.#parts.links.send(to, frame, URGENCIES[message.kind] ?? 'consensus');
    this.#parts.listener.sent(message.kind, frame.length, 1);
  }

  #receive(seat: number, message: Message): void {
    const { replica, jurisdiction, listener, links, clock } = this.#parts;
    if (!wants(replica, seat, message)) return;
    const verified = verifyMessage(message, jurisdiction);
    if (!verified.ok) {
      listener.rejected(seat, verified.error.code);
      links.penalize(seat, verified.error.reason);
      return;
    }
    this.#enqueue({ type: 'message', from: seat, message: verified.value, now: clock.now() });
  }

  #enqueue(event: Event): void {
    if (this.#stopped) return;
    this.#queue.push(event);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined && !this.#stopped; next = this.#queue.shift()) {
        for (const effect of step(this.#parts.replica, next)) this.#carryOut(effect);
      }
    } finally {
      this.#draining = false;
    }
  }

  #carryOut(effect: Effect): void {
    const { executor, listener, journal, chain } = this.#parts;
    switch (effect.type) {
      case 'pledge':
        this.#pledge(effect);
        break;
      case 'record':
        this.#write(effect.records, () => this.report({ type: 'persisted', token: effect.token }));
        break;
      case 'send':
        this.send(effect.to, effect.message);
        break;
      case 'broadcast':
        this.broadcast(effect.message);
        break;
      case 'set-timer':
        this.#setTimer(effect.timer, effect.delayMs);
        break;
      case 'cancel-timer':
        this.#cancelTimer(effect.timer);
        break;
      case 'validate':
        this.#validate(effect);
        break;
      case 'drop':
        executor.drop(effect.digests);
        this.transactionsArrived();
        break;
      case 'build':
        this.#build(effect);
        break;
      case 'commit':
        this.#commit(effect);
        break;
      case 'import':
        this.#import(effect);
        break;
      case 'serve':
        for (const answer of serve(chain, effect.request)) this.send(effect.to, answer);
        break;
      case 'evidence':
        listener.evidence(effect.evidence);
        break;
      case 'truncate':
        assert(journal !== null, 'only a voter has a journal to cut');
        journal.truncate(encode(journalRecordLayout, effect.snapshot), () => undefined);
        break;
      case 'halt':
        listener.halted(effect.reason);
        break;
      default:
        unreachable(effect);
    }
  }

  #setTimer(timer: Timer, delayMs: number): void {
    this.#cancelTimer(timer);
    const cancel = this.#parts.timers.after(delayMs, () => {
      this.#timers.delete(timer);
      this.report({ type: 'timer', timer });
    });
    this.#timers.set(timer, cancel);
  }

  #cancelTimer(timer: Timer): void {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
  }

  #write(records: readonly JournalRecord[], durable: () => void): void {
    const { journal, clock, listener } = this.#parts;
    assert(journal !== null, 'only a voter writes a journal');
    const start = clock.monotonicMs();
    journal.append(
      records.map((record) => encode(journalRecordLayout, record)),
      () => {
        listener.stored('journal_append', clock.monotonicMs() - start);
        durable();
      },
    );
  }

  /** Sign, make durable, and only then say it, to the others and to itself. */
  #pledge(effect: Extract<Effect, { type: 'pledge' }>): void {
    const { pledge, support, token } = effect;
    if (pledge.kind === 'proposal' && pledge.body !== null) this.#parts.executor.adopt(pledge.header, pledge.body);
    const { signer, seat, jurisdiction } = this.#parts;
    assert(signer !== null && seat >= 0, 'only an authority signs');
    const { message, record } = signPledge(pledge, { signer, seat, chainId: jurisdiction.chainId });
    this.#write([...support, record], () => {
      this.broadcast(message);
      const own = verifyMessage(message, jurisdiction);
      assert(own.ok, 'what this authority signs verifies');
      this.#enqueue({ type: 'message', from: seat, message: own.value, now: this.#parts.clock.now() });
      this.report({ type: 'persisted', token });
    });
  }

  #validate({ digest, block }: Extract<Effect, { type: 'validate' }>): void {
    const { executor } = this.#parts;
    const verdict = this.#areSignaturesValid(block.body) ? executor.validate(digest, block) : 'invalid';
    this.report({ type: 'validated', digest, verdict });
  }

  /** A transaction that was verified when it came in is not verified again, if its signature is the same to the byte. */
  #areSignaturesValid(body: Body): boolean {
    const { mempool, jurisdiction } = this.#parts;
    return body.every(
      (transaction) =>
        mempool.get(transaction.id)?.signature === transaction.signature ||
        verifyTransaction(transaction, jurisdiction.check).ok,
    );
  }

  #build({ view, parent, empty }: Extract<Effect, { type: 'build' }>): void {
    const { executor, mempool, clock } = this.#parts;
    const built = executor.build(parent, this.#candidates(parent), clock.now(), empty);
    for (const { transaction, fault } of built?.skipped ?? []) {
      // Too early is no fault of the transaction: its time may still come.
      if (fault !== 'TOO_FAR_AHEAD') mempool.remove(transaction.id);
    }
    this.report({ type: 'built', view, parent, proposal: built?.proposal ?? null });
  }

  *#candidates(parent: Hash) {
    const inFlight = this.#parts.executor.idsInFlight(parent);
    for (const transaction of this.#parts.mempool.waiting()) {
      if (!inFlight.has(transaction.id)) yield transaction;
    }
  }

  /** Blocks that catching up has stored in the meantime are skipped: nothing is committed twice. */
  #commit({ blocks: all, certificate }: Pick<Extract<Effect, { type: 'commit' }>, 'blocks' | 'certificate'>): void {
    const { executor, journal, listener, mempool, chain, clock } = this.#parts;
    const blocks = all.filter(({ header }) => header.height > chain.head.height);
    const last = blocks.at(-1);
    if (last === undefined) return;
    const { height, timestamp } = last.header;
    const start = clock.monotonicMs();
    const waited = blocks.map(({ body }) => waitedMs(body, mempool, clock.now()));
    const entries = executor.commit(blocks, certificate, journal?.position(), {
      visible: () => {
        for (const [index, entry] of entries.entries()) listener.final(entry, waited[index] ?? null);
      },
      durable: () => {
        listener.stored('chain_commit', clock.monotonicMs() - start);
        listener.durable(height);
        this.report({ type: 'stored', height });
      },
      failed: (error) => listener.fatal(error),
    });
    for (const { body } of blocks) for (const { id } of body) mempool.remove(id);
    mempool.expire(timestamp);
    if (mempool.size > 0) this.transactionsArrived();
  }

  /** Certified blocks, one by one, so that what else is waiting gets its turn between them. */
  #import({ from, blocks, certificate }: Extract<Effect, { type: 'import' }>): void {
    const { executor, timers, chain } = this.#parts;
    const next = (index: number): void => {
      if (this.#stopped) return;
      const block = blocks[index];
      if (block === undefined) {
        const last = blocks.at(-1);
        assert(last !== undefined, 'an import has blocks');
        this.report({ type: 'imported', header: last.header, certificate });
        return;
      }
      const { header, body } = block;
      if (header.height > chain.head.height) {
        const digest = blockHash(header);
        const verdict = this.#areSignaturesValid(body) ? executor.validate(digest, block) : 'invalid';
        if (verdict !== 'valid') {
          const reason = verdict === 'invalid' ? 'diverged' : 'aborted';
          this.report({ type: 'import-failed', from, reason });
          return;
        }
        this.#commit({ blocks: [block], certificate });
      }
      timers.soon(() => next(index + 1));
    };
    next(0);
  }
}

/** How long the first transaction of a block that this node had waiting has waited, in milliseconds. */
function waitedMs(body: Body, mempool: Mempool, now: number): number | null {
  const arrivals = body.flatMap(({ id }) => mempool.arrivedAt(id) ?? []);
  return arrivals.length === 0 ? null : now - Math.min(...arrivals);
}
