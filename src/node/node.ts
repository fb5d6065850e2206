import type { Retirement } from '../consensus/record.ts';
import type { Replica } from '../consensus/replica.ts';
import { primaryOf } from '../consensus/replica.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { idempotencyKey } from '../ledger/records.ts';
import { toHex } from '../lib/bytes.ts';
import { seatOf } from '../model/authorities.ts';
import { certificateLayout, type Jurisdiction } from '../model/certificate.ts';
import { encode } from '../model/codec.ts';
import { type Evidence, offenderOf } from '../model/evidence.ts';
import { Height, type OrganisationId, type PublicKey, type View } from '../model/ids.ts';
import { EVIDENCE_KEPT_MAX, LATENCIES_KEPT_MAX, TWIN_SHOWN_MS } from '../model/limits.ts';
import { type Operation, operationHash, type Transaction } from '../model/transaction.ts';
import { checkpointLayout } from '../model/view-change.ts';
import type { AuthorityContact, PeerInfo, Transport, TransportEvent } from '../network/transport.ts';
import type { Chain, ChainEntry } from '../store/chain.ts';
import { readEvidence, writeEvidence } from '../store/evidence.ts';
import { readHalt, writeHalt } from '../store/halt.ts';
import type { Journal } from '../store/journal.ts';
import type { Executor } from './executor.ts';
import { Host } from './host.ts';
import type { Halt } from './host-parts.ts';
import { type FinalOutcome, Intake, notAdmitted, type SubmitOutcome } from './intake.ts';
import { createMeasuring, type Measuring } from './measuring.ts';
import type { Mempool } from './mempool.ts';
import type { Metrics } from './metrics.ts';
import { Participation, type Share } from './participation.ts';
import type { Clock, SignatureCheckLater, Signer, Timers } from './ports.ts';
import { Refusals, type RefusedEvent } from './refusals.ts';
import { retirementSentence } from './retirement.ts';
import { Seats } from './seats.ts';
import { foreignPrimary, heightAhead, standstill, votersPresent } from './standing.ts';

/** Where a node writes what happened to it. */
interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What a node tells as it happens; see `api/ports`. */
export type NodeHappening =
  | { readonly type: 'block_finalised'; readonly height: Height }
  | {
      readonly type: 'view_changed' | 'peer_joined' | 'peer_left' | 'evidence';
      readonly height: Height;
      readonly data: Readonly<Record<string, unknown>>;
    };

export interface NodeParts {
  readonly genesis: Genesis;
  readonly jurisdiction: Jurisdiction;
  readonly replica: Replica;
  /** -1 for one that only follows. */
  readonly seat: number;
  readonly signer: Signer | null;
  readonly journal: Journal | null;
  readonly chain: Chain;
  readonly executor: Executor;
  readonly mempool: Mempool;
  readonly transport: Transport;
  /** Every authority of the set, in its order, and where it listens if that is known. */
  readonly contacts: readonly AuthorityContact[];
  readonly checkLater: SignatureCheckLater;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly forwardAfterMs: number;
  /** The environment failed; nothing is signed any more, and the process must end. */
  readonly onFatal: (error: Error) => void;
}

/** One running node: consensus, chain, mempool and the sessions with its peers. */
export class Node {
  readonly parts: NodeParts;
  readonly #host: Host;
  readonly #intake: Intake;
  readonly #seats: Seats;
  readonly #measuring: Measuring;
  readonly #participation: Participation;
  readonly #refusals: Refusals;
  readonly #listeners = new Set<(happening: NodeHappening) => void>();
  readonly #latenciesMs: number[] = [];
  #halted: string | null = null;
  #fatal: Error | null = null;
  #lastFinalAt: number;
  #toldHeight: number;
  #twin: { readonly address: string; readonly atMs: number } | null = null;
  #seatTakenAtMs: number | null = null;

