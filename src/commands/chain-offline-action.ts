import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defined } from '../lib/assert.ts';
import type { Invocation } from './command-line.ts';
import { CommandError, EXIT_CODES } from './exit-codes.ts';
import { loadConfig, loadGenesis } from './files.ts';
import { type Job, type JobOutcome, JobProcess } from './job-process.ts';
import { ProgressLine } from './progress.ts';
import { exitCodeOf, untilSignal } from './signals.ts';

/** Where a chain and its genesis document are, when not in a home. */
export interface ChainOptions {
  readonly data?: string;
  readonly genesis?: string;
}

interface Place {
  readonly dataDir: string;
  readonly genesisFile: string;
}

/** @throws CommandError when it is not said where the chain is, or no chain is there */
function placeOf(invocation: Invocation, { data, genesis }: ChainOptions): Place {
  if (data !== undefined && genesis === undefined) {
    throw new CommandError('USAGE', '--data needs --genesis: what is in a data directory proves nothing by itself.');
  }
  const place =
    data === undefined || genesis === undefined
      ? homePlace(invocation, genesis)
      : { dataDir: resolve(data), genesisFile: resolve(genesis) };
  if (!existsSync(join(place.dataDir, 'data.mdb'))) {
    throw new CommandError('DATA_UNUSABLE', `There is no chain in ${place.dataDir}.`, {
      advice: 'Say where it is: --home of a node that has run, or --data with --genesis.',
    });
  }
  loadGenesis(place.genesisFile);
  return place;
}

function homePlace(invocation: Invocation, genesis: string | undefined): Place {
  const { config } = loadConfig(invocation);
  return {
    dataDir: config.storage.dataDir,
    genesisFile: genesis === undefined ? config.node.genesisFile : resolve(genesis),
  };
}

/** @returns the exit code @throws CommandError that names the first fault */
export async function verifyOffline(invocation: Invocation, options: ChainOptions): Promise<number> {
  const place = placeOf(invocation, options);
  const scratchDir = mkdtempSync(join(tmpdir(), 'counterfoil-verify-'));
  try {
    return await runJob(invocation, { kind: 'verify', ...place, scratchDir }, 'checked block');
  } finally {
    rmSync(scratchDir, { recursive: true, force: true });
  }
}

export async function exportOffline(
  invocation: Invocation,
  options: ChainOptions & { readonly out: string },
): Promise<number> {
  const place = placeOf(invocation, options);
  const out = resolve(options.out);
  if (existsSync(out)) throw new CommandError('FAILED', `${out} exists, and nothing is overwritten.`);
  return await runJob(invocation, { kind: 'export', ...place, out }, 'wrote block');
}

export async function importOffline(invocation: Invocation, file: string): Promise<number> {
  const { config } = loadConfig(invocation);
  loadGenesis(config.node.genesisFile);
  if (!existsSync(file)) throw new CommandError('NOT_FOUND', `${file} does not exist.`);
  const { dataDir, journalDir } = config.storage;
  const { home, genesisFile } = config.node;
  const job: Job = { kind: 'import', file: resolve(file), home, dataDir, journalDir, genesisFile };
  return await runJob(invocation, job, 'imported block');
}

async function runJob(invocation: Invocation, job: Job, what: string): Promise<number> {
  const { terminal, quiet } = invocation;
  const line = new ProgressLine(process.stderr, !quiet && !terminal.isJson);
  const worker = new JobProcess({ program: defined(process.argv[1], 'a program was started') });
  const signal = untilSignal(() => worker.end());
  const outcome = await Promise.race([worker.run(job, (at, of) => line.show(what, at, of)), signal]);
  line.clear();
  worker.end();
  if (typeof outcome === 'string') return exitCodeOf(outcome);
  return conclude(invocation, job, outcome);
}

function conclude({ terminal }: Invocation, job: Job, outcome: JobOutcome): number {
  switch (outcome.kind) {
    case 'done':
      terminal.result(outcome.answer, () => outcome.sentence);
      return EXIT_CODES.OK;
    case 'failed':
      throw new CommandError(outcome.exit, outcome.message, {
        advice: outcome.advice,
        ...(outcome.code === undefined ? {} : { code: outcome.code }),
      });
    case 'fault': {
      const { code, height, what, detail } = outcome;
      if (terminal.isJson) terminal.data(JSON.stringify({ valid: false, fault: { code, height, what, detail } }));
      throw new CommandError('VERIFICATION_FAILED', `${what} ${detail}.`, { code, advice: adviceOn(job) });
    }
    case 'crashed':
      throw crash(terminal, job, outcome);
    case 'interrupted':
      throw new CommandError(
        'FAILED',
        `The work was not finished: the process that did it was ended (${outcome.how}).`,
        {
          code: 'INTERRUPTED',
          advice: 'This says nothing of the chain. Look for a lack of memory or a slow disk, and run it again.',
        },
      );
  }
}

function crash(
  terminal: Invocation['terminal'],
  job: Job,
  { how, height }: Extract<JobOutcome, { kind: 'crashed' | 'interrupted' }>,
): CommandError {
  const detail = `is damaged: reading it ended the process (${how})`;
  const fault = { code: 'DATABASE_DAMAGED', height, what: 'the database file', detail };
  if (terminal.isJson) terminal.data(JSON.stringify({ valid: false, fault }));
  const at = height === null ? 'before a block was read' : `after block ${height}`;
  const message = `The database file in ${job.dataDir} itself is damaged: reading it ended the process ${at} (${how}).`;
  return new CommandError(height === null ? 'DATA_UNUSABLE' : 'VERIFICATION_FAILED', message, {
    code: fault.code,
    advice: adviceOn(job),
  });
}

function adviceOn(job: Job): string {
  if (job.kind === 'import') return 'What was imported before it is kept.';
  return (
    `Nothing was changed. If a node ran on it: stop it, remove ${job.dataDir} and nothing else (never the journal ` +
    'beside it), and start it again: it gets the chain from its peers.'
  );
}
