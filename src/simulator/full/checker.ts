import type { JournalRecord } from '../../consensus/record.ts';
import type { Replica } from '../../consensus/replica.ts';
import { toHex } from '../../lib/bytes.ts';
import type { Header } from '../../model/block.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import { type Evidence, isEvidenceValid, offenderOf } from '../../model/evidence.ts';
import { type Hash, hexBytes, type Signature } from '../../model/ids.ts';
import { MEMPOOL_BYTES_MAX, MEMPOOL_TRANSACTIONS_MAX } from '../../model/limits.ts';
import type { Message } from '../../model/message.ts';
import { compareRank, type Rank } from '../../model/view-change.ts';
import type { FinalOutcome } from '../../node/intake.ts';
import { readHeadHeight } from '../../store/blocks.ts';
import type { Chain, ChainEntry } from '../../store/chain.ts';
import { Checker, checkBuffers, Violation } from '../checkers.ts';
import { CanonicalChain } from './canon.ts';
import type { Machine } from './machine.ts';
import type { FullProcess } from './process.ts';

/** What one honest machine has signed and said, through all its runs. */
interface Statements {
  /** Of the present run, by slot: nothing may be signed twice in it, sent or not. */
  readonly signed: Map<string, string>;
  /** Signatures that the checkers of the bare simulator know already. */
  readonly known: Set<Signature>;
  /** Signatures that were found on the disk in the present run. */
  readonly written: Set<Signature>;
  boot: number;
  view: number;
  finalHeight: number;
  storedHeight: number;
  highest: Rank | null;
}

/** Sees everything, and checks what no single node can: the invariants of docs/consensus.md and the promises to clients. */
export class FullChecker {
  readonly core: Checker;
  readonly canon: CanonicalChain;
  readonly evidence: Evidence[] = [];
  acknowledged = 0;
  /** Keys that were given up. */
  retirements = 0;
  readonly #jurisdiction: Jurisdiction;
  readonly #liars: ReadonlySet<number>;
  readonly #statements = new Map<number, Statements>();
  readonly #seen = new WeakSet<Message>();
  /** Blocks that lie below an honest vote. */
  readonly #decided = new Set<Hash>();
  readonly #promises: { readonly id: Hash; readonly outcome: FinalOutcome; readonly name: string }[] = [];

  constructor(jurisdiction: Jurisdiction, liars: ReadonlySet<number>) {
    this.core = new Checker(jurisdiction.authorities.authorities.length, liars, true);
    this.canon = new CanonicalChain(jurisdiction.check);
    this.#jurisdiction = jurisdiction;
    this.#liars = liars;
  }

  isHonest(seat: number): boolean {
    return !this.#liars.has(seat);
  }

