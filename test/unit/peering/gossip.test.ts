import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/lib/bytes.ts';
import { createPrng } from '../../../src/lib/prng.ts';
import { SEEN_IDS_EXACT_MAX } from '../../../src/model/limits.ts';
import {
  createGossip,
  fanoutOf,
  type Gossip,
  isNews,
  listeners,
  type Neighbour,
  nextHops,
} from '../../../src/peering/gossip.ts';
import { createSeenIds, sawBefore } from '../../../src/peering/seen-ids.ts';

const SALT = new Uint8Array(32).map((_, index) => 7 * index + 1);

function gossip(fanoutMin = 2, hopsMax = 8): Gossip {
  return createGossip({ fanoutMin, hopsMax, idsMax: 1_000, salt: SALT });
}

/** Ids as hashes are: any bits. */
function* ids(seed: number): Generator<string> {
  const random = createPrng(seed);
  for (;;) yield toHex(Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next())));
}

function some(count: number, seed: number): readonly string[] {
  const source = ids(seed);
  return Array.from({ length: count }, () => source.next().value ?? '');
}

describe('what was seen', () => {
  it('is known from then on, and nothing else is', () => {
    const seen = createSeenIds(1_000, SALT);
    const mine = some(500, 1);
    for (const id of mine) expect(sawBefore(seen, id)).toBe(false);
    for (const id of mine) expect(sawBefore(seen, id)).toBe(true);
  });

  it('is remembered for as many ids as it is told to, and longer by filters than exactly', () => {
    const idsMax = 3 * SEEN_IDS_EXACT_MAX;
    const seen = createSeenIds(idsMax, SALT);
    const mine = some(idsMax, 2);
    for (const id of mine) sawBefore(seen, id);
    expect(seen.newest.size).toBe(SEEN_IDS_EXACT_MAX);
    expect(mine.filter((id) => !sawBefore(seen, id))).toEqual([]);
  });

  it('is forgotten in the end, so that memory stays what it is', () => {
    const seen = createSeenIds(1_000, SALT);
    const [first = '', ...rest] = some(5_000, 3);
    sawBefore(seen, first);
    for (const id of rest) sawBefore(seen, id);
    expect(sawBefore(seen, first)).toBe(false);
    expect(seen.filters.map(({ length }) => length)).toEqual([500, 500]);
  });

  it('mistakes few strangers for what was seen', () => {
    const seen = createSeenIds(1_000, SALT);
    for (const id of some(1_000, 4)) sawBefore(seen, id);
    const strangers = some(1_000, 5);
    expect(strangers.filter((id) => sawBefore(seen, id)).length).toBeLessThan(20);
  });

  it('lies elsewhere in a filter with another salt', () => {
    const one = createSeenIds(1_000, SALT);
    const other = createSeenIds(
      1_000,
      SALT.map((byte) => byte ^ 0xff),
    );
    const [id = ''] = some(1, 6);
    sawBefore(one, id);
    sawBefore(other, id);
    expect(one.filters[0]).not.toEqual(other.filters[0]);
  });
});

describe('who is told', () => {
  it('is as many as the floor says, and the square root of many', () => {
    expect(fanoutOf(gossip(3), 2)).toBe(2);
    expect(fanoutOf(gossip(3), 5)).toBe(3);
    expect(fanoutOf(gossip(3), 16)).toBe(4);
    expect(fanoutOf(gossip(3), 17)).toBe(5);
  });

  it('is an authority at least, nobody twice, and never who told', () => {
    const random = createPrng(8);
    const neighbours: Neighbour[] = some(20, 7).map((id, index) => ({ id, isAuthority: index === 11 }));
    const [teller] = neighbours;
    for (let round = 0; round < 50; round += 1) {
      const told = listeners(gossip(), { neighbours, from: teller?.id ?? null, toldAnyway: 0 }, () => random.next());
      expect(told).toHaveLength(5);
      expect(new Set(told).size).toBe(5);
      expect(told).toContain(neighbours[11]?.id);
      expect(told).not.toContain(teller?.id);
    }
  });

  it('is fewer where others are told anyway, and one at least', () => {
    const neighbours: Neighbour[] = some(12, 7).map((id) => ({ id, isAuthority: false }));
    const told = (toldAnyway: number): number =>
      listeners(gossip(), { neighbours, from: null, toldAnyway }, createPrng(8).next).length;
    expect([0, 1, 3, 30].map(told)).toEqual([4, 3, 1, 1]);
  });

  it('is nobody when nobody is there', () => {
    expect(listeners(gossip(), { neighbours: [], from: null, toldAnyway: 3 }, () => 0)).toEqual([]);
  });

  it('passes it on until the hops are used up, and no longer than this node allows', () => {
    expect(nextHops(gossip(2, 8), 3)).toBe(2);
    expect(nextHops(gossip(2, 8), 255)).toBe(7);
    expect(nextHops(gossip(2, 8), 0)).toBeUndefined();
  });
});

describe('an epidemic', () => {
  it.each([5, 16, 60, 200])('reaches each of %i nodes over at most a few links of each', (count) => {
    const random = createPrng(count);
    const names = Array.from({ length: count }, (_, index) => `node-${index}`);
    const neighbours = names.map((id) => ({ id, isAuthority: false }));
    const nodes = new Map(
      names.map((id) => [id, createGossip({ fanoutMin: 4, hopsMax: 16, idsMax: 100, salt: SALT })]),
    );
    const [news = ''] = some(1, 9);
    const sent = new Map<string, number>();
    const queue: { readonly to: string; readonly from: string | null; readonly hops: number }[] = [
      { to: 'node-0', from: null, hops: 16 },
    ];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { to, from } = next;
      const node = nodes.get(to);
      if (node === undefined || !isNews(node, news)) continue;
      const hops = nextHops(node, next.hops);
      if (hops === undefined) continue;
      const others = neighbours.filter(({ id }) => id !== to);
      const told = listeners(node, { neighbours: others, from, toldAnyway: 0 }, () => random.next());
      sent.set(to, told.length);
      for (const peer of told) queue.push({ to: peer, from: to, hops });
    }
    expect(sent.size).toBe(count);
    expect(Math.max(...sent.values())).toBeLessThanOrEqual(Math.max(4, Math.ceil(Math.sqrt(count)) + 1));
  });
});
