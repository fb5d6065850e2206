/** A few production nodes whose clock, network, disks and stores a test holds in its hand: no real time passes. */
import { createReader } from '../../src/api/node-reader.ts';
import type { Reader } from '../../src/api/ports.ts';
import { createReplica } from '../../src/consensus/recover.ts';
import { LAN, type Timing } from '../../src/consensus/timing.ts';
import { devnetGenesis, devnetKeys } from '../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../src/devnet/keys.ts';
import { planDevnet } from '../../src/devnet/plan.ts';
import { type Genesis, genesisSet } from '../../src/ledger/genesis.ts';
import { parseGenesis, writeGenesis } from '../../src/ledger/genesis-document.ts';
import { defined } from '../../src/lib/assert.ts';
import type { Parameters } from '../../src/model/authorities.ts';
import type { Jurisdiction } from '../../src/model/certificate.ts';
import { encode } from '../../src/model/codec.ts';
import { type Hash, hexBytes, OrganisationId, Timestamp } from '../../src/model/ids.ts';
import { VERIFIED_SIGNATURES_KEPT_MAX } from '../../src/model/limits.ts';
import { messageLayout } from '../../src/model/message.ts';
import type { Operation } from '../../src/model/operation.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../../src/model/transaction.ts';
import { Executor } from '../../src/node/executor.ts';
import type { FinalOutcome, SubmitOutcome } from '../../src/node/intake.ts';
import { createSigner } from '../../src/node/keys/key-pair.ts';
import { createAdmissionCheck, createSignatureCheck, memoizedCheck } from '../../src/node/keys/signatures.ts';
import { Mempool } from '../../src/node/mempool.ts';
import { createMetrics } from '../../src/node/metrics.ts';
import { Node, type NodeHappening } from '../../src/node/node.ts';
import type { Signer } from '../../src/node/ports.ts';
import { beginChain, recoveredFrom } from '../../src/node/recovery.ts';
import { VirtualTime } from '../../src/simulator/full/time.ts';
import { type Chain, readWitness } from '../../src/store/chain.ts';
import { MemoryKeyValue } from '../../src/store/memory.ts';
import type { CrashChoice } from '../../src/store/memory-disk.ts';
import { MemoryDisk } from '../../src/store/memory-disk.ts';
import { createJournal, type OpenedJournal, openJournal } from '../../src/store/open-journal.ts';
import { type Passing, SmallNetwork, SmallTransport } from './small-network.ts';
import { ALL_TABLES } from './stores.ts';

export interface SmallWorldOptions {
  /** 4 unless told otherwise. */
  readonly nodes?: number;
  readonly window?: number;
  readonly timing?: Partial<Timing>;
  readonly parameters?: Partial<Parameters>;
  /** Mempools of seats that are to have odd ones. */
  readonly mempool?: (seat: number) => Mempool;
}

const CREATED = Timestamp(Date.UTC(2026, 5, 12));
const DISK_MS = 0.2;
const STORE_MS = 0.4;
const LIFE_MS = 60_000;

/** What survives of the machine that a node runs on. */
export interface PowerFailure extends CrashChoice {
  readonly keepsVisible: boolean;
}

export const LOSE_ALL: PowerFailure = { bytesKept: () => 0, keeps: () => false, keepsVisible: false };
export const LOSE_NOTHING: PowerFailure = {
  bytesKept: (_, unsynced) => unsynced,
  keeps: () => true,
  keepsVisible: true,
};

/** One machine: its disk, its store, and the node that runs on it now, if one does. */
export class SmallMachine {
  readonly seat: number;
  readonly signer: Signer;
  readonly log: string[] = [];
  readonly told: NodeHappening[] = [];
  /** Its clock less the right time. */
  skewMs = 0;
  disk: MemoryDisk;
  store: MemoryKeyValue;
  node: Node | undefined;
  failure: Error | undefined;
  readonly #world: SmallWorld;
  #boots = 0;

  constructor(world: SmallWorld, seat: number, signer: Signer) {
    this.#world = world;
    this.seat = seat;
    this.signer = signer;
    this.disk = new MemoryDisk({ schedule: (task) => world.time.after(DISK_MS, task) });
    this.store = new MemoryKeyValue({ tables: ALL_TABLES, schedule: (task) => world.time.after(STORE_MS, task) });
    const incarnation = new Uint8Array(16).fill(seat + 1);
    createJournal({ disk: this.disk, publicKey: hexBytes(signer.publicKey), incarnation }, () => undefined);
  }

  get running(): Node {
    return defined(this.node, `seat ${this.seat} runs`);
  }

  get chain(): Chain {
    return this.running.parts.chain;
  }

  get height(): number {
    return this.chain.visibleHead.header.height;
  }

