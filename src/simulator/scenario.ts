import { LAN, type Timing } from '../consensus/timing.ts';
import { createPrng } from '../lib/prng.ts';
import { faultsTolerated } from '../model/authorities.ts';
import type { StrategyName } from './adversary.ts';

/** How the network and the nodes of one run behave. All times in milliseconds of simulated time. */
export interface Scenario {
  readonly seed: number;
  /** Authorities. */
  readonly n: number;
  /** The chain's window, and every node's own. */
  readonly window: number;
  /** Byzantine seats and what each of them does. */
  readonly byzantine: readonly { readonly seat: number; readonly strategies: readonly StrategyName[] }[];
  /** Seats that two correct instances with one key sit on. */
  readonly twins: readonly number[];
  /** How long faults go on. */
  readonly faultsMs: number;
  /** After the faults: how long the healed network may take to make everything final. */
  readonly healMsMax: number;
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** Message delays: usually up to the first, at times up to the second. */
  readonly delayMs: number;
  readonly delaySpikeMs: number;
  readonly spikeRate: number;
  /** Partitions that come and go; each cuts links in one or both directions. */
  readonly partitions: number;
  /** Crashes, each at some effect of some node. */
  readonly crashes: number;
  readonly restartMsMax: number;
  /** Honest seats that stay down after the faults; together with the liars at most f. */
  readonly lost: readonly number[];
  readonly skewMs: number;
  /** Seats whose key is dead: they follow and sign nothing. They count as faulty, as do the two below. */
  readonly dead: readonly number[];
  /** Seats whose clock is seconds off. */
  readonly wrongClocks: readonly number[];
  /** Seats that lose their store, but not their journal, in a crash. */
  readonly wiped: readonly number[];
  /** Seats whose whole home is put back once as it was some time before. */
  readonly restored: readonly number[];
  /** Times at which the power goes for all. */
  readonly blackouts: number;
  readonly transactions: number;
  readonly checkpointInterval: number;
  readonly rotationInterval: number;
  readonly blockIntervalMs: number;
  /** Messages cross the wire as bytes, and are decoded by every receiver. */
  readonly encoded: boolean;
  /** Factor on the timers of a local network: below 1 the views change all the time. */
  readonly haste: number;
  /** A mistake of the host, for the test of the checkers: statements leave before the journal has them. */
  readonly sendsBeforeSync: boolean;
  /** How long a sync of the journal takes at most. */
  readonly syncMsMax: number;
  /** How long a node does nothing else while it executes a block. */
  readonly executionMs: number;
  /** Seats whose execution goes wrong without their noticing it; they count as faulty. */
  readonly corrupt: readonly number[];
}

export const STRATEGIES: readonly StrategyName[] = [
  'silent',
  'equivocate',
  'propose-twice',
  'back-everything',
  'forget-claim',
  'withhold-body',
  'wrong-state',
  'partial-commit',
  'partial-votes',
  'stale-new-view',
  'double-new-view',
  'ignore-anchor',
  'usurp',
  'future-flood',
  'garbage-signatures',
  'padded-certificates',
  'false-status',
  'slow',
  'drop-some',
  'replay',
];

/** Draws a scenario from its seed. `n` and `window` may be given. */
export function drawScenario(options: { seed: number; n?: number | undefined; window?: number | undefined }): Scenario {
  const prng = createPrng(options.seed);
  const n = options.n ?? prng.pick([1, 2, 3, 4, 4, 4, 5, 5, 7, 10, 13]);
  const window = options.window ?? prng.pick([1, 1, 2, 4]);
  const f = faultsTolerated(n);
  const liars = f === 0 ? 0 : prng.below(f + 1);
  const seats = shuffled(n, prng.below);
  const byzantineSeats = seats.slice(0, liars);
  const isCalm = prng.chance(0.15);
  const twins = byzantineSeats.filter(() => prng.chance(0.3));
  const feeble = seats.slice(liars, f);
  const weakness = (chance: number): readonly number[] => (prng.chance(chance) ? feeble : []);
  return {
    seed: options.seed,
    n,
    window,
    byzantine: byzantineSeats
      .filter((seat) => !twins.includes(seat))
      .map((seat) => ({ seat, strategies: Array.from({ length: 1 + prng.below(3) }, () => prng.pick(STRATEGIES)) })),
    twins,
    faultsMs: 1_000 + prng.below(4_000),
    healMsMax: 60_000,
    lossRate: isCalm ? 0 : prng.pick([0, 0.01, 0.05, 0.2]),
    duplicateRate: prng.pick([0, 0.02, 0.1]),
    delayMs: prng.pick([1, 3, 10, 40]),
    delaySpikeMs: prng.pick([50, 300, 1_500]),
    spikeRate: isCalm ? 0 : prng.pick([0.001, 0.02, 0.1]),
    partitions: isCalm ? 0 : prng.below(4),
    crashes: isCalm ? 0 : prng.below(n > 1 ? 5 : 3),
    restartMsMax: prng.pick([50, 500, 2_000]),
    lost: weakness(0.3),
    dead: weakness(0.1),
    wrongClocks: weakness(0.1),
    wiped: weakness(0.2),
    restored: [],
    blackouts: isCalm || prng.chance(0.7) ? 0 : 1 + prng.below(2),
    skewMs: prng.pick([0, 5, 100]),
    transactions: 3 + prng.below(15),
    checkpointInterval: prng.pick([2, 5, 100]),
    rotationInterval: prng.pick([0, 0, 3, 7]),
    blockIntervalMs: prng.pick([0, 0, 400]),
    encoded: prng.chance(0.1),
    haste: isCalm ? 1 : prng.pick([1, 0.2, 0.1, 0.05]),
    sendsBeforeSync: false,
    syncMsMax: prng.pick([1, 5, 40]),
    executionMs: prng.pick([0, 0, 0, 0, 5, 60]),
    corrupt: [],
  };
}

/** The timers of a run. The cap on doubling stays, so that a healed network comes to rest at any haste. */
export function timingOf({ haste }: Pick<Scenario, 'haste'>): Timing {
  const scale = (ms: number): number => Math.max(1, Math.round(ms * haste));
  return {
    ...LAN,
    progressMs: scale(LAN.progressMs),
    newViewMs: scale(LAN.newViewMs),
    resendMs: scale(LAN.resendMs),
    statusMs: scale(LAN.statusMs),
    fetchDelayMs: scale(LAN.fetchDelayMs),
    fetchRetryMs: scale(LAN.fetchRetryMs),
  };
}

/** The numbers below `count` in some order. */
export function shuffled(count: number, below: (bound: number) => number): number[] {
  const items = Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index -= 1) {
    const other = below(index + 1);
    const item = items[index] ?? 0;
    items[index] = items[other] ?? 0;
    items[other] = item;
  }
  return items;
}
