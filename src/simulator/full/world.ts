import { type JournalRecord, journalRecordLayout } from '../../consensus/record.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import { genesisSet } from '../../ledger/genesis.ts';
import { defined } from '../../lib/assert.ts';
import { createPrng, type Prng } from '../../lib/prng.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import { decode } from '../../model/codec.ts';
import type { Hash, PublicKey } from '../../model/ids.ts';
import { type Message, messageLayout } from '../../model/message.ts';
import type { Transaction } from '../../model/transaction.ts';
import type { SubmitOutcome } from '../../node/intake.ts';
import type { Links, Signer } from '../../node/ports.ts';
import type { Chain } from '../../store/chain.ts';
import type { Journal, JournalProblem } from '../../store/journal.ts';
import type { OpenedJournal } from '../../store/open-journal.ts';
import { Violation } from '../checkers.ts';
import { timingOf } from '../scenario.ts';
import { FullChecker } from './checker.ts';
import { Clients } from './clients.ts';
import { authorityName, foundNetwork } from './genesis.ts';
import { createFullKeys, type FullKeys } from './keys.ts';
import { FullLiar } from './liar.ts';
import { Machine, type Surroundings } from './machine.ts';
import { FullProcess } from './process.ts';
import type { FullScenario } from './scenario.ts';
import { VirtualTime } from './time.ts';
import { Wire } from './wire.ts';

/** How long a check of a client's signature takes at most off the loop. */
const CHECK_MS_MAX = 2;

/** Machines, the wire between them, their clients and those who watch them: all that one seed decides. */
export class FullWorld implements Surroundings {
  readonly scenario: FullScenario;
  readonly time = new VirtualTime();
  readonly prng: Prng;
  readonly wire: Wire;
  readonly keys: FullKeys;
  readonly genesis: Genesis;
  readonly jurisdiction: Jurisdiction;
  readonly checker: FullChecker;
  readonly clients: Clients;
  readonly machines: readonly Machine[];
  readonly journalSegmentBytesMax: number;
  isHealed = false;
  falls = 0;
  readonly #liars = new Map<number, FullLiar>();
  readonly #trace: ((line: string) => void) | null;
  /** Frames that honest machines have sent, so that each is read once, however many get it. */
  readonly #sent = new WeakMap<Uint8Array, Message>();

  constructor(scenario: FullScenario, trace: ((line: string) => void) | null) {
    this.scenario = scenario;
    this.#trace = trace;
    this.prng = createPrng(scenario.seed ^ 0x2545f491);
    this.journalSegmentBytesMax = this.prng.pick([1_500, 20_000, 1_000_000]);
    this.keys = createFullKeys(scenario.seed, scenario.isSignedForReal);
    this.genesis = foundNetwork(scenario, this.keys);
    const { chainId } = this.genesis;
    this.jurisdiction = { chainId, authorities: genesisSet(this.genesis), check: this.keys.check };
    this.checker = new FullChecker(this.jurisdiction, new Set(scenario.liars.map(({ seat }) => seat)));
    this.wire = new Wire(scenario, this.time, this.prng);
    this.machines = Array.from({ length: scenario.n }, (_, seat) => new Machine(seat, this));
    for (const { seat, strategies, lies } of scenario.liars) {
      const means = {
        seat,
        jurisdiction: this.jurisdiction,
        signer: this.#signerOf(seat),
        prng: this.prng,
        after: (delayMs: number, run: () => void) => this.time.after(delayMs, run),
        transmit: (to: number, frame: Uint8Array) => this.wire.send(seat, to, frame),
        reveal: (header: Parameters<FullChecker['see']>[0]) => this.checker.see(header),
      };
      this.#liars.set(seat, new FullLiar(means, strategies, lies));
    }
    this.clients = this.#createClients();
  }

