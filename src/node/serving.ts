import type { Effect } from '../consensus/effect.ts';
import { type Block, bodySize } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import {
  SERVED_BLOCK_BYTES_MIN,
  SERVED_BYTES_BURST,
  SERVED_BYTES_PER_SECOND,
  SYNC_BLOCKS_MAX,
  SYNC_BYTES_MAX,
} from '../model/limits.ts';
import type { Message } from '../model/message.ts';
import type { Chain } from '../store/chain.ts';
import type { Clock } from './ports.ts';

type Request = Extract<Effect, { type: 'serve' }>['request'];

/** A header's bytes in a frame, rounded up. */
const HEADER_BYTES = 512;

/** Answers what only the store knows; nothing when it does not know it either. */
export function serve(chain: Chain, request: Request): readonly Message[] {
  switch (request.kind) {
    case 'body-request': {
      const height = chain.heightOf(request.digest);
      const stored = height === undefined ? undefined : chain.block(height);
      return stored === undefined ? [] : [{ kind: 'body', block: { header: stored.header, body: stored.body } }];
    }
    case 'blocks-request':
      return serveBlocks(chain, request.from, request.count);
  }
}

/**
 * Consecutive blocks up to one that has a certificate of its own. Blocks that came in one answer share the certificate of
 * its last one, so an answer may have to be longer than was asked for; it always fits, as the one they came in did.
 */
function serveBlocks(chain: Chain, from: number, count: number): readonly Message[] {
  const blocks: Block[] = [];
  let certified: { readonly length: number; readonly certificate: Certificate } | undefined;
  let bytes = 0;
  for (let height = from; blocks.length < SYNC_BLOCKS_MAX; height += 1) {
    if (blocks.length >= count && certified !== undefined) break;
    const stored = chain.block(height);
    if (stored === undefined) break;
    bytes += HEADER_BYTES + bodySize(stored.body);
    if (bytes > SYNC_BYTES_MAX) break;
    blocks.push({ header: stored.header, body: stored.body });
    const { certificate } = stored;
    if (certificate?.height === height) certified = { length: blocks.length, certificate };
  }
  if (certified === undefined) return [];
  return [{ kind: 'blocks', blocks: blocks.slice(0, certified.length), certificate: certified.certificate }];
}

/** How much of the store each authority may have read out to it: whoever asks faster asks again later. */
export class ServingAllowance {
  readonly #clock: Clock;
  readonly #seats = new Map<number, { bytes: number; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a seat may be answered now. */
  allows(seat: number): boolean {
    return this.#bytesOf(seat) > 0;
  }

  /** Takes an answer of so many bytes into account: many small blocks cost as much work as a few large ones. */
  charge(seat: number, answer: Message, bytes: number): void {
    const blocks = answer.kind === 'blocks' ? answer.blocks.length : 1;
    const cost = Math.max(bytes, blocks * SERVED_BLOCK_BYTES_MIN);
    this.#seats.set(seat, { bytes: this.#bytesOf(seat) - cost, atMs: this.#clock.monotonicMs() });
  }

  #bytesOf(seat: number): number {
    const known = this.#seats.get(seat);
    if (known === undefined) return SERVED_BYTES_BURST;
    const earned = ((this.#clock.monotonicMs() - known.atMs) * SERVED_BYTES_PER_SECOND) / 1_000;
    return Math.min(SERVED_BYTES_BURST, known.bytes + earned);
  }
}
