import type { Effect } from '../consensus/effect.ts';
import type { LocalEvent } from '../consensus/event.ts';
import { type JournalRecord, journalRecordLayout } from '../consensus/record.ts';
import { assert, unreachable } from '../lib/assert.ts';
import { encode } from '../model/codec.ts';
import { type Message, messageLayout } from '../model/message.ts';
import { type Verified, verifyMessage } from '../model/verified.ts';
import type { Announcer } from './announcer.ts';
import { BlockWork } from './block-work.ts';
import { CoreTimers } from './core-timers.ts';
import type { HostParts } from './host-parts.ts';
import type { Outbox } from './outbox.ts';
import type { PrimaryJudge } from './primary-judge.ts';
import { Serving } from './serving.ts';
import { signPledge } from './signing.ts';

/** Where deeds report what became of them. */
interface Loop {
  report(event: LocalEvent): void;
  /** What this authority has said itself. */
  hearOwn(message: Verified<Message>): void;
}

export interface DeedsParts extends HostParts {
  readonly outbox: Outbox;
  readonly announcer: Announcer;
  readonly primaryJudge: PrimaryJudge;
  readonly loop: Loop;
}

/** Effects of the core into deeds. */
export class Deeds {
  readonly #parts: DeedsParts;
  readonly #outbox: Outbox;
  readonly #loop: Loop;
  readonly #timers: CoreTimers;
  readonly #serving: Serving;
  readonly #blocks: BlockWork;
  #stopped = false;

  constructor(parts: DeedsParts) {
    const { outbox, loop } = parts;
    this.#parts = parts;
    this.#outbox = outbox;
    this.#loop = loop;
    this.#timers = new CoreTimers({
      ...parts,
      fired: (timer, lateMs) => {
        // What has come in the meantime has not been heard: a busy machine must not blame others for it.
        if (lateMs >= 1) loop.report({ type: 'measured', blockMs: lateMs });
        loop.report({ type: 'timer', timer });
      },
    });
    this.#serving = new Serving({ ...parts, send: (seat, served) => outbox.sendFrame(seat, served) });
    this.#blocks = new BlockWork({ ...parts, report: (event) => loop.report(event) });
  }

  /** Nothing that is under way is brought to its end any more. */
  stop(): void {
    this.#stopped = true;
    this.#timers.stop();
    this.#serving.stop();
    this.#blocks.stop();
  }

  carryOut(effect: Effect): void {
    const { listener, journal } = this.#parts;
    switch (effect.type) {
      case 'pledge':
        this.#pledge(effect);
        break;
      case 'record':
        this.#write(effect.records, () => this.#loop.report({ type: 'persisted', token: effect.token }));
        break;
      case 'send':
        this.#answer(effect.to, effect.message);
        break;
      case 'broadcast':
        this.#outbox.broadcast(effect.message);
        break;
      case 'set-timer':
        this.#timers.set(effect.timer, effect.delayMs);
        break;
      case 'cancel-timer':
        this.#timers.cancel(effect.timer);
        break;
      case 'validate':
        this.#blocks.validate(effect.digest, effect.block);
        break;
      case 'drop':
        this.#blocks.drop(effect.digests);
        break;
      case 'build':
        this.#blocks.build(effect);
        break;
      case 'commit':
        this.#blocks.commit(effect.blocks, effect.certificate);
        break;
      case 'import':
        this.#blocks.import(effect);
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
        listener.halted(effect);
        break;
      case 'retire':
        listener.retired(effect.reason, effect.statement);
        break;
      default:
        unreachable(effect);
    }
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
      this.#outbox.broadcast(message);
      const own = verifyMessage(message, jurisdiction);
      assert(own.ok, 'what this authority signs verifies');
      this.#loop.hearOwn(own.value);
      this.#loop.report({ type: 'persisted', token });
    });
  }

  /** A block from memory counts as one from the store: whoever asks for it again and again gets no more. */
  #answer(to: number, message: Message): void {
    if (message.kind !== 'body') {
      this.#outbox.send(to, message);
      return;
    }
    if (!this.#serving.allows(to)) return;
    const frame = encode(messageLayout, message);
    this.#serving.charge(to, { frame, blocks: 1 });
    this.#outbox.sendFrame(to, { kind: 'body', frame });
  }
}
