import type { TransactionFault } from '../ledger/validate.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import type { Hash, Height, View } from '../model/ids.ts';
import { FORWARD_BATCH_MAX, GOSSIP_BYTES_MAX, VERIFICATIONS_IN_FLIGHT_MAX } from '../model/limits.ts';
import { HEARD_VERIFICATIONS_IN_FLIGHT_MAX } from '../model/peer-limits.ts';
import type { Receipt } from '../model/receipt.ts';
import { type Transaction, transactionSigningBytes } from '../model/transaction.ts';
import { type Verified, verifyTransaction } from '../model/verified.ts';
import type { PeerId } from '../network/transport.ts';
import type { StoredBlock } from '../store/blocks.ts';
import type { Chain, ChainEntry } from '../store/chain.ts';
import { Deferred, type Heard } from './deferred.ts';
import type { Executor } from './executor.ts';
import { faultDetail } from './faults.ts';
import type { Host } from './host.ts';
import { type Admission, FORWARD_AGAIN_INTERVALS, type Mempool } from './mempool.ts';
import type { Clock, SignatureCheckLater, Timers } from './ports.ts';
import { Waiters } from './waiters.ts';

/** A final transaction, durable on this node. */
export interface FinalOutcome {
  readonly outcome: 'final';
  readonly height: Height;
  readonly blockHash: Hash;
  readonly receipt: Receipt;
}

export interface NotAdmittedOutcome {
  readonly outcome: 'not-admitted';
  readonly code: string;
  readonly detail: string;
}

export type SubmitOutcome = FinalOutcome | { readonly outcome: 'pending' } | NotAdmittedOutcome;

export interface IntakeParts {
  readonly host: Pick<Host, 'transactionsArrived' | 'broadcast' | 'send'>;
  readonly mempool: Mempool;
  readonly executor: Executor;
  readonly chain: Chain;
  readonly jurisdiction: Jurisdiction;
  readonly checkLater: SignatureCheckLater;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Why nothing that is new can become final through this node now; undefined when it can. */
  readonly refusal: () => NotAdmittedOutcome | undefined;
  /** Who proposes now, when that is another seat. */
  readonly primary: () => ForeignPrimary | undefined;
  /** Tells peers that are not told by `host`: those without a seat, or all peers of a node without one. */
  readonly spread?: (transactions: readonly Transaction[], heard: Heard | null, isAgain: boolean) => void;
  /** What a transaction waits for before it is passed on to the primary once more. */
  readonly forwardAfterMs: number;
}

export interface ForeignPrimary {
  readonly seat: number;
  readonly view: View;
  readonly isConnected: boolean;
}

type Waiter = (outcome: SubmitOutcome) => void;

/** A transaction that another node passed on, and what becomes of whoever sent it. */
interface Offer {
  /** The seat of an authority that has told every other one too; or whoever has told this node and perhaps nobody else. */
  readonly source: number | Heard;
  readonly transaction: Transaction;
  /** When it came, by the clock that only grows. */
  readonly sinceMs: number;
  readonly judge: (transaction: Transaction) => TransactionFault | undefined;
  /** The sender was found out meanwhile. */
  readonly isOver: () => boolean;
  readonly reject: () => void;
}

