import { type ChildProcess, fork } from 'node:child_process';
import { z } from 'zod';
import { JOB_SILENCE_MS_MAX } from '../model/limits.ts';
import { type ExitName, isExitName } from './exit-codes.ts';

/** What is done in a process of its own, since LMDB ends the process that reads a damaged file. */
export const jobSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('verify'), dataDir: z.string(), genesisFile: z.string(), scratchDir: z.string() }),
  z.object({ kind: z.literal('check'), dataDir: z.string(), genesisFile: z.string() }),
  z.object({ kind: z.literal('rebuild'), dataDir: z.string(), genesisFile: z.string() }),
  z.object({ kind: z.literal('export'), dataDir: z.string(), genesisFile: z.string(), out: z.string() }),
  z.object({
    kind: z.literal('import'),
    file: z.string(),
    home: z.string(),
    dataDir: z.string(),
    journalDir: z.string(),
    genesisFile: z.string(),
  }),
]);
export type Job = z.infer<typeof jobSchema>;
export type JobOf<Kind extends Job['kind']> = Extract<Job, { kind: Kind }>;

const reportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('opened') }),
  z.object({ kind: z.literal('progress'), height: z.number(), of: z.number() }),
  z.object({ kind: z.literal('done'), answer: z.record(z.string(), z.unknown()), sentence: z.string() }),
  z.object({
    kind: z.literal('fault'),
    code: z.string(),
    height: z.number().nullable(),
    what: z.string(),
    detail: z.string(),
  }),
  z.object({
    kind: z.literal('failed'),
    exit: z.custom<ExitName>((name) => typeof name === 'string' && isExitName(name)),
    code: z.string().optional(),
    message: z.string(),
    advice: z.string(),
  }),
]);
/** What the process says of a job. */
export type JobReport = z.infer<typeof reportSchema>;

/** How a job ended. */
export type JobOutcome =
  | Extract<JobReport, { kind: 'done' | 'fault' | 'failed' }>
  /**
   * The process ended without a word: `how`; at which height, if it came so far; null when the database did not open.
   * 'crashed' by a fault of its own, as pages that are damaged give it; 'interrupted' from outside, which says nothing
   * of them.
   */
  | { readonly kind: 'crashed' | 'interrupted'; readonly how: string; readonly height: number | null };

/** Nobody sends these: LMDB, V8 or the processor ends a process with them that reads what cannot be there. */
const FAULTS: readonly (string | null)[] = ['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGTRAP', 'SIGFPE'];

export interface JobProcessOptions {
  /** The program that is running: the process runs its `chain job`. */
  readonly program: string;
  readonly silenceMsMax?: number;
}

/** A process that does jobs one after another, started again when one has ended it. */
export class JobProcess {
  readonly #options: JobProcessOptions;
  #child: ChildProcess | undefined;

  constructor(options: JobProcessOptions) {
    this.#options = options;
  }

  /** Not before the last job has ended. */
  run(job: Job, onProgress: (height: number, of: number) => void): Promise<JobOutcome> {
    const child = this.#child ?? this.#start();
    return new Promise((resolve) => {
      let height: number | null = null;
      const silenceMsMax = this.#options.silenceMsMax ?? JOB_SILENCE_MS_MAX;
      let silence: string | undefined;
      const watchdog = setTimeout(() => {
        silence = `it said nothing for ${silenceMsMax / 1_000} s`;
        child.kill('SIGKILL');
      }, silenceMsMax);
      const end = (outcome: JobOutcome): void => {
        clearTimeout(watchdog);
        child.off('message', onMessage).off('exit', onExit).off('error', onError);
        resolve(outcome);
      };
      const onExit = (code: number | null, signal: string | null): void => {
        this.#child = undefined;
        const kind = FAULTS.includes(signal) ? 'crashed' : 'interrupted';
        end({ kind, how: silence ?? signal ?? `exit code ${code}`, height });
      };
      const onError = (error: Error): void => onExit(null, error.message);
      const onMessage = (message: unknown): void => {
        watchdog.refresh();
        const report = reportSchema.parse(message);
        if (report.kind === 'opened') height = 0;
        else if (report.kind !== 'progress') end(report);
        else {
          height = report.height;
          onProgress(report.height, report.of);
        }
      };
      child.on('message', onMessage).on('exit', onExit).on('error', onError);
      child.send(job, (error) => {
        if (error !== null) child.kill('SIGKILL');
      });
    });
  }

  /** Ends the process, whatever it does. */
  end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  #start(): ChildProcess {
    // What LMDB says before it gives up is for nobody.
    const child = fork(this.#options.program, ['chain', 'job'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    this.#child = child;
    return child;
  }
}