  constructor(parts: NodeParts) {
    this.parts = parts;
    const { jurisdiction, clock, timers, chain, executor, mempool, replica } = parts;
    this.#lastFinalAt = chain.head.timestamp;
    this.#toldHeight = chain.head.height;
    this.#participation = new Participation(chain);
    this.#refusals = new Refusals(clock);
    this.#measuring = createMeasuring(parts.metrics, chain);
    parts.metrics.resumed({ height: chain.head.height, view: replica.view });
    this.#seats = new Seats(parts.transport, (key) => seatOf(jurisdiction.authorities, key));
    this.#host = new Host({ ...parts, links: this.#seats, listener: this.#hostListener() });
    this.#intake = new Intake({
      host: this.#host,
      mempool,
      executor,
      chain,
      jurisdiction,
      checkLater: parts.checkLater,
      clock,
      timers,
      refusal: () => standstill(replica, this.#seats.connected()),
      primary: () => foreignPrimary(replica, this.#seats.connected()),
      forwardAfterMs: parts.forwardAfterMs,
    });
  }

  async start(): Promise<void> {
    const { transport, contacts } = this.parts;
    this.#resumeHalt();
    this.#host.start();
    this.#intake.start();
    transport.setAuthorities(contacts);
    await transport.start((event) => this.#onTransport(event));
  }

  /** Tells those who wait that nothing is known yet, stops signing, closes the sessions. */
  async stop(): Promise<void> {
    this.#intake.stop(notAdmitted('STOPPING', 'this node is stopping; send it to another one'));
    this.#host.stop();
    await this.parts.transport.close();
  }

  /** The environment failed: nothing is signed any more. Reads go on until somebody stops the node. */
  fail(error: Error): void {
    if (this.#fatal !== null) return;
    this.#fatal = error;
    this.#host.stop();
    this.#host.tellHalted();
    this.parts.metrics.halted();
    this.#intake.stop(notAdmitted('NOT_READY', `this node takes no part any more: ${error.message}`));
    this.parts.log.error({ error: error.message }, 'this node takes no part any more');
    this.parts.onFatal(error);
  }

  organisationOf(key: PublicKey): OrganisationId | undefined {
    return this.parts.executor.finalState().records.keys.get(key)?.organisation;
  }

  get quorum(): number {
    return this.parts.replica.quorum;
  }

  get replica(): Replica {
    return this.parts.replica;
  }

  /** Why it gave up the vote of its key, if it did. */
  get retirement(): string | null {
    return retirementSentence(this.parts.replica.retired);
  }

  /** Why the node halted or cannot go on, if so. */
  get halted(): string | null {
    return this.#halted;
  }

  get fatal(): Error | null {
    return this.#fatal;
  }

  get lastFinalAt(): number {
    return this.#lastFinalAt;
  }

  /** Milliseconds from arrival to finality of the last blocks that held a transaction which waited here. */
  get latenciesMs(): readonly number[] {
    return this.#latenciesMs;
  }

  /** Seats of the other authorities that are connected. */
  connectedSeats(): readonly number[] {
    return this.#seats.connected();
  }

  /** Authorities here that vote, this one included if it does. */
  connectedAuthorities(): number {
    return votersPresent(this.parts.replica, this.#seats.connected());
  }

  /** The height that others have reached when this node is catching up with them. */
  heightAhead(): number | undefined {
    return heightAhead(this.parts.replica, this.#seats.connected());
  }

  /** Where somebody was lately who holds this node's own keys, if anywhere. */
  get twinAddress(): string | null {
    const isRecent = this.#twin !== null && this.parts.clock.monotonicMs() - this.#twin.atMs < TWIN_SHOWN_MS;
    return isRecent ? (this.#twin?.address ?? null) : null;
  }

  /** Whether this observer was lately refused because whoever votes with its key is connected. */
  get isSeatTaken(): boolean {
    return this.#seatTakenAtMs !== null && this.parts.clock.monotonicMs() - this.#seatTakenAtMs < TWIN_SHOWN_MS;
  }

  /** What an authority did in the newest blocks. */
  share(seat: number): Share {
    return this.#participation.share(seat);
  }

  submit(transaction: Transaction, waitMs: number): Promise<SubmitOutcome> {
    return new Promise((resolve) => this.#intake.submit(transaction, waitMs, resolve));
  }

  outcomeOf(id: Transaction['id']): FinalOutcome | undefined {
    return this.#intake.outcomeOf(id);
  }

  /** What an organisation's earlier use of an idempotency key came to, if it is final. */
  earlier(
    organisation: OrganisationId,
    operation: Operation,
    key: string,
  ): FinalOutcome | { readonly outcome: 'reused' } | undefined {
    const record = this.parts.executor.finalState().records.idempotency.get(idempotencyKey(organisation, key));
    if (record === undefined) return undefined;
    return record.operation === operationHash(operation) ? this.outcomeOf(record.transaction) : { outcome: 'reused' };
  }

  evidence(): readonly { readonly evidence: Evidence; readonly authority: string }[] {
    return readEvidence(this.parts.chain.store, EVIDENCE_KEPT_MAX).map((evidence) => ({
      evidence,
      authority: this.#accused(evidence),
    }));
  }

  subscribe(listener: (happening: NodeHappening) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #accused(evidence: Evidence): string {
    const { jurisdiction } = this.parts;
    return jurisdiction.authorities.authorities[offenderOf(evidence, jurisdiction)]?.id ?? 'unknown';
  }

  #tell(happening: NodeHappening): void {
    for (const listener of this.#listeners) listener(happening);
  }

  #happened(type: Exclude<NodeHappening['type'], 'block_finalised'>, data: Readonly<Record<string, unknown>>): void {
    this.#tell({ type, height: this.parts.chain.head.height, data });
  }

  #onDurable(height: Height): void {
    this.#intake.durable(height);
    while (this.#toldHeight < height) {
      this.#toldHeight += 1;
      this.#tell({ type: 'block_finalised', height: Height(this.#toldHeight) });
    }
  }

  /** Whoever halted for SAFETY takes part again when people have decided, and not before. */
  #resumeHalt(): void {
    const halt = readHalt(this.parts.chain.store);
    if (halt === undefined) return;
    this.#halted = halt.reason;
    this.parts.log.error({ reason: halt.reason }, 'this node has halted earlier and takes no part');
  }

  #onHalted({ reason, ...proof }: Halt): void {
    const { chain, log, metrics } = this.parts;
    this.#halted = reason;
    if (reason === 'SAFETY') {
      const failed = (error: Error): void => log.error({ error: error.message }, 'the halt is not remembered');
      writeHalt(chain.store, { reason, certificates: proof.certificates }, { failed });
    }
    const certificates = proof.certificates.map((one) => toHex(encode(certificateLayout, one)));
    const checkpoints = proof.checkpoints.map((one) => toHex(encode(checkpointLayout, one)));
    metrics.halted();
    log.error({ reason, certificates, checkpoints }, 'this node votes no more');
  }

  #hostListener() {
    const { log } = this.parts;
    return {
      final: (entry: ChainEntry, waitedMs: number | null): void => this.#onFinal(entry, waitedMs),
      durable: (height: Height): void => this.#onDurable(height),
      evidence: (evidence: Evidence): void => this.#onEvidence(evidence),
      halted: (halt: Halt): void => this.#onHalted(halt),
      retired: (reason: Retirement, statement: string): void =>
        log.error({ reason, statement }, 'somebody else signed this with the key of this authority'),
      entered: (view: View): void => this.#onView(view),
      fatal: (error: Error): void => this.fail(error),
      sent: this.#measuring.sent,
      received: this.#measuring.received,
      stored: this.#measuring.stored,
      rejected: (seat: number, code: string): void => {
        const authority = this.parts.genesis.authorities[seat]?.id;
        log.warn({ authority, code }, 'refused a message of an authority');
      },
    };
  }

  #onFinal(entry: ChainEntry, waitedMs: number | null): void {
    const { metrics, clock, mempool } = this.parts;
    this.#lastFinalAt = clock.now();
    this.#intake.final(entry);
    this.#participation.add(entry.stored);
    if (waitedMs !== null) {
      this.#latenciesMs.push(waitedMs);
      if (this.#latenciesMs.length > LATENCIES_KEPT_MAX) this.#latenciesMs.shift();
    }
    this.#measuring.final(entry, waitedMs);
    metrics.mempool(mempool.size);
  }

  #onView(view: View): void {
    const { metrics, log, replica, genesis } = this.parts;
    const primary = genesis.authorities[primaryOf(replica, view)]?.id;
    metrics.viewChanged(view);
    if (this.parts.mempool.size > 0) metrics.roundFailed();
    log.info({ view, primary }, 'the view has changed');
    this.#happened('view_changed', { view, primary });
  }

