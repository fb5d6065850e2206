import type {
  AuthoritiesAnswer,
  EvidenceAnswer,
  ExplainAnswer,
  PeersAnswer,
  StatsAnswer,
  StatusAnswer,
  SyncAnswer,
} from '../client/answers.ts';
import { certificateLayout } from '../model/certificate.ts';
import { encode } from '../model/codec.ts';
import { type Evidence, evidenceHash, evidenceLayout } from '../model/evidence.ts';
import { checkpointLayout } from '../model/view-change.ts';
import type { Metrics } from '../node/metrics.ts';
import type { SyncProgress } from '../peering/sync.ts';
import type { LastingHalt } from '../store/halt.ts';
import { json, type Outcome, type Route } from './exchange.ts';
import type { GraphAccess } from './graph/access.ts';
import { nodePage } from './node-page.ts';
import type { Reader } from './ports.ts';
import { fail } from './problems.ts';
import { base64, timeView } from './views.ts';

/** How the node itself is: what it holds, whom it sees, why it waits. */
export function nodeRoutes(reader: Reader, metrics: Metrics, graph: GraphAccess): readonly Route[] {
  const get = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle });
  return [
    get('/', () => nodePage(reader)),
    { ...get('/health', () => json({ status: 'alive' })), query: 'any' },
    { ...get('/ready', () => ready(reader)), query: 'any' },
    { ...get('/metrics', async () => await exposition(metrics)), query: 'any' },
    get('/api/v1/status', () => json(status(reader, graph))),
    get('/api/v1/peers', () => json(peers(reader))),
    get('/api/v1/authorities', () => json(authorities(reader))),
    get('/api/v1/explain', () => json(explain(reader))),
    get('/api/v1/evidence', () => json(evidence(reader))),
    get('/api/v1/stats', () => json(stats(reader))),
    get('/api/v1/config', () => json(reader.config())),
  ];
}

function ready(reader: Reader): Outcome {
  if (reader.status().ready) return json({ status: 'ready' });
  const { reason, code } = reader.explain();
  return fail('NOT_READY', `${code}: ${reason}`);
}

async function exposition(metrics: Metrics): Promise<Outcome> {
  const { mediaType, text } = await metrics.expose();
  return { ok: true, value: { status: 200, content: { kind: 'bytes', mediaType, bytes: Buffer.from(text) } } };
}

function status(reader: Reader, graph: GraphAccess): StatusAnswer {
  const now = reader.status();
  return {
    node_id: now.nodeId,
    role: now.role,
    version: now.version,
    network_id: now.networkId,
    chain_id: now.chainId,
    head: { height: now.head.height, hash: now.head.hash, time: timeView(now.head.time) },
    epoch: now.epoch,
    view: now.view,
    primary: now.primary,
    authorities: now.authorities,
    quorum: now.quorum,
    connected: now.connected,
    peers: now.peers,
    syncing: now.syncing,
    sync: now.sync && syncView(now.sync),
    mempool: now.mempool,
    provenance_lag_blocks: graph.status()?.lagBlocks ?? null,
    uptime_seconds: now.uptimeSeconds,
    devnet: now.devnet,
    observer_reason: now.observerReason,
  };
}

function syncView({ from, to, height, blocksPerSecond, peers }: SyncProgress): SyncAnswer {
  return { from, to, height, blocks_per_second: blocksPerSecond, peers };
}

function peers(reader: Reader): PeersAnswer {
  return {
    peers: reader.peers().map(({ id, role, direction, address, head, latencyMs, score }) => ({
      id,
      role,
      direction,
      address,
      head: { height: head.height, hash: head.hash },
      latency_ms: latencyMs === null ? null : Math.round(latencyMs * 1_000) / 1_000,
      score,
    })),
  };
}

function authorities(reader: Reader): AuthoritiesAnswer {
  return {
    authorities: reader.authorities().map((authority) => ({
      id: authority.id,
      public_key: authority.publicKey,
      organisation: authority.organisation,
      connected: authority.connected,
      last_vote_height: authority.lastVoteHeight,
      proposed: authority.proposed,
      signed: authority.signed,
    })),
  };
}

function explain(reader: Reader): ExplainAnswer {
  const { moving, code, reason, waitingFor } = reader.explain();
  return {
    moving,
    code,
    reason,
    waiting_for: waitingFor.map(({ authority, since, why }) => ({ authority, since: timeView(since), why })),
  };
}

/** Height and view of the deed; a view change is about no height. */
function placeOf(evidence: Evidence): { readonly height: number | null; readonly view: number } {
  switch (evidence.kind) {
    case 'double-vote':
      return { height: evidence.first.height, view: evidence.first.view };
    case 'double-view-change':
      return { height: null, view: evidence.first.newView };
    case 'double-new-view':
      return { height: null, view: evidence.first.view };
    case 'amnesia':
      return { height: evidence.commit.height, view: evidence.commit.view };
    case 'branch':
      return { height: evidence.upper.height, view: evidence.upper.view };
  }
}

function statementsOf(evidence: Evidence): readonly object[] {
  switch (evidence.kind) {
    case 'double-vote':
    case 'double-view-change':
    case 'double-new-view':
      return [evidence.first, evidence.second];
    case 'amnesia':
      return [evidence.commit, evidence.viewChange];
    case 'branch':
      return [evidence.lower, evidence.upper, ...evidence.headers];
  }
}

/** Signed statements as they are, in the spelling of this interface: they hold numbers, hex, lists and null only. */
function statementView(statement: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(statement).map(([name, value]) => [snakeCase(name), plain(value)]));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'object' && value !== null ? statementView(value) : value;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Each statement readable, and in canonical bytes. */
function haltView({ reason, certificates, checkpoints }: LastingHalt): EvidenceAnswer['halt'] {
  return {
    reason,
    certificates: certificates.map((one) => ({
      ...statementView(one),
      bytes: base64(encode(certificateLayout, one)),
    })),
    checkpoints: checkpoints.map((one) => ({ ...statementView(one), bytes: base64(encode(checkpointLayout, one)) })),
  };
}

function evidence(reader: Reader): EvidenceAnswer {
  const halt = reader.halt();
  return {
    halt: halt === null ? null : haltView(halt),
    evidence: reader.evidence().map(({ evidence, authority }) => ({
      id: evidenceHash(evidence),
      kind: evidence.kind,
      authority,
      ...placeOf(evidence),
      messages: statementsOf(evidence).map(statementView),
      bytes: base64(encode(evidenceLayout, evidence)),
    })),
  };
}

function stats(reader: Reader): StatsAnswer {
  const now = reader.status();
  const { cacheSize, sequence, storage, finalityMs } = reader.stats();
  return {
    node_id: now.nodeId,
    peer_count: now.peers,
    is_primary: now.primary === now.nodeId,
    current_view: now.view,
    sequence,
    cache_size: cacheSize,
    storage_stats: storage,
    latency_ms: finalityMs,
  };
}
