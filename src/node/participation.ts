import type { Height } from '../model/ids.ts';
import { AUTHORITY_BLOCKS_COUNTED } from '../model/limits.ts';
import type { StoredBlock } from '../store/blocks.ts';
import type { Chain } from '../store/chain.ts';

/** What an authority did in the newest blocks. */
export interface Share {
  readonly proposed: number;
  readonly signed: number;
  readonly lastVoteHeight: Height | null;
}

interface Part {
  readonly height: Height;
  readonly proposer: number;
  readonly signers: readonly number[];
}

/** Who proposed and who signed the newest blocks: counted as they come, because reading them back takes long. */
export class Participation {
  readonly #parts: Part[] = [];

  constructor(chain: Chain) {
    const lowest = Math.max(1, chain.head.height - AUTHORITY_BLOCKS_COUNTED + 1);
    for (let height = lowest; height <= chain.head.height; height += 1) {
      const block = chain.block(height);
      if (block !== undefined) this.add(block);
    }
  }

  add({ header, certificate }: StoredBlock): void {
    this.#parts.push({ height: header.height, proposer: header.proposer, signers: certificate?.signers ?? [] });
    if (this.#parts.length > AUTHORITY_BLOCKS_COUNTED) this.#parts.shift();
  }

  share(seat: number): Share {
    const signed = this.#parts.filter(({ signers }) => signers.includes(seat));
    return {
      proposed: this.#parts.filter(({ proposer }) => proposer === seat).length,
      signed: signed.length,
      lastVoteHeight: signed.at(-1)?.height ?? null,
    };
  }
}
