import { describe, expect, test } from 'vitest';
import { runSimulation } from '../../src/simulator/bare/report.ts';

/** Seeds of each group; the long run takes fifteen times as many. */
const SEEDS = process.env['COUNTERFOIL_LONG'] === '1' ? 6_000 : 400;
/** Seeds in one test, so that progress shows. */
const SEEDS_PER_TEST = 100;

const GROUPS = [
  { name: 'any size, any window', first: 1, options: {} },
  { name: 'four authorities, one block at a time', first: 100_001, options: { n: 4, window: 1 } },
  { name: 'four authorities, two blocks in flight', first: 200_001, options: { n: 4, window: 2 } },
  { name: 'five authorities', first: 300_001, options: { n: 5, window: 2 } },
  { name: 'seven authorities', first: 400_001, options: { n: 7, window: 1 } },
] as const;

for (const { name, first, options } of GROUPS) {
  describe(`the invariants of docs/consensus.md hold under faults and liars: ${name}`, () => {
    for (let from = first; from < first + SEEDS; from += SEEDS_PER_TEST) {
      test(`seeds ${from} to ${from + SEEDS_PER_TEST - 1}`, () => {
        for (let seed = from; seed < from + SEEDS_PER_TEST; seed += 1) {
          const { ok, failure, replay } = runSimulation({ seed, ...options });
          expect(ok, `${failure?.invariant}: ${failure?.detail}\nreplay: ${replay}`).toBe(true);
        }
      });
    }
  });
}
