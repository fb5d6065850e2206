import { describe, expect, test } from 'vitest';
import { runSimulation } from '../../src/simulator/report.ts';
import { CASES } from './mutants.ts';
import { buildMutant } from './mutate.ts';

/** Every one is found within this many seeds, most within ten. */
const SEEDS_MAX = 400;

describe('the simulator kills', () => {
  for (const { mutant, options } of CASES) {
    test(mutant.name, async () => {
      const { core, dispose } = await buildMutant(mutant);
      const t = Date.now();
      let failure = null;
      let seed = 1;
      for (; seed <= SEEDS_MAX && failure === null; seed += 1) {
        failure = runSimulation({ ...options, seed, core }).failure;
      }
      dispose();
      console.log(mutant.name, seed, failure?.detail.slice(0, 150), Date.now() - t);
      expect(failure).not.toBeNull();
    });
  }
});
