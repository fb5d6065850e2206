import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Cluster, temporaryDirectory } from './support/cluster.ts';
import { GraphServer, linesOfNode } from './support/graph-store.ts';
import { Load } from './support/load.ts';
import { issueOf, signed } from './support/transactions.ts';
import { tell } from './support/until.ts';

const KILLS = 3;
/** A store that tidies up after each graph takes a tenth of a second for it. */
const ARRIVAL_MS = 180_000;
const TEST_MS = 600_000;
/** Of the ports of a network, one that no node has. */
const PORT_OFFSET = 90;
const STATED = '<http://localhost/boxoffice/seat/1> <http://schema.org/name> "Fähre \\"1\\""@de .\n';

let directory: ReturnType<typeof temporaryDirectory>;
let server: GraphServer;
let cluster: Cluster;
let load: Load | undefined;

async function open(by: 'graphs' | 'quads'): Promise<void> {
  directory = temporaryDirectory();
  cluster = await Cluster.create({
    nodes: 1,
    configOf: (_, { basePort }) => {
      server = new GraphServer(basePort + PORT_OFFSET, directory.path);
      return new Map([
        ['provenance.mirror', server.dataUrl],
        ['provenance.mirror_query', server.queryUrl],
        ['provenance.mirror_by', by],
      ]);
    },
  });
}

afterEach(async () => {
  await load?.stop();
  load = undefined;
  await server.kill();
  await cluster.close();
  directory.remove();
});

const placeFile = () => join(cluster.node(0).home, 'data', 'mirror.json');

async function lag(): Promise<number> {
  const text = await (await fetch(`${cluster.node(0).url}/metrics`)).text();
  return Number(/^counterfoil_provenance_mirror_lag_blocks (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

/** Waits until the store holds what the node does, triple by triple. @returns its lines */
async function mirrored(): Promise<readonly string[]> {
  await cluster.until('the mirror to have everything', ARRIVAL_MS, async () => {
    const place = JSON.parse(readFileSync(placeFile(), 'utf8'));
    return (await lag()) === 0 && place.to === (await cluster.settled());
  });
  const own = await linesOfNode(cluster.node(0).url);
  const lines = await server.lines();
  expect(lines).toEqual(own);
  return lines;
}

async function rows(query: string, accept = 'application/sparql-results+json'): Promise<Response> {
  return await fetch(`${cluster.node(0).url}/sparql?query=${encodeURIComponent(query)}`, { headers: { accept } });
}

it.each(['graphs', 'quads'] as const)(
  'all %s arrive, whatever is killed meanwhile, and a second delivery changes nothing',
  async (by) => {
    await open(by);
    const node = cluster.node(0);
    const { chainId } = cluster.genesis;
    // The store is not there yet: the node starts and works all the same.
    await cluster.startAll();
    await cluster.seed();
    const stated = signed(chainId, 'boxoffice', issueOf('stated-1'), { statements: STATED });
    const submitted = await node.client.submit(stated, { waitMs: 10_000 });
    expect(submitted).toMatchObject({ ok: true, value: { state: 'final' } });
    expect((await rows('ASK { ?s ?p ?o }')).status).toBe(503);
    await server.start();
    load = new Load({ chainId, nodes: [node], lanes: 4, pauseMs: 5 });
    for (let round = 0; round < KILLS; round += 1) {
      const { length } = load.acknowledged;
      await cluster.until('more writes', 30_000, () => (load?.acknowledged.length ?? 0) > length + 20);
      await server.kill();
      await cluster.until('writes without the store', 30_000, () => (load?.acknowledged.length ?? 0) > length + 30);
      if (round % 2 === 0) await node.kill();
      await server.start();
      if (round % 2 === 0) await node.start();
    }
    await load.stop();
    const lines = await mirrored();
    const graphs = await server.graphs();
    expect(graphs).toContain(`http://localhost/id/tx/${stated.id}#stated`);
    tell(`${server.kind} has ${graphs.length} graphs of ${lines.length} quads`);

    await node.stop();
    expect(node.log()).toContain('the mirror takes no graphs');
    rmSync(placeFile());
    await node.start();
    expect(await mirrored()).toEqual(lines);
  },
  TEST_MS,
);

it('queries are answered by the store, behind the gate', async () => {
  await open('quads');
  await server.start();
  await cluster.startAll();
  await cluster.seed();
  const all = await mirrored();
  const counted = await rows('SELECT (COUNT(*) AS ?n) { ?s ?p ?o }');
  expect(counted.status).toBe(200);
  expect(counted.headers.get('counterfoil-height')).toBe(String(await cluster.settled()));
  const { results } = JSON.parse(await counted.text());
  const triples = new Set(all.map((line) => line.slice(0, line.lastIndexOf(' <'))));
  expect(Number(results.bindings[0].n.value)).toBe(triples.size);
  const csv = await rows(
    'SELECT ?g { GRAPH ?g { ?s a <https://w3id.org/counterfoil#Block> } } ORDER BY ?g LIMIT 1',
    'text/csv',
  );
  expect([csv.status, csv.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
  expect(await csv.text()).toMatch(/^g\r?\nhttp:\/\/localhost\/id\/block\/\d+\r?\n$/);
  const graph = await rows('CONSTRUCT WHERE { ?s a <https://w3id.org/counterfoil#Block> }', 'application/n-triples');
  expect([graph.status, graph.headers.get('content-type')]).toEqual([200, 'application/n-triples']);
  expect((await graph.text()).trim().split('\n').length).toBeGreaterThan(1);
  for (const [query, status, code] of [
    ['DROP ALL', 403, 'READ_ONLY'],
    ['SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }', 403, 'SERVICE_NOT_ALLOWED'],
    ['SELECT * { ?s ?p }', 400, 'BAD_QUERY'],
  ] as const) {
    const refused = await rows(query);
    expect([refused.status, JSON.parse(await refused.text()).code]).toEqual([status, code]);
  }
  await server.kill();
  expect(JSON.parse(await (await rows('ASK { ?s ?p ?o }')).text()).code).toBe('MIRROR_FAILED');
  await server.start();
  expect((await rows('ASK { ?s ?p ?o }')).status).toBe(200);
});
