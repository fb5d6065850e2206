import type { Result } from '../../lib/result.ts';
import { MIRROR_LOOK_MS, MIRROR_RETRY_MS_MAX, MIRROR_RETRY_MS_MIN } from '../../model/graph-limits.ts';
import type { Log, Timers } from '../../node/ports.ts';
import type { MirrorPlace, MirrorRange } from './place.ts';
import type { StoreFault } from './request.ts';
import type { MirrorBlock, MirrorSource } from './source.ts';
import type { MirrorStore } from './store.ts';

export interface MirrorParts {
  readonly source: MirrorSource;
  readonly store: MirrorStore;
  readonly place: MirrorPlace;
  /** Height of the newest block that the chain shows. */
  readonly head: () => number;
  readonly timers: Pick<Timers, 'after'>;
  /** Told the blocks that the store lacks. */
  readonly measured: (lagBlocks: number) => void;
  readonly log: Log;
}

/** What came of one look: the store was asked what it has, it took something, there was nothing to do, or it failed. */
type Outcome = 'checked' | 'done' | 'idle' | { readonly reason: string };

interface Outage {
  readonly since: number;
  readonly delayMs: number;
}

/**
 * Puts the graphs of each indexed block into a store elsewhere, block by block upwards. What the store has confirmed is
 * noted afterwards, so a graph may be put twice, which changes nothing. It only ever waits: the node does not.
 */
export class Mirror {
  readonly #parts: MirrorParts;
  #range: MirrorRange | undefined;
  /** Whether the store still had the last block that it took, when it was asked after the last outage. */
  #isChecked = false;
  #outage: Outage | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(parts: MirrorParts) {
    this.#parts = parts;
  }

  /** Of the newest block that the store has taken; -1 before it has one. */
  get height(): number {
    return this.#range?.to ?? -1;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** To be called when the chain shows a new block. */
  measure(): void {
    this.#parts.measured(Math.max(0, this.#parts.head() - this.height));
  }

  /** Ends what is on its way; safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#parts.store.close();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#range = await this.#parts.place.load();
    while (!this.#isClosed) {
      const outcome = await this.#look();
      this.measure();
      if (this.#isClosed) return;
      if (typeof outcome === 'object') await this.#rest(this.#failed(outcome.reason));
      // A store that answers questions may refuse graphs all the same.
      if (this.#isChecked && (outcome === 'done' || outcome === 'idle')) this.#recovered();
      if (outcome === 'idle') await this.#rest(MIRROR_LOOK_MS);
    }
  }

  async #look(): Promise<Outcome> {
    try {
      const heights = this.#parts.source.heights();
      if (heights === null) return 'idle';
      if (!this.#isChecked) return await this.#check();
      const next = this.#next(heights.from);
      if (next > heights.to) return 'idle';
      const blocks = this.#parts.source.blocksFrom(next);
      const last = blocks.at(-1);
      if (last === undefined) return 'idle';
      const sent = await this.#deliver(blocks);
      if (!sent.ok) return sent.error;
      const range = { from: this.#range?.from ?? next, to: last.height };
      await this.#parts.place.save(range);
      this.#range = range;
      return 'done';
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** A store that was put back, or keeps nothing across its restarts, gets everything again. */
  async #check(): Promise<Outcome> {
    const { store, source, log } = this.#parts;
    if (this.#range !== undefined) {
      const { to } = this.#range;
      const has = await store.has(source.nameOf(to));
      if (!has.ok) return has.error;
      if (!has.value) {
        log.warn({ height: to }, 'the mirror has lost the last block that it took: it gets all of them again');
        this.#range = undefined;
      }
    }
    this.#isChecked = true;
    return 'checked';
  }

  /** @param from lowest block of the index: one that begins above what is mirrored leaves a gap */
  #next(from: number): number {
    if (this.#range === undefined) return from;
    const next = this.#range.to + 1;
    if (next >= from) return next;
    this.#parts.log.warn({ from: next, to: from - 1 }, 'the mirror lacks blocks that this node does not keep');
    this.#range = undefined;
    return from;
  }

  /** The graphs of blocks come last: who finds one finds what its transactions say. */
  async #deliver(blocks: readonly MirrorBlock[]): Promise<Result<true, StoreFault>> {
    const { store } = this.#parts;
    const taken = await store.take(blocks.flatMap(({ graphs }) => graphs));
    return taken.ok ? await store.take(blocks.map(({ own }) => own)) : taken;
  }

  /** @returns how long to leave the store alone, in milliseconds */
  #failed(reason: string): number {
    this.#isChecked = false;
    const delayMs = Math.min(2 * (this.#outage?.delayMs ?? MIRROR_RETRY_MS_MIN / 2), MIRROR_RETRY_MS_MAX);
    if (this.#outage === undefined) {
      this.#parts.log.warn({ reason, height: this.height }, 'the mirror takes no graphs: it is tried again and again');
    }
    this.#outage = { since: this.#outage?.since ?? performance.now(), delayMs };
    return delayMs;
  }

  #recovered(): void {
    if (this.#outage === undefined) return;
    const afterMs = Math.round(performance.now() - this.#outage.since);
    this.#outage = undefined;
    this.#parts.log.info({ height: this.height, afterMs }, 'the mirror takes graphs again');
  }

  #rest(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.timers.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
