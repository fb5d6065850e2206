import { createPrng, type Prng } from '../../lib/prng.ts';
import type { PeerMessageKind } from '../../model/peer-message.ts';
import type { Weather } from './internet.ts';
import { LIES, type LieName } from './lies.ts';

export interface HostilePeer {
  readonly lies: readonly LieName[];
  /** What it floods others with; drawn where it is not said. */
  readonly floodKind?: PeerMessageKind | undefined;
}

interface PlannedOutage {
  /** Which follower. */
  readonly follower: number;
  readonly at: number;
  readonly restartMs: number;
  /** The machine falls with what was not durable, or only the program does. */
  readonly isPowerFailure: boolean;
}

export interface PlannedDivide {
  /** Numbers of nodes on one side: authorities first, then followers. */
  readonly group: readonly number[];
  readonly isOneWay: boolean;
  readonly begin: number;
  readonly end: number;
}

/** A network of authorities, followers and hostile peers in one run. Times in milliseconds of simulated time. */
export interface PeeringScenario extends Weather {
  readonly seed: number;
  readonly authorities: number;
  readonly followers: number;
  /** Whether followers are told of a node that only knows peers, instead of an authority. */
  readonly hasBootstrapNode: boolean;
  readonly hostile: readonly HostilePeer[];
  /** Whether all hostile peers live at addresses that one hand can easily have. */
  readonly isHostileOneGroup?: boolean;
  /** Whether followers are told of the hostile peers as well, so that they may meet those first. */
  readonly tellsOfHostile: boolean;
  readonly outages: readonly PlannedOutage[];
  readonly divides: readonly PlannedDivide[];
  /** Blocks that the authorities hold when the simulation begins. */
  readonly pastBlocks: number;
  /** How many followers have that past as well. */
  readonly informed: number;
  /** How many of the others begin with a snapshot. */
  readonly snapshots: number;
  readonly transactions: number;
  /** Guests that an authority has room for. */
  readonly authorityGuestsMax: number;
  readonly faultsMs: number;
  readonly healMsMax: number;
  readonly checkpointInterval: number;
  readonly blockIntervalMs: number;
  /** Whether hostile peers stay when the faults are over. */
  readonly hostileStay: boolean;
}

export interface PeeringDraw {
  readonly seed: number;
  readonly n?: number | undefined;
}

/** Lengths of a past: few, because each is made once for all runs. */
const PASTS = [0, 0, 5, 40, 80] as const;

export function drawPeeringScenario({ seed, n }: PeeringDraw): PeeringScenario {
  const prng = createPrng(seed ^ 0x51ed270b);
  const authorities = n ?? prng.pick([1, 4, 4, 4]);
  const followers = prng.pick([1, 2, 3, 4, 6]);
  const isCalm = prng.chance(0.15);
  const faultsMs = prng.pick([1_000, 3_000, 8_000]);
  const pastBlocks = prng.pick(PASTS);
  const draw = (count: number): number => prng.below(count + 1);
  return {
    seed,
    authorities,
    followers,
    hasBootstrapNode: prng.chance(0.3),
    tellsOfHostile: prng.chance(0.6),
    hostile: Array.from({ length: isCalm ? 0 : prng.pick([0, 1, 1, 2, 3]) }, () => drawHostile(prng)),
    outages: Array.from({ length: isCalm ? 0 : draw(3) }, () => drawOutage(followers, faultsMs, prng)),
    divides: [
      ...(prng.chance(0.4) ? [withoutAuthorities(authorities, prng.next() * faultsMs)] : []),
      ...Array.from({ length: isCalm ? 0 : draw(2) }, () => drawDivide(authorities + followers, faultsMs, prng)),
    ],
    pastBlocks,
    informed: draw(followers - 1),
    snapshots: 0,
    transactions: 1 + prng.below(6),
    authorityGuestsMax: prng.chance(0.25) ? 3 + followers : 64,
    faultsMs,
    healMsMax: 180_000,
    lossRate: isCalm ? 0 : prng.pick([0, 0, 0.02, 0.1]),
    duplicateRate: isCalm ? 0 : prng.pick([0, 0.02]),
    reorderRate: isCalm ? 0 : prng.pick([0, 0.05, 0.3]),
    delayMs: prng.pick([1, 5, 40]),
    delaySpikeMs: prng.pick([50, 500, 3_000]),
    spikeRate: isCalm ? 0 : prng.pick([0, 0.01, 0.05]),
    silenceMsMax: prng.pick([100, 1_000, 5_000]),
    checkpointInterval: 25,
    blockIntervalMs: prng.pick([0, 500]),
    hostileStay: prng.chance(0.8),
  };
}

function drawHostile(prng: Prng): HostilePeer {
  return { lies: Array.from({ length: prng.pick([1, 1, 2, 3]) }, () => prng.pick(LIES)) };
}

function drawOutage(followers: number, faultsMs: number, prng: Prng): PlannedOutage {
  return {
    follower: prng.below(followers),
    at: prng.next() * faultsMs,
    restartMs: prng.pick([20, 500, 4_000]),
    isPowerFailure: prng.chance(0.5),
  };
}

function drawDivide(nodes: number, faultsMs: number, prng: Prng): PlannedDivide {
  const size = 1 + prng.below(Math.max(1, nodes - 1));
  const group = Array.from({ length: nodes }, (_, index) => index).filter(() => prng.chance(size / nodes));
  const begin = prng.next() * faultsMs;
  return { group, isOneWay: prng.chance(0.3), begin, end: begin + prng.next() * 3_000 };
}

/** Followers find one another, and the hostile peers, before they find an authority. */
export function withoutAuthorities(authorities: number, end: number): PlannedDivide {
  return { group: Array.from({ length: authorities }, (_, seat) => seat), isOneWay: false, begin: 0, end };
}