  boot(): void {
    this.#boots += 1;
    const boot = this.#boots;
    beginChain(this.store, this.#world.genesis, (begun) => {
      if (boot !== this.#boots) return;
      if (!begun.ok) {
        this.failure = begun.error;
        return;
      }
      const options = {
        disk: this.disk,
        publicKey: hexBytes(this.signer.publicKey),
        chainId: hexBytes(this.#world.genesis.chainId),
        witness: readWitness(this.store),
        onFatal: (error: Error) => this.node?.fail(error),
      };
      openJournal(options, (opened) => {
        if (boot !== this.#boots) return;
        if (!opened.ok) throw new Error(`the journal of seat ${this.seat}: ${opened.error.code}`);
        this.#launch(begun.value, opened.value);
      });
    });
  }

  /** Power goes, and comes back when the test boots it. */
  crash(failure: PowerFailure): void {
    this.#boots += 1;
    this.disk = this.disk.crash(failure);
    this.store = this.store.crash(failure.keepsVisible);
    // The process is gone: nothing that it still has in mind may happen.
    void this.node?.stop();
    this.node = undefined;
    this.#world.network.detach(this.seat);
  }

  #launch(chain: Chain, { journal, records }: OpenedJournal): void {
    const world = this.#world;
    const { genesis, jurisdiction, timing, network } = world;
    const { authorities } = jurisdiction;
    const { seat, signer } = this;
    const config = { chainId: genesis.chainId, authorities, self: seat, timing, window: world.window };
    this.failure = undefined;
    const node = new Node({
      genesis,
      jurisdiction,
      replica: createReplica(config, recoveredFrom(chain, records)),
      seat,
      signer,
      journal,
      chain,
      executor: new Executor(chain, authorities, genesis),
      mempool: world.mempool(seat),
      transport: new SmallTransport(network, {
        seat,
        publicKey: signer.publicKey,
        head: () => ({ height: chain.head.height, hash: chain.headHash }),
      }),
      contacts: [],
      checkLater: (key, message, signature, done) =>
        world.time.after(0, () => done(createAdmissionCheck()(key, message, signature))),
      clock: {
        now: () => Timestamp(Math.floor(CREATED + 1_000 + world.time.now + this.skewMs)),
        monotonicMs: () => world.time.now,
      },
      timers: {
        after: (delayMs, callback) => this.#after(delayMs, callback),
        soon: (callback) => void this.#after(0, callback),
      },
      metrics: world.metrics,
      log: {
        info: (_, message) => void this.log.push(message),
        warn: (_, message) => void this.log.push(message),
        error: (_, message) => void this.log.push(message),
      },
      forwardAfterMs: timing.forwardMs,
      onFatal: (error) => {
        this.failure = error;
      },
    });
    this.node = node;
    node.subscribe((happening) => this.told.push(happening));
    void node.start();
  }

  #after(delayMs: number, callback: () => void): () => void {
    const boot = this.#boots;
    let isCancelled = false;
    this.#world.time.after(delayMs, () => {
      if (!isCancelled && boot === this.#boots) callback();
    });
    return () => {
      isCancelled = true;
    };
  }
}

export class SmallWorld {
  readonly time = new VirtualTime();
  readonly network = new SmallNetwork(this.time);
  readonly genesis: Genesis;
  readonly jurisdiction: Jurisdiction;
  readonly timing: Timing;
  readonly window: number;
  readonly metrics = SHARED_METRICS;
  readonly machines: readonly SmallMachine[];
  readonly mempool: (seat: number) => Mempool;
  /** What clients were told is final. */
  readonly acknowledged: { readonly id: Hash; readonly outcome: FinalOutcome }[] = [];
  /** Frames that left a node. */
  readonly sent: Passing[] = [];
  readonly #statements = new Map<string, string>();
  #nonce = 0;

  constructor(options: SmallWorldOptions = {}) {
    const { nodes = 4, window = 1, timing, parameters, mempool } = options;
    const plan = planDevnet(nodes, 7_180);
    if (!plan.ok) throw new Error(plan.error);
    const document = devnetGenesis(plan.value, CREATED);
    const parsed = parseGenesis(writeGenesis({ ...document, parameters: { ...document.parameters, ...parameters } }));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    this.genesis = parsed.value;
    const { check } = memoizedCheck(createSignatureCheck(), VERIFIED_SIGNATURES_KEPT_MAX);
    this.jurisdiction = { chainId: this.genesis.chainId, authorities: genesisSet(this.genesis), check };
    this.timing = { ...LAN, ...timing };
    this.window = window;
    this.mempool = mempool ?? (() => new Mempool());
    this.network.onSent = (frame) => this.#remember(frame);
    this.machines = this.genesis.authorities.map(
      ({ id }, seat) => new SmallMachine(this, seat, createSigner(devnetKeyPair(devnetKeys(id).authority).secretKey)),
    );
  }

  /** Starts every machine and waits until all of them are connected and know each other's status. */
  static started(options: SmallWorldOptions = {}): SmallWorld {
    const world = new SmallWorld(options);
    world.run(5);
    for (const machine of world.machines) machine.boot();
    world.until(() => world.machines.every(({ node }) => node?.connectedAuthorities() === world.machines.length));
    return world;
  }

