import { describe, expect, it } from 'vitest';
import { createPrng } from '../../../src/lib/prng.ts';

describe('a seed', () => {
  it('gives the same numbers on every machine, for ever', () => {
    const prng = createPrng(42);
    expect(Array.from({ length: 8 }, () => prng.below(1_000_000))).toMatchInlineSnapshot(`
      [
        456255,
        564175,
        574377,
        964942,
        831097,
        670445,
        411709,
        165625,
      ]
    `);
    const zero = createPrng(0);
    expect(Array.from({ length: 4 }, () => zero.next() * 2 ** 32)).toMatchInlineSnapshot(`
      [
        2899526011,
        769844623,
        220372281,
        4270301181,
      ]
    `);
  });

  it('gives other numbers than its neighbour', () => {
    const first = (seed: number): number => createPrng(seed).next();
    expect(new Set(Array.from({ length: 1_000 }, (_, seed) => first(seed))).size).toBe(1_000);
  });
});

describe('the numbers', () => {
  it('stay in bounds and reach them evenly', () => {
    const prng = createPrng(7);
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw += 1) {
      const value = prng.below(10);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100_000);
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('decide and pick', () => {
    const prng = createPrng(1);
    const heads = Array.from({ length: 10_000 }, () => prng.chance(0.25)).filter(Boolean).length;
    expect(Math.abs(heads - 2_500)).toBeLessThan(200);
    expect(prng.chance(0)).toBe(false);
    expect(prng.chance(1)).toBe(true);
    expect(new Set(Array.from({ length: 100 }, () => prng.pick(['a', 'b', 'c'])))).toEqual(new Set(['a', 'b', 'c']));
    expect(() => prng.pick([])).toThrow(RangeError);
  });
});
