import { createPrng, type Prng } from '../../lib/prng.ts';
import { faultsTolerated, quorumOf } from '../../model/authorities.ts';
import type { StrategyName } from '../adversary.ts';
import { STRATEGIES, shuffled } from '../scenario.ts';

/** Lies that need bytes on a wire or real transactions, beside the strategies of `adversary`. */
export type WireLie = 'garbage-frames' | 'forged-client-signatures' | 'bad-blocks' | 'forged-transactions';

const WIRE_LIES: readonly WireLie[] = [
  'garbage-frames',
  'forged-client-signatures',
  'bad-blocks',
  'forged-transactions',
];

/** What happens to one machine at one moment. */
export type MachineFault =
  /** The power goes: what was not synced may be lost, cut at any byte. */
  | 'power-failure'
  /** The process ends and the machine stays: all that was written is there, synced or not. */
  | 'kill'
  /** A power failure, after which the data directory is gone and the journal is not. */
  | 'wipe-data'
  /** The journal is gone: this key never votes again. */
  | 'lose-journal'
  /** An older copy of the journal is put back in its place: neither does this one. */
  | 'roll-journal-back'
  /** A snapshot of the whole machine is taken, which it does not notice. */
  | 'take-snapshot'
  /** The power goes, and the machine comes back as it was when its snapshot was taken, the very same files. */
  | 'restore-snapshot';

export interface PlannedFault {
  readonly seat: number;
  readonly fault: MachineFault;
  /** Simulated milliseconds from the moment at which clients begin; from -30 on it comes before everything. */
  readonly at: number;
  /** Uses of its ports after that moment until it strikes, so that it can come between any two deeds; 0 is at once. */
  readonly fuse: number;
}

export interface PlannedCut {
  /** Those on one side. */
  readonly group: readonly number[];
  /** Only what the group says is lost. */
  readonly isOneWay: boolean;
  readonly begin: number;
  readonly end: number;
}

/** How a network of whole nodes and its clients behave in one run. All times in milliseconds of simulated time. */
export interface FullScenario {
  readonly seed: number;
  /** Authorities. */
  readonly n: number;
  readonly window: number;
  readonly liars: readonly {
    readonly seat: number;
    readonly strategies: readonly StrategyName[];
    readonly lies: readonly WireLie[];
  }[];
  readonly faults: readonly PlannedFault[];
  readonly cuts: readonly PlannedCut[];
  /** Honest seats that stay down once the faults are over. */
  readonly lost: readonly number[];
  /** The seat that is switched on only then, with the whole chain to catch up with; -1 for none. */
  readonly late: number;
  readonly faultsMs: number;
  /** After the faults: how long the healed network may take to make everything final. */
  readonly healMsMax: number;
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** Delays of frames: usually up to the first, at times up to the second. */
  readonly delayMs: number;
  readonly delaySpikeMs: number;
  readonly spikeRate: number;
  /** How long a session outlives its line at most. */
  readonly silenceMsMax: number;
  readonly restartMsMax: number;
  readonly skewMs: number;
  /** How much faster or slower than time a clock may run, in parts of a million. */
  readonly driftPpm: number;
  /** How long a sync of the journal takes at most. */
  readonly syncMsMax: number;
  /** How long a transaction of the store takes at most to become visible, and once more to become durable. */
  readonly storeMsMax: number;
  readonly checkpointInterval: number;
  readonly rotationInterval: number;
  readonly blockIntervalMs: number;
  /** Factor on the timers of a local network: below 1 the views change all the time. */
  readonly haste: number;
  /** Ed25519 instead of a stand-in that nobody in the simulation can forge. */
  readonly isSignedForReal: boolean;
  readonly tickets: number;
  /** How often a client sends the same once more, under the same key or with a signature that is none. */
  readonly repeatRate: number;
}

export interface FullDraw {
  readonly seed: number;
  readonly n?: number | undefined;
  readonly window?: number | undefined;
}