  #onEvidence(evidence: Evidence): void {
    const { chain, metrics, log } = this.parts;
    const authority = this.#accused(evidence);
    metrics.evidence();
    log.error({ authority, kind: evidence.kind }, 'an authority has broken the rules');
    writeEvidence(chain.store, evidence, {
      failed: (error) => log.error({ error: error.message }, 'evidence not kept'),
    });
    this.#happened('evidence', { authority, kind: evidence.kind });
  }

  #onTransport(event: TransportEvent): void {
    switch (event.type) {
      case 'up':
        this.#onUp(event.peer);
        return;
      case 'down':
        this.#onDown(event.peer, event.reason);
        return;
      case 'frame': {
        const seat = this.#seats.seat(event.peer);
        if (seat === undefined) return;
        const message = this.#host.frame(seat, event.frame);
        if (message?.kind !== 'transactions') return;
        this.#intake.fromPeer(seat, message.transactions, () => this.#seats.penalize(seat));
        return;
      }
      case 'refused':
        this.#onRefused(event);
    }
  }

  #onUp(peer: PeerInfo): void {
    const { log, metrics, transport, genesis, mempool } = this.parts;
    const joined = this.#seats.join(peer);
    const name = joined === undefined ? peer.id : genesis.authorities[joined.seat]?.id;
    const fields = { peer: name, address: peer.address, direction: peer.direction };
    if (joined?.isTwin === true) log.warn(fields, 'a second session proves the key of this authority');
    else log.info(fields, 'peer connected');
    metrics.peers(transport.peers().length);
    if (joined?.isTwin === false) {
      mempool.forgetForwards();
      this.#host.report({ type: 'peer', seat: joined.seat, connected: true });
      if (this.#fatal !== null) this.#host.tellHalted(joined.seat);
    }
    this.#happened('peer_joined', { id: peer.id, name, role: peer.role });
  }

  #onDown(peer: PeerInfo, reason: string): void {
    const { log, metrics, transport, genesis, mempool } = this.parts;
    const left = this.#seats.leave(peer.id);
    const name = left === undefined ? peer.id : genesis.authorities[left.seat]?.id;
    log.info({ peer: name, reason }, 'peer gone');
    metrics.peers(transport.peers().length);
    if (left?.wasSeated === true) {
      // What went over that link may have been lost.
      mempool.forgetForwards();
      this.#host.report({ type: 'peer', seat: left.seat, connected: false });
      if (left.isSeatTaken) this.#host.report({ type: 'peer', seat: left.seat, connected: true });
    }
    this.#happened('peer_left', { id: peer.id, name, reason });
  }

  #onRefused(event: RefusedEvent): void {
    const { log, clock } = this.parts;
    const { address, reason, by, direction } = event;
    const isTwin = reason === 'SELF' && direction === 'inbound';
    if (isTwin) this.#twin = { address, atMs: clock.monotonicMs() };
    if (reason === 'SEAT_TAKEN' && by === 'them') this.#seatTakenAtMs = clock.monotonicMs();
    const times = this.#refusals.count(event);
    if (times === undefined) return;
    if (isTwin) log.error({ address, times }, 'somebody else proves to hold the keys of this node');
    else log.warn({ address, reason, by, times }, 'connection refused');
  }
}
