import { Worker } from 'node:worker_threads';
import { GRAPH_THREAD_MEGABYTES_MAX } from '../model/graph-limits.ts';
import { type IndexOrder, type IndexReport, indexReport } from './index-messages.ts';

/** A thread that indexes. What is sent to one that has ended is lost. */
export interface IndexWorker {
  send(order: IndexOrder): void;
  /** Ends it, whatever it does. */
  terminate(): void;
}

export interface IndexWorkerEvents {
  readonly report: (report: IndexReport) => void;
  /** Called once, and nothing after it; `reason` is null for one that did as it was told. */
  readonly ended: (reason: string | null) => void;
}

export type StartIndexWorker = (events: IndexWorkerEvents) => IndexWorker;

/** @param file the compiled module that the thread runs; `data` is its `workerData` */
export function indexWorkerOf(file: URL, data: Readonly<Record<string, string>>): StartIndexWorker {
  return ({ report, ended }) => {
    const worker = new Worker(file, {
      workerData: data,
      name: 'graph index',
      resourceLimits: { maxOldGenerationSizeMb: GRAPH_THREAD_MEGABYTES_MAX },
    });
    let reason: string | null = null;
    worker.on('message', (message: unknown) => report(indexReport.parse(message)));
    worker.on('error', (error: Error) => {
      reason = error.message;
    });
    worker.on('exit', (code) => ended(reason ?? (code === 0 ? null : `exit code ${code}`)));
    return {
      send: (order) => worker.postMessage(order),
      terminate: () => void worker.terminate(),
    };
  };
}
