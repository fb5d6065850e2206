import { setImmediate as nextTurn } from 'node:timers/promises';
import { counted } from '../lib/words.ts';
import { AUTHORITIES_MAX, WINDOW_MAX } from '../model/limits.ts';
import { installNativeSha256 } from '../node/keys/native-hash.ts';
import { runSimulation, type SimulationReport } from '../simulator/bare/report.ts';
import { type FullReport, runFullSimulation } from '../simulator/full/report.ts';
import { type PeeringReport, runPeeringSimulation } from '../simulator/peering/report.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';

export interface SimulateOptions {
  readonly seed?: string;
  readonly seeds: string;
  readonly from: string;
  readonly nodes?: string;
  readonly window?: string;
  readonly full?: boolean;
  readonly peering?: boolean;
  readonly trace?: boolean;
}

const SEED_MAX = 2 ** 32 - 1;

type Report = SimulationReport | FullReport | PeeringReport;

/** @throws CommandError (VERIFICATION_FAILED) when a seed breaks an invariant, after all have run */
export async function simulate(invocation: Invocation, options: SimulateOptions): Promise<void> {
  const { terminal } = invocation;
  const first = wholeNumber(
    options.seed ?? options.from,
    options.seed === undefined ? '--from' : '--seed',
    0,
    SEED_MAX,
  );
  const count = options.seed === undefined ? wholeNumber(options.seeds, '--seeds', 1, 1_000_000) : 1;
  if (options.peering === true && (options.full === true || options.window !== undefined)) {
    throw new CommandError('USAGE', '--peering stands alone: its nodes are whole, and have one block in flight.');
  }
  const shape = {
    ...(options.nodes === undefined ? {} : { n: wholeNumber(options.nodes, '--nodes', 1, AUTHORITIES_MAX) }),
    ...(options.window === undefined ? {} : { window: wholeNumber(options.window, '--window', 1, WINDOW_MAX) }),
    ...(options.trace === true ? { trace: (line: string) => terminal.data(line) } : {}),
  };
  if (options.full === true || options.peering === true) installNativeSha256();
  const failed: Report[] = [];
  let simulatedMs = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const report = await runOne(options, { seed, ...shape });
    simulatedMs += report.simulatedMs;
    if (!report.ok) failed.push(report);
    if (!report.ok || terminal.isJson || count === 1) terminal.result(report, () => reportText(report));
    // A run takes the loop for itself: Ctrl-C gets its turn between two.
    await nextTurn();
  }
  const seconds = Math.round(simulatedMs / 1_000);
  if (!terminal.isJson)
    terminal.data(`${count - failed.length} of ${count} seeds in order, ${seconds} simulated seconds`);
  if (failed.length === 0) return;
  throw new CommandError('VERIFICATION_FAILED', `${failed.length} of ${count} seeds broke an invariant.`, {
    advice: `The first again, step by step: ${failed[0]?.replay ?? ''}`,
  });
}

async function runOne(
  { full, peering }: SimulateOptions,
  run: { readonly seed: number; readonly n?: number; readonly window?: number },
): Promise<Report> {
  if (peering === true) return await runPeeringSimulation(run);
  return full === true ? await runFullSimulation(run) : runSimulation(run);
}

function reportText(report: Report): string {
  const { failure, replay } = report;
  const run = 'followers' in report ? peeringText(report) : chainText(report);
  return failure === null ? run : `${run}\n  BROKE ${failure.invariant}: ${failure.detail}\n  again: ${replay}`;
}

function peeringText({ seed, n, followers, hostile, height, frames, bans, simulatedMs }: PeeringReport): string {
  const lies = hostile.map((one) => `\n  a peer that ${one}`).join('');
  return (
    `seed ${seed}: ${counted(n, 'authority', 'authorities')}, ${counted(followers, 'follower')}, ` +
    `${counted(hostile.length, 'hostile peer')}; height ${height}, ${counted(frames, 'frame')}, ${counted(bans, 'ban')} ` +
    `in ${(simulatedMs / 1_000).toFixed(1)} simulated seconds${lies}`
  );
}

function chainText(report: SimulationReport | FullReport): string {
  const { seed, n, window, height, view, simulatedMs, evidence } = report;
  const seconds = (simulatedMs / 1_000).toFixed(1);
  const traffic =
    'frames' in report
      ? `${counted(report.frames, 'frame')}, ${counted(report.transactions, 'transaction')}, ${counted(report.falls, 'fall')}`
      : `${report.messages} messages`;
  return (
    `seed ${seed}: ${n} authorities, window ${window}; height ${height}, view ${view}, ${traffic}, ` +
    `${evidence} pieces of evidence in ${seconds} simulated seconds`
  );
}
