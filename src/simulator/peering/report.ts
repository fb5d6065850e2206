import { setImmediate as nextTurn } from 'node:timers/promises';
import { InvariantError } from '../../lib/assert.ts';
import { createPrng } from '../../lib/prng.ts';
import { Violation } from '../checkers.ts';
import { drawPeeringScenario, type PeeringScenario } from './scenario.ts';
import type { Station } from './station.ts';
import { PeeringWorld } from './world.ts';

/** What one seed led to in a network of followers and hostile peers. */
export interface PeeringReport {
  readonly seed: number;
  readonly n: number;
  readonly followers: number;
  readonly hostile: readonly string[];
  readonly ok: boolean;
  /** The invariant that broke, and how; null when none did. */
  readonly failure: { readonly invariant: string; readonly detail: string } | null;
  /** The one command that runs this again. */
  readonly replay: string;
  readonly height: number;
  readonly frames: number;
  readonly dials: number;
  readonly transactions: number;
  /** Times that an honest node has banned a hostile one. */
  readonly bans: number;
  /** Of each thing that is bounded, how much of it some node held. */
  readonly fullest: Readonly<Record<string, number>>;
  /** Simulated milliseconds, and how many of them from the end of the faults to everybody being at the head. */
  readonly simulatedMs: number;
  readonly healedMs: number;
}

export interface PeeringSimulationOptions {
  readonly seed: number;
  readonly n?: number | undefined;
  /** Replaces parts of what the seed draws. */
  readonly scenario?: Partial<PeeringScenario> | undefined;
  readonly trace?: ((line: string) => void) | undefined;
}

/** Runs one seed to its end: faults first, then a healed network in which every honest node has to reach the head. */
export async function runPeeringSimulation(options: PeeringSimulationOptions): Promise<PeeringReport> {
  const scenario: PeeringScenario = { ...drawPeeringScenario(options), ...options.scenario };
  let world: PeeringWorld | null = null;
  let healedMs = 0;
  let failure: PeeringReport['failure'] = null;
  try {
    world = new PeeringWorld(scenario, options.trace ?? null);
    await runFaults(world);
    healedMs = await runHealing(world);
  } catch (error) {
    failure = failureOf(error);
  }
  return {
    seed: scenario.seed,
    n: scenario.authorities,
    followers: scenario.followers,
    hostile: scenario.hostile.map(({ lies }) => lies.join(' and ')),
    ok: failure === null,
    failure,
    replay: replayCommand(options),
    height: world?.watch.height ?? 0,
    frames: world?.internet.frames ?? 0,
    dials: world?.internet.dials ?? 0,
    transactions: world?.ordered.length ?? 0,
    bans: world === null ? 0 : bansOf(world),
    fullest: Object.fromEntries(world?.watch.fullest ?? []),
    simulatedMs: Math.round(world?.time.now ?? 0),
    healedMs: Math.round(healedMs),
  };
}

function bansOf(world: PeeringWorld): number {
  return world.keepers.reduce((count, { known }) => count + (known?.bans().length ?? 0), 0);
}

function replayCommand({ seed, n }: PeeringSimulationOptions): string {
  return `npm run -s cf -- simulate --peering --seed ${seed}${n === undefined ? '' : ` --nodes ${n}`} --trace`;
}

function failureOf(error: unknown): { invariant: string; detail: string } {
  if (error instanceof Violation) return { invariant: error.invariant, detail: error.message };
  if (!(error instanceof Error)) throw error;
  const invariant = error.name === new InvariantError('').name ? 'assertion' : error.name;
  return { invariant, detail: error.stack ?? error.message };
}

/** How much time passes between two turns of the loop: what stores promise is kept in those. */
const TURN_MS = 5;

async function run(world: PeeringWorld, until: number, isDone: () => boolean = () => false): Promise<void> {
  const { time, scenario } = world;
  if (scenario.snapshots === 0) {
    time.run(until, isDone);
    return;
  }
  while (time.now < until && !isDone()) {
    time.run(Math.min(until, time.now + TURN_MS));
    await nextTurn();
  }
}

