import type { Prng } from '../lib/prng.ts';
import { createPrng } from '../lib/prng.ts';
import { faultsTolerated, quorumOf } from '../model/authorities.ts';
import { drawScenario, type Scenario, shuffled } from './scenario.ts';

/** Lies that only bytes on the wire or blocks with real transactions can tell, beside the strategies of `adversary`. */
export type WireLie = 'garbage-frames' | 'forged-client-signatures' | 'bad-blocks' | 'forged-transactions';

const WIRE_LIES: readonly WireLie[] = [
  'garbage-frames',
  'forged-client-signatures',
  'bad-blocks',
  'forged-transactions',
];

/** What happens to one machine at one moment of the time of faults. */
export type MachineFault =
  /** The machine loses its power: whatever was not synced may be lost, cut at any byte. */
  | 'power-failure'
  /** The process ends, the machine stays: what was written is there, synced or not. */
  | 'kill'
  /** A power failure, after which the data directory is gone and the journal is not. */
  | 'wipe-data'
  /** The journal is gone: this key never votes again. */
  | 'lose-journal'
  /** An older copy of the journal is put back in place: neither does this one. */
  | 'roll-journal-back';

export interface PlannedFault {
  readonly seat: number;
  readonly fault: MachineFault;
  /** Simulated milliseconds from the beginning. */
  readonly at: number;
  /** Calls of its ports after that moment at which it strikes: between any two deeds. 0 is at once. */
  readonly fuse: number;
}

/** How a network of whole nodes and its clients behave in one run. Times in milliseconds of simulated time. */
export interface FullScenario extends Scenario {
  readonly lies: readonly { readonly seat: number; readonly lies: readonly WireLie[] }[];
  readonly faults: readonly PlannedFault[];
  /** Seats whose journal is lost or rolled back during the run. They count as faulty. */
  readonly observers: readonly number[];
  /** The seat that is switched on only when the faults are over, with a whole chain to catch up with; -1 for none. */
  readonly late: number;
  /** How much faster or slower than time a clock may run, in parts of a million. */
  readonly driftPpm: number;
  /** How long a transaction of the store takes at most until it is visible, and once more until it is durable. */
  readonly storeMsMax: number;
  /** Ed25519 instead of a stand-in that nobody in the simulation can forge. */
  readonly realSignatures: boolean;
  readonly tickets: number;
  /** Clients that send the same once more, under the same key or with a signature that is none. */
  readonly repeatRate: number;
}

/** Draws a scenario from its seed; `n` and `window` may be given. The draws of the bare simulator come first. */
export function drawFullScenario(options: {
  readonly seed: number;
  readonly n?: number | undefined;
  readonly window?: number | undefined;
}): FullScenario {
  const base = drawScenario(options);
  const prng = createPrng(options.seed ^ 0x3c6ef372);
  const n = options.n ?? prng.pick([1, 2, 3, 4, 4, 4, 4, 5, 5, 7]);
  const window = base.window;
  const isCalm = prng.chance(0.1);
  const seats = shuffled(n, prng.below);
  const liars = isCalm ? 0 : prng.below(faultsTolerated(n) + 1);
  const byzantine = drawLiars({ ...base, n }, seats.slice(0, liars), prng);
  const spare = n - quorumOf(n) - liars;
  const lateCount = spare > 0 && prng.chance(0.15) ? 1 : 0;
  const observerCount = spare > lateCount && !isCalm && prng.chance(0.25) ? 1 : 0;
  const honest = seats.slice(liars);
  const observers = honest.slice(0, observerCount);
  const lostCount = prng.chance(0.3) ? prng.below(spare - lateCount - observerCount + 1) : 0;
  return {
    ...base,
    n,
    window,
    byzantine,
    lies: seats.slice(0, liars).map((seat) => ({ seat, lies: prng.chance(0.6) ? [prng.pick(WIRE_LIES)] : [] })),
    twins: [],
    dead: [],
    wrongClocks: [],
    wiped: [],
    blackouts: 0,
    crashes: 0,
    observers,
    late: lateCount === 1 ? (honest.at(-1) ?? -1) : -1,
    lost: honest.slice(observerCount, observerCount + lostCount),
    faults: isCalm ? [] : drawFaults({ n, faultsMs: base.faultsMs, observers, honest }, prng),
    faultsMs: base.faultsMs,
    driftPpm: prng.pick([0, 0, 200, 2_000]),
    storeMsMax: prng.pick([1, 4, 30]),
    realSignatures: prng.chance(0.04),
    tickets: 2 + prng.below(7),
    repeatRate: prng.pick([0, 0.2, 0.5]),
  };
}

/** The strategies that the bare simulator would have given these seats, were it of this size. */
function drawLiars(base: Scenario, seats: readonly number[], prng: Prng): Scenario['byzantine'] {
  const drawn = base.byzantine.flatMap(({ strategies }) => strategies);
  return seats.map((seat) => {
    if (drawn.length > 0 && prng.chance(0.5)) return { seat, strategies: drawn.slice(0, 3) };
    const another = drawScenario({ seed: prng.below(2 ** 31), n: 31 }).byzantine[0];
    return { seat, strategies: another?.strategies ?? ['drop-some'] };
  });
}

function drawFaults(
  network: {
    readonly n: number;
    readonly faultsMs: number;
    readonly observers: readonly number[];
    readonly honest: readonly number[];
  },
  prng: Prng,
): readonly PlannedFault[] {
  const { n, faultsMs, observers, honest } = network;
  const drawn = (seat: number, fault: MachineFault): PlannedFault => ({
    seat,
    fault,
    at: prng.next() * faultsMs,
    fuse: prng.chance(0.7) ? 1 + prng.below(120) : 0,
  });
  const crashes = Array.from({ length: prng.below(n > 1 ? 6 : 4) }, () =>
    drawn(prng.below(n), prng.chance(0.6) ? 'power-failure' : 'kill'),
  );
  const blackout = prng.chance(0.15) ? prng.next() * faultsMs : null;
  const everybody =
    blackout === null
      ? []
      : honest.map((seat): PlannedFault => ({ seat, fault: 'power-failure', at: blackout, fuse: 0 }));
  const wipes = n > 1 && prng.chance(0.3) ? [drawn(prng.pick(honest), 'wipe-data')] : [];
  const losses = observers.map((seat) => drawn(seat, prng.chance(0.5) ? 'lose-journal' : 'roll-journal-back'));
  return [...crashes, ...everybody, ...wipes, ...losses].sort((a, b) => a.at - b.at || a.seat - b.seat);
}
