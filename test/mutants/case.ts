import type { SimulationOptions, SimulationReport } from '../../src/simulator/bare/report.ts';
import type { Mutant } from './mutate.ts';

/** A mistake and the runs that must show it. */
export interface Case {
  readonly mutant: Mutant;
  /** What must break; anything, when left out. */
  readonly breaks?: RegExp;
  /** How it shows when no invariant breaks, but what is promised of a sound network. */
  readonly shows?: (report: SimulationReport) => boolean;
  readonly options: Omit<SimulationOptions, 'seed' | 'core'>;
}

export const STORMY = { lossRate: 0.2, spikeRate: 0.1, delaySpikeMs: 300, haste: 0.1, transactions: 15 };
export const CRASHES = { crashes: 12, restartMsMax: 50, haste: 0.2, transactions: 15 };
export const ONE_LIAR = {
  byzantine: [{ seat: 0, strategies: ['equivocate', 'back-everything'] as const }],
  twins: [],
  lost: [],
};

export const CALM = {
  byzantine: [],
  twins: [],
  lost: [],
  dead: [],
  wrongClocks: [],
  wiped: [],
  blackouts: 0,
  partitions: 0,
  crashes: 0,
  lossRate: 0,
  spikeRate: 0,
  delayMs: 3,
  syncMsMax: 5,
  skewMs: 5,
  rotationInterval: 0,
  blockIntervalMs: 0,
  haste: 1,
};
