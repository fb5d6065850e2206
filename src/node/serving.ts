import type { Effect } from '../consensus/effect.ts';
import { SYNC_BLOCKS_MAX, SYNC_BYTES_MAX } from '../model/limits.ts';
import { blocksFrame, bodyFrame } from '../model/message.ts';
import type { BlockBytes } from '../store/blocks.ts';
import type { Chain } from '../store/chain.ts';
import { Customers } from './customers.ts';
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

function serveBlocks(chain: Chain, from: number, count: number): Served | undefined {
  const run = certifiedRun(chain, from, count);
  if (run === undefined) return undefined;
  return { kind: 'blocks', frame: blocksFrame(run.blocks, run.certificate), blocks: run.blocks.length };
}

/** Consecutive blocks as they are stored, and the certificate of the last one with its flag. */
export interface CertifiedRun {
  readonly blocks: readonly Uint8Array[];
  readonly certificate: Uint8Array;
}

/**
 * Consecutive blocks up to one that has a certificate of its own. Blocks that came in one answer share the certificate of
 * its last one, so an answer may have to be longer than was asked for; it always fits, as the one they came in did.
 */
export function certifiedRun(chain: Chain, from: number, count: number): CertifiedRun | undefined {
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
  return { blocks: blocks.slice(0, certified.length), certificate: certified.certificate };
}

/** Genesis has none, which is a flag alone. */
function hasOwnCertificate({ certifiedHeight, certificate }: BlockBytes, height: number): boolean {
  return certifiedHeight === height && certificate.length > 1;
}

export interface ServingParts {
  readonly chain: Chain;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly send: (seat: number, served: Served) => void;
}

/** Reads the store out to other authorities. Whoever asks faster than its share allows gets nothing, and asks again later. */
export class Serving {
  readonly #customers: Customers<number, Request>;

  constructor({ chain, send, ...parts }: ServingParts) {
    this.#customers = new Customers<number, Request>({
      ...parts,
      serve: (seat, request) => {
        const served = serve(chain, request);
        if (served === undefined) return undefined;
        send(seat, served);
        return { bytes: served.frame.length, blocks: served.blocks };
      },
    });
  }

  /** A seat asks for what is in the store. */
  request(seat: number, request: Request): void {
    this.#customers.request(seat, request);
  }

  /** Whether a seat may be sent a block from memory now: it counts as one that is read. */
  allows(seat: number): boolean {
    return this.#customers.allows(seat);
  }

  /** Takes an answer from memory into account. */
  charge(seat: number, { frame, blocks }: Pick<Served, 'frame' | 'blocks'>): void {
    this.#customers.charge(seat, { bytes: frame.length, blocks });
  }

  stop(): void {
    this.#customers.stop();
  }
}
