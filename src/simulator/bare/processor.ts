/** The one processor of a node: it executes one block after the other, and does nothing else meanwhile. */
export class Processor {
  readonly #now: () => number;
  readonly #executionMs: number;
  #busyUntil = 0;

  constructor(now: () => number, executionMs: number) {
    this.#now = now;
    this.#executionMs = executionMs;
  }

  /** Milliseconds until something else gets its turn. */
  get busyMs(): number {
    return Math.max(0, this.#busyUntil - this.#now());
  }

  /** Takes one more block. @returns milliseconds until it is executed */
  execute(): number {
    this.#busyUntil = Math.max(this.#now(), this.#busyUntil) + this.#executionMs;
    return this.busyMs;
  }

  stop(): void {
    this.#busyUntil = 0;
  }
}