/** The way in for transactions: checked once, at the door, and passed on to every authority. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #waiters: Waiters<SubmitOutcome>;
  /** Final and not yet durable, oldest first. */
  readonly #undurable: StoredBlock[] = [];
  readonly #deferred: Deferred;
  #gossip: { readonly transaction: Transaction; readonly heard: Heard | null }[] = [];
  #verifying = 0;
  /** Of those, what peers without a seat passed on. */
  #verifyingHeard = 0;
  #lastFinalMs = 0;
  /** What whoever comes is told once this intake is closed. */
  #closed: NotAdmittedOutcome | null = null;
  #cancelForward: () => void = () => undefined;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#waiters = new Waiters(parts.timers);
    const { transactionLifeMsMax } = parts.jurisdiction.authorities.parameters;
    this.#deferred = new Deferred({
      lifeMsMax: transactionLifeMsMax,
      patienceMs: FORWARD_AGAIN_INTERVALS * parts.forwardAfterMs,
    });
  }

  start(): void {
    this.#cancelForward = this.#parts.timers.after(this.#parts.forwardAfterMs, () => {
      this.#retryDeferred();
      this.#forward();
      this.start();
    });
  }

  /** Everybody who waits is told that nothing is known yet; whoever comes is refused, and nobody waits any more. */
  stop(why: NotAdmittedOutcome): void {
    this.#closed ??= why;
    this.#cancelForward();
    this.#waiters.tellAll({ outcome: 'pending' });
  }

  /** Admits a transaction and calls back once it is final, refused, or `waitMs` have passed. */
  submit(transaction: Transaction, waitMs: number, done: Waiter): void {
    const { mempool, chain } = this.#parts;
    const isKnown = mempool.has(transaction.id) || chain.has(transaction.id);
    if (isKnown && this.#signatureOf(transaction.id) === transaction.signature) {
      this.#wait(transaction, waitMs, done);
      return;
    }
    // An id does not cover the signature: what is known under it answers only for what is signed.
    const refusal = isKnown
      ? (this.#prunedRefusal(transaction.id) ?? this.#crowdRefusal())
      : this.#refusalOf(transaction);
    if (refusal !== undefined) {
      done(refusal);
      return;
    }
    this.#verify(transaction, (verified) => {
      if (verified === undefined) {
        done(notAdmitted('BAD_SIGNATURE', 'the signature is not that of the signer over this transaction'));
        return;
      }
      const refused = isKnown ? undefined : admissionRefusal(this.#admit(verified));
      if (refused !== undefined) {
        done(refused);
        return;
      }
      if (!isKnown) this.#pass(transaction, null);
      this.#wait(transaction, waitMs, done);
    });
  }

  /** What another node passes on, an authority by its seat; `rejected` when that is what no honest authority does. */
  fromPeer(source: number | Heard, transactions: readonly Transaction[], rejected: () => void): void {
    const { jurisdiction, clock, executor } = this.#parts;
    const judge = executor.judge(clock.now());
    const sinceMs = clock.monotonicMs();
    let isRejected = false;
    const reject = (): void => {
      if (!isRejected) rejected();
      isRejected = true;
    };
    for (const transaction of transactions) {
      if (isRejected || this.#isFullFor(source)) return;
      if (transaction.body.chainId !== jurisdiction.chainId) reject();
      else this.#takeOver({ source, transaction, sinceMs, judge, isOver: () => isRejected, reject });
    }
  }

  /** A block is final and visible. */
  final({ stored }: ChainEntry): void {
    this.#undurable.push(stored);
    this.#lastFinalMs = this.#parts.clock.monotonicMs();
    this.#retryDeferred();
  }

  /** The chain is durable up to this height: those who wait for its transactions may know. */
  durable(height: Height): void {
    for (let stored = this.#undurable[0]; stored !== undefined; stored = this.#undurable[0]) {
      const { header, hash, body, receipts } = stored;
      if (header.height > height) return;
      this.#undurable.shift();
      for (const [index, { id }] of body.entries()) {
        const receipt = receipts[index];
        if (receipt === undefined || !this.#waiters.has(id)) continue;
        this.#waiters.tell(id, { outcome: 'final', height: header.height, blockHash: hash, receipt });
      }
      // A clock alone proves nothing: a block that is older than the expiry may still become final.
      this.#waiters.expire(header.timestamp, LAPSED);
    }
  }

  /** The outcome of a transaction that is final and durable. */
  outcomeOf(id: Hash): FinalOutcome | undefined {
    const place = this.#parts.chain.place(id);
    if (place === undefined) return undefined;
    const undurable = this.#undurable[0]?.header.height;
    if (undurable !== undefined && place.height >= undurable) return undefined;
    const block = this.#parts.chain.block(place.height);
    const receipt = block?.receipts[place.index];
    if (block === undefined || receipt === undefined) return undefined;
    return { outcome: 'final', height: place.height, blockHash: block.hash, receipt };
  }

  /** As it came with the transaction that waits or is final under this id. */
  #signatureOf(id: Hash): Transaction['signature'] | undefined {
    const { mempool, chain } = this.#parts;
    return mempool.get(id)?.signature ?? chain.signatureOf(id);
  }

  /** For one that is final and whose receipt is not kept: whoever waited for it would hear that it expired. */
  #prunedRefusal(id: Hash): NotAdmittedOutcome | undefined {
    const { chain } = this.#parts;
    const place = chain.place(id);
    if (place === undefined || chain.block(place.height) !== undefined) return undefined;
    const detail = `the transaction is final in block ${place.height}, which is not kept here: an archive has its receipt`;
    return notAdmitted('ALREADY_FINAL', detail);
  }

  #crowdRefusal(): NotAdmittedOutcome | undefined {
    return this.#verifying >= VERIFICATIONS_IN_FLIGHT_MAX ? admissionRefusal('full') : undefined;
  }

  #refusalOf(transaction: Transaction): NotAdmittedOutcome | undefined {
    const { mempool, executor, clock, refusal } = this.#parts;
    if (this.#closed !== null) return this.#closed;
    // A node that is cut off or behind knows too little to say that a transaction is not permitted.
    const refused = refusal();
    if (refused !== undefined) return refused;
    // Before the ledger is asked: a node that has no room must not be made to work for saying so.
    const crowded = this.#crowdRefusal() ?? admissionRefusal(mempool.admits(transaction));
    if (crowded !== undefined) return crowded;
    const now = clock.now();
    const fault = executor.judge(now)(transaction);
    if (fault !== undefined) {
      const { transactionLifeMsMax } = this.#parts.jurisdiction.authorities.parameters;
      const ground = { now, transactionLifeMsMax, lack: executor.lackOf(transaction) };
      return notAdmitted(fault, faultDetail(fault, transaction, ground));
    }
    return undefined;
  }

  /** The signature of one that another authority let in is judged by the full rule before anybody is blamed for it. */
  #takeOver(offer: Offer): void {
    const { mempool, clock, jurisdiction } = this.#parts;
    const { source, transaction, sinceMs, judge } = offer;
    if (this.#isFullFor(source) || mempool.admits(transaction) !== 'added') return;
    const fault = judge(transaction);
    if (fault !== undefined) {
      this.#deferred.add({ source, transaction, sinceMs, reject: offer.reject }, fault, clock.now());
      return;
    }
    const isHeard = typeof source !== 'number';
    if (isHeard) this.#verifyingHeard += 1;
    this.#verify(transaction, (admissible) => {
      if (isHeard) this.#verifyingHeard -= 1;
      if (offer.isOver()) return;
      const verified = admissible ?? fullyVerified(transaction, jurisdiction);
      if (verified === undefined) offer.reject();
      else if (this.#admit(verified) === 'added' && isHeard) this.#pass(transaction, source);
    });
  }

  /** Identities cost nothing: what those without a vote pass on shuts nobody else out. */
  #isFullFor(source: number | Heard): boolean {
    const isHeard = typeof source !== 'number';
    return (
      this.#verifying >= VERIFICATIONS_IN_FLIGHT_MAX ||
      (isHeard && this.#verifyingHeard >= HEARD_VERIFICATIONS_IN_FLIGHT_MAX)
    );
  }

  #retryDeferred(): void {
    const { clock, executor } = this.#parts;
    const held = this.#deferred.take(clock.monotonicMs());
    if (held.length === 0) return;
    const judge = executor.judge(clock.now());
    for (const one of held) this.#takeOver({ ...one, judge, isOver: () => false });
  }

  #verify(transaction: Transaction, done: (verified: Verified<Transaction> | undefined) => void): void {
    const { body, signature } = transaction;
    this.#verifying += 1;
    this.#parts.checkLater(body.signer, transactionSigningBytes(body), signature, (valid) => {
      this.#verifying -= 1;
      const verified = verifyTransaction(transaction, () => valid);
      done(verified.ok ? verified.value : undefined);
    });
  }

  #admit(transaction: Verified<Transaction>): Admission {
    const { mempool, host, clock, chain } = this.#parts;
    if (chain.has(transaction.id)) return 'known';
    const admission = mempool.add(transaction, clock.monotonicMs());
    if (admission === 'added') host.transactionsArrived();
    return admission;
  }

  /** To every authority, together with whatever else comes in the same turn. */
  #pass(transaction: Transaction, heard: Heard | null): void {
    this.#gossip.push({ transaction, heard });
    if (this.#gossip.length > 1) return;
    this.#parts.timers.soon(() => {
      const all = this.#gossip;
      this.#gossip = [];
      const transactions = all.map((one) => one.transaction);
      for (const portion of inFrames(transactions)) {
        this.#parts.host.broadcast({ kind: 'transactions', transactions: portion });
      }
      this.#spread(all);
    });
  }

  #spread(all: readonly { readonly transaction: Transaction; readonly heard: Heard | null }[]): void {
    const byPeer = new Map<PeerId | null, { readonly heard: Heard | null; readonly transactions: Transaction[] }>();
    for (const { transaction, heard } of all) {
      const one = byPeer.get(heard?.peer ?? null) ?? { heard, transactions: [] };
      byPeer.set(heard?.peer ?? null, one);
      one.transactions.push(transaction);
    }
    for (const { heard, transactions } of byPeer.values()) this.#parts.spread?.(transactions, heard, false);
  }

  /**
   * What has waited too long goes to the primary, which may have missed it. When that brings nothing, or the primary is
   * not here, it goes to everybody: a view is left only when enough authorities see that there is work.
   */
  #forward(): void {
    const { mempool, clock, host, primary, forwardAfterMs } = this.#parts;
    const current = primary();
    if (current === undefined) return;
    const { seat, view, isConnected } = current;
    const nowMs = clock.monotonicMs();
    const isStuck = nowMs - this.#lastFinalMs >= FORWARD_AGAIN_INTERVALS * forwardAfterMs;
    const { first, again } = mempool.overdue(nowMs, { ageMs: forwardAfterMs, view, most: FORWARD_BATCH_MAX });
    const isForAll = (isAgain: boolean): boolean => !isConnected || (isAgain && isStuck);
    for (const [transactions, isAgain] of [[first, false] as const, [again, true] as const]) {
      for (const portion of inFrames(transactions)) {
        const message = { kind: 'transactions', transactions: portion } as const;
        if (!isForAll(isAgain)) host.send(seat, message);
        else {
          host.broadcast(message);
          // It was passed on when it came. While blocks are made, comparing what waits finds what got lost.
          if (isAgain && isStuck) this.#parts.spread?.(portion, null, true);
        }
      }
    }
  }

  #wait(transaction: Transaction, waitMs: number, done: Waiter): void {
    const final = this.outcomeOf(transaction.id);
    if (final !== undefined) done(final);
    else if (waitMs === 0 || this.#closed !== null || this.#waiters.isFull) done({ outcome: 'pending' });
    else this.#waiters.add(transaction, { waitMs, late: { outcome: 'pending' } }, done);
  }
}

