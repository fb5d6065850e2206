import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What can befall a ticket, as counters tell it. */
export type TicketTransition =
  | 'validated'
  | 'consumed'
  | 'disputed'
  | 'transferred'
  | 'held'
  | 'released'
  | 'revoked'
  | 'case_opened'
  | 'case_resolved';

interface ApiRequest {
  readonly method: string;
  /** The route's pattern, never the path asked for: labels must stay few. */
  readonly endpoint: string;
  readonly status: number;
  readonly seconds: number;
}

/** What a node counts and measures. Derived by the host from events and effects: the core knows nothing of it. */
export interface Metrics {
  /** A block was proposed, or proposed again in a later view. */
  roundStarted(): void;
  /** A round ended without its block: the view changed under it. */
  roundFailed(): void;
  /** `latencySeconds`: from the transaction's or proposal's arrival at this node; null when it only caught up. */
  blockFinalised(block: { readonly height: number; readonly latencySeconds: number | null }): void;
  viewChanged(view: number): void;
  /** Where the node stands when it starts: no block and no view change has told it yet. */
  resumed(at: { readonly height: number; readonly view: number }): void;
  gossipSent(kind: string): void;
  gossipReceived(kind: string): void;
  gossipCache(size: number): void;
  gossipCacheAsked(found: boolean): void;
  peers(count: number): void;
  messageSent(kind: string, bytes: number): void;
  messageReceived(kind: string, bytes: number): void;
  ticketTransition(transition: TicketTransition, count: number): void;
  ticketStates(counts: ReadonlyMap<string, number>): void;
  storageOperation(operation: string, seconds: number): void;
  apiRequest(request: ApiRequest): void;
  websocketConnections(count: number): void;
  mempool(transactions: number): void;
  syncLag(blocks: number): void;
  provenanceLag(blocks: number): void;
  /** Of the store elsewhere that graphs are put into; 0 without one. */
  provenanceMirrorLag(blocks: number): void;
  provenanceSize(graph: { readonly quads: number; readonly bytes: number }): void;
  /** `outcome`: `answered`, or the code of its problem. `seconds`: its waiting included. */
  queryAsked(query: { readonly outcome: string; readonly seconds: number }): void;
  /** The engine was ended under a query that took too much. */
  queryEngineKilled(): void;
  evidence(): void;
  /** This node takes no part any more. */
  halted(): void;
  /** All of it in the text format of Prometheus. */
  expose(): Promise<{ readonly mediaType: string; readonly text: string }>;
}

const PREFIX = 'counterfoil_';
/** From one fsync on a fast disk to a client that has long given up. */
const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From one page in memory to a disk that stalls. */
const STORAGE_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1];

function makers(registry: Registry) {
  const common = (name: string, help: string) => ({ name: PREFIX + name, help, registers: [registry] });
  return {
    counter: <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Counter<L>({ ...common(name, help), labelNames: [...labelNames] }),
    gauge: <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge<L>({ ...common(name, help), labelNames: [...labelNames] }),
    histogram: <L extends string = never>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
      new Histogram<L>({ ...common(name, help), labelNames: [...labelNames], buckets }),
  };
}

type Makers = ReturnType<typeof makers>;
type Part<Names extends keyof Metrics> = Pick<Metrics, Names>;

function consensusMetrics({
  counter,
  gauge,
  histogram,
}: Makers): Part<
  'roundStarted' | 'roundFailed' | 'blockFinalised' | 'viewChanged' | 'resumed' | 'evidence' | 'halted'
> {
  const rounds = counter('consensus_rounds_total', 'Blocks proposed, each proposal in a later view counted again');
  const success = counter('consensus_success_total', 'Blocks that became final');
  const failure = counter('consensus_failure_total', 'Rounds that ended without a final block');
  const latency = histogram('consensus_latency_seconds', 'From arrival to finality', [], LATENCY_SECONDS);
  const view = gauge('consensus_view', 'View that this node is in');
  const height = gauge('consensus_height', 'Height of the last final block');
  const changes = counter('view_changes_total', 'Views entered after the first one');
  const evidence = counter('evidence_total', 'Proofs that an authority broke the rules');
  const halted = gauge('halted', '1 once this node takes no part any more, 0 before');
  halted.set(0);
  return {
    roundStarted: () => rounds.inc(),
    roundFailed: () => failure.inc(),
    blockFinalised: (block) => {
      success.inc();
      height.set(block.height);
      if (block.latencySeconds !== null) latency.observe(block.latencySeconds);
    },
    viewChanged: (now) => {
      changes.inc();
      view.set(now);
    },
    resumed: (at) => {
      height.set(at.height);
      view.set(at.view);
    },
    evidence: () => evidence.inc(),
    halted: () => halted.set(1),
  };
}

function networkMetrics({
  counter,
  gauge,
}: Makers): Part<
  | 'gossipSent'
  | 'gossipReceived'
  | 'gossipCache'
  | 'gossipCacheAsked'
  | 'peers'
  | 'messageSent'
  | 'messageReceived'
  | 'syncLag'
