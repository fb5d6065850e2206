import { expect, it } from 'vitest';
import { createMetrics } from '../../../src/node/metrics.ts';

/** interfaces: the names that operators of similar nodes know. */
const NAMES = `consensus_rounds_total consensus_success_total consensus_failure_total consensus_latency_seconds
consensus_view consensus_height view_changes_total gossip_messages_sent_total gossip_messages_received_total
gossip_cache_size gossip_cache_hits_total gossip_cache_misses_total peer_count network_messages_sent_total
network_messages_received_total network_bytes_transmitted_total tickets_validated_total tickets_consumed_total
tickets_disputed_total ticket_state_count storage_operations_total storage_latency_seconds api_requests_total
api_latency_seconds websocket_connections mempool_size sync_lag_blocks provenance_lag_blocks provenance_quads
provenance_bytes evidence_total halted`.split(/\s+/);

it('exposes every name that operators know, and those of the process', async () => {
  const { text, mediaType } = await createMetrics().expose();
  expect(mediaType).toMatch(/^text\/plain/);
  for (const name of NAMES) expect(text).toContain(`# HELP counterfoil_${name} `);
  expect(text).toContain('nodejs_eventloop_lag_seconds');
});

it('knows at its start where the node stands, and counts no view change for it', async () => {
  const metrics = createMetrics();
  metrics.resumed({ height: 12, view: 4 });
  const { text } = await metrics.expose();
  expect(text).toContain('counterfoil_consensus_height 12\n');
  expect(text).toContain('counterfoil_consensus_view 4\n');
  expect(text).toContain('counterfoil_view_changes_total 0\n');
});

it('counts what it is told', async () => {
  const metrics = createMetrics();
  metrics.roundStarted();
  metrics.roundFailed();
  metrics.blockFinalised({ height: 7, latencySeconds: 0.02 });
  metrics.blockFinalised({ height: 8, latencySeconds: null });
  metrics.viewChanged(3);
  metrics.gossipSent('transactions');
  metrics.gossipReceived('transactions');
  metrics.gossipCache(5);
  metrics.gossipCacheAsked(true);
  metrics.gossipCacheAsked(false);
  metrics.peers(3);
  metrics.messageSent('vote', 200);
  metrics.messageReceived('vote', 100);
  metrics.ticketTransition('consumed', 2);
  metrics.ticketStates(new Map([['ISSUED', 498]]));
  metrics.storageOperation('commit', 0.001);
  metrics.apiRequest({ method: 'GET', endpoint: '/health', status: 200, seconds: 0.001 });
  metrics.websocketConnections(1);
  metrics.mempool(9);
  metrics.syncLag(4);
  metrics.provenanceLag(6);
  metrics.provenanceMirrorLag(5);
  metrics.provenanceSize({ quads: 70, bytes: 8_000 });
  metrics.queryAsked({ outcome: 'answered', seconds: 0.03 });
  metrics.queryAsked({ outcome: 'QUERY_DEADLINE', seconds: 9 });
  metrics.queryEngineKilled();
  metrics.evidence();
  const { text } = await metrics.expose();
  for (const line of [
    'consensus_rounds_total 1',
    'consensus_success_total 2',
    'consensus_failure_total 1',
    'consensus_latency_seconds_count 1',
    'consensus_height 8',
    'consensus_view 3',
    'view_changes_total 1',
    'gossip_messages_sent_total{kind="transactions"} 1',
    'gossip_cache_size 5',
    'gossip_cache_hits_total 1',
    'gossip_cache_misses_total 1',
    'peer_count 3',
    'network_messages_received_total{kind="vote"} 1',
    'network_bytes_transmitted_total{direction="sent"} 200',
    'tickets_consumed_total 2',
    'ticket_state_count{state="ISSUED"} 498',
    'storage_operations_total{operation="commit"} 1',
    'api_requests_total{method="GET",endpoint="/health",status="200"} 1',
    'websocket_connections 1',
    'mempool_size 9',
    'sync_lag_blocks 4',
    'provenance_lag_blocks 6',
    'provenance_mirror_lag_blocks 5',
    'provenance_quads 70',
    'provenance_bytes 8000',
    'queries_total{outcome="answered"} 1',
    'queries_total{outcome="QUERY_DEADLINE"} 1',
    'query_seconds_count 2',
    'query_engine_kills_total 1',
    'evidence_total 1',
  ]) {
    expect(text).toContain(`\ncounterfoil_${line}\n`);
  }
});

it('keeps two nodes in one process apart', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.peers(3);
  expect((await other.expose()).text).toContain('counterfoil_peer_count 0');
});
