import { ADDRESSES_TRACKED_MAX } from '../../model/limits.ts';

interface Penalty {
  readonly lengthMs: number;
  readonly untilMs: number;
}

/** Who has to wait since its queries cost all others theirs. Times are milliseconds of any steady clock. */
export class Penalties {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #known = new Map<string, Penalty>();

  constructor(firstMs: number, longestMs: number) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** Milliseconds that the caller still waits; 0 for nearly all. */
  left(caller: string, nowMs: number): number {
    return Math.max(0, (this.#known.get(caller)?.untilMs ?? 0) - nowMs);
  }

  /** Twice the last one, unless that is long forgotten: as long ago as the longest lasts. */
  punish(caller: string, nowMs: number): void {
    const last = this.#known.get(caller);
    const isRepeated = last !== undefined && nowMs - last.untilMs < this.#longestMs;
    const lengthMs = isRepeated ? Math.min(last.lengthMs * 2, this.#longestMs) : this.#firstMs;
    // Deleted first: a Map keeps the order of insertion, and the oldest goes when there are too many.
    this.#known.delete(caller);
    this.#known.set(caller, { lengthMs, untilMs: nowMs + lengthMs });
    if (this.#known.size > ADDRESSES_TRACKED_MAX) this.#known.delete(this.#known.keys().next().value ?? caller);
  }
}
