import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { GraphAccess } from '../api/graph/access.ts';
import { sourceOfIndex } from '../api/graph/index-source.ts';
import { Mirror } from '../api/mirror/mirror.ts';
import { placeInFile } from '../api/mirror/place.ts';
import { mirrorSourceOf } from '../api/mirror/source.ts';
import { createGraphStore } from '../api/mirror/store.ts';
import type { Logger } from '../api/settings.ts';
import type { SparqlService } from '../api/sparql/ask.ts';
import { createForwardingService } from '../api/sparql/forward.ts';
import { createSparqlService, type SparqlOptions } from '../api/sparql/service.ts';
import { GRAPH_FRESH_MS_MAX, GRAPH_LOOK_AGAIN_MS, MIRROR_TOKEN_BYTES_MAX } from '../model/graph-limits.ts';
import { systemTimers } from '../node/clock.ts';
import type { MirrorConfig, NodeConfig } from '../node/config/config.ts';
import { indexWorkerOf } from '../node/index-worker.ts';
import { Indexer } from '../node/indexer.ts';
import { readPrivateFile } from '../node/keys/key-file.ts';
import type { Node } from '../node/node.ts';
import { openLmdbForReading } from '../store/lmdb.ts';
import { GRAPH_TABLES } from '../store/quad-keys.ts';
import { GraphReader } from '../store/quad-view.ts';
import { CommandError } from './exit-codes.ts';
import { graphIdentity } from './graph-describer.ts';

/** The graph of a node: what indexes it, reads it, mirrors it, and answers questions about it. */
export interface NodeGraph {
  readonly access: GraphAccess;
  readonly sparql: SparqlService | undefined;
  start(): void;
  /** Ends the index and the mirror; the queries end with the HTTP server. Safe to call twice. */
  close(): Promise<void>;
}

/** To be started when the node is; without an index there is nothing to ask. */
export function graphOf(node: Node, config: NodeConfig, logger: Logger): NodeGraph {
  const { iriBase } = node.parts.genesis;
  const indexer = indexerOf(node, config);
  if (indexer === undefined) return noGraph(iriBase);
  const mirrored = config.provenance.mirror && mirrorOf(node, indexer, config, config.provenance.mirror);
  const moment = () => indexer.moment();
  return {
    start: () => {
      indexer.start();
      mirrored?.mirror.start();
    },
    close: async () => {
      await Promise.all([mirrored?.mirror.close(), indexer.close()]);
    },
    access: accessTo(indexer, iriBase),
    sparql:
      forwarding(config, logger, mirrored) ??
      sparqlOver(sourceOfIndex(iriBase, moment), config, {
        ...{ logger, metrics: node.parts.metrics },
        fresh: () => freshened(indexer),
      }),
  };
}

interface Mirrored {
  readonly mirror: Mirror;
  readonly token: string | undefined;
}

function mirrorOf(
  node: Node,
  indexer: Indexer,
  { storage }: NodeConfig,
  { url, by, tokenFile }: MirrorConfig,
): Mirrored {
  const { chain, genesis, metrics, log } = node.parts;
  const { iriBase, source } = graphIdentity(genesis);
  const token = tokenFile === undefined ? undefined : tokenIn(tokenFile);
  const heights = () => {
    const { indexedFrom: from, indexedTo: to } = indexer.status();
    return from === null || to === null ? null : { from, to };
  };
  const mirror = new Mirror({
    source: mirrorSourceOf(iriBase, () => indexer.moment(), heights),
    store: createGraphStore({ url, token, by }),
    place: placeInFile(join(storage.dataDir, 'mirror.json'), { graph: source, store: url }),
    head: () => chain.visibleHead.header.height,
    timers: systemTimers,
    measured: (lagBlocks) => metrics.provenanceMirrorLag(lagBlocks),
    log,
  });
  node.subscribe(({ type }) => {
    if (type === 'block_finalised') mirror.measure();
  });
  return { mirror, token };
}

function tokenIn(file: string): string {
  const read = readPrivateFile(file, MIRROR_TOKEN_BYTES_MAX);
  const code = read.ok ? 'TOKEN_UNUSABLE' : read.error.code;
  const token = read.ok ? read.value.trim() : '';
  // What a header takes, and no line end that would begin another one.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const reason = read.ok ? `${file} has no token in one line of ASCII characters` : read.error.reason;
  throw new CommandError('CONFIG_INVALID', `[provenance] mirror_token_file: ${reason}.`, { code });
}

function forwarding({ provenance }: NodeConfig, logger: Logger, mirrored?: Mirrored): SparqlService | undefined {
  const url = provenance.mirror?.queryUrl;
  if (mirrored === undefined || url === undefined || provenance.sparql === 'off') return undefined;
  const { mirror, token } = mirrored;
  const { queryDeadlineMs: deadlineMs } = provenance;
  return createForwardingService({ url, token, deadlineMs, height: () => mirror.height, logger });
}

function noGraph(iriBase: string): NodeGraph {
  return {
    access: { iriBase, read: () => undefined, status: () => null, fresh: () => Promise.resolve() },
    sparql: undefined,
    start: () => undefined,
    close: () => Promise.resolve(),
  };
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
