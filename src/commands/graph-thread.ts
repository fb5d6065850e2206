import { getPriority, platform, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { defined } from '../lib/assert.ts';
import { GRAPH_THREAD_NICE } from '../model/graph-limits.ts';
import { systemTimers } from '../node/clock.ts';
import { serveIndexing } from '../node/index-thread.ts';
import type { BlockDescriber } from '../node/indexing.ts';
import { installNativeSha256 } from '../node/keys/native-hash.ts';
import { isGraphDamage, openGraph } from '../store/graph-directory.ts';
import { openLmdbForReading } from '../store/lmdb.ts';
import type { GraphIdentity } from '../store/quad-rows.ts';
import { noteDamage } from '../store/replacement.ts';
import { TABLES } from '../store/schema.ts';

export interface GraphThreadOptions {
  readonly dataDir: string;
  readonly graphDir: string;
  readonly identity: GraphIdentity;
  readonly describe: BlockDescriber;
}

/**
 * What a thread that indexes does, from its first line to its end. When the index turns out to be damaged or of another
 * chain, the thread ends with that error, and the next one begins the index anew.
 */
export async function runGraphThread({ dataDir, graphDir, identity, describe }: GraphThreadOptions): Promise<void> {
  const port = defined(parentPort, 'a thread that was started');
  installNativeSha256();
  // A priority is the thread's on Linux; elsewhere it would be the whole node's.
  if (platform() === 'linux' && getPriority() < GRAPH_THREAD_NICE) setPriority(GRAPH_THREAD_NICE);
  const chain = openLmdbForReading(dataDir, Object.values(TABLES));
  const graph = await openGraph(graphDir, identity);
  try {
    await serveIndexing({ port, chain, graph, describe, timers: systemTimers });
  } catch (error) {
    if (isGraphDamage(error)) noteDamage(graphDir, error instanceof Error ? error.message : String(error));
    throw error;
  }
}
