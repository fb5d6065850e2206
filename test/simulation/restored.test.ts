import { expect, test } from 'vitest';
import { runSimulation } from '../../src/simulator/bare/report.ts';
import { RESTORED } from './restored-scenario.ts';

const SEEDS = process.env['COUNTERFOIL_LONG'] === '1' ? 2_000 : 50;

// The checkers take the seat for honest through all of its runs: a second statement for one slot fails.
test.each([3, 4, 5, 7])(
  'a home of one of %i that was put back contradicts nothing, and mostly finds itself out',
  (n) => {
    let retired = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const report = runSimulation({ seed, n, scenario: RESTORED });
      expect(report.failure, `seed ${seed}`).toBeNull();
      retired += report.retired.length;
    }
    expect(retired).toBeGreaterThan(SEEDS / 2);
  },
);

test('a sound home is never given up', () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const report = runSimulation({ seed, n: 4, scenario: { twins: [], byzantine: [] } });
    expect(report.failure, `seed ${seed}`).toBeNull();
    expect(report.retired).toEqual([]);
  }
});
