import { installNativeSha256 } from '../node/keys/native-hash.ts';
import { exportChain } from './chain-job-export.ts';
import { importFromFile } from './chain-job-import.ts';
import { check, rebuild } from './chain-job-rebuild.ts';
import { verify } from './chain-job-verify.ts';
import { CommandError, exitNameOf } from './exit-codes.ts';
import { type Job, type JobReport, jobSchema } from './job-process.ts';
import { type Ending, report } from './job-report.ts';
import { damageError, isDamage } from './repair.ts';

/** Does the jobs that come over the channel to the process that started this one, and ends with it. */
export function serveJobs(): void {
  installNativeSha256();
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message) => {
    const job = jobSchema.parse(message);
    perform(job).then(report, (error: unknown) => report(failureOf(error, job)));
  });
}

function failureOf(error: unknown, job: Job): JobReport {
  if (!(error instanceof CommandError) && isDamage(error)) return failureOf(damageError(error, job.dataDir), job);
  const isCommand = error instanceof CommandError;
  const cause = error instanceof Error && error.cause instanceof Error && !isCommand ? `: ${error.cause.message}` : '';
  return {
    kind: 'failed',
    exit: exitNameOf(error),
    code: isCommand ? error.code : undefined,
    message: `${error instanceof Error ? error.message : String(error)}${cause}`,
    advice: isCommand ? error.advice : '',
  };
}

function perform(job: Job): Promise<Ending> {
  switch (job.kind) {
    case 'verify':
      return verify(job);
    case 'export':
      return exportChain(job);
    case 'import':
      return importFromFile(job);
    case 'rebuild':
      return rebuild(job);
    case 'check':
      return check(job);
  }
}
