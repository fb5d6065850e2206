import { createReplica } from '../../consensus/recover.ts';
import type { Replica } from '../../consensus/replica.ts';
import type { Timing } from '../../consensus/timing.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import type { Evidence } from '../../model/evidence.ts';
import type { Height } from '../../model/ids.ts';
import type { Transaction } from '../../model/transaction.ts';
import { Executor } from '../../node/executor.ts';
import { Host } from '../../node/host.ts';
import { Intake, type SubmitOutcome } from '../../node/intake.ts';
import { Mempool } from '../../node/mempool.ts';
import type { Clock, Links, SignatureCheckLater, Signer, Timers } from '../../node/ports.ts';
import { recoveredFrom } from '../../node/recovery.ts';
import { foreignPrimary, standstill } from '../../node/standing.ts';
import type { Iri } from '../../provenance/terms.ts';
import type { Chain, ChainEntry } from '../../store/chain.ts';
import { writeEvidence } from '../../store/evidence.ts';
import type { Journal } from '../../store/journal.ts';

/** What a process tells its machine. */
export interface ProcessWatch {
  readonly final: (entry: ChainEntry) => void;
  readonly durable: (height: Height) => void;
  readonly evidence: (evidence: Evidence) => void;
  readonly halted: (halt: { readonly reason: string }) => void;
  readonly retired: (statement: string) => void;
  readonly fatal: (error: Error) => void;
  readonly rejected: (seat: number, code: string) => void;
}

/** What a process finds when it has opened its store and its journal. */
export interface ProcessParts {
  readonly jurisdiction: Jurisdiction;
  /** Of the genesis document. */
  readonly iriBase: Iri;
  readonly timing: Timing;
  readonly window: number;
  readonly chain: Chain;
  /** The voter's seat with its hand, its journal and what that holds; null for an observer. */
  readonly voter: {
    readonly seat: number;
    readonly signer: Signer;
    readonly journal: Journal;
    readonly records: readonly Uint8Array[];
  } | null;
  readonly links: Links;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly checkLater: SignatureCheckLater;
  readonly watch: ProcessWatch;
}

/** One run of a node's program: the production host, intake, mempool and executor, put together as `node/node` does it. */
export class FullProcess {
  readonly chain: Chain;
  readonly replica: Replica;
  readonly mempool = new Mempool();
  readonly isVoter: boolean;
  readonly #host: Host;
  readonly #intake: Intake;
  readonly #links: Links;

  constructor(parts: ProcessParts) {
    const { jurisdiction, iriBase, timing, window, chain, voter, links, clock, timers, checkLater } = parts;
    const { chainId, authorities } = jurisdiction;
    const seat = voter?.seat ?? -1;
    const executor = new Executor(chain, authorities, { chainId, iriBase });
    const { mempool } = this;
    this.chain = chain;
    this.isVoter = voter !== null;
    this.#links = links;
    this.replica = createReplica(
      { chainId, authorities, self: seat, timing, window },
      recoveredFrom(chain, voter?.records ?? []),
    );
    const { replica } = this;
    const signer = voter?.signer ?? null;
    const journal = voter?.journal ?? null;
    const listener = this.#listener(parts.watch);
    const shell = { replica, seat, signer, journal, jurisdiction, executor, chain, mempool, links, clock, timers };
    this.#host = new Host({ ...shell, checkLater, listener });
    this.#intake = new Intake({
      host: this.#host,
      mempool,
      executor,
      chain,
      jurisdiction,
      checkLater,
      clock,
      timers,
      refusal: () => standstill(replica, links.connected()),
      primary: () => foreignPrimary(replica, links.connected()),
      forwardAfterMs: timing.forwardMs,
    });
  }

  start(): void {
    this.#host.start();
    this.#intake.start();
  }

  submit(transaction: Transaction, waitMs: number, answer: (outcome: SubmitOutcome) => void): void {
    this.#intake.submit(transaction, waitMs, answer);
  }

  peer(seat: number, connected: boolean): void {
    this.mempool.forgetForwards();
    this.#host.report({ type: 'peer', seat, connected });
  }

  frame(from: number, frame: Uint8Array): void {
    const message = this.#host.frame(from, frame);
    if (message?.kind !== 'transactions') return;
    this.#intake.fromPeer(from, message.transactions, () => this.#links.penalize(from, 'a transaction that is none'));
  }

  #listener(watch: ProcessWatch) {
    return {
      final: (entry: ChainEntry): void => {
        this.#intake.final(entry);
        watch.final(entry);
      },
      durable: (height: Height): void => {
        watch.durable(height);
        this.#intake.durable(height);
      },
      evidence: (evidence: Evidence): void => {
        watch.evidence(evidence);
        writeEvidence(this.chain.store, evidence, { failed: watch.fatal });
      },
      halted: watch.halted,
      retired: (_reason: unknown, statement: string): void => watch.retired(statement),
      entered: () => undefined,
      stored: () => undefined,
      fatal: watch.fatal,
      sent: () => undefined,
      received: () => undefined,
      rejected: watch.rejected,
    };
  }
}
