import { join } from 'node:path';
import { systemTimers } from '../node/clock.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { indexWorkerOf } from '../node/index-worker.ts';
import { Indexer } from '../node/indexer.ts';
import type { Node } from '../node/node.ts';
import { openLmdbForReading } from '../store/lmdb.ts';
import { GRAPH_TABLES } from '../store/quad-keys.ts';
import { GraphReader } from '../store/quad-view.ts';
import { GRAPH_DESCRIBER, graphIdentity } from './graph-describer.ts';

/** What indexes the graph of a node, to be started when the node is; undefined for one that has none. */
export function indexerOf(node: Node, config: NodeConfig): Indexer | undefined {
  if (config.provenance.index === 'off' || GRAPH_DESCRIBER === null) return undefined;
  const { chain, genesis, metrics, log } = node.parts;
  const { dataDir } = config.storage;
  const graphDir = join(dataDir, 'graph');
  const identity = graphIdentity(genesis, GRAPH_DESCRIBER);
  const file = new URL('./graph-worker.js', import.meta.url);
  const indexer = new Indexer({
    startWorker: indexWorkerOf(file, { dataDir, graphDir, genesisFile: config.node.genesisFile }),
    openReads: () => openLmdbForReading(graphDir, Object.values(GRAPH_TABLES)),
    createReader: () => new GraphReader(identity),
    head: () => chain.visibleHead.header.height,
    timers: systemTimers,
    metrics,
    log,
  });
  node.subscribe(({ type, height }) => {
    if (type === 'block_finalised') indexer.newHead(height);
  });
  return indexer;
}
