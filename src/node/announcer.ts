import type { Pending } from '../consensus/event.ts';
import { JUDGED_PER_TURN } from '../model/limits.ts';
import type { Executor } from './executor.ts';
import type { Mempool } from './mempool.ts';
import type { Clock, Timers } from './ports.ts';

export interface AnnouncerParts {
  readonly mempool: Mempool;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly tell: (pending: Pending) => void;
}

/** When what is too early for a block is looked at again: the clock has been set back. */
const TOO_EARLY_MS = 1_000;

/**
 * Tells the core what could fill a block. Only a transaction that the next block may take is work: what a block has made
 * impossible would otherwise wait until it expires, and every view in which nothing becomes of it would be suspected.
 */
export class Announcer {
  readonly #parts: AnnouncerParts;
  #isDue = false;
  #cancel: () => void = () => undefined;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  /** The mempool or the state has changed: told once, however often that happens in one turn. */
  changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#parts.timers.soon(() => {
      this.#isDue = false;
      this.#announce();
    });
  }

  stop(): void {
    this.#cancel();
  }

  #announce(): void {
    const { mempool, executor, clock, timers, tell } = this.#parts;
    this.#cancel();
    const judge = executor.judge(clock.now());
    let removed = 0;
    let early = 0;
    for (const transaction of mempool.waiting()) {
      if (removed + early === JUDGED_PER_TURN) break;
      const fault = judge(transaction);
      if (fault === undefined) {
        tell({ count: mempool.size, bytes: mempool.bytes });
        return;
      }
      if (fault === 'TOO_FAR_AHEAD') early += 1;
      else {
        mempool.remove(transaction.id);
        removed += 1;
      }
    }
    tell({ count: 0, bytes: 0 });
    if (mempool.size === 0) return;
    if (removed > 0) this.changed();
    else this.#cancel = timers.after(TOO_EARLY_MS, () => this.changed());
  }
}
