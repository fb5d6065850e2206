import { beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { createPrng } from '../../../src/lib/prng.ts';
import { LATE_NEWS_MS } from '../../../src/model/peer-limits.ts';
import type { PeerMessageOf } from '../../../src/model/peer-message.ts';
import type { PeerId } from '../../../src/network/transport.ts';
import { BlockNews } from '../../../src/node/block-news.ts';
import { createGossip } from '../../../src/peering/gossip.ts';
import type { StoredBlock } from '../../../src/store/blocks.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

let generator: ChainGenerator;

beforeAll(async () => {
  generator = await ChainGenerator.open(memoryStore(), { seed: 4, transactions: 1, blocksPerCertificateMax: 1 });
  await generator.grow(4);
});

function block(height: number): StoredBlock {
  return defined(generator.chain.block(height), 'it is stored');
}

/** A node with neighbours, and whom it tells of which height with how many hops. */
class Teller {
  readonly told: string[] = [];
  readonly news: BlockNews;
  readonly #due: { readonly delayMs: number; readonly run: () => void }[] = [];

  constructor(neighbours: readonly string[], isFollower = true) {
    const settings = { fanoutMin: 2, hopsMax: 4, idsMax: 100, salt: new Uint8Array(32) };
    this.news = new BlockNews({
      gossip: createGossip(settings),
      isFollower,
      timers: {
        after: (delayMs, run) => {
          this.#due.push({ delayMs, run });
          return () => void this.#due.splice(0);
        },
        soon: (run) => run(),
      },
      random: createPrng(1).next,
      neighbours: () => neighbours.map((id) => ({ id, isAuthority: false })),
      tell: (peer, { header, hops }) => void this.told.push(`${peer} ${header.height} ${hops}`),
    });
  }

  hears(peer: string, height: number, hops: number): void {
    const { header, certificate } = block(height);
    const proof = defined(certificate ?? undefined, 'it is final');
    const announcement: PeerMessageOf<'block-announcement'> = {
      kind: 'block-announcement',
      header,
      certificate: proof,
      hops,
    };
    this.news.heard(peer as PeerId, announcement);
  }

  /** @returns what is told since */
  announces(height: number): readonly string[] {
    const before = this.told.length;
    this.news.announce(block(height));
    return this.told.slice(before);
  }

  later(): readonly string[] {
    const before = this.told.length;
    for (const { delayMs, run } of this.#due.splice(0)) {
      expect(delayMs).toBe(LATE_NEWS_MS);
      run();
    }
    return this.told.slice(before);
  }
}

const FIVE = ['a', 'b', 'c', 'd', 'e'];
const names = (told: readonly string[]): string[] => told.map((line) => line.split(' ')[0] ?? '');

describe('the news of a block', () => {
  it('goes to some at once and to all others a moment later, to each once', () => {
    const teller = new Teller(FIVE);
    const first = teller.announces(1);
    expect(first.length).toBe(3);
    expect(names([...first, ...teller.later()]).sort()).toEqual(FIVE);
    expect(teller.later()).toEqual([]);
  });

  it('is not told to those who told of it, then or later', () => {
    const teller = new Teller(FIVE);
    teller.hears('a', 1, 3);
    const first = teller.announces(1);
    expect(names(first)).not.toContain('a');
    const late = FIVE.filter((name) => name !== 'a' && !names(first).includes(name));
    // One of those that are left tells of it meanwhile.
    teller.hears(defined(late[0], 'not all were told'), 1, 3);
    expect(names(teller.later())).toEqual(late.slice(1));
  });

  it('is told late of the newest block alone', () => {
    const teller = new Teller(FIVE);
    for (const height of [1, 2, 3]) teller.announces(height);
    const late = teller.later();
    expect(late.every((line) => line.split(' ')[1] === '3')).toBe(true);
    expect(late.length).toBe(2);
  });

  it('counts down its hops, and without any left goes to neighbours only late', () => {
    const teller = new Teller(FIVE);
    teller.hears('a', 1, 1);
    teller.hears('b', 1, 3);
    expect(teller.announces(1).map((line) => line.slice(2))).toEqual(['1 2', '1 2']);
    teller.later();
    teller.hears('a', 2, 0);
    expect(teller.announces(2)).toEqual([]);
    expect([...teller.later()].sort()).toEqual(['b 2 0', 'c 2 0', 'd 2 0', 'e 2 0']);
    // Nobody makes it travel for ever.
    teller.hears('a', 3, 255);
    expect(teller.announces(3).map((line) => line.slice(2))).toEqual(['3 3', '3 3']);
  });

  it('comes from an authority anew, whatever it was told', () => {
    const teller = new Teller(FIVE, false);
    teller.hears('a', 1, 0);
    expect(teller.announces(1).map((line) => line.slice(2))).toEqual(['1 3', '1 3']);
  });
});