> {
  const gossipSent = counter('gossip_messages_sent_total', 'Gossip messages sent', ['kind']);
  const gossipReceived = counter('gossip_messages_received_total', 'Gossip messages received', ['kind']);
  const cacheSize = gauge('gossip_cache_size', 'Messages remembered so that none is passed on twice');
  const cacheHits = counter('gossip_cache_hits_total', 'Gossip messages that were known already');
  const cacheMisses = counter('gossip_cache_misses_total', 'Gossip messages that were new');
  const peers = gauge('peer_count', 'Peers connected');
  const sent = counter('network_messages_sent_total', 'Messages sent to peers', ['kind']);
  const received = counter('network_messages_received_total', 'Messages received from peers', ['kind']);
  const bytes = counter('network_bytes_transmitted_total', 'Bytes of messages', ['direction']);
  const lag = gauge('sync_lag_blocks', 'Final blocks that peers have and this node has not');
  return {
    gossipSent: (kind) => gossipSent.inc({ kind }),
    gossipReceived: (kind) => gossipReceived.inc({ kind }),
    gossipCache: (size) => cacheSize.set(size),
    gossipCacheAsked: (found) => (found ? cacheHits : cacheMisses).inc(),
    peers: (count) => peers.set(count),
    messageSent: (kind, size) => {
      sent.inc({ kind });
      bytes.inc({ direction: 'sent' }, size);
    },
    messageReceived: (kind, size) => {
      received.inc({ kind });
      bytes.inc({ direction: 'received' }, size);
    },
    syncLag: (blocks) => lag.set(blocks),
  };
}

function ledgerMetrics({
  counter,
  gauge,
  histogram,
}: Makers): Part<
  | 'ticketTransition'
  | 'ticketStates'
  | 'storageOperation'
  | 'mempool'
  | 'provenanceLag'
  | 'provenanceMirrorLag'
  | 'provenanceSize'
> {
  const transitions = {
    validated: counter('tickets_validated_total', 'Tickets activated'),
    consumed: counter('tickets_consumed_total', 'Tickets admitted'),
    disputed: counter('tickets_disputed_total', 'Tickets contested'),
    transferred: counter('tickets_transferred_total', 'Transfers of tickets'),
    held: counter('tickets_held_total', 'Tickets held back'),
    released: counter('tickets_released_total', 'Tickets in order again'),
    revoked: counter('tickets_revoked_total', 'Tickets revoked'),
    case_opened: counter('cases_opened_total', 'Cases opened about tickets that were admitted'),
    case_resolved: counter('cases_resolved_total', 'Cases closed, those of contested tickets included'),
  };
  const states = gauge('ticket_state_count', 'Tickets in each state', ['state']);
  const operations = counter('storage_operations_total', 'Operations of the store', ['operation']);
  const latency = histogram(
    'storage_latency_seconds',
    'Duration of storage operations',
    ['operation'],
    STORAGE_SECONDS,
  );
  const mempool = gauge('mempool_size', 'Transactions that wait for a block');
  const provenanceLag = gauge('provenance_lag_blocks', 'Final blocks that are not yet in the graph');
  const mirrorLag = gauge(
    'provenance_mirror_lag_blocks',
    'Final blocks that the mirror of the graph has not yet taken',
  );
  const provenanceQuads = gauge('provenance_quads', 'Quads in the index of the graph');
  const provenanceBytes = gauge('provenance_bytes', 'Size of the index of the graph on the disk');
  return {
    ticketTransition: (transition, count) => transitions[transition].inc(count),
    ticketStates: (counts) => {
      for (const [state, count] of counts) states.set({ state }, count);
    },
    storageOperation: (operation, seconds) => {
      operations.inc({ operation });
      latency.observe({ operation }, seconds);
    },
    mempool: (transactions) => mempool.set(transactions),
    provenanceLag: (blocks) => provenanceLag.set(blocks),
    provenanceMirrorLag: (blocks) => mirrorLag.set(blocks),
    provenanceSize: ({ quads, bytes }) => {
      provenanceQuads.set(quads);
      provenanceBytes.set(bytes);
    },
  };
}

function apiMetrics({ counter, gauge, histogram }: Makers): Part<'apiRequest' | 'websocketConnections'> {
  const requests = counter('api_requests_total', 'HTTP requests answered', ['method', 'endpoint', 'status']);
  const latency = histogram(
    'api_latency_seconds',
    'From the request line to the last byte',
    ['method', 'endpoint'],
    LATENCY_SECONDS,
  );
  const sockets = gauge('websocket_connections', 'Readers of the feed');
  return {
    apiRequest: ({ method, endpoint, status, seconds }) => {
      requests.inc({ method, endpoint, status });
      latency.observe({ method, endpoint }, seconds);
    },
    websocketConnections: (count) => sockets.set(count),
  };
}

function queryMetrics({ counter, histogram }: Makers): Part<'queryAsked' | 'queryEngineKilled'> {
  const queries = counter('queries_total', 'Queries of the graph, by what came of them', ['outcome']);
  const duration = histogram('query_seconds', 'From a query to its answer, waiting included', [], LATENCY_SECONDS);
  const kills = counter('query_engine_kills_total', 'Engines ended under a query that took too much');
  return {
    queryAsked: ({ outcome, seconds }) => {
      queries.inc({ outcome });
      duration.observe(seconds);
    },
    queryEngineKilled: () => kills.inc(),
  };
}

/** Metrics of one node on a registry of its own, with those of its process beside them. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const make = makers(registry);
  return {
    ...consensusMetrics(make),
    ...networkMetrics(make),
    ...ledgerMetrics(make),
    ...apiMetrics(make),
    ...queryMetrics(make),
    expose: async () => ({ mediaType: registry.contentType, text: await registry.metrics() }),
  };
}
