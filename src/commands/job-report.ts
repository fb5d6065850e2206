import type { ChainFault } from '../node/audit/chain-fault.ts';
import { renewedReads } from '../node/audit/renewed-reads.ts';
import type { KeyValueReads } from '../store/key-value.ts';
import { openLmdbForReading, type ReadOnlyKeyValue } from '../store/lmdb.ts';
import { TABLES } from '../store/schema.ts';
import type { JobReport } from './job-process.ts';

const PROGRESS_EVERY_MS = 100;

export type Ending = Extract<JobReport, { kind: 'done' | 'fault' }>;

/** To the process that gave the job. */
export function report(message: JobReport): void {
  process.send?.(message);
}

/** Tells of progress now and then, and lets the channel be written to. */
export function reporter(): (height: number, of: number) => Promise<void> {
  let last = 0;
  return async (height, of) => {
    const now = performance.now();
    if (now - last < PROGRESS_EVERY_MS) return;
    last = now;
    report({ kind: 'progress', height, of });
    await new Promise((resolve) => setImmediate(resolve));
  };
}

/** Reads one moment of a database, beside whoever writes it. */
export async function withSnapshot<T>(dataDir: string, use: (reads: KeyValueReads) => Promise<T>): Promise<T> {
  const store = openLmdbForReading(dataDir, Object.values(TABLES));
  const snapshot = store.snapshot();
  report({ kind: 'opened' });
  try {
    return await use(snapshot);
  } finally {
    snapshot.close();
    await closed(store);
  }
}

/** Reads a database that nobody writes, and that is damaged somewhere. */
export async function withDamaged<T>(dataDir: string, use: (reads: KeyValueReads) => Promise<T>): Promise<T> {
  const reads = renewedReads(() => openLmdbForReading(dataDir, Object.values(TABLES)));
  report({ kind: 'opened' });
  try {
    return await use(reads);
  } finally {
    await Promise.all(reads.opened.map(closed));
  }
}

export function closed(store: Pick<ReadOnlyKeyValue, 'close'>): Promise<void> {
  return new Promise((resolve, reject) => store.close((done) => (done.ok ? resolve() : reject(done.error))));
}

export function faultReport({ code, height, what, detail }: Omit<ChainFault, 'code'> & { code: string }): Ending {
  return { kind: 'fault', code, height, what, detail };
}
