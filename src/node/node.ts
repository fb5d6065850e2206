import type { Retirement } from '../consensus/record.ts';
import type { Replica } from '../consensus/replica.ts';
import { primaryOf } from '../consensus/replica.ts';
import { idempotencyKey } from '../ledger/records.ts';
import { seatOf } from '../model/authorities.ts';
import { type Evidence, offenderOf } from '../model/evidence.ts';
import { Height, type OrganisationId, type PublicKey, type View } from '../model/ids.ts';
import { EVIDENCE_KEPT_MAX, LATENCIES_KEPT_MAX } from '../model/limits.ts';
import { PEER_MESSAGE_TAG_MIN } from '../model/peer-message.ts';
import { type Intent, operationHash, type Transaction } from '../model/transaction.ts';
import type { PeerInfo, TransportEvent } from '../network/transport.ts';
import type { SyncProgress } from '../peering/sync.ts';
import type { ChainEntry } from '../store/chain.ts';
import { readEvidence, writeEvidence } from '../store/evidence.ts';
import type { LastingHalt } from '../store/halt.ts';
import type { FollowerFacts } from './explain.ts';
import { earlierHalt, rememberHalt } from './halting.ts';
import { Host } from './host.ts';
import type { Halt } from './host-parts.ts';
import { type FinalOutcome, Intake, type NotAdmittedOutcome, notAdmitted, type SubmitOutcome } from './intake.ts';
import { createMeasuring, type Measuring } from './measuring.ts';
import type { NodeParts } from './node-parts.ts';
import { Participation, type Share } from './participation.ts';
import { Peering, type PeeringSettings } from './peering.ts';
import { retirementSentence } from './retirement.ts';
import { Seats } from './seats.ts';
import { followerStandstill, foreignPrimary, heightAhead, standstill, votersPresent } from './standing.ts';
import { TurnedAway } from './turned-away.ts';

/** What a node tells as it happens; see `api/ports`. */
export type NodeHappening =
  | { readonly type: 'block_finalised'; readonly height: Height }
  | {
      readonly type: 'view_changed' | 'peer_joined' | 'peer_left' | 'evidence';
      readonly height: Height;
      readonly data: Readonly<Record<string, unknown>>;
    };

/** One running node: consensus, chain, mempool and the sessions with its peers. */
export class Node {
  readonly parts: NodeParts;
  readonly #host: Host;
  readonly #intake: Intake;
  readonly #seats: Seats;
  readonly #measuring: Measuring;
  readonly #participation: Participation;
  readonly turnedAway: TurnedAway;
  readonly peering: Peering | undefined;
  readonly #listeners = new Set<(happening: NodeHappening) => void>();
  readonly #latenciesMs: number[] = [];
  #halt: LastingHalt | null = null;
  #fatal: Error | null = null;
  #lastFinalAt: number;
  #toldHeight: number;

