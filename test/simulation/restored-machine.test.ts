import { hash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { installSha256 } from '../../src/model/hash.ts';
import { runFullSimulation } from '../../src/simulator/full/report.ts';
import type { FullScenario, PlannedFault } from '../../src/simulator/full/scenario.ts';

const LONG = process.env['COUNTERFOIL_LONG'] === '1';
const SEEDS = LONG ? 500 : 8;

// The SHA-256 that a node uses, at eight times the speed.
beforeAll(() => installSha256((bytes) => new Uint8Array(hash('sha256', bytes, 'buffer'))));

/** What the machine said before it went down has arrived when it is back; nobody else forgets what it saw. */
const SOUND: Partial<FullScenario> = {
  ...{ liars: [], faults: [], cuts: [], lost: [], late: -1 },
  ...{ lossRate: 0, duplicateRate: 0, spikeRate: 0, delayMs: 4, restartMsMax: 200, haste: 0.3 },
  ...{ faultsMs: 1_500, tickets: 6, blockIntervalMs: 40 },
};

function restored(from: number, to: number, fuse: number): readonly PlannedFault[] {
  return [
    { seat: 0, fault: 'take-snapshot', at: from, fuse: 0 },
    { seat: 0, fault: 'restore-snapshot', at: to, fuse },
  ];
}

// The checkers take the seat for honest through all of its runs: a second statement for one slot fails.
test.each([3, 4, 5])(
  'a machine of %i that is put back to an earlier moment contradicts nothing, and mostly finds itself out',
  async (n) => {
    let retired = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const from = 100 + ((seed * 97) % 700);
      const faults = restored(from, from + 50 + ((seed * 61) % 400), seed % 3 === 0 ? 0 : 1 + ((seed * 13) % 150));
      const report = await runFullSimulation({ seed, n, scenario: { ...SOUND, faults } });
      expect(report.failure, `seed ${seed}`).toBeNull();
      expect(report.falls, `seed ${seed}`).toBeGreaterThan(0);
      retired += report.retirements;
    }
    expect(retired).toBeGreaterThan(SEEDS / 2);
  },
  LONG ? 3_600_000 : 60_000,
);
