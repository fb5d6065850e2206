import { describe, expect, test } from 'vitest';
import { runSimulation } from '../../src/simulator/bare/report.ts';
import type { Case } from './case.ts';
import { CASES } from './mutants.ts';
import { buildMutant } from './mutate.ts';

/** Every mistake shows within this many seeds, most within ten. */
const SEEDS_MAX = 600;

/** The first seed that shows the mistake in the way it must. */
async function firstKill({ mutant, options, breaks, shows }: Case): Promise<number | undefined> {
  const { core, dispose } = await buildMutant(mutant);
  try {
    for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
      const report = runSimulation({ ...options, seed, core });
      const { failure } = report;
      if (shows?.(report) === true) return seed;
      if (failure !== null && (breaks === undefined || breaks.test(failure.invariant))) return seed;
    }
    return undefined;
  } finally {
    dispose();
  }
}

describe('the simulator kills a core that', () => {
  for (const one of CASES) {
    test(one.mutant.name, async () => {
      expect(await firstKill(one)).toBeDefined();
    });
  }
});

describe('the same runs with the core that ships', () => {
  for (const { mutant, options, shows } of CASES) {
    if (options.scenario?.sendsBeforeSync === true) continue;
    test(`pass: ${mutant.name}`, () => {
      for (let seed = 1; seed <= 3; seed += 1) {
        const report = runSimulation({ ...options, seed });
        expect(report.failure).toBeNull();
        expect(shows?.(report)).not.toBe(true);
      }
    });
  }
});