const LAPSED = notAdmitted(
  'EXPIRED',
  'the transaction was admitted, and expired before a block took it: it can never become final; sign it again with a later expiry',
);

/** By the full rule, which lets in what the quick check of this machine may not. */
function fullyVerified(transaction: Transaction, { check }: Jurisdiction): Verified<Transaction> | undefined {
  const verified = verifyTransaction(transaction, check);
  return verified.ok ? verified.value : undefined;
}

export function notAdmitted(code: string, detail: string): NotAdmittedOutcome {
  return { outcome: 'not-admitted', code, detail };
}

function admissionRefusal(admission: Admission): NotAdmittedOutcome | undefined {
  if (admission === 'full') return notAdmitted('OVERLOADED', 'too much is waiting already; try again in a moment');
  if (admission === 'quota')
    return notAdmitted('OVERLOADED', 'this key has too much waiting already; try again in a moment');
  return undefined;
}

/** Transactions in portions that fit a frame. */
export function* inFrames(transactions: readonly Transaction[]): Generator<readonly Transaction[]> {
  let portion: Transaction[] = [];
  let bytes = 0;
  for (const transaction of transactions) {
    if (
      portion.length > 0 &&
      (bytes + transaction.bytes.length > GOSSIP_BYTES_MAX || portion.length >= FORWARD_BATCH_MAX)
    ) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(transaction);
    bytes += transaction.bytes.length;
  }
  if (portion.length > 0) yield portion;
}
