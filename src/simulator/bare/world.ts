import type { Effect } from '../../consensus/effect.ts';
import type { Configuration } from '../../consensus/replica.ts';
import { assert, defined } from '../../lib/assert.ts';
import { createHeap } from '../../lib/heap.ts';
import { createPrng, type Prng } from '../../lib/prng.ts';
import { type AuthoritySet, faultsTolerated } from '../../model/authorities.ts';
import { type Block, blockHash } from '../../model/block.ts';
import type { Certificate, Jurisdiction } from '../../model/certificate.ts';
import { decode, encode } from '../../model/codec.ts';
import { type Evidence, isEvidenceValid, offenderOf } from '../../model/evidence.ts';
import { Epoch, Hash, Height, View } from '../../model/ids.ts';
import { type Message, messageLayout } from '../../model/message.ts';
import type { Transaction } from '../../model/transaction.ts';
import type { Verified } from '../../model/verified.ts';
import type { Checkpoint } from '../../model/view-change.ts';
import { createAdversary } from '../adversary.ts';
import { Checker, Violation } from '../checkers.ts';
import { createKeyring, type Keyring } from '../keyring.ts';
import { type Scenario, timingOf } from '../scenario.ts';
import { makeGenesis, makeTransaction } from './abstract-ledger.ts';
import { Archive } from './archive.ts';
import type { Core } from './core.ts';
import { SimulatedNode, type Surroundings } from './node.ts';

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Beyond what honest clocks may differ by. */
const WRONG_CLOCK_MS = 6_000;
const CHAIN = Hash('c0'.repeat(32));

/** The network, its time, and everybody on it. */
export class World {
  readonly scenario: Scenario;
  readonly prng: Prng;
  readonly nodes: SimulatedNode[] = [];
  readonly checker: Checker;
  readonly archive = new Archive();
  readonly keyring: Keyring;
  readonly authorities: AuthoritySet;
  readonly liars: ReadonlySet<number>;
  readonly transactions: Transaction[] = [];
  readonly evidence: Evidence[] = [];
  readonly halts: string[] = [];
  readonly haltProofs: { readonly height: number; readonly checkpoints: readonly Checkpoint[] }[] = [];
  /** Seats of honest nodes that have found out that their memory is behind. */
  readonly retired = new Set<number>();
  /** Links between instances that are cut, as `from * 64 + to`, with how many partitions cut them. */
  readonly cuts = new Map<number, number>();
  /** What the network loses on purpose: a story's own fault. */
  loses: ((from: number, to: number, message: Message) => boolean) | null = null;
  isHealed = false;
  time = 0;
  messages = 0;
  readonly #tasks = createHeap<Task>((a, b) => a.at - b.at || a.order - b.order);
  #order = 0;
  readonly #verified = new WeakMap<Message, boolean>();
  readonly #seen = new WeakSet<Message>();
  readonly #core: Core;
  readonly #jurisdiction: Jurisdiction;
  readonly #adversaries = new Map<SimulatedNode, ReturnType<typeof createAdversary>>();
  readonly #trace: ((line: string) => void) | null;

