import type { Scenario } from '../../src/simulator/scenario.ts';

/** One home is put back as it was some time before, on a network that is sound otherwise. */
export const RESTORED: Partial<Scenario> = {
  restored: [0],
  ...{ byzantine: [], twins: [], lost: [], dead: [], wrongClocks: [], wiped: [] },
  ...{ partitions: 0, crashes: 0, blackouts: 0, lossRate: 0, duplicateRate: 0, spikeRate: 0 },
  // Whatever the node said before it went down has arrived when it is back.
  ...{ delayMs: 4, restartMsMax: 200 },
  faultsMs: 1_500,
  transactions: 60,
  haste: 0.2,
};
