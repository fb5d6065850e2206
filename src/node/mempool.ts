import type { Hash, PublicKey, Timestamp } from '../model/ids.ts';
import { MEMPOOL_BYTES_MAX, MEMPOOL_PER_SIGNER_MAX, MEMPOOL_TRANSACTIONS_MAX } from '../model/limits.ts';
import type { Transaction } from '../model/transaction.ts';
import type { Verified } from '../model/verified.ts';

export type Admission = 'added' | 'known' | 'full' | 'quota';

interface Entry {
  readonly transaction: Verified<Transaction>;
  readonly arrivedAt: Timestamp;
  forwardedAt: Timestamp | null;
}

/** Transactions that wait for a block, oldest first. They stay until a block that holds them is final. */
export class Mempool {
  readonly #entries = new Map<Hash, Entry>();
  readonly #perSigner = new Map<PublicKey, number>();
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

  add(transaction: Verified<Transaction>, now: Timestamp): Admission {
    const admission = this.admits(transaction);
    if (admission !== 'added') return admission;
    this.#entries.set(transaction.id, { transaction, arrivedAt: now, forwardedAt: null });
    this.#bytes += transaction.bytes.length;
    const { signer } = transaction.body;
    this.#perSigner.set(signer, (this.#perSigner.get(signer) ?? 0) + 1);
    return 'added';
  }

  get(id: Hash): Verified<Transaction> | undefined {
    return this.#entries.get(id)?.transaction;
  }

  /** When this node first saw a waiting transaction. */
  arrivedAt(id: Hash): Timestamp | undefined {
    return this.#entries.get(id)?.arrivedAt;
  }

  has(id: Hash): boolean {
    return this.#entries.has(id);
  }

  remove(id: Hash): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= entry.transaction.bytes.length;
    const { signer } = entry.transaction.body;
    const left = (this.#perSigner.get(signer) ?? 1) - 1;
    if (left === 0) this.#perSigner.delete(signer);
    else this.#perSigner.set(signer, left);
  }

  /** Oldest first. */
  *waiting(): Generator<Verified<Transaction>> {
    for (const { transaction } of this.#entries.values()) yield transaction;
  }

  /** Removes what no later block may take, and names it. */
  expire(blockTime: Timestamp): readonly Hash[] {
    const expired: Hash[] = [];
    for (const [id, { transaction }] of this.#entries) if (transaction.body.expiresAt < blockTime) expired.push(id);
    for (const id of expired) this.remove(id);
    return expired;
  }

  /** Waiting for at least `ageMs` and not passed on since: to be sent to the primary now, which is noted. */
  overdue(now: Timestamp, ageMs: number, most: number): readonly Verified<Transaction>[] {
    const overdue: Verified<Transaction>[] = [];
    for (const entry of this.#entries.values()) {
      if (overdue.length >= most || now - entry.arrivedAt < ageMs) break;
      if (entry.forwardedAt !== null && now - entry.forwardedAt < 10 * ageMs) continue;
      entry.forwardedAt = now;
      overdue.push(entry.transaction);
    }
    return overdue;
  }

  /** The longest-waiting one, for the rule of fairness. */
  oldest():
    | {
        readonly transaction: Verified<Transaction>;
        readonly arrivedAt: Timestamp;
        readonly forwardedAt: Timestamp | null;
      }
    | undefined {
    for (const entry of this.#entries.values()) return entry;
    return undefined;
  }
}
