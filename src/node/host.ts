import type { Effect } from '../consensus/effect.ts';
import type { Event, LocalEvent, Timer } from '../consensus/event.ts';
import { step } from '../consensus/pbft.ts';
import { type JournalRecord, journalRecordLayout } from '../consensus/record.ts';
import type { Replica } from '../consensus/replica.ts';
import { wants } from '../consensus/wants.ts';
import { assert, unreachable } from '../lib/assert.ts';
import type { Block, Body } from '../model/block.ts';
import type { Certificate, Jurisdiction } from '../model/certificate.ts';
import { decode, encode } from '../model/codec.ts';
import type { Evidence } from '../model/evidence.ts';
import type { Hash, Height, View } from '../model/ids.ts';
import { type Message, type MessageKind, messageLayout } from '../model/message.ts';
import { verifyMessage } from '../model/verified.ts';
import type { Chain, ChainEntry } from '../store/chain.ts';
import type { Journal } from '../store/journal.ts';
import { Announcer } from './announcer.ts';
import { checkBody } from './body-check.ts';
import type { Executor } from './executor.ts';
import { importBlocks } from './import-blocks.ts';
import type { Mempool } from './mempool.ts';
import type { Clock, Links, Signer, Timers, Urgency } from './ports.ts';
import { PrimaryJudge } from './primary-judge.ts';
import { Serving } from './serving.ts';
import { signPledge } from './signing.ts';