/** Draws a scenario from its seed; `n` and `window` may be given. */
export function drawFullScenario(draw: FullDraw): FullScenario {
  const prng = createPrng(draw.seed);
  const n = draw.n ?? prng.pick([1, 2, 3, 4, 4, 4, 4, 5, 5, 7]);
  const isCalm = prng.chance(0.1);
  const roles = drawRoles(n, isCalm, prng);
  const faultsMs = prng.pick([500, 1_500, 4_000]);
  return {
    seed: draw.seed,
    n,
    window: draw.window ?? prng.pick([1, 1, 2, 4]),
    liars: roles.liars.map((seat) => drawLiar(seat, prng)),
    faults: isCalm ? [] : drawFaults(roles, faultsMs, prng),
    cuts: isCalm ? [] : Array.from({ length: n > 1 ? prng.below(3) : 0 }, () => drawCut(n, faultsMs, prng)),
    lost: roles.lost,
    late: roles.late,
    faultsMs,
    healMsMax: 60_000,
    lossRate: isCalm ? 0 : prng.pick([0, 0, 0.01, 0.1]),
    duplicateRate: prng.pick([0, 0.02, 0.1]),
    delayMs: prng.pick([1, 3, 10, 40]),
    delaySpikeMs: prng.pick([50, 300, 1_500]),
    spikeRate: isCalm ? 0 : prng.pick([0.001, 0.02, 0.1]),
    silenceMsMax: prng.pick([100, 1_000, 5_000]),
    restartMsMax: prng.pick([20, 200, 1_000]),
    skewMs: prng.pick([0, 5, 100]),
    driftPpm: prng.pick([0, 0, 200, 2_000]),
    syncMsMax: prng.pick([0.2, 5, 40]),
    storeMsMax: prng.pick([1, 4, 40]),
    checkpointInterval: prng.pick([2, 5, 100]),
    rotationInterval: prng.pick([0, 0, 3, 7]),
    blockIntervalMs: roles.late >= 0 ? 100 : prng.pick([0, 0, 400]),
    haste: isCalm ? 1 : prng.pick([1, 0.3, 0.1]),
    isSignedForReal: prng.chance(0.04),
    tickets: 1 + prng.below(6),
    repeatRate: prng.pick([0, 0.2, 0.5]),
  };
}

interface Roles {
  readonly liars: readonly number[];
  /** Those whose journal will be lost or rolled back. */
  readonly observers: readonly number[];
  readonly lost: readonly number[];
  readonly late: number;
  readonly honest: readonly number[];
}

/** Liars are at most f; with them, those that vote no more leave a quorum of voters. */
function drawRoles(n: number, isCalm: boolean, prng: Prng): Roles {
  const seats = shuffled(n, prng.below);
  const liarCount = isCalm ? 0 : prng.below(faultsTolerated(n) + 1);
  const honest = seats.slice(liarCount);
  let spare = n - quorumOf(n) - liarCount;
  const take = (chance: number): number => {
    if (spare <= 0 || !prng.chance(chance)) return 0;
    const count = 1 + prng.below(spare);
    spare -= count;
    return count;
  };
  const observerCount = isCalm ? 0 : take(0.25);
  const lostCount = take(0.25);
  const isOneLate = honest.length > observerCount + lostCount + 1 && n - quorumOf(n) > 0 && prng.chance(0.12);
  return {
    liars: seats.slice(0, liarCount),
    observers: honest.slice(0, observerCount),
    lost: honest.slice(observerCount, observerCount + lostCount),
    late: isOneLate ? (honest.at(-1) ?? -1) : -1,
    honest,
  };
}

function drawLiar(seat: number, prng: Prng): FullScenario['liars'][number] {
  const lies = prng.chance(0.5) ? [prng.pick(WIRE_LIES)] : [];
  const count = lies.length > 0 ? prng.below(3) : 1 + prng.below(3);
  return { seat, strategies: Array.from({ length: count }, () => prng.pick(STRATEGIES)), lies };
}

function drawFaults({ honest, observers, liars }: Roles, faultsMs: number, prng: Prng): readonly PlannedFault[] {
  const n = honest.length + liars.length;
  const drawn = (seat: number, fault: MachineFault): PlannedFault => ({
    seat,
    fault,
    at: prng.next() * faultsMs,
    fuse: prng.chance(0.7) ? 1 + prng.below(150) : 0,
  });
  const crashes = Array.from({ length: prng.below(n > 1 ? 6 : 4) }, () =>
    drawn(prng.below(n), prng.chance(0.6) ? 'power-failure' : 'kill'),
  );
  const at = prng.next() * faultsMs;
  const blackout = prng.chance(0.15) ? honest : [];
  // Of a journal that was rolled back, the data directory is the only witness.
  const whole = honest.filter((seat) => !observers.includes(seat));
  const wipes = n > 1 && prng.chance(0.25) ? [drawn(prng.pick(whole), 'wipe-data')] : [];
  const losses = observers.map((seat) => drawn(seat, prng.chance(0.4) ? 'lose-journal' : 'roll-journal-back'));
  return [
    ...crashes,
    ...blackout.map((seat): PlannedFault => ({ seat, fault: 'power-failure', at, fuse: 0 })),
    ...wipes,
    ...losses,
  ];
}

function drawCut(n: number, faultsMs: number, prng: Prng): PlannedCut {
  const group = shuffled(n, prng.below).slice(0, 1 + prng.below(n - 1));
  const begin = prng.next() * faultsMs;
  return { group, isOneWay: prng.chance(0.3), begin, end: begin + prng.next() * 3_000 };
}