  constructor(parts: NodeParts) {
    this.parts = parts;
    const { jurisdiction, clock, timers, chain, executor, mempool, replica } = parts;
    this.#lastFinalAt = chain.head.timestamp;
    this.#toldHeight = chain.head.height;
    this.#participation = new Participation(chain);
    this.turnedAway = new TurnedAway(clock, parts.log);
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
      refusal: () => this.#standstill(),
      spread: (...news) => this.peering?.spread(...news),
      primary: () => foreignPrimary(replica, this.#seats.connected()),
      forwardAfterMs: parts.forwardAfterMs,
    });
    this.peering = parts.peering && this.#createPeering(parts.peering);
  }

  #createPeering(settings: PeeringSettings): Peering {
    return new Peering({
      ...this.parts,
      settings,
      report: (event) => this.#host.report(event),
      take: (heard, transactions) =>
        this.#intake.fromPeer(heard, transactions, () => this.peering?.blame(heard.peer, 'BAD_SIGNATURE')),
      isSeated: (peer) => this.#seats.seat(peer) !== undefined,
    });
  }

  async start(): Promise<void> {
    const { transport, contacts } = this.parts;
    this.#halt = earlierHalt(this.parts);
    this.#host.start();
    this.#intake.start();
    this.peering?.start();
    transport.setAuthorities(contacts);
    await transport.start((event) => this.#onTransport(event));
  }

  /** Tells those who wait that nothing is known yet, stops signing, closes the sessions. */
  async stop(): Promise<void> {
    this.#intake.stop(notAdmitted('STOPPING', 'this node is stopping; send it to another one'));
    this.#host.stop();
    this.peering?.stop();
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

  get retirement(): string | null {
    return retirementSentence(this.parts.replica.retired);
  }

  /** Why the node halted, if so, in this run or an earlier one. */
  get halt(): LastingHalt | null {
    return this.#halt;
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
    if (this.isFollower) return this.parts.transport.peers().filter(({ role }) => role === 'authority').length;
    return votersPresent(this.parts.replica, this.#seats.connected());
  }

  /** The height that others have reached when this node is catching up with them. */
  heightAhead(): number | undefined {
    return this.peering?.heightAhead() ?? heightAhead(this.parts.replica, this.#seats.connected());
  }

  /** Whether it has no key of an authority. */
  get isFollower(): boolean {
    return this.parts.peering?.isFollower === true;
  }

  /** How far catching up has come; null while this node is near the head. */
  syncProgress(): SyncProgress | null {
    return this.peering?.progress() ?? null;
  }

  /** What this node knows of those it follows; null when it holds an authority's key. */
  followerFacts(): FollowerFacts | null {
    if (!this.isFollower) return null;
    const sync = this.syncProgress();
    const { transport, genesis } = this.parts;
    const peers = transport.peers().length;
    const { refusal } = this.turnedAway;
    const seen = new Set(transport.peers().map(({ authorityIndex }) => authorityIndex));
    const unseen = genesis.authorities.flatMap(({ id }, index) => (seen.has(index) ? [] : [id]));
    return { peers, refusal, blocksPerSecond: sync?.blocksPerSecond ?? null, sources: sync?.peers ?? peers, unseen };
  }

  #standstill(): NotAdmittedOutcome | undefined {
    const { replica, transport } = this.parts;
    if (!this.isFollower) return standstill(replica, this.#seats.connected());
    return followerStandstill(replica, transport.peers().length, this.heightAhead());
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
    intent: Intent,
    key: string,
  ): FinalOutcome | { readonly outcome: 'reused' } | undefined {
    const record = this.parts.executor.finalState().records.idempotency.get(idempotencyKey(organisation, key));
    if (record === undefined) return undefined;
    return record.operation === operationHash(intent) ? this.outcomeOf(record.transaction) : { outcome: 'reused' };
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
    return this.parts.genesis.authorities[offenderOf(evidence, this.parts.jurisdiction)]?.id ?? 'unknown';
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

  #onHalted({ reason, certificates, checkpoints }: Halt): void {
    this.#halt = { reason, certificates, checkpoints };
    rememberHalt(this.parts, this.#halt);
  }

  #hostListener() {
    const { log } = this.parts;
    return {
      final: (entry: ChainEntry, waitedMs: number | null): void => this.#onFinal(entry, waitedMs),
      importEnded: (): void => this.peering?.importEnded(),
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
    this.peering?.final(entry);
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
        if ((event.frame[0] ?? 0) >= PEER_MESSAGE_TAG_MIN) {
          this.peering?.frame(event.peer, event.frame);
          return;
        }
        const seat = this.#seats.seat(event.peer);
        if (seat === undefined) return;
        const message = this.#host.frame(seat, event.frame);
        if (message?.kind !== 'transactions') return;
        this.#intake.fromPeer(seat, message.transactions, () => this.#seats.penalize(seat));
        return;
      }
      case 'dialled':
        this.peering?.dialled(event.address, event.outcome);
        this.turnedAway.dialled(event.address, event.outcome);
        return;
      case 'refused':
        this.turnedAway.add(event);
    }
  }

  #onUp(peer: PeerInfo): void {
    const { log, metrics, transport, genesis, mempool } = this.parts;
    // A follower hears of votes by their certificates.
    const joined = this.isFollower ? undefined : this.#seats.join(peer);
    const name = genesis.authorities[peer.authorityIndex ?? -1]?.id ?? peer.id;
    const fields = { peer: name, address: peer.address, direction: peer.direction };
    if (joined?.isTwin === true) log.warn(fields, 'a second session proves the key of this authority');
    else log.info(fields, 'peer connected');
    metrics.peers(transport.peers().length);
    if (joined?.isTwin === false) {
      mempool.forgetForwards();
      this.#host.report({ type: 'peer', seat: joined.seat, connected: true });
      if (this.#fatal !== null) this.#host.tellHalted(joined.seat);
    }
    this.peering?.up(peer);
    this.#happened('peer_joined', { id: peer.id, name, role: peer.role });
  }

  #onDown(peer: PeerInfo, reason: string): void {
    const { log, metrics, transport, genesis, mempool } = this.parts;
    const left = this.#seats.leave(peer.id);
    const name = genesis.authorities[peer.authorityIndex ?? -1]?.id ?? peer.id;
    this.peering?.down(peer);
    log.info({ peer: name, reason }, 'peer gone');
    metrics.peers(transport.peers().length);
    if (left?.wasSeated === true) {
      // What went over that link may have been lost.
      mempool.forgetForwards();
      this.#host.report({ type: 'peer', seat: left.seat, connected: false });
      if (left.isSeatTaken) this.#host.report({ type: 'peer', seat: left.seat, connected: true });
    }
    this.#happened('peer_left', { id: peer.id, name, role: peer.role, reason });
  }
}