  machine(seat: number): SmallMachine {
    return defined(this.machines[seat], `no seat ${seat}`);
  }

  node(seat: number): Node {
    return this.machine(seat).running;
  }

  reader(seat: number, more: { readonly observerReason?: string } = {}): Reader {
    return createReader(this.node(seat), {
      nodeId: defined(this.genesis.authorities[seat], 'an authority').id,
      version: '0.0.0',
      devnet: true,
      observerReason: more.observerReason ?? null,
      genesisBytes: new Uint8Array(),
      startedAt: this.now(),
      timing: this.timing,
      config: {},
      storageSizes: () => ({}),
    });
  }

  now(): Timestamp {
    return Timestamp(Math.floor(CREATED + 1_000 + this.time.now));
  }

  run(ms: number): void {
    this.time.run(this.time.now + ms);
  }

  /** Lets time pass until something is so; a test that waits in vain fails. */
  until(isSo: () => boolean, deadlineMs = 20_000): void {
    const deadline = this.time.now + deadlineMs;
    while (!isSo()) {
      if (this.time.now >= deadline) throw new Error(`not within ${deadlineMs} ms: ${isSo}`);
      this.run(1);
    }
  }

  /** Signed by the key of an organisation of the devnet. */
  transaction(
    organisation: string,
    operation: Operation,
    more: { readonly key?: string; readonly lifeMs?: number } = {},
  ): Transaction {
    const signer = createSigner(devnetKeyPair(devnetKeys(organisation).operator).secretKey);
    this.#nonce += 1;
    const body = {
      chainId: this.genesis.chainId,
      organisation: OrganisationId(organisation),
      signer: signer.publicKey,
      expiresAt: Timestamp(this.now() + (more.lifeMs ?? LIFE_MS)),
      nonce: this.#nonce,
      idempotencyKey: more.key ?? null,
      operation,
      statements: null,
    };
    return sealTransaction(body, signer.sign(transactionSigningBytes(body)));
  }

  async submit(seat: number, transaction: Transaction, waitMs = 5_000): Promise<SubmitOutcome> {
    const outcome = await this.node(seat).submit(transaction, waitMs);
    if (outcome.outcome === 'final') this.acknowledged.push({ id: transaction.id, outcome });
    return outcome;
  }

  /** Submits, and lets time pass until there is an outcome. */
  async decide(seat: number, transaction: Transaction, waitMs = 5_000): Promise<SubmitOutcome> {
    const outcome = this.submit(seat, transaction, waitMs);
    this.run(waitMs + 1);
    return await outcome;
  }

  /** Like `decide`, for one that must become final; time passes only until it is on every running node. */
  finalise(seat: number, transaction: Transaction): void {
    void this.submit(seat, transaction);
    this.until(() => this.running().every(({ chain }) => chain.place(transaction.id) !== undefined));
  }

  running(): readonly SmallMachine[] {
    return this.machines.filter(({ node }) => node !== undefined);
  }

  /** Every block that two of them have is the same, and everybody has what a client was told. */
  checkAgreement(): void {
    const chains = this.running().map(({ chain }) => chain);
    for (const chain of chains) {
      for (const other of chains) {
        const height = Math.min(chain.visibleHead.header.height, other.visibleHead.header.height);
        for (let at = 0; at <= height; at += 1) {
          if (chain.block(at)?.hash !== other.block(at)?.hash) throw new Error(`two blocks at height ${at}`);
        }
      }
      for (const { id, outcome } of this.acknowledged) {
        const block = chain.visibleHead.header.height < outcome.height ? undefined : chain.block(outcome.height);
        if (block === undefined) continue;
        const isThere = block.hash === outcome.blockHash && block.body.some((transaction) => transaction.id === id);
        if (!isThere) throw new Error(`${id} was acknowledged at height ${outcome.height} and is not there`);
      }
    }
  }

  /** Nobody, across all of its runs, may say two things where one is allowed. */
  #remember(frame: Passing): void {
    this.sent.push(frame);
    const { message, from } = frame;
    if (message.kind === 'vote' || message.kind === 'pre-prepare') {
      const { phase, epoch, view, height, digest, signer } = message.vote;
      if (signer === from) this.#state(`${signer} ${phase} ${epoch}/${view}/${height}`, digest);
    }
    if (message.kind === 'view-change' && message.viewChange.signer === from) {
      const { newView, signature } = message.viewChange;
      this.#state(`${from} VIEW-CHANGE ${newView}`, signature);
    }
    if (message.kind === 'new-view' && message.newView.view % this.machines.length === from) {
      this.#state(`${from} NEW-VIEW ${message.newView.view}`, message.newView.signature);
    }
  }

  #state(place: string, what: string): void {
    const before = this.#statements.get(place);
    if (before !== undefined && before !== what) throw new Error(`signed twice: ${place}`);
    this.#statements.set(place, what);
  }
}

const SHARED_METRICS = createMetrics();

/** Frames that a liar could send. */
export function frameOf(message: Passing['message']): Uint8Array {
  return encode(messageLayout, message);
}
