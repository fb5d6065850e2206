import type { Effect } from '../consensus/effect.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import {
  SERVED_BLOCK_BYTES_MIN,
  SERVED_BYTES_BURST,
  SERVED_BYTES_PER_SECOND,
  SERVED_REQUESTS_BURST,
  SERVED_REQUESTS_PER_SECOND,
  SERVED_REQUESTS_WAITING_MAX,
  SYNC_BLOCKS_MAX,
  SYNC_BYTES_MAX,
} from '../model/limits.ts';
import { blocksFrame, bodyFrame } from '../model/message.ts';
import type { BlockBytes } from '../store/blocks.ts';
import type { Chain } from '../store/chain.ts';
import type { Clock, Timers } from './ports.ts';

type Request = Extract<Effect, { type: 'serve' }>['request'];

/** A message with blocks, encoded. */
export interface Served {
  readonly kind: 'body' | 'blocks';
  readonly frame: Uint8Array;
  readonly blocks: number;
}

/** What the store holds, as it lies there; undefined when it holds no such thing. */
export function serve(chain: Chain, request: Request): Served | undefined {
  switch (request.kind) {
    case 'body-request': {
      const height = chain.heightOf(request.digest);
      const stored = height === undefined ? undefined : chain.blockBytes(height);
      return stored === undefined ? undefined : { kind: 'body', frame: bodyFrame(stored.block), blocks: 1 };
    }
    case 'blocks-request':
      return serveBlocks(chain, request.from, request.count);
  }
}

/**
 * Consecutive blocks up to one that has a certificate of its own. Blocks that came in one answer share the certificate of
 * its last one, so an answer may have to be longer than was asked for; it always fits, as the one they came in did.
 */
function serveBlocks(chain: Chain, from: number, count: number): Served | undefined {
  const blocks: Uint8Array[] = [];
  let certified: { readonly length: number; readonly certificate: Uint8Array } | undefined;
  let bytes = 0;
  for (let height = from; blocks.length < SYNC_BLOCKS_MAX; height += 1) {
    if (blocks.length >= count && certified !== undefined) break;
    const stored = chain.blockBytes(height);
    if (stored === undefined) break;
    bytes += stored.block.length;
    if (bytes > SYNC_BYTES_MAX) break;
    blocks.push(stored.block);
    if (hasOwnCertificate(stored, height)) certified = { length: blocks.length, certificate: stored.certificate };
  }
  if (certified === undefined) return undefined;
  const { length, certificate } = certified;
  return { kind: 'blocks', frame: blocksFrame(blocks.slice(0, length), certificate), blocks: length };
}

/** Genesis has none, which is a flag alone. */
function hasOwnCertificate({ certifiedHeight, certificate }: BlockBytes, height: number): boolean {
  return certifiedHeight === height && certificate.length > 1;
}

interface Customer {
  readonly requests: TokenBucket;
  readonly waiting: Request[];
  /** Bytes that it may still have, below 0 after a large answer. */
  bytes: number;
  atMs: number;
}

export interface ServingParts {
  readonly chain: Chain;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly send: (seat: number, served: Served) => void;
}

/**
 * Reads the store out to other authorities: one answer in a turn of the loop, so that consensus comes first, and to each
 * no more than its share. Whoever asks faster gets nothing, and asks again later.
 */
export class Serving {
  readonly #parts: ServingParts;
  readonly #customers = new Map<number, Customer>();
  #isDue = false;
  #isStopped = false;

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  /** A seat asks for what is in the store. */
  request(seat: number, request: Request): void {
    const customer = this.#customer(seat);
    if (customer.waiting.length >= SERVED_REQUESTS_WAITING_MAX || !this.#takes(customer)) return;
    customer.waiting.push(request);
    this.#schedule();
  }

  /** Whether a seat may be sent a block from memory now: it counts as one that is read. */
  allows(seat: number): boolean {
    return this.#takes(this.#customer(seat));
  }

  /** Takes an answer into account: many small blocks cost as much work as a few large ones. */
  charge(seat: number, { frame, blocks }: Pick<Served, 'frame' | 'blocks'>): void {
    this.#customer(seat).bytes -= Math.max(frame.length, blocks * SERVED_BLOCK_BYTES_MIN);
  }

  stop(): void {
    this.#isStopped = true;
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#parts.timers.soon(() => {
      this.#isDue = false;
      if (!this.#isStopped) this.#serveNext();
    });
  }

  /** The seats take turns: whoever was served goes to the end of the line. */
  #serveNext(): void {
    for (const [seat, customer] of this.#customers) {
      const request = customer.waiting.shift();
      if (request === undefined) continue;
      this.#customers.delete(seat);
      this.#customers.set(seat, customer);
      const served = customer.bytes > 0 ? serve(this.#parts.chain, request) : undefined;
      if (served !== undefined) {
        this.charge(seat, served);
        this.#parts.send(seat, served);
      }
      this.#schedule();
      return;
    }
  }

  #takes(customer: Customer): boolean {
    return customer.bytes > 0 && customer.requests.take(1, this.#parts.clock.monotonicMs());
  }

  /** Brought up to date. There is one for each authority at most. */
  #customer(seat: number): Customer {
    const nowMs = this.#parts.clock.monotonicMs();
    const customer = this.#customers.get(seat) ?? {
      requests: new TokenBucket(SERVED_REQUESTS_PER_SECOND, SERVED_REQUESTS_BURST, nowMs),
      waiting: [],
      bytes: SERVED_BYTES_BURST,
      atMs: nowMs,
    };
    const earned = ((nowMs - customer.atMs) * SERVED_BYTES_PER_SECOND) / 1_000;
    customer.bytes = Math.min(SERVED_BYTES_BURST, customer.bytes + earned);
    customer.atMs = nowMs;
    this.#customers.set(seat, customer);
    return customer;
  }
}