  #createClients(): Clients {
    const { n, tickets, repeatRate, faultsMs } = this.scenario;
    return new Clients({
      chainId: this.genesis.chainId,
      keys: this.keys,
      time: this.time,
      prng: this.prng,
      seats: n,
      tickets,
      repeatRate,
      spreadMs: faultsMs,
      submit: (seat, transaction, waitMs, answer) => this.#submit(seat, { transaction, waitMs }, answer),
      isHonest: (seat) => this.checker.isHonest(seat),
    });
  }

  trace(line: () => string): void {
    if (this.#trace !== null) this.#trace(`${this.time.now.toFixed(1).padStart(9)} ${line()}`);
  }

  machine(seat: number): Machine {
    return defined(this.machines[seat], `no machine ${seat}`);
  }

  get honest(): readonly Machine[] {
    return this.machines.filter(({ seat }) => this.checker.isHonest(seat));
  }

  #signerOf(seat: number): Signer {
    return this.keys.signerOf(authorityName(seat));
  }

  publicKeyOf(seat: number): PublicKey {
    return this.#signerOf(seat).publicKey;
  }

  #submit(
    seat: number,
    { transaction, waitMs }: { readonly transaction: Transaction; readonly waitMs: number },
    answer: (outcome: SubmitOutcome) => void,
  ): void {
    const machine = this.machine(seat);
    machine.run(() =>
      machine.process?.submit(transaction, waitMs, (outcome) => {
        if (outcome.outcome === 'final') this.#acknowledged(machine, transaction.id, outcome);
        answer(outcome);
      }),
    );
  }

  #acknowledged(machine: Machine, id: Hash, outcome: Extract<SubmitOutcome, { outcome: 'final' }>): void {
    this.checker.acknowledge(machine, id, outcome);
  }

  recovered(machine: Machine, chain: Chain): void {
    this.checker.recovered(machine, chain);
  }

  launch(machine: Machine, chain: Chain, opened: OpenedJournal | JournalProblem): FullProcess {
    const problem = 'code' in opened ? opened.code : null;
    this.checker.opened(machine, problem);
    this.trace(() => `${machine.name} starts at height ${chain.head.height}${problem === null ? '' : ` (${problem})`}`);
    return new FullProcess({
      jurisdiction: this.jurisdiction,
      iriBase: this.genesis.iriBase,
      timing: timingOf(this.scenario),
      window: this.scenario.window,
      chain,
      voter: 'code' in opened ? null : this.#voter(machine, opened),
      links: this.#links(machine),
      clock: machine.clock,
      timers: machine.timers,
      checkLater: (publicKey, message, signature, done) => {
        const isValid = this.keys.check(publicKey, message, signature);
        machine.timers.after(this.prng.next() * CHECK_MS_MAX, () => done(isValid));
      },
      watch: {
        final: (entry) => {
          this.trace(() => `${machine.name} final ${entry.stored.header.height} ${entry.stored.hash.slice(0, 8)}`);
          this.checker.final(machine, entry);
        },
        durable: (height) => machine.settled(height),
        evidence: (evidence) => this.checker.accused(machine, evidence),
        halted: ({ reason }) => this.checker.halted(machine, reason),
        retired: (statement) => this.checker.retired(machine, statement),
        fatal: (error) => machine.fail(error),
        rejected: (from, code) => this.checker.refused(machine, from, code),
      },
    });
  }

  #voter(machine: Machine, { journal, records }: OpenedJournal) {
    const payloads = [...records];
    this.checker.remembered(machine, recordsOf(payloads));
    const hand = this.#signerOf(machine.seat);
    const signer: Signer = {
      publicKey: hand.publicKey,
      sign: (message) => {
        machine.use();
        this.checker.signed(machine, message);
        return hand.sign(message);
      },
    };
    return { seat: machine.seat, signer, journal: this.#watched(machine, journal), records: payloads };
  }

  /** The same journal: what becomes durable in it is seen, and so is the position that a commit stores as its witness. */
  #watched(machine: Machine, journal: Journal): Journal {
    return {
      append: (payloads, onDurable) =>
        journal.append(payloads, () => {
          for (const record of recordsOf(payloads)) this.checker.durable(machine, record);
          onDurable();
        }),
      truncate: (snapshot, onDurable) => journal.truncate(snapshot, onDurable),
      position: () => {
        const position = journal.position();
        machine.noted(position);
        return position;
      },
      full: () => journal.full(),
      close: (onClosed) => journal.close(onClosed),
    };
  }

  #links(machine: Machine): Links {
    const { seat } = machine;
    const liar = this.#liars.get(seat);
    return {
      send: (to, frame) => {
        machine.use();
        if (liar !== undefined) {
          liar.speak(to, frame);
          return;
        }
        this.checker.leaving(machine, this.#read(frame));
        this.wire.send(seat, to, frame);
      },
      connected: () => this.wire.connected(seat),
      roundTripMs: () => 2 * this.scenario.delayMs,
      penalize: (from, reason) => {
        this.checker.refused(machine, from, reason);
        this.wire.disconnect(seat, from);
      },
    };
  }

  #read(frame: Uint8Array): Message {
    const known = this.#sent.get(frame);
    if (known !== undefined) return known;
    const decoded = decode(messageLayout, frame);
    if (!decoded.ok) throw new Violation('what is encoded decodes', decoded.error.reason);
    this.#sent.set(frame, decoded.value);
    return decoded.value;
  }

  received(machine: Machine, from: number, frame: Uint8Array): void {
    this.#liars.get(machine.seat)?.overhear(from, frame);
    machine.process?.frame(from, frame);
  }

  afterEvent(machine: Machine, process: FullProcess): void {
    this.checker.afterEvent(machine, process);
  }

  failed(machine: Machine, error: Error): void {
    this.checker.failed(machine, error);
  }

  /** A liar's program may fail in any way. */
  forgives(machine: Machine, error: unknown): boolean {
    return !this.checker.isHonest(machine.seat) && !(error instanceof Violation);
  }

  /** Whoever falls gets up again, unless the faults are over and this seat is one that stays down. */
  fell(machine: Machine): void {
    this.falls += 1;
    const { restartMsMax, lost, late } = this.scenario;
    if (this.isHealed && lost.includes(machine.seat)) return;
    if (!this.isHealed && machine.seat === late) return;
    this.time.after(5 + this.prng.next() * restartMsMax, () => {
      if (!(this.isHealed && lost.includes(machine.seat))) machine.start();
    });
  }
}

function recordsOf(payloads: readonly Uint8Array[]): readonly JournalRecord[] {
  return payloads.flatMap((payload) => {
    const record = decode(journalRecordLayout, payload);
    return record.ok ? [record.value] : [];
  });
}
