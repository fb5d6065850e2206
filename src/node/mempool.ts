import type { Hash, PublicKey, Timestamp, View } from '../model/ids.ts';
import { MEMPOOL_BYTES_MAX, MEMPOOL_PER_SIGNER_MAX, MEMPOOL_TRANSACTIONS_MAX } from '../model/limits.ts';
import type { Transaction } from '../model/transaction.ts';
import type { Verified } from '../model/verified.ts';

export type Admission = 'added' | 'known' | 'full' | 'quota';

/** A transaction that waits. Times are of the clock that only grows, in milliseconds. */
export interface Waiting {
  readonly transaction: Verified<Transaction>;
  readonly arrivedMs: number;
  /** The primary of which view it was last passed on to, and when it was for the first and the last time. */
  readonly forwarded: { readonly view: View; readonly firstMs: number; readonly lastMs: number } | null;
}

export interface Overdue {
  readonly first: readonly Verified<Transaction>[];
  readonly again: readonly Verified<Transaction>[];
}

interface Entry extends Waiting {
  forwarded: Waiting['forwarded'];
}

/** How finely expiries are sorted: at most one of these is searched entry by entry. */
const EXPIRY_SLOT_MS = 1_000;
/** Ages of being overdue after which the same primary is sent a transaction again. */
export const FORWARD_AGAIN_INTERVALS = 10;

/** Transactions that wait for a block, oldest first. They stay until a block that holds them is final. */
export class Mempool {
  readonly #entries = new Map<Hash, Entry>();
  readonly #perSigner = new Map<PublicKey, number>();
  readonly #byExpiry = new Map<number, Set<Hash>>();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What `add` would say, without adding: to be asked before a signature is checked. */
  admits(transaction: Transaction): Admission {
    if (this.#entries.has(transaction.id)) return 'known';
    const full =
      this.#entries.size >= MEMPOOL_TRANSACTIONS_MAX || this.#bytes + transaction.bytes.length > MEMPOOL_BYTES_MAX;
    if (full) return 'full';
    return (this.#perSigner.get(transaction.body.signer) ?? 0) >= MEMPOOL_PER_SIGNER_MAX ? 'quota' : 'added';
  }

  /** @param nowMs of the clock that only grows */
  add(transaction: Verified<Transaction>, nowMs: number): Admission {
    const admission = this.admits(transaction);
    if (admission !== 'added') return admission;
    this.#entries.set(transaction.id, { transaction, arrivedMs: nowMs, forwarded: null });
    this.#bytes += transaction.bytes.length;
    const { signer, expiresAt } = transaction.body;
    this.#perSigner.set(signer, (this.#perSigner.get(signer) ?? 0) + 1);
    const slot = slotOf(expiresAt);
    const ids = this.#byExpiry.get(slot) ?? new Set();
    this.#byExpiry.set(slot, ids.add(transaction.id));
    return 'added';
  }

  get(id: Hash): Verified<Transaction> | undefined {
    return this.#entries.get(id)?.transaction;
  }

  /** When this node first saw a waiting transaction. */
  arrivedMs(id: Hash): number | undefined {
    return this.#entries.get(id)?.arrivedMs;
  }

  has(id: Hash): boolean {
    return this.#entries.has(id);
  }

  remove(id: Hash): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= entry.transaction.bytes.length;
    const { signer, expiresAt } = entry.transaction.body;
    const left = (this.#perSigner.get(signer) ?? 1) - 1;
    if (left === 0) this.#perSigner.delete(signer);
    else this.#perSigner.set(signer, left);
    const slot = slotOf(expiresAt);
    const ids = this.#byExpiry.get(slot);
    ids?.delete(id);
    if (ids?.size === 0) this.#byExpiry.delete(slot);
  }

  /** Oldest first. */
  *waiting(): Generator<Verified<Transaction>> {
    for (const { transaction } of this.#entries.values()) yield transaction;
  }

  /** The one that has waited longest. */
  oldest(): Waiting | undefined {
    for (const entry of this.#entries.values()) return entry;
    return undefined;
  }

  /** Removes what no block later than `blockTime` may take, and names it. */
  expire(blockTime: Timestamp): readonly Hash[] {
    const expired: Hash[] = [];
    const newest = slotOf(blockTime);
    for (const [slot, ids] of this.#byExpiry) {
      if (slot > newest) continue;
      for (const id of ids) if (slot < newest || (this.get(id)?.body.expiresAt ?? 0) <= blockTime) expired.push(id);
    }
    for (const id of expired) this.remove(id);
    return expired;
  }

  /**
   * Waiting for at least `ageMs` and not passed on to this view's primary lately: to be sent to it now, which is noted.
   * `again` are those that it was sent before.
   */
  overdue(nowMs: number, query: { readonly ageMs: number; readonly view: View; readonly most: number }): Overdue {
    const { ageMs, view, most } = query;
    const first: Verified<Transaction>[] = [];
    const again: Verified<Transaction>[] = [];
    for (const entry of this.#entries.values()) {
      if (first.length + again.length >= most || nowMs - entry.arrivedMs < ageMs) break;
      const before = entry.forwarded?.view === view ? entry.forwarded : null;
      if (before !== null && nowMs - before.lastMs < FORWARD_AGAIN_INTERVALS * ageMs) continue;
      (before === null ? first : again).push(entry.transaction);
      entry.forwarded = { view, firstMs: before?.firstMs ?? nowMs, lastMs: nowMs };
    }
    return { first, again };
  }

  /** Links have changed: what was passed on may have been lost, or never have been sent. */
  forgetForwards(): void {
    for (const entry of this.#entries.values()) entry.forwarded = null;
  }
}

function slotOf(expiresAt: Timestamp): number {
  return Math.floor(expiresAt / EXPIRY_SLOT_MS);
}
