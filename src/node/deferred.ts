import type { TransactionFault } from '../ledger/validate.ts';
import type { Timestamp } from '../model/ids.ts';
import { CLOCK_TOLERANCE_MS, DEFERRED_PER_SEAT_MAX } from '../model/limits.ts';
import type { Transaction } from '../model/transaction.ts';
import type { PeerId } from '../network/transport.ts';

/** Who passed something on, and how many hops it may still take. */
export interface Heard {
  readonly peer: PeerId;
  readonly hops: number;
}

/** A transaction that an authority let in and this node cannot, as things are. */
export interface Held {
  /** A seat, or the peer that passed it on. */
  readonly source: number | Heard;
  readonly transaction: Transaction;
  /** When it came, by the clock that only grows, in milliseconds. */
  readonly sinceMs: number;
  /** To be called when it turns out that no honest authority passes it on. */
  readonly reject: () => void;
}

/**
 * Transactions of other authorities that may be right a moment later: those have seen a block final that this node has
 * not, or their clocks are a little ahead. A few of each authority, for a short time.
 */
export class Deferred {
  readonly #lifeMsMax: number;
  readonly #patienceMs: number;
  readonly #perSeat = new Map<number | string, number>();
  #held: Held[] = [];

  constructor(limits: { readonly lifeMsMax: number; readonly patienceMs: number }) {
    this.#lifeMsMax = limits.lifeMsMax;
    this.#patienceMs = limits.patienceMs;
  }

  /** @param now the clock that judged it */
  add(held: Held, fault: TransactionFault, now: Timestamp): void {
    const { source, transaction } = held;
    const key = typeof source === 'number' ? source : source.peer;
    const isLikely =
      fault === 'UNKNOWN_SIGNER' ||
      fault === 'NOT_PERMITTED' ||
      (fault === 'TOO_FAR_AHEAD' && transaction.body.expiresAt <= now + this.#lifeMsMax + CLOCK_TOLERANCE_MS);
    const count = this.#perSeat.get(key) ?? 0;
    if (!isLikely || count >= DEFERRED_PER_SEAT_MAX) return;
    this.#perSeat.set(key, count + 1);
    this.#held.push(held);
  }

  /** Takes out all that is not too old, to be tried again: what is still refused comes back by `add`. */
  take(nowMs: number): readonly Held[] {
    const held = this.#held;
    this.#held = [];
    this.#perSeat.clear();
    return held.filter(({ sinceMs }) => nowMs - sinceMs < this.#patienceMs);
  }
}
