import type { Effect, Pledge } from '../../consensus/effect.ts';
import type { LocalEvent, Timer } from '../../consensus/event.ts';
import type { Configuration, Replica } from '../../consensus/replica.ts';
import { assert } from '../../lib/assert.ts';
import { type Block, blockHash, type Header } from '../../model/block.ts';
import type { Certificate } from '../../model/certificate.ts';
import { type Hash, type Signature, Timestamp } from '../../model/ids.ts';
import type { Message } from '../../model/message.ts';
import type { Transaction } from '../../model/transaction.ts';
import type { Verified } from '../../model/verified.ts';
import { checkBuffers, Violation } from '../checkers.ts';
import { rootsOf } from './abstract-ledger.ts';
import { SimulatedChain, type StoredBlock } from './chain.ts';
import type { Core, NodeOptions } from './core.ts';
import { SimulatedJournal } from './journal.ts';
import { Processor } from './processor.ts';
import { signPledge } from './signing.ts';

/** What a node asks of its world. */
export interface Surroundings {
  readonly chainId: Hash;
  readonly genesis: StoredBlock;
  /** Milliseconds of simulated time. */
  now(): number;
  after(delayMs: number, run: () => void): void;
  random(): number;
  transmit(node: SimulatedNode, to: number, message: Message): void;
  verify(message: Message): Verified<Message> | undefined;
  sign(seat: number, bytes: Uint8Array): Signature;
  /** A statement of this node is durable and about to leave. */
  signed(node: SimulatedNode, message: Message): void;
  proposed(header: Header): void;
  finalised(node: SimulatedNode, blocks: readonly Block[], certificate: Certificate): void;
  noticed(node: SimulatedNode, effect: Extract<Effect, { type: 'evidence' | 'halt' | 'retire' }>): void;
  crashed(node: SimulatedNode): void;
}

const START_OF_TIME_MS = 1_000_000;
const TRANSACTIONS_PER_BLOCK = 4;

/** One process: the core, its journal, its store and its mempool. */
export class SimulatedNode {
  readonly seat: number;
  readonly name: string;
  readonly instance: number;
  readonly skewMs: number;
  readonly mempool = new Map<Hash, Transaction>();
  readonly chain: SimulatedChain;
  alive = false;
  /** Effects until this node crashes; negative for never. */
  fuse = -1;
  effects = 0;
  replica: Replica;
  /** How outgoing messages are bent; an honest node has none. */
  bend: ((to: number, message: Message) => readonly Message[]) | null = null;
  readonly #core: Core;
  readonly #config: Configuration;
  readonly #world: Surroundings;
  readonly #options: NodeOptions;
  readonly #processor: Processor;
  readonly #journal: SimulatedJournal;
  #generation = 0;
  #queue: (() => readonly Effect[])[] = [];
  #isDraining = false;
  #timers = new Map<Timer, number>();
  #timerId = 0;

