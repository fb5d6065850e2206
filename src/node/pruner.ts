import { Timestamp } from '../model/ids.ts';
import { PRUNED_BLOCKS_PER_WRITE, RETAINED_BLOCKS_MIN } from '../model/limits.ts';
import type { Chain } from '../store/chain.ts';
import { pruneChanges } from '../store/prune.ts';
import type { Timers } from './ports.ts';

export interface PrunerParts {
  readonly chain: Chain;
  /** Newest blocks that are kept; null keeps all. */
  readonly retainedBlocks: number | null;
  /** Blocks of so long before the newest one are kept too, and the one before them. Milliseconds. */
  readonly retainedMs: number;
  readonly timers: Pick<Timers, 'soon'>;
}

/** Removes old blocks as new ones come, a few in each of its own transactions. */
export class Pruner {
  readonly #parts: PrunerParts;
  #isBusy = false;

  constructor(parts: PrunerParts) {
    this.#parts = parts;
  }

  /** To be called when the store shows a new block. */
  advance(): void {
    if (this.#parts.retainedBlocks === null || this.#isBusy) return;
    this.#isBusy = true;
    // Whatever waits for the block that has just become final comes first.
    this.#parts.timers.soon(() => this.#prune(this.#parts.retainedBlocks ?? 0));
  }

  #prune(retainedBlocks: number): void {
    const { chain, retainedMs } = this.#parts;
    const { header } = chain.visibleHead;
    const below = header.height + 1 - Math.max(retainedBlocks, RETAINED_BLOCKS_MIN);
    const since = Timestamp(Math.max(0, header.timestamp - retainedMs));
    const changes = below <= chain.oldest ? [] : pruneChanges(chain.store, { below, since }, PRUNED_BLOCKS_PER_WRITE);
    if (changes.length === 0) {
      this.#isBusy = false;
      return;
    }
    chain.store.write(changes, {
      durable: () => this.#parts.timers.soon(() => this.#prune(retainedBlocks)),
      // The store is at its end, and whoever commits blocks is told.
      failed: () => undefined,
    });
  }
}
