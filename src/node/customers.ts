import { TokenBucket } from '../lib/token-bucket.ts';
import {
  SERVED_BLOCK_BYTES_MIN,
  SERVED_BYTES_BURST,
  SERVED_BYTES_PER_SECOND,
  SERVED_REQUESTS_BURST,
  SERVED_REQUESTS_PER_SECOND,
  SERVED_REQUESTS_WAITING_MAX,
} from '../model/limits.ts';
import { SERVED_LOOK_MS, SERVED_PATIENCE_MS } from '../model/peer-limits.ts';
import type { Clock, Timers } from './ports.ts';

/** What an answer costs: many small blocks are as much work as a few large ones. */
export interface Cost {
  readonly bytes: number;
  readonly blocks: number;
}

interface Customer<Request> {
  readonly requests: TokenBucket;
  readonly waiting: { readonly request: Request; readonly sinceMs: number }[];
  /** Bytes that it may still have, below 0 after a large answer. */
  bytes: number;
  atMs: number;
}

export interface CustomersParts<To, Request> {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Answers; undefined when there is nothing to be had. */
  readonly serve: (to: To, request: Request) => Cost | undefined;
  /** Whether it has read what it was sent before; who has not waits, and is refused after SERVED_PATIENCE_MS. */
  readonly isReady?: (to: To) => boolean;
  /** Part of the time that all answers together may take, above 0 and up to 1. 1 unless told otherwise. */
  readonly timeShare?: number;
  /** Says that a request which had to wait is not answered: its sender had more than its share, or did not read. */
  readonly refuse?: (to: To, request: Request) => void;
}

/**
 * Those who ask for what is in the store: one answer in a turn of the loop, so that consensus comes first, and to each no
 * more than its share.
 */
export class Customers<To, Request> {
  readonly #parts: CustomersParts<To, Request>;
  readonly #customers = new Map<To, Customer<Request>>();
  #isDue = false;
  #isStopped = false;
  /** Answers that are being made elsewhere. */
  #unfinished = 0;
  /** Until then the time of the loop is for others. */
  #restsUntilMs = 0;
  #cancelLook: () => void = () => undefined;

  constructor(parts: CustomersParts<To, Request>) {
    this.#parts = parts;
  }

  /** False when it has asked for more than its share: it gets nothing. */
  request(to: To, request: Request): boolean {
    const customer = this.#customer(to);
    if (customer.waiting.length >= SERVED_REQUESTS_WAITING_MAX || !this.#takes(customer)) return false;
    customer.waiting.push({ request, sinceMs: customer.atMs });
    this.#schedule();
    return true;
  }

  /** Whether it may be sent a block from memory now: it counts as one that is read. */
  allows(to: To): boolean {
    return this.#takes(this.#customer(to));
  }

  charge(to: To, { bytes, blocks }: Cost): void {
    this.#customer(to).bytes -= Math.max(bytes, blocks * SERVED_BLOCK_BYTES_MIN);
  }

  /**
   * To be called when an answer is finished elsewhere: the next one is begun when what this returns was called. Deflating
   * shares its threads with the journal, and however many ask at once, one of them is taken.
   */
  begin(): () => void {
    this.#unfinished += 1;
    return () => {
      this.#unfinished -= 1;
      this.#schedule();
    };
  }

  forget(to: To): void {
    this.#customers.delete(to);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelLook();
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#cancelLook();
    this.#parts.timers.soon(() => {
      this.#isDue = false;
      if (!this.#isStopped) this.#serveNext();
    });
  }

  #look(delayMs: number): void {
    this.#cancelLook = this.#parts.timers.after(delayMs, () => this.#schedule());
  }

  /** They take turns: whoever was served goes to the end of the line. */
  #serveNext(): void {
    if (this.#unfinished > 0) return;
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs < this.#restsUntilMs) {
      this.#look(this.#restsUntilMs - nowMs);
      return;
    }
    let isAnyUnready = false;
    for (const [to, customer] of this.#customers) {
      const [next] = customer.waiting;
      if (next === undefined) continue;
      const isReady = this.#parts.isReady?.(to) ?? true;
      if (!isReady && nowMs - next.sinceMs < SERVED_PATIENCE_MS) {
        isAnyUnready = true;
        continue;
      }
      customer.waiting.shift();
      this.#customers.delete(to);
      this.#customers.set(to, customer);
      if (isReady && customer.bytes > 0) this.#serve(to, next.request);
      else this.#parts.refuse?.(to, next.request);
      this.#schedule();
      return;
    }
    if (isAnyUnready) this.#look(SERVED_LOOK_MS);
  }

  #serve(to: To, request: Request): void {
    const { clock, serve, timeShare = 1 } = this.#parts;
    const begunMs = clock.monotonicMs();
    const cost = serve(to, request);
    const endedMs = clock.monotonicMs();
    this.#restsUntilMs = endedMs + (endedMs - begunMs) * (1 / timeShare - 1);
    if (cost !== undefined) this.charge(to, cost);
  }

  #takes(customer: Customer<Request>): boolean {
    return customer.bytes > 0 && customer.requests.take(1, this.#parts.clock.monotonicMs());
  }

  /** Brought up to date. */
  #customer(to: To): Customer<Request> {
    const nowMs = this.#parts.clock.monotonicMs();
    const customer = this.#customers.get(to) ?? {
      requests: new TokenBucket(SERVED_REQUESTS_PER_SECOND, SERVED_REQUESTS_BURST, nowMs),
      waiting: [],
      bytes: SERVED_BYTES_BURST,
      atMs: nowMs,
    };
    const earned = ((nowMs - customer.atMs) * SERVED_BYTES_PER_SECOND) / 1_000;
    customer.bytes = Math.min(SERVED_BYTES_BURST, customer.bytes + earned);
    customer.atMs = nowMs;
    this.#customers.set(to, customer);
    return customer;
  }
}
