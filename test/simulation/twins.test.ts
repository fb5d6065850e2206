import { describe, expect, test } from 'vitest';
import { runSimulation } from '../../src/simulator/bare/report.ts';

const SPLIT = {
  byzantine: [],
  lost: [],
  dead: [],
  wrongClocks: [],
  wiped: [],
  partitions: 6,
  lossRate: 0,
  faultsMs: 4_000,
  transactions: 15,
  rotationInterval: 0,
  haste: 1,
};

describe('two twins among four: more than the protocol tolerates', () => {
  const reports = Array.from({ length: 200 }, (_, index) =>
    runSimulation({ seed: index + 1, n: 4, window: 1, scenario: { ...SPLIT, twins: [0, 1] } }),
  );
  const forked = reports.filter(({ fork }) => fork !== null);

  test('can break agreement, so the checkers are able to see it', () => {
    expect(forked.length).toBeGreaterThan(0);
  });

  test('leave evidence against at least f+1 of them in every fork, and never against the honest', () => {
    for (const { seed, convicted, failure } of forked) {
      expect(failure, `seed ${seed}`).toBeNull();
      expect(convicted, `seed ${seed}`).toEqual([0, 1]);
    }
  });
});

test('one twin among four breaks nothing', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const report = runSimulation({ seed, n: 4, window: 2, scenario: { ...SPLIT, twins: [0] } });
    expect(report.failure, report.replay).toBeNull();
    expect(report.fork).toBeNull();
  }
});
