/** Bounded by count in all and per caller; callers have their turns one after another, however much each has sent. */
export class FairQueue<T> {
  readonly #max: number;
  readonly #perCallerMax: number;
  /** In the order of their turns. */
  readonly #callers = new Map<string, T[]>();
  #size = 0;

  constructor(max: number, perCallerMax: number) {
    this.#max = max;
    this.#perCallerMax = perCallerMax;
  }

  get size(): number {
    return this.#size;
  }

  /** False when there is no room. */
  offer(caller: string, item: T): boolean {
    const own = this.#callers.get(caller) ?? [];
    if (this.#size >= this.#max || own.length >= this.#perCallerMax) return false;
    own.push(item);
    this.#callers.set(caller, own);
    this.#size += 1;
    return true;
  }

  take(): T | undefined {
    for (const [caller, own] of this.#callers) {
      const item = own.shift();
      // Behind the others again, if there is more.
      this.#callers.delete(caller);
      if (own.length > 0) this.#callers.set(caller, own);
      if (item === undefined) continue;
      this.#size -= 1;
      return item;
    }
    return undefined;
  }

  remove(caller: string, item: T): boolean {
    const own = this.#callers.get(caller) ?? [];
    const at = own.indexOf(item);
    if (at < 0) return false;
    own.splice(at, 1);
    if (own.length === 0) this.#callers.delete(caller);
    this.#size -= 1;
    return true;
  }
}
