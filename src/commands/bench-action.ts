import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { renderReport } from '../bench/report.ts';
import { runBench } from '../bench/run.ts';
import { defined } from '../lib/assert.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';

export interface BenchCommandOptions {
  readonly nodes: string;
  readonly rounds: string;
  readonly alone: string;
  readonly loaded: string;
  readonly lanes: string;
  readonly basePort: string;
  readonly queries: string;
}

const LANES_MAX = 1_024;
const GIB = 2 ** 30;

/** Runs the benchmark in a temporary directory and prints its figures. */
export async function bench({ terminal }: Invocation, options: BenchCommandOptions): Promise<void> {
  const lanes = options.lanes.split(',').map((one) => wholeNumber(one.trim(), '--lanes', 1, LANES_MAX));
  const directory = mkdtempSync(join(tmpdir(), 'counterfoil-bench-'));
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => process.exit(code));
  try {
    const report = await runBench({
      program: defined(process.argv[1], 'a program was started'),
      directory,
      nodes: wholeNumber(options.nodes, '--nodes', 1, 31),
      basePort: wholeNumber(options.basePort, '--base-port', 1, 65_535),
      rounds: wholeNumber(options.rounds, '--rounds', 1, 100),
      alone: wholeNumber(options.alone, '--alone', 1, 10_000),
      loaded: wholeNumber(options.loaded, '--loaded', 1, 20_000),
      lanes,
      queryClients: wholeNumber(options.queries, '--queries', 0, 64),
      progress: (line) => terminal.talk(`${line} ...`),
    });
    const [cpu] = cpus();
    const machine = `${cpus().length} x ${cpu?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / GIB)} GiB, Node ${process.version}, homes in ${tmpdir()}`;
    terminal.result({ machine, ...report }, () => `${machine}\n\n${renderReport(report)}`);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError('FAILED', error instanceof Error ? `${error.message}.` : 'The benchmark failed.', {
      cause: error,
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
