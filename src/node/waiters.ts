import type { Hash, Timestamp } from '../model/ids.ts';
import { WAITERS_MAX } from '../model/limits.ts';
import type { Transaction } from '../model/transaction.ts';
import type { Timers } from './ports.ts';

interface Waiting<Outcome> {
  readonly expiresAt: Timestamp;
  settle: ((outcome: Outcome) => void)[];
}

/** Those who wait to be told what becomes of a transaction; all of one node, so there is a bound. */
export class Waiters<Outcome> {
  readonly #timers: Timers;
  readonly #waiting = new Map<Hash, Waiting<Outcome>>();
  #count = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get isFull(): boolean {
    return this.#count >= WAITERS_MAX;
  }

  has(id: Hash): boolean {
    return this.#waiting.has(id);
  }

  /** Calls `done` once: with what is told, or after `waitMs` with what `late` says. */
  add({ id, body }: Transaction, patience: { waitMs: number; late: Outcome }, done: (outcome: Outcome) => void): void {
    const waiting = this.#waiting.get(id) ?? { expiresAt: body.expiresAt, settle: [] };
    this.#waiting.set(id, waiting);
    this.#count += 1;
    const settle = (outcome: Outcome): void => {
      cancel();
      this.#count -= 1;
      done(outcome);
    };
    const cancel = this.#timers.after(patience.waitMs, () => {
      waiting.settle = waiting.settle.filter((other) => other !== settle);
      if (waiting.settle.length === 0) this.#waiting.delete(id);
      settle(patience.late);
    });
    waiting.settle.push(settle);
  }

  tell(id: Hash, outcome: Outcome): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    for (const settle of waiting?.settle ?? []) settle(outcome);
  }

  tellAll(outcome: Outcome): void {
    for (const id of [...this.#waiting.keys()]) this.tell(id, outcome);
  }

  /** Tells those whose transaction no block later than `blockTime` may take. */
  expire(blockTime: Timestamp, outcome: Outcome): void {
    const expired = [...this.#waiting].filter(([, { expiresAt }]) => expiresAt <= blockTime);
    for (const [id] of expired) this.tell(id, outcome);
  }
}