  #of(seat: number, boot: number): Statements {
    let statements = this.#statements.get(seat);
    if (statements === undefined) {
      statements = {
        signed: new Map(),
        known: new Set(),
        written: new Set(),
        boot,
        view: 0,
        finalHeight: 0,
        storedHeight: -1,
        highest: null,
      };
      this.#statements.set(seat, statements);
    }
    if (statements.boot !== boot) {
      statements.signed.clear();
      statements.written.clear();
      Object.assign(statements, { boot, view: 0, finalHeight: 0, storedHeight: -1, highest: null });
    }
    return statements;
  }

  see(header: Header): void {
    this.core.see(header);
  }

  /** After a start: what was promised to be durable is there. */
  recovered({ name, seat, promisedHeight }: Machine, chain: Chain): void {
    if (!this.isHonest(seat) || chain.head.height >= promisedHeight) return;
    throw new Violation('what is durable survives', `${name} has ${chain.head.height} of ${promisedHeight} blocks`);
  }

  /** A key votes only with the journal that was made with it (docs/consensus.md, "Memory"). */
  opened({ name, deadKey }: Machine, problem: string | null): void {
    if ((deadKey === null) === (problem === null)) return;
    throw new Violation('key and journal are one thing', `${name}: ${deadKey ?? 'sound'}, opened with ${problem}`);
  }

  /** What a journal remembers was said, though perhaps nobody heard it: what came after the last that somebody did. */
  remembered({ seat, boots }: Machine, records: readonly JournalRecord[]): void {
    if (!this.isHonest(seat)) return;
    const { known } = this.#of(seat, boots);
    const messages: Message[] = [];
    for (const record of records) {
      if (record.kind === 'block') this.see(record.block.header);
      if (record.kind === 'snapshot') for (const { header } of record.blocks) this.see(header);
      if (record.kind === 'vote' || record.kind === 'view-change' || record.kind === 'new-view') messages.push(record);
    }
    const last = messages.findLastIndex((message) => {
      const signature = ownSignature(seat, message, this.#jurisdiction);
      return signature !== undefined && known.has(signature);
    });
    for (const message of messages.slice(last + 1)) this.#state(seat, boots, message);
  }

  /** The hand of an authority has moved. */
  signed({ name, seat, boots }: Machine, message: Uint8Array): void {
    if (!this.isHonest(seat)) return;
    const { signed } = this.#of(seat, boots);
    const { slot, content } = slotOf(message);
    const before = signed.get(slot);
    if (before !== undefined && before !== content) throw new Violation('nothing is signed twice', `${name}: ${slot}`);
    signed.set(slot, content);
  }

  /** A message is about to leave an honest machine: whatever it signed for it must be on its disk. */
  leaving(machine: Machine, message: Message): void {
    const { seat, boots, name } = machine;
    if (message.kind === 'pre-prepare' && !this.#seen.has(message)) {
      this.#seen.add(message);
      this.see(message.header);
    }
    const signature = ownSignature(seat, message, this.#jurisdiction);
    const { written } = this.#of(seat, boots);
    if (signature === undefined || written.has(signature)) return;
    if (!isOnDisk(machine, signature)) throw new Violation('journal before send', `${name}: ${message.kind}`);
    written.add(signature);
    this.#state(seat, boots, message);
  }

  /** What the journal says is durable is as good as said, in this order, whether or not anybody is there to hear it. */
  durable({ seat, boots }: Machine, record: JournalRecord): void {
    if (!this.isHonest(seat)) return;
    if (record.kind === 'vote' || record.kind === 'view-change' || record.kind === 'new-view') {
      this.#state(seat, boots, record);
    }
  }

  #state(seat: number, boots: number, message: Message): void {
    const signature = ownSignature(seat, message, this.#jurisdiction);
    const { known } = this.#of(seat, boots);
    if (signature === undefined || known.has(signature)) return;
    known.add(signature);
    this.core.signed(seat, message);
  }

  final({ name, seat }: Machine, entry: ChainEntry): void {
    if (!this.isHonest(seat)) return;
    this.core.finalised(name, [entry.stored]);
    this.canon.add(name, entry);
  }

  /** A machine tells a client that its transaction is final. */
  acknowledge(machine: Machine, id: Hash, outcome: FinalOutcome): void {
    const { name, seat, store } = machine;
    if (!this.isHonest(seat)) return;
    this.acknowledged += 1;
    const durable = readHeadHeight(store.durable) ?? 0;
    if (durable < outcome.height) {
      throw new Violation('durable before it is acknowledged', `${name}: ${outcome.height}, durable is ${durable}`);
    }
    machine.promisedHeight = Math.max(machine.promisedHeight, outcome.height);
    this.#promises.push({ id, outcome, name });
    this.canon.confirm(name, id, outcome);
  }

  /** Everything that clients were promised is in the chain, as it was promised. */
  checkPromises(): void {
    for (const { id, outcome, name } of this.#promises) this.canon.confirm(name, id, outcome);
  }

  accused({ name, seat }: Machine, evidence: Evidence): void {
    if (!this.isHonest(seat)) return;
    const offender = offenderOf(evidence, this.#jurisdiction);
    if (!isEvidenceValid(evidence, this.#jurisdiction))
      throw new Violation('evidence is valid', `${name}: ${evidence.kind}`);
    if (this.isHonest(offender)) throw new Violation('no honest node is accused', `${offender} of ${evidence.kind}`);
    this.evidence.push(evidence);
  }

  halted({ name, seat }: Machine, reason: string): void {
    if (this.isHonest(seat)) throw new Violation('no honest node halts', `${name}: ${reason}`);
  }

  /** Only a key whose memory was put back is given up. */
  retired({ name, seat, deadKey, isRestored }: Machine, statement: string): void {
    if (this.isHonest(seat) && deadKey === null && !isRestored)
      throw new Violation('no sound key is given up', `${name}: ${statement}`);
    this.retirements += 1;
  }

  failed({ name, seat }: Machine, error: Error): void {
    if (!this.isHonest(seat)) return;
    if (error.cause instanceof Violation) throw error.cause;
    const cause = error.cause instanceof Error ? `: ${error.cause.stack ?? error.cause.message}` : '';
    throw new Violation('no honest node fails', `${name}: ${error.message}${cause}`);
  }

  refused({ name, seat }: Machine, from: number, code: string): void {
    if (!this.isHonest(seat) || !this.isHonest(from)) return;
    throw new Violation('no honest message is refused', `${name} refuses one of ${from}: ${code}`);
  }

  /** Blocks that were voted for, or proposed, though perhaps nobody was there to hear it. */
  #seeDecided({ tip, tree }: Replica): void {
    for (let block = tip && tree.get(tip.digest); block; block = tree.get(block.header.previous)) {
      if (this.#decided.has(block.digest)) return;
      this.#decided.add(block.digest);
      this.see(block.header);
    }
  }

  /** What must hold on one honest machine at any time. */
  afterEvent({ name, seat, boots }: Machine, { replica, mempool, chain }: FullProcess): void {
    if (!this.isHonest(seat)) return;
    const statements = this.#of(seat, boots);
    const { view, final, highest } = replica;
    const isForward =
      view >= statements.view &&
      final.height >= statements.finalHeight &&
      (statements.highest === null || (highest !== null && compareRank(highest, statements.highest) >= 0));
    if (!isForward) throw new Violation('views, heights and ranks only grow', `${name} at view ${view}`);
    const isNew = chain.head.height !== statements.storedHeight;
    Object.assign(statements, { view, finalHeight: final.height, highest, storedHeight: chain.head.height });
    if (chain.head.height < final.height || (isNew && chain.stateRoot() !== chain.head.stateRoot)) {
      throw new Violation('the chain is what consensus made final', `${name} at height ${final.height}`);
    }
    this.#seeDecided(replica);
    checkBuffers(name, replica);
    if (mempool.size > MEMPOOL_TRANSACTIONS_MAX || mempool.bytes > MEMPOOL_BYTES_MAX) {
      throw new Violation('everything is bounded', `${name}: ${mempool.size} transactions wait`);
    }
  }
}

/** The signature of this seat's own under a message, if it makes a statement of it. */
function ownSignature(seat: number, message: Message, { authorities }: Jurisdiction): Signature | undefined {
  switch (message.kind) {
    case 'vote':
    case 'pre-prepare':
      return message.vote.signer === seat ? message.vote.signature : undefined;
    case 'view-change':
      return message.viewChange.signer === seat ? message.viewChange.signature : undefined;
    case 'new-view':
      return message.newView.view % authorities.authorities.length === seat ? message.newView.signature : undefined;
    case 'checkpoint':
      return message.checkpoint.signer === seat ? message.checkpoint.signature : undefined;
    default:
      return undefined;
  }
}

function isOnDisk({ disk }: Machine, signature: Signature): boolean {
  const bytes = Buffer.from(hexBytes(signature));
  return disk.list().some((name) => Buffer.from(disk.durableBytesOf(name)).includes(bytes));
}

const DIGEST_BYTES = 32;
/** Epoch and view, or epoch and height. */
const PLACE_BYTES = 16;
const CHAIN_BYTES = 32;

/** What was signed about what: two contents for one slot are a contradiction. Read from the bytes, not from the code that made them. */
function slotOf(message: Uint8Array): { readonly slot: string; readonly content: string } {
  const tagEnd = message.indexOf(0);
  const tag = Buffer.from(message.subarray(0, tagEnd)).toString('latin1');
  const isBallot = tag.endsWith('/PREPARE') || tag.endsWith('/COMMIT');
  const from = tagEnd + 1 + CHAIN_BYTES;
  const end = isBallot ? message.length - DIGEST_BYTES : from + PLACE_BYTES;
  return { slot: `${tag} ${toHex(message.subarray(from, end))}`, content: toHex(message.subarray(end)) };
}
