import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { GraphAccess } from '../api/graph/access.ts';
import { sourceOfIndex } from '../api/graph/index-source.ts';
import type { Logger } from '../api/settings.ts';
import type { SparqlService } from '../api/sparql/ask.ts';
import { createSparqlService, type SparqlOptions } from '../api/sparql/service.ts';
import { GRAPH_FRESH_MS_MAX, GRAPH_LOOK_AGAIN_MS } from '../model/graph-limits.ts';
import { systemTimers } from '../node/clock.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { indexWorkerOf } from '../node/index-worker.ts';
import { Indexer } from '../node/indexer.ts';
import type { Node } from '../node/node.ts';
import { openLmdbForReading } from '../store/lmdb.ts';
import { GRAPH_TABLES } from '../store/quad-keys.ts';
import { GraphReader } from '../store/quad-view.ts';
import { graphIdentity } from './graph-describer.ts';

/** The graph of a node: what indexes it, reads it, and answers questions about it. */
export interface NodeGraph {
  readonly indexer: Indexer | undefined;
  readonly access: GraphAccess;
  readonly sparql: SparqlService | undefined;
}

/** To be started when the node is; without an index there is nothing to ask. */
export function graphOf(node: Node, config: NodeConfig, logger: Logger): NodeGraph {
  const { iriBase } = node.parts.genesis;
  const indexer = indexerOf(node, config);
  if (indexer === undefined) return { indexer, access: noGraph(iriBase), sparql: undefined };
  const moment = () => indexer.moment();
  return {
    indexer,
    access: accessTo(indexer, iriBase),
    sparql: sparqlOver(sourceOfIndex(iriBase, moment), config, {
      ...{ logger, metrics: node.parts.metrics },
      fresh: () => freshened(indexer),
    }),
  };
}

function noGraph(iriBase: string): GraphAccess {
  return { iriBase, read: () => undefined, status: () => null, fresh: () => Promise.resolve() };
}

function accessTo(indexer: Indexer, iriBase: string): GraphAccess {
  return {
    iriBase,
    status: () => ({ ...indexer.status(), lagBlocks: indexer.lag() }),
    fresh: () => freshened(indexer),
    read: (use) => {
      const moment = indexer.moment();
      if (moment === undefined) return undefined;
      try {
        return use(moment.view);
      } finally {
        moment.close();
      }
    },
  };
}

/** Resolves when the index has what is final at the call, or when that takes too long. */
async function freshened(indexer: Indexer): Promise<void> {
  const indexed = (): number => indexer.status().indexedTo ?? -1;
  const wanted = indexed() + indexer.lag();
  const until = performance.now() + GRAPH_FRESH_MS_MAX;
  while (indexed() < wanted && performance.now() < until) await pause(GRAPH_LOOK_AGAIN_MS);
}

function sparqlOver(
  source: ReturnType<typeof sourceOfIndex>,
  { provenance }: NodeConfig,
  told: Pick<SparqlOptions, 'logger' | 'metrics' | 'fresh'>,
): SparqlService | undefined {
  if (provenance.sparql === 'off') return undefined;
  return createSparqlService({
    source,
    ...told,
    mode: provenance.sparql,
    deadlineMs: provenance.queryDeadlineMs,
    memoryBytes: provenance.queryMemoryBytes,
    idleMs: provenance.queryIdleMs,
  });
}

function indexerOf(node: Node, config: NodeConfig): Indexer | undefined {
  if (config.provenance.index === 'off') return undefined;
  const { chain, genesis, metrics, log } = node.parts;
  const { dataDir } = config.storage;
  const graphDir = join(dataDir, 'graph');
  const identity = graphIdentity(genesis);
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
