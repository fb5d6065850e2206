import { InvariantError } from '../../lib/assert.ts';
import { createPrng, type Prng } from '../../lib/prng.ts';
import { Violation } from '../checkers.ts';
import { drawScenario, type Scenario, shuffled } from '../scenario.ts';
import { type Core, PRODUCTION } from './core.ts';
import type { SimulatedNode } from './node.ts';
import { World } from './world.ts';

/** What one seed led to. */
export interface SimulationReport {
  readonly seed: number;
  readonly n: number;
  readonly window: number;
  readonly ok: boolean;
  /** The invariant that broke, and how; null when none did. */
  readonly failure: { readonly invariant: string; readonly detail: string } | null;
  /** The one command that runs this again. */
  readonly replay: string;
  readonly height: number;
  readonly view: number;
  readonly messages: number;
  /** Simulated milliseconds, and how many of them from the end of the faults to the last transaction being final. */
  readonly simulatedMs: number;
  readonly healedMs: number;
  readonly evidence: number;
  /** Honest nodes that ended their part, and why. */
  readonly halts: readonly string[];
  /** Honest seats that have found out that their memory is behind, and sign no more. */
  readonly retired: readonly number[];
  /** Seats that the statements on the wire convict; worked out only for a run in which agreement broke. */
  readonly convicted: readonly number[];
  readonly conflict: string | null;
  /** Where two honest nodes made different blocks final: only ever with more liars than are tolerated. */
  readonly fork: string | null;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly n?: number | undefined;
  readonly window?: number | undefined;
  /** Replaces parts of what the seed draws. */
  readonly scenario?: Partial<Scenario> | undefined;
  readonly core?: Core | undefined;
  readonly trace?: ((line: string) => void) | undefined;
}

/** Runs one seed to its end: faults first, then a healed network that has to finish everything. */
export function runSimulation(options: SimulationOptions): SimulationReport {
  const scenario: Scenario = { ...drawScenario(options), ...options.scenario };
  let world: World | null = null;
  let healedMs = 0;
  let failure: SimulationReport['failure'] = null;
  try {
    world = new World(options.core ?? PRODUCTION, scenario, options.trace ?? null);
    runFaults(world);
    healedMs = runHealing(world);
  } catch (error) {
    failure = failureOf(error);
  }
  const nodes = world?.honest ?? [];
  return {
    seed: scenario.seed,
    n: scenario.n,
    window: scenario.window,
    ok: failure === null,
    failure,
    replay: replayCommand(options),
    height: Math.max(0, ...nodes.map(({ chain }) => chain.height)),
    view: Math.max(0, ...nodes.map(({ replica }) => replica.view)),
    messages: world?.messages ?? 0,
    simulatedMs: world?.time ?? 0,
    healedMs,
    evidence: world?.evidence.length ?? 0,
    halts: world?.halts ?? [],
    retired: [...(world?.retired ?? [])],
    convicted: world === null || world.checker.conflict === null ? [] : convictedBy(world),
    conflict: world?.checker.conflict ?? null,
    fork: world?.checker.fork ?? null,
  };
}

function convictedBy(world: World): number[] {
  const seats = new Set(world.convictions().map((evidence) => world.offender(evidence)));
  return [...seats].sort((a, b) => a - b);
}

function replayCommand({ seed, n, window }: SimulationOptions): string {
  const shape = [n === undefined ? '' : ` --nodes ${n}`, window === undefined ? '' : ` --window ${window}`];
  return `npm run -s cf -- simulate --seed ${seed}${shape.join('')} --trace`;
}

function failureOf(error: unknown): { invariant: string; detail: string } {
  if (error instanceof Violation) return { invariant: error.invariant, detail: error.message };
  if (error instanceof Error && error.name === new InvariantError('').name) {
    return { invariant: 'assertion', detail: `${error.message}\n${error.stack ?? ''}` };
  }
  throw error;
}

/** Safety phase: anything may happen; time, links and processes fail. */
function runFaults(world: World): void {
  const { scenario } = world;
  const prng = createPrng(scenario.seed ^ 0x7f4a7c15);
  for (const node of world.nodes) world.after(prng.next() * 20, () => world.startNode(node));
  for (let count = 0; count < scenario.transactions; count += 1) {
    world.after(prng.next() * scenario.faultsMs, () => world.submit());
  }
  for (let count = 0; count < scenario.partitions; count += 1) planPartition(world, prng);
  for (let count = 0; count < scenario.crashes; count += 1) planCrash(world, prng);
  for (const node of world.nodes) if (scenario.restored.includes(node.seat)) planRestore(world, node, prng);
  for (let count = 0; count < scenario.blackouts; count += 1) {
    world.after(prng.next() * scenario.faultsMs, () => {
      for (const node of world.nodes) node.crash();
    });
  }
  world.run(scenario.faultsMs);
}