/** Safety phase: lines and machines fail, and hostile peers say what they want. */
async function runFaults(world: PeeringWorld): Promise<void> {
  const { scenario, time, stations, followers } = world;
  const prng = createPrng(scenario.seed ^ 0x27d4eb2f);
  for (const station of stations) {
    const delayMs = station.plan.kind === 'authority' ? 20 : 1_500;
    time.after(prng.next() * delayMs, () => station.start());
  }
  for (const { follower, at, restartMs, isPowerFailure } of scenario.outages) {
    const station = followers[follower];
    time.after(at, () => station?.fall(isPowerFailure));
    time.after(at + restartMs, () => station?.start());
  }
  const addresses = world.keepers.map(({ plan }) => plan.address);
  for (const { group, isOneWay, begin, end } of scenario.divides) {
    const inside = addresses.filter((_, index) => group.includes(index));
    const outside = addresses.filter((_, index) => !group.includes(index));
    const sides = [[inside, outside] as const, ...(isOneWay ? [] : [[outside, inside] as const])];
    time.after(begin, () => {
      for (const [from, to] of sides) world.internet.cut(from, to);
    });
    time.after(Math.min(end, scenario.faultsMs), () => {
      for (const [from, to] of sides) world.internet.mend(from, to);
    });
  }
  for (let count = 0; count < scenario.transactions; count += 1) {
    const follower = prng.pick(followers);
    time.after(prng.next() * scenario.faultsMs, () => world.order(follower));
  }
  await run(world, scenario.faultsMs);
}

/** Liveness phase: one more transaction for each follower, and all of them are final everywhere in time. */
async function runHealing(world: PeeringWorld): Promise<number> {
  const { scenario, time, stations, internet, followers } = world;
  internet.heal();
  for (const station of stations) {
    if (station.isHonest || scenario.hostileStay) time.after(1, () => station.start());
    else station.fall(false);
  }
  const begin = time.now;
  time.after(5, () => {
    for (const station of followers) world.order(station);
  });
  await run(world, begin + 10);
  await run(world, begin + scenario.healMsMax, () => isFinished(world));
  if (!isFinished(world)) throw new Violation('everybody reaches the head', describe(world));
  return time.now - begin;
}

function isFinished(world: PeeringWorld): boolean {
  const chains = world.keepers.map(({ chain }) => chain);
  return chains.every(
    (chain) =>
      chain !== undefined && chain.visibleHead.header.height >= heightAtRest(world) && isComplete(world, chain),
  );
}

/** An idle network that makes empty blocks is never quite at rest. */
function heightAtRest({ watch, scenario }: PeeringWorld): number {
  return watch.height - (scenario.blockIntervalMs > 0 ? 2 : 0);
}

function isComplete({ ordered }: PeeringWorld, chain: NonNullable<Station['chain']>): boolean {
  return ordered.every((id) => chain.place(id) !== undefined);
}

function describe(world: PeeringWorld): string {
  const lines = world.stations.map((station) => {
    const { plan, node, chain, isOn } = station;
    if (!isOn || node === undefined) return `${plan.name} ${isOn ? '' : '(down)'}`;
    const peers = node.parts.transport.peers().map(({ role, address }) => `${role} ${address}`);
    const missing = chain === undefined ? 0 : world.ordered.filter((id) => chain.place(id) === undefined).length;
    const bans = station.known?.bans().map(({ reason }) => reason) ?? [];
    return [
      `${plan.name}: height ${chain?.head.height} of ${world.watch.height}, ${missing} missing`,
      `waiting ${node.parts.mempool.size}, ${node.replica.mode} view ${node.replica.view}, ahead ${node.heightAhead()}`,
      `bans ${bans.join(' ')}, peers ${peers.join(', ')}`,
    ].join('; ');
  });
  return ['', ...lines].join('\n');
}
