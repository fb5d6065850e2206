import { setImmediate as nextTurn } from 'node:timers/promises';
import { counted } from '../lib/words.ts';
import { AUTHORITIES_MAX, WINDOW_MAX } from '../model/limits.ts';
import { installNativeSha256 } from '../node/keys/native-hash.ts';
import { runSimulation, type SimulationReport } from '../simulator/bare/report.ts';
import { type FullReport, runFullSimulation } from '../simulator/full/report.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';

export interface SimulateOptions {
  readonly seed?: string;
  readonly seeds: string;
  readonly from: string;
  readonly nodes?: string;
  readonly window?: string;
  readonly full?: boolean;
  readonly trace?: boolean;
}

const SEED_MAX = 2 ** 32 - 1;

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
  const shape = {
    ...(options.nodes === undefined ? {} : { n: wholeNumber(options.nodes, '--nodes', 1, AUTHORITIES_MAX) }),
    ...(options.window === undefined ? {} : { window: wholeNumber(options.window, '--window', 1, WINDOW_MAX) }),
    ...(options.trace === true ? { trace: (line: string) => terminal.data(line) } : {}),
  };
  if (options.full === true) installNativeSha256();
  const failed: (SimulationReport | FullReport)[] = [];
  let simulatedMs = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const report =
      options.full === true ? await runFullSimulation({ seed, ...shape }) : runSimulation({ seed, ...shape });
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

function reportText(report: SimulationReport | FullReport): string {
  const { seed, n, window, height, view, simulatedMs, evidence, failure, replay } = report;
  const seconds = (simulatedMs / 1_000).toFixed(1);
  const traffic =
    'frames' in report
      ? `${counted(report.frames, 'frame')}, ${counted(report.transactions, 'transaction')}, ${counted(report.falls, 'fall')}`
      : `${report.messages} messages`;
  const run =
    `seed ${seed}: ${n} authorities, window ${window}; height ${height}, view ${view}, ${traffic}, ` +
    `${evidence} pieces of evidence in ${seconds} simulated seconds`;
  return failure === null ? run : `${run}\n  BROKE ${failure.invariant}: ${failure.detail}\n  again: ${replay}`;
}
