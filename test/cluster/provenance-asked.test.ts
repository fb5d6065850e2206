import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlockAnswer } from '../../src/client/answers.ts';
import { askQuestion, QUESTIONS } from '../../src/provenance/questions.ts';
import type { ExpectedAnswer } from '../../src/sample/answers.ts';
import { auditChain, value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { ask, askSparql, IRI_BASE, indexed, rowsOver } from './support/graph-client.ts';
import { expectedOf } from './support/history-acts.ts';
import { playNightMatch } from './support/night-match.ts';
import type { NodeProcess } from './support/node-process.ts';
import { consumeOf, signed } from './support/transactions.ts';

const QUIET = { blockIntervalMs: 3_600_000 };

let cluster: Cluster;
let node: NodeProcess;
let blocks: readonly BlockAnswer[];
let expected: readonly ExpectedAnswer[];

beforeAll(async () => {
  cluster = await Cluster.create({ nodes: 1, parameters: QUIET });
  node = cluster.node(0);
  await cluster.startAll();
  await playNightMatch(cluster.genesis.chainId, cluster.nodes);
  blocks = await auditChain(cluster.nodes, cluster.genesis, await cluster.settled());
  await indexed(node);
  expected = await expectedOf(node, cluster.genesis, blocks);
});

afterAll(async () => {
  await cluster?.close();
});

describe('the questions of an auditor at /sparql', () => {
  it.each(QUESTIONS.map(({ name }) => name))('%s is answered as blocks and histories have it', async (name) => {
    const cases = expected.filter(({ question }) => question === name);
    expect(cases.length).toBeGreaterThan(0);
    for (const { parameters, rows } of cases) {
      expect(await rowsOver(node, name, parameters), JSON.stringify(parameters)).toEqual(rows);
    }
  });

  it('have something to find, but where an honest ledger has nothing', () => {
    const silent = new Set(QUESTIONS.map(({ name }) => name));
    for (const { question, rows } of expected) if (rows.length > 0) silent.delete(question);
    expect(silent).toEqual(new Set(['illegal-transitions', 'chain-breaks', 'out-of-lease']));
  });
});

describe('/sparql of a running node', () => {
  const head = () => `${blocks.length}`;

  it('answers rows in JSON and in CSV, and says up to which block', async () => {
    const text = askQuestion('history', { ticket: 'n-1' }, IRI_BASE);
    const query = text.ok ? text.value : '';
    const [json, csv] = await Promise.all([
      askSparql(node, query, 'application/sparql-results+json'),
      askSparql(node, query, 'text/csv'),
    ]);
    for (const response of [json, csv]) {
      expect(response.status).toBe(200);
      expect(response.headers.get('counterfoil-height')).toBe(head());
    }
    expect(csv.headers.get('content-type')).toMatch(/^text\/csv/);
    const [names, ...lines] = (await csv.text()).trimEnd().split('\r\n');
    expect(names).toBe('version,state,standing,action,at,agent,height,transaction');
    const rows = expected.find(({ question, parameters }) => question === 'history' && parameters['ticket'] === 'n-1');
    expect(lines).toEqual(rows?.rows.map((row) => row.join(',')));
  });

  it('answers a graph in Turtle', async () => {
    const construct =
      'CONSTRUCT { ?t <http://a.example/is> ?state } { ?t <https://w3id.org/counterfoil#state> ?state }';
    const response = await askSparql(node, construct, 'text/turtle');
    expect(response.headers.get('content-type')).toMatch(/^text\/turtle/);
    expect(await response.text()).toContain(`<${IRI_BASE}ticket/n-1/v/1>`);
  });

  it('refuses to change anything, by GET and by POST', async () => {
    const update = 'DELETE WHERE { ?s ?p ?o }';
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const refusals = await Promise.all([
      askSparql(node, update, '*/*'),
      ask(node, `/sparql?update=${encodeURIComponent(update)}`),
      ask(node, '/sparql', { method: 'POST', body: `update=${encodeURIComponent(update)}`, headers: type }),
      ask(node, '/sparql', { method: 'POST', body: update, headers: { 'content-type': 'application/sparql-update' } }),
    ]);
    for (const response of refusals) {
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ code: 'READ_ONLY' });
    }
    expect(await rowsOver(node, 'chain-breaks', {})).toEqual([]);
  });

  it('knows of a scan that has just become final, and the lag is gone', async () => {
    const before = await rowsOver(node, 'who-admitted', { ticket: 'n.3' });
    const scan = signed(cluster.genesis.chainId, 'venue', consumeOf('n.3', 'north'));
    const { state } = value(await node.client.submit(scan, { waitMs: 20_000 }));
    expect(state).toBe('final');
    await indexed(node);
    const after = await rowsOver(node, 'who-admitted', { ticket: 'n.3' });
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.at(-1)?.at(-1)).toBe(`${IRI_BASE}tx/${scan.id}`);
    const { provenance_lag_blocks: lag, head: at } = await statusOf(node);
    expect(lag).toBe(0);
    const metrics = value(await node.client.metrics());
    expect(metrics).toMatch(/^counterfoil_provenance_lag_blocks 0$/m);
    const response = await askSparql(node, 'ASK { ?s ?p ?o }', 'application/sparql-results+json');
    expect(response.headers.get('counterfoil-height')).toBe(`${at.height}`);
  });
});
