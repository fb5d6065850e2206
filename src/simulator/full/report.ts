import { InvariantError } from '../../lib/assert.ts';
import { Violation } from '../checkers.ts';
import { auditStores } from './audit.ts';
import type { Machine } from './machine.ts';
import { drawFullScenario, type FullScenario, type MachineFault } from './scenario.ts';
import { FullWorld } from './world.ts';

/** What one seed led to in a network of whole nodes. */
export interface FullReport {
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
  readonly frames: number;
  readonly transactions: number;
  /** Answers of honest nodes that something is final. */
  readonly acknowledged: number;
  readonly falls: number;
  readonly evidence: number;
  /** Keys that were given up because others knew more of them. */
  readonly retirements: number;
  /** How often each machine had used its ports when the faults stopped: every moment at which it could have failed. */
  readonly uses: readonly number[];
  /** Simulated milliseconds, and how many of them from the end of the faults to the last transaction being final. */
  readonly simulatedMs: number;
  readonly healedMs: number;
}

export interface FullSimulationOptions {
  readonly seed: number;
  readonly n?: number | undefined;
  readonly window?: number | undefined;
  /** Replaces parts of what the seed draws. */
  readonly scenario?: Partial<FullScenario> | undefined;
  readonly trace?: ((line: string) => void) | undefined;
}

/** Runs one seed to its end: faults first, then a healed network that has to finish everything, then an audit of its stores. */
export async function runFullSimulation(options: FullSimulationOptions): Promise<FullReport> {
  const scenario: FullScenario = { ...drawFullScenario(options), ...options.scenario };
  let world: FullWorld | null = null;
  let healedMs = 0;
  let uses: readonly number[] = [];
  let failure: FullReport['failure'] = null;
  try {
    world = new FullWorld(scenario, options.trace ?? null);
    runFaults(world);
    uses = world.machines.map((machine) => machine.uses);
    healedMs = runHealing(world);
    world.checker.checkPromises();
    await auditStores(world.honest, world.genesis, world.jurisdiction.check);
  } catch (error) {
    failure = failureOf(error);
  }
  return reportOf({ options, scenario, world, healedMs, uses, failure });
}

function reportOf(run: {
  readonly options: FullSimulationOptions;
  readonly scenario: FullScenario;
  readonly world: FullWorld | null;
  readonly healedMs: number;
  readonly uses: readonly number[];
  readonly failure: FullReport['failure'];
}): FullReport {
  const { options, scenario, world, healedMs, uses, failure } = run;
  const views = world?.honest.map(({ process }) => process?.replica.view ?? 0) ?? [];
  return {
    seed: scenario.seed,
    n: scenario.n,
    window: scenario.window,
    ok: failure === null,
    failure,
    replay: replayCommand(options),
    height: world?.checker.canon.height ?? 0,
    view: Math.max(0, ...views),
    frames: world?.wire.frames ?? 0,
    transactions: world?.checker.canon.transactions ?? 0,
    acknowledged: world?.checker.acknowledged ?? 0,
    falls: world?.falls ?? 0,
    evidence: world?.checker.evidence.length ?? 0,
    retirements: world?.checker.retirements ?? 0,
    uses,
    simulatedMs: Math.round(world?.time.now ?? 0),
    healedMs: Math.round(healedMs),
  };
}

function replayCommand({ seed, n, window }: FullSimulationOptions): string {
  const shape = [n === undefined ? '' : ` --nodes ${n}`, window === undefined ? '' : ` --window ${window}`];
  return `npm run -s cf -- simulate --full --seed ${seed}${shape.join('')} --trace`;
}

function failureOf(error: unknown): { invariant: string; detail: string } {
  if (error instanceof Violation) return { invariant: error.invariant, detail: error.stack ?? error.message };
  if (!(error instanceof Error)) throw error;
  const invariant = error.name === new InvariantError('').name ? 'assertion' : error.name;
  return { invariant, detail: error.stack ?? error.message };
}

/** Safety phase: time, lines, disks and machines fail, and some lie. */
function runFaults(world: FullWorld): void {
  const { scenario, time, machines, prng } = world;
  for (const machine of machines) {
    if (machine.seat !== scenario.late) time.after(prng.next() * 20, () => machine.start());
  }
  time.after(30, () => world.clients.start());
  for (const { seat, fault, at, fuse } of scenario.faults) {
    const machine = world.machine(seat);
    time.after(at + 30, () => {
      if (!world.isHealed && seat !== scenario.late) machine.plan(fault, fuse);
    });
  }
  time.run(scenario.faultsMs);
}

/** Liveness phase: the faults stop, at most f seats lie, and a quorum votes. @returns milliseconds until all was done */
function runHealing(world: FullWorld): number {
  const { scenario, time, machines, wire } = world;
  world.isHealed = true;
  wire.heal();
  for (const machine of machines) {
    machine.spare();
    if (scenario.lost.includes(machine.seat)) machine.switchOff();
    else time.after(1, () => machine.start());
  }
  const begin = time.now;
  time.run(begin + scenario.healMsMax, () => isFinished(world));
  if (!isFinished(world)) throw new Violation('liveness', describeStall(world));
  const healedMs = time.now - begin;
  checkViewsRest(world);
  return healedMs;
}

function survivors(world: FullWorld): readonly Machine[] {
  return world.honest.filter(({ seat }) => !world.scenario.lost.includes(seat));
}

function isFinished(world: FullWorld): boolean {
  if (!world.clients.areDone) return false;
  const processes = survivors(world).map(({ process }) => process);
  const height = world.checker.canon.height;
  return processes.every(
    (process) => process !== null && process.mempool.size === 0 && process.chain.head.height >= height,
  );
}

/** After these a machine may sign nothing any more. */
const MUTING: readonly MachineFault[] = ['lose-journal', 'roll-journal-back', 'restore-snapshot'];

/** With nothing to do and honest primaries alone, views stop growing. Lets the stores come to rest in any case. */
function checkViewsRest(world: FullWorld): void {
  const { time, scenario } = world;
  time.run(time.now + 500);
  const { liars, blockIntervalMs, lost, faults } = scenario;
  const isSomebodyMute = faults.some(({ fault }) => MUTING.includes(fault));
  if (liars.length > 0 || blockIntervalMs > 0 || lost.length > 0 || isSomebodyMute) return;
  time.run(time.now + 3_000);
  const before = survivors(world).map(({ process }) => process?.replica.view);
  time.run(time.now + 5_000);
  const hasGrown = survivors(world).some(({ process }, index) => process?.replica.view !== before[index]);
  if (hasGrown) throw new Violation('views rest', describeStall(world));
}

function describeStall(world: FullWorld): string {
  const nodes = survivors(world).map(({ name, process }) => {
    if (process === null) return `${name} (down)`;
    const { replica, mempool, chain, isVoter } = process;
    const { view, mode, failures, certificates, proposals, highest, anchor, tree, final, voteFloor } = replica;
    const parts = [
      `view ${view} ${isVoter ? mode : 'observer'}`,
      `final ${final.height} (stored ${chain.head.height}, floor ${voteFloor})`,
      `waiting ${mempool.size}`,
      `failures ${failures}`,
      `highest ${highest?.view}/${highest?.height}`,
      `anchor ${anchor.height}`,
      `certificates ${certificates.size}, proposals ${proposals.size}, blocks ${tree.size}`,
      `sessions ${world.wire.connected(Number(name)).join(' ')}`,
    ];
    return `${name}: ${parts.join(', ')}`;
  });
  return [`${world.clients.open} orders open`, ...nodes].join('\n');
}
