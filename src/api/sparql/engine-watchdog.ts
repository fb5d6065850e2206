/** Ends the process it is a thread of when that has too much memory, or when the node it works for is gone. */
import { workerData } from 'node:worker_threads';
import { z } from 'zod';
import { QUERY_MEMORY_CHECK_MS } from '../../model/graph-limits.ts';
import { MEMORY_SIGNAL } from './engine-wire.ts';

const { memoryBytes, parent } = z.object({ memoryBytes: z.number(), parent: z.number() }).parse(workerData);

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  if (process.memoryUsage.rss() > memoryBytes) process.kill(process.pid, MEMORY_SIGNAL);
}, QUERY_MEMORY_CHECK_MS);
