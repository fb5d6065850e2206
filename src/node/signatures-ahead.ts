import { defined } from '../lib/assert.ts';
import type { Body } from '../model/block.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { SIGNATURES_PER_TURN } from '../model/limits.ts';
import { signedBytesOf, type Transaction } from '../model/transaction.ts';
import { verifyTransaction } from '../model/verified.ts';
import type { Mempool } from './mempool.ts';
import type { SignatureCheckLater } from './ports.ts';

export interface SignaturesAheadParts {
  readonly mempool: Mempool;
  readonly jurisdiction: Jurisdiction;
  readonly checkLater: SignatureCheckLater;
}

interface Pending {
  readonly place: number;
  readonly transaction: Transaction;
}

/**
 * Checks the client signatures of bodies on other threads, the first body's first, while earlier bodies are executed: they
 * cost as much as the execution. A no of those threads is asked again under the rule of the chain, which accepts more.
 */
export class SignaturesAhead {
  readonly #parts: SignaturesAheadParts;
  readonly #waiting: readonly Pending[];
  /** Signatures of each body that are not answered yet. */
  readonly #open: number[];
  readonly #isInvalid = new Set<number>();
  #taken = 0;
  #inFlight = 0;
  #awaited: { readonly place: number; readonly done: (areValid: boolean) => void } | undefined;
  #isOver = false;

  constructor(parts: SignaturesAheadParts, bodies: readonly Body[]) {
    this.#parts = parts;
    const { mempool } = parts;
    this.#waiting = bodies.flatMap((body, place) =>
      body
        // The same id does not say that it is the same signature.
        .filter((transaction) => mempool.get(transaction.id)?.signature !== transaction.signature)
        .map((transaction) => ({ place, transaction })),
    );
    this.#open = bodies.map(() => 0);
    for (const { place } of this.#waiting) this.#open[place] = this.#openOf(place) + 1;
    this.#proceed();
  }

  /** Calls `done` once the body at `place` is judged: at once when it is. One body is awaited at a time. */
  whenChecked(place: number, done: (areValid: boolean) => void): void {
    this.#awaited = { place, done };
    this.#answer();
  }

  /** Nobody is told anything any more. */
  stop(): void {
    this.#isOver = true;
  }

  #openOf(place: number): number {
    return defined(this.#open[place], 'a body has a place');
  }

  /** No more than some at a time: clients and gossip use the same threads. */
  #proceed(): void {
    const { checkLater } = this.#parts;
    while (!this.#isOver && this.#inFlight < SIGNATURES_PER_TURN) {
      const next = this.#waiting[this.#taken];
      if (next === undefined) return;
      this.#taken += 1;
      this.#inFlight += 1;
      const { body, signature } = next.transaction;
      checkLater(body.signer, signedBytesOf(next.transaction), signature, (isAccepted) =>
        this.#checked(next, isAccepted),
      );
    }
  }

  #checked({ place, transaction }: Pending, isAccepted: boolean): void {
    if (this.#isOver) return;
    this.#inFlight -= 1;
    this.#open[place] = this.#openOf(place) - 1;
    const isValid = isAccepted || verifyTransaction(transaction, this.#parts.jurisdiction.check).ok;
    if (!isValid) this.#isInvalid.add(place);
    this.#proceed();
    this.#answer();
  }

  #answer(): void {
    const awaited = this.#awaited;
    if (this.#isOver || awaited === undefined || this.#openOf(awaited.place) > 0) return;
    this.#awaited = undefined;
    awaited.done(!this.#isInvalid.has(awaited.place));
  }
}
