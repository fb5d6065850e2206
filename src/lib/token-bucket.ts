/** Allows a rate on average and a burst at once. Times are milliseconds of any steady clock. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = nowMs;
  }

  /** Takes `count` tokens, or none and answers false. */
  take(count: number, nowMs: number): boolean {
    const elapsed = Math.max(0, nowMs - this.#at);
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsed * this.#perMs);
    this.#at += elapsed;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