  constructor(core: Core, scenario: Scenario, trace: ((line: string) => void) | null = null) {
    this.scenario = scenario;
    this.#core = core;
    this.#trace = trace;
    this.prng = createPrng(scenario.seed ^ 0x2545f491);
    this.keyring = createKeyring(scenario.n, scenario.seed);
    this.authorities = authoritiesOf(scenario, this.keyring);
    this.#jurisdiction = { chainId: CHAIN, authorities: this.authorities, check: this.keyring.check };
    this.liars = new Set([...scenario.byzantine.map(({ seat }) => seat), ...scenario.twins]);
    const isStrict = this.liars.size <= faultsTolerated(scenario.n);
    this.checker = new Checker(scenario.n, this.liars, isStrict);
    const header = makeGenesis(CHAIN, this.authorities);
    this.checker.see(header);
    const surroundings = this.#surroundings({
      block: { header, body: [] },
      digest: blockHash(header),
      certificate: null,
    });
    for (let seat = 0; seat < scenario.n; seat += 1) {
      this.#settle(seat, surroundings, `${seat}`);
      if (scenario.twins.includes(seat)) this.#settle(seat, surroundings, `${seat}'`);
    }
  }

  #settle(seat: number, surroundings: Surroundings, name: string): void {
    const { skewMs, syncMsMax, executionMs, corrupt, sendsBeforeSync, window, dead, wrongClocks, wiped } =
      this.scenario;
    const config: Configuration = {
      chainId: CHAIN,
      authorities: this.authorities,
      self: dead.includes(seat) ? -1 : seat,
      timing: timingOf(this.scenario),
      window,
    };
    const skewMsMax = wrongClocks.includes(seat) ? WRONG_CLOCK_MS : skewMs;
    const skew = Math.floor(skewMsMax * (2 * this.prng.next() - 1));
    const node = new SimulatedNode(this.#core, config, surroundings, {
      name,
      seat,
      isWipedByCrashes: wiped.includes(seat),
      instance: this.nodes.length,
      skewMs: skew,
      syncMsMax,
      executionMs,
      isCorrupt: corrupt.includes(seat),
      sendsBeforeSync,
    });
    this.nodes.push(node);
    const lies = this.scenario.byzantine.find((one) => one.seat === seat);
    if (lies === undefined) return;
    const adversary = createAdversary(
      {
        seat,
        chainId: CHAIN,
        authorities: this.authorities,
        prng: this.prng,
        sign: this.keyring.signer(seat),
        transmit: (to, message) => this.#transmit(node, to, message),
        after: (delayMs, run) => this.after(delayMs, run),
        reveal: (made) => this.checker.see(made),
      },
      lies.strategies,
    );
    node.bend = adversary.bend;
    this.#adversaries.set(node, adversary);
  }

  #surroundings(genesis: Surroundings['genesis']): Surroundings {
    const signers = this.keyring.publicKeys.map((_, seat) => this.keyring.signer(seat));
    return {
      chainId: CHAIN,
      genesis,
      now: () => this.time,
      after: (delayMs, run) => this.after(delayMs, run),
      random: () => this.prng.next(),
      transmit: (node, to, message) => this.#transmit(node, to, message),
      verify: (message) => this.#verify(message),
      sign: (seat, bytes) => defined(signers[seat], `no seat ${seat}`)(bytes),
      signed: (node, message) => this.#signed(node, message),
      proposed: (header) => this.checker.see(header),
      finalised: (node, blocks, certificate) => this.#finalised(node, blocks, certificate),
      noticed: (node, effect) => this.#noticed(node, effect),
      crashed: (node) => this.#crashed(node),
    };
  }

  trace(line: () => string): void {
    if (this.#trace !== null) this.#trace(`${this.time.toFixed(1).padStart(9)} ${line()}`);
  }

  after(delayMs: number, run: () => void): void {
    this.#order += 1;
    this.#tasks.push({ at: this.time + delayMs, order: this.#order, run });
  }

  /** Runs what is due until `until`, or until `isDone`. */
  run(until: number, isDone: () => boolean = () => false): void {
    for (let count = 0; ; count += 1) {
      const task = this.#tasks.pop();
      if (task === undefined) break;
      if (task.at > until) {
        this.#tasks.push(task);
        break;
      }
      this.time = task.at;
      task.run();
      if (count % 16 === 0 && isDone()) return;
    }
    this.time = Math.max(this.time, until);
  }

  isHonest(node: SimulatedNode): boolean {
    return !this.liars.has(node.seat);
  }

  get honest(): SimulatedNode[] {
    return this.nodes.filter((node) => this.isHonest(node));
  }

  #transmit(node: SimulatedNode, to: number, message: Message): void {
    if (this.isHonest(node)) this.#signed(node, message);
    const { scenario, prng } = this;
    this.archive.see(message);
    if (this.loses?.(node.seat, to, message) === true) return;
    if (!this.isHealed && prng.chance(scenario.lossRate)) return;
    const copies = !this.isHealed && prng.chance(scenario.duplicateRate) ? 2 : 1;
    const wire = scenario.encoded && isEncodable(message) ? encode(messageLayout, message) : null;
    for (let copy = 0; copy < copies; copy += 1) {
      for (const target of this.nodes) {
        if (target.seat !== to || this.cuts.has(node.instance * 64 + target.instance)) continue;
        this.after(this.#delay(), () => this.#deliver(node.seat, target, wire ?? message));
      }
    }
  }

  #delay(): number {
    const { delayMs, delaySpikeMs, spikeRate } = this.scenario;
    const isSpike = !this.isHealed && this.prng.chance(spikeRate);
    return 0.1 + this.prng.next() * (isSpike ? delaySpikeMs : delayMs);
  }

  #deliver(from: number, target: SimulatedNode, content: Uint8Array | Message): void {
    if (!target.alive) return;
    let message: Message;
    if (content instanceof Uint8Array) {
      const decoded = decode(messageLayout, content);
      assert(decoded.ok, 'what is encoded decodes');
      message = decoded.value;
    } else {
      message = content;
    }
    this.messages += 1;
    this.#adversaries.get(target)?.overhear(from, message);
    this.guard(target, () => target.receive(from, message));
  }

  /** A liar's node may fail in any way; an honest one may not. */
  guard(node: SimulatedNode, run: () => void): void {
    const { mode, config } = node.replica;
    try {
      run();
    } catch (error) {
      if (this.isHonest(node) || error instanceof Violation) throw error;
      node.crash();
      return;
    }
    // A twin does not stop because it has found its twin.
    if (this.isHonest(node)) return;
    if (node.replica.mode === 'halted') node.replica.mode = mode === 'halted' ? 'active' : mode;
    if (node.replica.retired !== null) Object.assign(node.replica, { retired: null, config });
  }

  #verify(message: Message): Verified<Message> | undefined {
    let isValid = this.#verified.get(message);
    if (isValid === undefined) {
      isValid = this.#core.verify(message, this.#jurisdiction).ok;
      this.#verified.set(message, isValid);
    }
    return isValid ? (message as Verified<Message>) : undefined;
  }

  #signed(node: SimulatedNode, message: Message): void {
    if (message.kind === 'pre-prepare') this.checker.see(message.header);
    if (!this.isHonest(node) || this.#seen.has(message)) return;
    this.#seen.add(message);
    if (isOf(node.seat, message, this.scenario.n)) this.checker.signed(node.seat, message);
  }

  #finalised(node: SimulatedNode, blocks: readonly Block[], certificate: Certificate): void {
    const last = defined(blocks.at(-1), 'something became final').header;
    this.trace(() => `${node.name} final ${last.height} by view ${certificate.view} ${certificate.digest.slice(0, 8)}`);
    if (this.isHonest(node)) this.checker.finalised(node.name, blocks);
  }

  #noticed(node: SimulatedNode, effect: Extract<Effect, { type: 'evidence' | 'halt' | 'retire' }>): void {
    if (!this.isHonest(node)) return;
    if (effect.type === 'retire') {
      this.#retired(node, effect);
      return;
    }
    if (effect.type === 'halt') {
      this.halts.push(`${node.name}: ${effect.reason}`);
      this.haltProofs.push({ height: node.chain.height, checkpoints: effect.checkpoints });
      const isSound = !this.scenario.corrupt.includes(node.seat);
      if (isSound && this.liars.size <= faultsTolerated(this.scenario.n)) {
        throw new Violation('no honest node halts', `${node.name}: ${effect.reason}`);
      }
      return;
    }
    const offender = offenderOf(effect.evidence, this.#jurisdiction);
    const isValid = isEvidenceValid(effect.evidence, this.#jurisdiction);
    this.trace(() => `${node.name} accuses ${offender} of ${effect.evidence.kind}`);
    if (!isValid) throw new Violation('evidence is valid', `${node.name}: ${effect.evidence.kind}`);
    if (!this.liars.has(offender)) {
      throw new Violation('no honest node is accused', `${offender} of ${effect.evidence.kind}`);
    }
    this.evidence.push(effect.evidence);
  }

  /** Only a key that was used behind this node's back is given up. */
  #retired({ name, seat }: SimulatedNode, { reason, statement }: Extract<Effect, { type: 'retire' }>): void {
    this.trace(() => `${name} retires: ${reason}, ${statement}`);
    if (!this.scenario.restored.includes(seat))
      throw new Violation('no sound key is given up', `${name}: ${statement}`);
    this.retired.add(seat);
  }

  #crashed(node: SimulatedNode): void {
    this.trace(() => `${node.name} crashes`);
    for (const other of this.nodes) {
      this.guard(other, () => other.report({ type: 'peer', seat: node.seat, connected: false }));
    }
    const { restartMsMax, lost } = this.scenario;
    if (lost.includes(node.seat) && this.isHealed) return;
    this.after(5 + this.prng.next() * restartMsMax, () => this.startNode(node));
  }

  startNode(node: SimulatedNode): void {
    if (node.alive || (this.isHealed && this.scenario.lost.includes(node.seat))) return;
    this.trace(() => `${node.name} starts`);
    this.guard(node, () => node.start());
    for (const other of this.nodes) {
      if (other.seat === node.seat || !other.alive) continue;
      this.guard(other, () => other.report({ type: 'peer', seat: node.seat, connected: true }));
      this.guard(node, () => node.report({ type: 'peer', seat: other.seat, connected: true }));
    }
    this.guard(node, () => node.submit(this.transactions));
  }

  /** What the statements on the wire prove against their authors. */
  convictions(): Evidence[] {
    return this.archive
      .convict((digest) => this.checker.headerOf(digest))
      .filter((evidence) => isEvidenceValid(evidence, this.#jurisdiction));
  }

  offender(evidence: Evidence): number {
    return offenderOf(evidence, this.#jurisdiction);
  }

  /** A client gives a transaction to some nodes, and gossip to the rest. */
  submit(): void {
    const transaction = makeTransaction(CHAIN, this.transactions.length);
    this.transactions.push(transaction);
    for (const node of this.nodes) {
      this.after(this.#delay(), () => this.guard(node, () => node.submit([transaction])));
    }
  }
}

/** Whether a message makes a statement of this seat, rather than passing one on. */
function isOf(seat: number, message: Message, seats: number): boolean {
  switch (message.kind) {
    case 'vote':
    case 'pre-prepare':
      return message.vote.signer === seat;
    case 'view-change':
      return message.viewChange.signer === seat;
    case 'new-view':
      return message.newView.view % seats === seat;
    default:
      return false;
  }
}

/** Some lies cannot even be written down. */
function isEncodable(message: Message): boolean {
  switch (message.kind) {
    case 'certificate':
    case 'final':
    case 'view-change':
    case 'blocks':
      return message.certificate === null || isAscending(message.certificate.signers);
    case 'new-view':
      return message.newView.anchor === null || isAscending(message.newView.anchor.signers);
    default:
      return true;
  }
}

function isAscending(seats: readonly number[]): boolean {
  return seats.every((seat, index) => index === 0 || seat > (seats[index - 1] ?? seat));
}

function authoritiesOf(scenario: Scenario, keyring: Keyring): AuthoritySet {
  return {
    epoch: Epoch(0),
    firstHeight: Height(1),
    startView: View(0),
    mode: 'bft',
    authorities: keyring.publicKeys.map((publicKey, seat) => ({
      id: `node-${seat}`,
      publicKey,
      organisation: 'simulated',
    })),
    parameters: {
      blockTransactionsMax: 100,
      blockBytesMax: 1_000_000,
      checkpointInterval: scenario.checkpointInterval,
      rotationInterval: scenario.rotationInterval,
      blockIntervalMs: scenario.blockIntervalMs,
      transactionLifeMsMax: 1_000_000_000,
      windowMax: scenario.window,
    },
  };
}
