import { describe, expect, test } from 'vitest';
import { runSimulation } from '../../src/simulator/bare/report.ts';
import { CASES, type Case } from './mutants.ts';
import { buildMutant } from './mutate.ts';

/** Every mistake shows within this many seeds, most within ten. */
const SEEDS_MAX = 600;

/** The first seed that shows the mistake in the way it must. */
async function firstKill({ mutant, options, breaks }: Case): Promise<number | undefined> {
  const { core, dispose } = await buildMutant(mutant);
  try {
    for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
      const { failure } = runSimulation({ ...options, seed, core });
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
  for (const { mutant, options } of CASES) {
    if (options.scenario?.sendsBeforeSync === true) continue;
    test(`pass: ${mutant.name}`, () => {
      for (let seed = 1; seed <= 3; seed += 1) expect(runSimulation({ ...options, seed }).failure).toBeNull();
    });
  }
});