function planPartition(world: World, prng: Prng): void {
  const { faultsMs } = world.scenario;
  const count = world.nodes.length;
  const group = new Set(shuffled(count, prng.below).slice(0, 1 + prng.below(Math.max(1, count - 1))));
  const isOneWay = prng.chance(0.3);
  const links: number[] = [];
  for (let from = 0; from < count; from += 1) {
    for (let to = 0; to < count; to += 1) {
      if (group.has(from) === group.has(to) || (isOneWay && !group.has(from))) continue;
      links.push(from * 64 + to);
    }
  }
  const begin = prng.next() * faultsMs;
  const cut = (change: number): void => {
    for (const link of links) {
      const count = (world.cuts.get(link) ?? 0) + change;
      if (count > 0) world.cuts.set(link, count);
      else world.cuts.delete(link);
    }
  };
  world.after(begin, () => cut(1));
  world.after(begin + prng.next() * 3_000, () => {
    if (!world.isHealed) cut(-1);
  });
}

/** A home is copied, goes on, and later is put back as it was. */
function planRestore(world: World, node: SimulatedNode, prng: Prng): void {
  const { faultsMs } = world.scenario;
  const copyAt = prng.next() * faultsMs * 0.8;
  world.after(copyAt, () => {
    const putBack = node.copyHome();
    world.after(prng.next() * (faultsMs - copyAt), () => {
      node.crash();
      putBack();
    });
  });
}

/** A crash at some effect after some time: every boundary between two effects can be the one. */
function planCrash(world: World, prng: Prng): void {
  const node = prng.pick(world.nodes);
  const fuse = 1 + prng.below(80);
  world.after(prng.next() * world.scenario.faultsMs, () => {
    if (node.alive) node.fuse = fuse;
  });
}

/** Liveness phase: faults stop, at most f seats are gone or lie. @returns milliseconds until all was final */
function runHealing(world: World): number {
  const { scenario } = world;
  world.isHealed = true;
  world.cuts.clear();
  for (const node of world.nodes) {
    node.fuse = -1;
    if (scenario.lost.includes(node.seat)) {
      node.crash();
      continue;
    }
    world.after(1, () => world.startNode(node));
  }
  const begin = world.time;
  world.run(begin + 10);
  world.submit();
  for (const transaction of world.transactions) {
    for (const node of world.nodes) world.after(1, () => world.guard(node, () => node.submit([transaction])));
  }
  if (!isExpectedToHeal(world)) {
    world.run(begin + 5_000);
    return 0;
  }
  world.run(begin + scenario.healMsMax, () => isFinished(world));
  if (!isExpectedToHeal(world)) return 0;
  if (!isFinished(world)) throw new Violation('liveness', describeStall(world));
  const healedMs = world.time - begin;
  checkViewsRest(world);
  return healedMs;
}

function isExpectedToHeal(world: World): boolean {
  return world.checker.conflict === null && world.halts.length === 0;
}

function survivors(world: World): SimulatedNode[] {
  return world.honest.filter(({ seat }) => !world.scenario.lost.includes(seat));
}

function isFinished(world: World): boolean {
  const height = Math.max(...survivors(world).map(({ chain }) => chain.height));
  return survivors(world).every((node) => node.alive && node.mempool.size === 0 && node.chain.height === height);
}

/** With nothing to do and every seat sound, views stop growing. */
function checkViewsRest(world: World): void {
  const { blockIntervalMs, lost, dead, wrongClocks } = world.scenario;
  if (world.liars.size + lost.length + dead.length + wrongClocks.length > 0 || blockIntervalMs > 0) return;
  world.run(world.time + 3_000);
  const before = survivors(world).map(({ replica }) => replica.view);
  world.run(world.time + 5_000);
  const grown = survivors(world).some(({ replica }, index) => replica.view !== before[index]);
  if (grown) throw new Violation('views rest', describeStall(world));
}

function describeStall(world: World): string {
  return survivors(world)
    .map(({ name, alive, replica, mempool, chain }) => {
      const { view, mode, failures, certificates, proposals, highest, anchor, tree } = replica;
      const parts = [
        `view ${view} ${mode}`,
        `final ${chain.height}`,
        `waiting ${mempool.size}`,
        `failures ${failures}`,
      ];
      parts.push(`highest ${highest?.view}/${highest?.height}`, `anchor ${anchor.height}`);
      parts.push(`certificates ${certificates.size}`, `proposals ${proposals.size}`, `blocks ${tree.size}`);
      return `${name}${alive ? '' : ' (down)'}: ${parts.join(', ')}`;
    })
    .join('\n');
}
