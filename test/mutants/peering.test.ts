import { hash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { installSha256 } from '../../src/model/hash.ts';
import { type PeeringReport, runPeeringSimulation } from '../../src/simulator/peering/report.ts';
import { buildPeeringMutant } from './mutate-shell.ts';
import { PEERING_CASES, type PeeringCase } from './peering-mutants.ts';

/** Every mistake shows with the first of them, or soon after. */
const SEEDS_MAX = 5;

beforeAll(() => installSha256((bytes) => new Uint8Array(hash('sha256', bytes, 'buffer'))));

function shows(report: PeeringReport, { breaks }: PeeringCase): boolean {
  if (typeof breaks === 'function') return report.failure === null && breaks(report);
  return report.failure !== null && breaks.test(report.failure.invariant);
}

/** The first seed that shows the mistake in the way it must, or what the others showed. */
async function firstKill(one: PeeringCase): Promise<number | string> {
  const { run, dispose } = await buildPeeringMutant(one.mutant);
  const others = new Set<string>();
  try {
    for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
      const report = await run({ seed, scenario: one.scenario });
      if (shows(report, one)) return seed;
      others.add(report.failure?.detail ?? `nothing: ${report.bans} bans`);
    }
    return [...others].join('\n');
  } finally {
    dispose();
  }
}

describe('the simulator of peers kills steps that', () => {
  for (const one of PEERING_CASES) {
    test(one.mutant.name, async () => {
      expect(await firstKill(one)).toEqual(expect.any(Number));
    });
  }
});

describe('the same runs with the steps that ship', () => {
  for (const one of PEERING_CASES) {
    test(`pass: ${one.mutant.name}`, async () => {
      const report = await runPeeringSimulation({ seed: 1, scenario: one.scenario });
      expect(report.failure).toBeNull();
      expect(shows(report, one)).toBe(false);
    });
  }
});