  constructor(core: Core, config: Configuration, world: Surroundings, options: NodeOptions) {
    this.#core = core;
    this.#config = config;
    this.#world = world;
    this.seat = options.seat;
    this.#options = options;
    this.#processor = new Processor(() => world.now(), options.executionMs);
    this.name = options.name;
    this.instance = options.instance;
    this.skewMs = options.skewMs;
    this.chain = new SimulatedChain(world.genesis);
    this.#journal = new SimulatedJournal(
      (delayMs, run) => this.#later(delayMs, run),
      () => world.random(),
      options.syncMsMax,
    );
    this.replica = this.#recover();
  }

  #recover(): Replica {
    const { block, certificate } = this.chain.head;
    return this.#core.createReplica(this.#config, {
      final: { header: block.header, certificate },
      ancestors: this.chain.ancestors(32),
      records: this.#journal.records,
    });
  }

  start(): void {
    assert(!this.alive, 'a node starts once');
    this.alive = true;
    this.replica = this.#recover();
    this.report({ type: 'start' });
    this.#announce();
  }

  /** Power goes: what was not synced survives up to any point. */
  crash(): void {
    if (!this.alive) return;
    this.alive = false;
    this.fuse = -1;
    this.#generation += 1;
    this.#journal.crash();
    this.chain.crash(() => this.#world.random());
    if (this.#options.isWipedByCrashes) this.chain.wipe();
    this.#timers.clear();
    this.#processor.stop();
    this.mempool.clear();
    this.#world.crashed(this);
  }

  /** Copies the whole home; calling the answer, while the node is down, puts the copy back. */
  copyHome(): () => void {
    const height = this.chain.durableHeight;
    const copy = this.#journal.copy();
    return () => {
      this.chain.rewind(height);
      this.#journal.restore(copy);
    };
  }

  clock(): Timestamp {
    return Timestamp(Math.floor(START_OF_TIME_MS + this.#world.now() + this.skewMs));
  }

  report(event: LocalEvent): void {
    this.#enqueue(() => this.#core.step(this.replica, { ...event, now: this.clock() }));
  }

  /** Events wait until every effect of the one before is carried out. */
  #enqueue(act: () => readonly Effect[]): void {
    if (!this.alive) return;
    this.#queue.push(act);
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined && this.alive; next = this.#queue.shift()) {
        this.#carryOut(next());
        if (this.effects % 32 === 0) checkBuffers(this.name, this.replica);
      }
    } finally {
      this.#isDraining = false;
      this.#queue = [];
    }
  }

  receive(from: number, message: Message): void {
    const { busyMs } = this.#processor;
    if (busyMs > 0) {
      this.#later(busyMs, () => this.receive(from, message));
      return;
    }
    if (!this.alive || !this.#core.wants(this.replica, from, message)) return;
    const verified = this.#world.verify(message);
    if (verified !== undefined) this.#take(from, verified);
  }

  #take(from: number, message: Verified<Message>): void {
    this.#enqueue(() => this.#core.stepMessage(this.replica, from, message, this.clock()));
  }

  submit(transactions: Iterable<Transaction>): void {
    if (!this.alive) return;
    for (const transaction of transactions) {
      if (!this.chain.has(transaction.id)) this.mempool.set(transaction.id, transaction);
    }
    this.#announce();
  }

  #announce(): void {
    const count = this.mempool.size;
    if (count > 0) this.report({ type: 'pending', pending: { count, bytes: 300 * count } });
  }

  /** False when the node just died: every boundary between two effects is a place to crash. */
  #burn(): boolean {
    this.effects += 1;
    if (this.fuse > 0) this.fuse -= 1;
    if (this.fuse === 0) this.crash();
    return this.alive;
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (!this.#burn()) return;
      this.#perform(effect);
    }
  }

  #later(delayMs: number, run: () => void): void {
    const generation = this.#generation;
    this.#world.after(delayMs, () => {
      if (this.#generation !== generation || !this.alive) return;
      const { busyMs } = this.#processor;
      if (busyMs > 0) this.#later(busyMs, run);
      else run();
    });
  }

  #execute(run: () => void): void {
    const delayMs = this.#processor.execute();
    // Whatever has become due meanwhile gets its turn behind what the execution yields.
    this.#later(delayMs > 0 ? delayMs : this.#world.random() * 2, () => {
      if (delayMs > 0) this.report({ type: 'measured', blockMs: this.#options.executionMs });
      run();
    });
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'pledge':
        this.#pledge(effect);
        break;
      case 'record':
        this.#journal.append(effect.records, () => this.report({ type: 'persisted', token: effect.token }));
        break;
      case 'send':
        this.#send(effect.to, effect.message);
        break;
      case 'broadcast':
        this.#broadcast(effect.message);
        break;
      case 'set-timer':
        this.#setTimer(effect.timer, effect.delayMs);
        break;
      case 'cancel-timer':
        this.#timers.delete(effect.timer);
        break;
      case 'truncate':
        this.#journal.append([effect.snapshot], () => undefined);
        break;
      case 'evidence':
      case 'halt':
      case 'retire':
        this.#world.noticed(this, effect);
        break;
      default:
        this.#performOnChain(effect);
    }
  }

  #performOnChain(
    effect: Extract<Effect, { type: 'validate' | 'drop' | 'build' | 'commit' | 'import' | 'serve' }>,
  ): void {
    switch (effect.type) {
      case 'validate':
        this.#validate(effect.digest, effect.block);
        break;
      case 'drop':
        this.chain.overlays.drop(effect.digests);
        this.#announce();
        break;
      case 'build':
        this.#build(effect);
        break;
      case 'commit':
        this.#commit(effect.blocks, effect.certificate);
        break;
      case 'import':
        this.#later(this.#world.random() * 5, () => this.#import(effect.from, effect.blocks, effect.certificate));
        break;
      case 'serve':
        this.#serve(effect);
        break;
    }
  }

  #setTimer(timer: Timer, delayMs: number): void {
    this.#timerId += 1;
    const id = this.#timerId;
    this.#timers.set(timer, id);
    this.#later(delayMs, () => {
      if (this.#timers.get(timer) !== id) return;
      this.#timers.delete(timer);
      this.report({ type: 'timer', timer });
    });
  }

  #send(to: number, message: Message): void {
    const messages = this.bend === null ? [message] : this.bend(to, message);
    for (const one of messages) this.#world.transmit(this, to, one);
  }

  #broadcast(message: Message): void {
    for (let seat = 0; seat < this.#config.authorities.authorities.length; seat += 1) {
      if (seat === this.seat) continue;
      this.#send(seat, message);
    }
  }

  #pledge({ pledge, support, token }: Extract<Effect, { type: 'pledge' }>): void {
    if (pledge.kind === 'proposal' && pledge.body !== null) {
      this.chain.overlays.put(pledge.ballot.digest, { header: pledge.header, body: pledge.body });
      this.#world.proposed(pledge.header);
    }
    this.#checkExecuted(pledge);
    const { chainId } = this.#world;
    const { message, record } = signPledge(pledge, this.seat, chainId, (bytes) => this.#world.sign(this.seat, bytes));
    const { sendsBeforeSync } = this.#options;
    if (sendsBeforeSync) this.#broadcast(message);
    this.#journal.append([...support, record], () => {
      this.#world.signed(this, message);
      if (!this.#burn()) return;
      if (!sendsBeforeSync) this.#broadcast(message);
      if (!this.#burn()) return;
      this.#take(this.seat, message as Verified<Message>);
      this.report({ type: 'persisted', token });
    });
  }

  /** Consensus.md D6: no PREPARE without execution. */
  #checkExecuted(pledge: Pledge): void {
    if ((pledge.kind !== 'vote' && pledge.kind !== 'proposal') || pledge.ballot.phase !== 'PREPARE') return;
    const { digest, height } = pledge.ballot;
    if (this.chain.overlays.get(digest) === undefined) {
      throw new Violation('executed before PREPARE', `${this.name} at height ${height}`);
    }
  }

  #validate(digest: Hash, block: Block): void {
    this.#execute(() => {
      const verdict = this.chain.judge(block);
      if (verdict === 'valid') this.chain.overlays.put(digest, block);
      this.report({ type: 'validated', digest, verdict });
    });
  }

  #build({ view, parent: digest, empty }: Extract<Effect, { type: 'build' }>): void {
    this.#execute(() => {
      const parent = this.chain.parent(digest);
      const inFlight = this.chain.overlays.idsFrom(digest);
      const body = [...this.mempool.values()].filter(({ id }) => !inFlight.has(id)).slice(0, TRANSACTIONS_PER_BLOCK);
      if (parent === undefined || (body.length === 0 && !empty)) {
        this.report({ type: 'built', view, parent: digest, proposal: null });
        return;
      }
      const timestamp = Timestamp(Math.max(this.clock(), parent.header.timestamp + 1));
      const roots = rootsOf(parent.header, body);
      this.report({ type: 'built', view, parent: digest, proposal: { timestamp, body, roots } });
    });
  }

  #commit(blocks: readonly Block[], certificate: Certificate): void {
    this.#world.finalised(this, blocks, certificate);
    this.#append(blocks, certificate);
    this.#announce();
  }

  #append(blocks: readonly Block[], certificate: Certificate): void {
    this.chain.append(blocks, certificate);
    for (const { body } of blocks) for (const { id } of body) this.mempool.delete(id);
    const { height } = this.chain;
    const executed = blocks.map(({ header }) => ({
      height: header.height,
      digest: blockHash(header),
      stateRoot: this.#options.isCorrupt ? header.previous : header.stateRoot,
    }));
    this.#later(this.#world.random() * 3 * this.#options.syncMsMax, () => {
      if (this.chain.makeDurable(height)) this.report({ type: 'stored', height, executed });
    });
  }

  #import(from: number, blocks: readonly Block[], certificate: Certificate): void {
    for (const [index, block] of blocks.entries()) {
      const verdict = this.chain.judge(block);
      if (verdict !== 'valid') {
        this.chain.overlays.clear();
        this.report({ type: 'import-failed', from, reason: verdict === 'invalid' ? 'diverged' : 'aborted' });
        return;
      }
      this.chain.overlays.put(blockHash(block.header), block);
      if (index < blocks.length - 1) continue;
      this.#world.finalised(this, blocks, certificate);
      this.#append(blocks, certificate);
      this.report({ type: 'imported', header: block.header, certificate });
      this.#announce();
    }
  }

  #serve({ to, request }: Extract<Effect, { type: 'serve' }>): void {
    if (request.kind === 'body-request') {
      for (const answer of this.chain.body(request.digest)) this.#send(to, answer);
    } else if (request.kind === 'blocks-request') {
      this.#send(to, this.chain.blocksFrom(request.from, request.count));
    }
  }
}
