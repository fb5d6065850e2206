import { hash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { installSha256 } from '../../src/model/hash.ts';
import { runFullSimulation } from '../../src/simulator/full/report.ts';
import { buildShellMutant } from './mutate-shell.ts';
import { SHELL_CASES, type ShellCase } from './shell-mutants.ts';

/** Every mistake shows within this many seeds, most within five. */
const SEEDS_MAX = 100;

beforeAll(() => installSha256((bytes) => new Uint8Array(hash('sha256', bytes, 'buffer'))));

/** The first seed that shows the mistake in the way it must, and what the others showed. */
async function firstKill({ mutant, options, breaks }: ShellCase): Promise<number | string> {
  const { run, dispose } = await buildShellMutant(mutant);
  const others = new Set<string>();
  try {
    for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
      const { failure } = await run({ ...options, seed });
      if (failure !== null && breaks.test(failure.invariant)) return seed;
      if (failure !== null) others.add(failure.detail.slice(0, 300));
    }
    return [...others].join('\n') || 'nothing shows';
  } finally {
    dispose();
  }
}

describe('the simulator of whole nodes kills a shell that', () => {
  for (const one of SHELL_CASES) {
    test(one.mutant.name, async () => {
      expect(await firstKill(one)).toEqual(expect.any(Number));
    });
  }
});

describe('the same runs with the shell that ships', () => {
  for (const { mutant, options } of SHELL_CASES) {
    test(`pass: ${mutant.name}`, async () => {
      for (let seed = 1; seed <= 2; seed += 1) {
        const { failure } = await runFullSimulation({ ...options, seed });
        expect(failure).toBeNull();
      }
    });
  }
});