/** What the host tells whoever runs it; every call is made outside a step. */
interface HostListener {
  /** Final and visible in this order, one call a block; not yet durable. `waited`: for how long its oldest transaction was known here. */
  readonly final: (entry: ChainEntry, waitedMs: number | null) => void;
  /** A crash no longer loses the chain up to this height. */
  readonly durable: (height: Height) => void;
  readonly evidence: (evidence: Evidence) => void;
  readonly halted: (reason: Extract<Effect, { type: 'halt' }>['reason'], certificates: readonly Certificate[]) => void;
  /** The replica has come to another view. */
  readonly entered: (view: View) => void;
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
  readonly #announcer: Announcer;
  readonly #serving: Serving;
  readonly #primaryJudge: PrimaryJudge;
  readonly #queue: Event[] = [];
  readonly #timers = new Map<Timer, () => void>();
  /** Bodies whose signatures are being checked: what ends that. */
  readonly #checking = new Map<Hash, () => void>();
  #cancelImport: () => void = () => undefined;
  #draining = false;
  #stopped = false;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#announcer = new Announcer({
      ...parts,
      tell: (pending) => this.report({ type: 'pending', pending }),
    });
    this.#serving = new Serving({ ...parts, send: (seat, served) => this.#sendFrame(seat, served) });
    this.#primaryJudge = new PrimaryJudge(parts);
  }

  start(): void {
    this.report({ type: 'start' });
  }

  /** No effect is carried out any more. */
  stop(): void {
    this.#stopped = true;
    this.#announcer.stop();
    this.#serving.stop();
    this.#cancelImport();
    for (const cancel of [...this.#timers.values(), ...this.#checking.values()]) cancel();
    this.#timers.clear();
    this.#checking.clear();
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

  /** The mempool has grown. */
  transactionsArrived(): void {
    this.#announcer.changed();
  }

  broadcast(message: Message): void {
    const { links, seat } = this.#parts;
    const frame = encode(messageLayout, message);
    const seats = links.connected().filter((other) => other !== seat);
    for (const other of seats) links.send(other, frame, URGENCIES[message.kind] ?? 'consensus');
    this.#parts.listener.sent(message.kind, frame.length, seats.length);
  }

  send(to: number, message: Message): void {
    this.#sendFrame(to, { kind: message.kind, frame: encode(messageLayout, message) });
  }

  #sendFrame(to: number, { kind, frame }: { readonly kind: MessageKind; readonly frame: Uint8Array }): void {
    this.#parts.links.send(to, frame, URGENCIES[kind] ?? 'consensus');
    this.#parts.listener.sent(kind, frame.length, 1);
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
    if (message.kind === 'pre-prepare') this.#primaryJudge.proposed(message.vote.digest);
    this.#enqueue({ type: 'message', from: seat, message: verified.value, now: clock.now() });
  }

  #enqueue(event: Event): void {
    if (this.#stopped) return;
    this.#queue.push(event);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined && !this.#stopped; next = this.#queue.shift()) {
        this.#take(next);
      }
    } catch (error) {
      // A broken invariant ends the process: until it has ended, this replica must sign nothing more.
      this.stop();
      throw error;
    } finally {
      this.#draining = false;
    }
  }

  #take(event: Event): void {
    const { replica, listener } = this.#parts;
    const { view } = replica;
    for (const effect of step(replica, event)) {
      if (this.#stopped) return;
      this.#carryOut(effect);
    }
    if (replica.view !== view) listener.entered(replica.view);
  }

  #carryOut(effect: Effect): void {
    const { listener, journal } = this.#parts;
    switch (effect.type) {
      case 'pledge':
        this.#pledge(effect);
        break;
      case 'record':
        this.#write(effect.records, () => this.report({ type: 'persisted', token: effect.token }));
        break;
      case 'send':
        this.#answer(effect.to, effect.message);
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
        this.#validate(effect.digest, effect.block);
        break;
      case 'drop':
        this.#drop(effect.digests);
        break;
      case 'build':
        this.#build(effect);
        break;
      case 'commit':
        this.#commit(effect.blocks, effect.certificate);
        break;
      case 'import':
        this.#import(effect);
        break;
      case 'serve':
        this.#serving.request(effect.to, effect.request);
        break;
      case 'evidence':
        listener.evidence(effect.evidence);
        break;
      case 'truncate':
        assert(journal !== null, 'only a voter has a journal to cut');
        journal.truncate(encode(journalRecordLayout, effect.snapshot), () => undefined);
        break;
      case 'halt':
        listener.halted(effect.reason, effect.certificates);
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
        if (!this.#stopped) durable();
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

  #validate(digest: Hash, block: Block): void {
    this.#endCheck(digest);
    let isAnswered = false;
    const end = checkBody(this.#parts, block.body, (areValid) => {
      isAnswered = true;
      this.#checking.delete(digest);
      const verdict = areValid ? this.#parts.executor.validate(digest, block) : 'invalid';
      this.report({ type: 'validated', digest, verdict });
    });
    if (!isAnswered) this.#checking.set(digest, end);
  }

  #endCheck(digest: Hash): void {
    this.#checking.get(digest)?.();
    this.#checking.delete(digest);
  }

  #drop(digests: readonly Hash[]): void {
    for (const digest of digests) this.#endCheck(digest);
    this.#parts.executor.drop(digests);
    this.transactionsArrived();
  }

  /** A block from memory counts as one from the store: whoever asks for it again and again gets no more. */
  #answer(to: number, message: Message): void {
    if (message.kind !== 'body') {
      this.send(to, message);
      return;
    }
    if (!this.#serving.allows(to)) return;
    const frame = encode(messageLayout, message);
    this.#serving.charge(to, { frame, blocks: 1 });
    this.#sendFrame(to, { kind: 'body', frame });
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

  /** Blocks that are stored already are skipped: nothing is committed twice. */
  #commit(all: readonly Block[], certificate: Certificate): void {
    const { executor, journal, listener, mempool, chain, clock } = this.#parts;
    const blocks = all.filter(({ header }) => header.height > chain.head.height);
    const last = blocks.at(-1);
    if (last === undefined) return;
    const { height, timestamp } = last.header;
    const nowMs = clock.monotonicMs();
    const arrivals = blocks.map(({ body }) => arrivalsOf(body, mempool));
    const entries = executor.commit(blocks, certificate, journal?.position(), {
      visible: () => {
        for (const [index, entry] of entries.entries()) listener.final(entry, waitedMs(arrivals[index] ?? [], nowMs));
      },
      durable: () => {
        listener.stored('chain_commit', clock.monotonicMs() - nowMs);
        listener.durable(height);
        this.report({ type: 'stored', height });
      },
      failed: (error) => listener.fatal(error),
    });
    for (const { body } of blocks) for (const { id } of body) mempool.remove(id);
    mempool.expire(timestamp);
    const starved = this.#primaryJudge.starvedBy(last, arrivals.at(-1) ?? []);
    if (starved !== undefined) this.report({ type: 'starved', view: starved });
    if (mempool.size > 0) this.transactionsArrived();
  }

  #import({ from, blocks, certificate }: Extract<Effect, { type: 'import' }>): void {
    const { links } = this.#parts;
    this.#cancelImport = importBlocks(this.#parts, blocks, (outcome) => {
      if (outcome === 'executed') {
        const last = blocks.at(-1);
        assert(last !== undefined, 'an import has blocks');
        this.#commit(blocks, certificate);
        this.report({ type: 'imported', header: last.header, certificate });
        return;
      }
      if (outcome === 'invalid') links.penalize(from, 'a body that is not that of its header');
      this.report({ type: 'import-failed', from, reason: outcome });
    });
  }
}

/** When the transactions of a block that waited here had come. */
function arrivalsOf(body: Body, mempool: Mempool): readonly number[] {
  return body.flatMap(({ id }) => mempool.arrivedMs(id) ?? []);
}

/** How long the first of them had waited, in milliseconds. */
function waitedMs(arrivalsMs: readonly number[], nowMs: number): number | null {
  return arrivalsMs.length === 0 ? null : nowMs - arrivalsMs.reduce((a, b) => Math.min(a, b));
}
