import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isProblemCode, kindOf } from '../../src/api/problems.ts';
import type { BlockAnswer } from '../../src/client/answers.ts';
import { auditChain } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { ask, documentOf, IRI_BASE, indexed, linesOf, nextOf, textAs } from './support/graph-client.ts';
import { playNightMatch } from './support/night-match.ts';
import type { NodeProcess } from './support/node-process.ts';
import { tell } from './support/until.ts';

const QUIET = { blockIntervalMs: 3_600_000 };
const TURTLE = 'text/turtle';
const N_QUADS = 'application/n-quads';
/** Of one refusal, on a machine that is busy with other tests. */
const REFUSAL_MS_MAX = 2_000;

let cluster: Cluster;
let node: NodeProcess;
let blocks: readonly BlockAnswer[];

beforeAll(async () => {
  cluster = await Cluster.create({
    nodes: 1,
    followers: 1,
    parameters: QUIET,
    configOf: (place) => new Map(place === 0 ? [] : [['provenance.index', 'off']]),
  });
  node = cluster.node(0);
  await cluster.startAll();
  await playNightMatch(cluster.genesis.chainId, cluster.nodes);
  blocks = await auditChain(cluster.nodes, cluster.genesis, await cluster.settled());
  await indexed(node);
});

afterAll(async () => {
  await cluster?.close();
});

function transactionOf(type: string): string {
  for (const { transactions } of blocks) {
    const found = transactions.find((one) => one.type === type);
    if (found !== undefined) return found.id;
  }
  throw new Error(`no transaction of the kind ${type}`);
}

/** Always a problem that the table knows. */
async function problemOf(response: Response): Promise<string> {
  const text = await response.text();
  expect(response.headers.get('content-type'), text).toBe('application/problem+json');
  const { code } = JSON.parse(text);
  expect(isProblemCode(code) && kindOf(code).status, text).toBe(response.status);
  return String(code);
}

const resources = (): readonly string[] => [
  'ticket/n-1',
  'ticket/n.3',
  'ticket/n-1/v/2',
  `tx/${transactionOf('issue')}`,
  'block/0',
  'block/3',
  'agent/boxoffice',
  'event/night-match',
  'tier/night-match/stand',
  'gate/south.2',
];

describe('the IRIs of a chain', () => {
  it('of things lead to documents about them', async () => {
    for (const path of resources()) {
      const thing = await ask(node, `/id/${path}`, { headers: { accept: TURTLE } });
      expect([thing.status, thing.headers.get('location')]).toEqual([303, `/doc/${path}`]);
      const text = await textAs(node, thing.headers.get('location') ?? '', N_QUADS);
      expect(text).toContain(`<${IRI_BASE}${path}> `);
    }
  });

  it('have documents in the form that is asked for', async () => {
    for (const [accept, type, begin] of [
      [TURTLE, /^text\/turtle/, /^@prefix /],
      ['application/ld+json', /^application\/ld\+json$/, /^[[{]/],
      ['application/trig', /^application\/trig$/, /^@prefix /],
      [N_QUADS, /^application\/n-quads$/, /^</],
      ['text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', /^text\/html/, /^<!doctype html>/i],
    ] as const) {
      const response = await ask(node, '/doc/ticket/n-1', { headers: { accept } });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(type);
      expect(response.headers.get('vary')).toMatch(/accept/i);
      expect(response.headers.get('counterfoil-height')).toBe(`${blocks.length}`);
      expect(await response.text()).toMatch(begin);
    }
    const refused = await ask(node, '/doc/ticket/n-1', { headers: { accept: 'image/png' } });
    expect([refused.status, await problemOf(refused)]).toEqual([406, 'NOT_ACCEPTABLE']);
  });

  it('lead people from page to page', async () => {
    const seen = new Set<string>();
    let path = '/doc/ticket/n-1';
    for (const wanted of [
      /^\/doc\/ticket\/n-1\/v\/\d+$/,
      /^\/doc\/tx\/[0-9a-f]{64}$/,
      /^\/doc\/block\/\d+$/,
      /^\/doc\/authority\//,
    ]) {
      const page = await textAs(node, path, 'text/html');
      const links = [...page.matchAll(/href="(\/doc\/[^"]*)"/g)].map(([, link = '']) => link);
      path = links.find((link) => wanted.test(link)) ?? '';
      expect(path, `a link like ${wanted} among ${links.join(' ')}`).not.toBe('');
      seen.add(path);
    }
    expect(seen.size).toBe(4);
    expect((await ask(node, path, { headers: { accept: TURTLE } })).status).toBe(200);
  });

  it('may name a part, percent-encoded, as those of graphs of statements do', async () => {
    const stated = `tx/${transactionOf('issue')}#stated`;
    const encoded = encodeURIComponent(stated).replaceAll('%2F', '/');
    const thing = await ask(node, `/id/${encoded}`);
    expect([thing.status, thing.headers.get('location')]).toEqual([303, `/doc/${encoded}`]);
    expect(await textAs(node, `/doc/${encoded}`, TURTLE)).toContain('wasAttributedTo');
  });

  it('may be asked for in any alphabet, and lead where a header can', async () => {
    for (const rest of ['ticket/%E2%82%AC', 'ticket/%F0%9F%8E%AB', 'a/b%2525c', 'a/%3Fb=c']) {
      const thing = await ask(node, `/id/${rest}`);
      expect([thing.status, thing.headers.get('location')]).toEqual([303, `/doc/${rest}`]);
      expect(await problemOf(await ask(node, `/doc/${rest}`))).toBe('UNKNOWN_RESOURCE');
    }
  });

  it.each([
    ['/doc/ticket/%E2%82%AC', 404, 'UNKNOWN_RESOURCE'],
    ['/id/ticket/%20n-1', 404, 'UNKNOWN_RESOURCE'],
    ['/id/%2e%2e%2fapi/v1/status', 404, 'UNKNOWN_RESOURCE'],
    ['/doc/a/..%2f..%2fb', 404, 'UNKNOWN_RESOURCE'],
    ['/doc/ticket/n-1/', 404, 'UNKNOWN_RESOURCE'],
    ['/doc/ticket//n-1', 404, 'UNKNOWN_RESOURCE'],
    ['/doc//n-1', 404, 'UNKNOWN_RESOURCE'],
    ['/doc/ticket/N-1', 404, 'UNKNOWN_RESOURCE'],
    ['/doc/tier/night-match', 404, 'UNKNOWN_RESOURCE'],
    ['/doc/ticket/%3Cscript%3E', 404, 'UNKNOWN_RESOURCE'],
    [`/doc/ticket/${'a'.repeat(1_100)}`, 404, 'UNKNOWN_RESOURCE'],
    [`/doc/ticket/${'a'.repeat(2_100)}`, 414, 'TARGET_TOO_LONG'],
    ['/id/ticket/%0d%0aset-cookie:a', 400, 'BAD_REQUEST'],
    ['/id/%', 400, 'BAD_REQUEST'],
    ['/doc/ticket/n-1?format=ttl', 400, 'BAD_REQUEST'],
    ['/doc/', 404, 'NO_SUCH_ROUTE'],
    ['/id', 404, 'NO_SUCH_ROUTE'],
  ])('%s is answered with %d', async (path, status, code) => {
    // `fetch` would resolve the dots itself, were they not encoded.
    const response = await ask(node, path, { headers: { accept: '*/*' } });
    expect([response.status, await problemOf(response)]).toEqual([status, code]);
  });

  it('a name with a dot and a percent-encoded one are the same thing', async () => {
    expect(await textAs(node, '/doc/ticket/n%2E3', TURTLE)).toBe(await textAs(node, '/doc/ticket/n.3', TURTLE));
    expect(await textAs(node, '/doc/tier%2Fnight-match%2Fstand', TURTLE)).toBe(
      await textAs(node, '/doc/tier/night-match/stand', TURTLE),
    );
  });
});

describe('the ontology', () => {
  it('is served as Turtle, with its shapes', async () => {
    expect(await textAs(node, '/ontology', TURTLE)).toContain('https://w3id.org/counterfoil');
    expect(await textAs(node, '/ontology/shapes', '*/*')).toContain('http://www.w3.org/ns/shacl#');
    const refused = await ask(node, '/ontology', { headers: { accept: 'image/png' } });
    expect(await problemOf(refused)).toBe('NOT_ACCEPTABLE');
  });
});

describe('the provenance of a ticket', () => {
  const PATH = '/api/v1/tickets/n-1/provenance';

  it('comes in the form that is asked for, and tells of every activity', async () => {
    const lines = await linesOf(node, PATH);
    for (const { transactions } of blocks) {
      for (const { id, operation } of transactions) {
        if (operation['ticket_id'] === 'n-1')
          expect(lines.some((line) => line.startsWith(`<${IRI_BASE}tx/${id}> `))).toBe(true);
      }
    }
    expect(lines.join('')).not.toContain('ticket/n-2>');
    expect(await textAs(node, PATH, 'application/ld+json')).toMatch(/^[[{]/);
    expect(await textAs(node, PATH, TURTLE)).toContain('@prefix t:');
    expect(await problemOf(await ask(node, PATH, { headers: { accept: 'text/html' } }))).toBe('NOT_ACCEPTABLE');
  });

  it('is the same page by page', async () => {
    const whole = new Set(await linesOf(node, PATH));
    for (const limit of [1, 2, 5]) {
      expect(new Set(await linesOf(node, `${PATH}?limit=${limit}`))).toEqual(whole);
    }
    const first = await ask(node, `${PATH}?limit=1`, { headers: { accept: N_QUADS } });
    expect(nextOf(first)).toMatch(/limit=1&cursor=/);
    const gone = await ask(node, (nextOf(first) ?? '').replace('n-1', 'n-9'), { headers: { accept: N_QUADS } });
    expect(await problemOf(gone)).toBe('BAD_REQUEST');
  });

  it('of a ticket that nobody knows is none', async () => {
    expect(await problemOf(await ask(node, '/api/v1/tickets/nobody/provenance'))).toBe('UNKNOWN_TICKET');
    expect(await problemOf(await ask(node, '/api/v1/tickets/%3Ca%3E/provenance'))).toBe('BAD_REQUEST');
  });
});

describe('quads by a pattern', () => {
  it('are found by each part and by all of them', async () => {
    const graphs = [`${IRI_BASE}tx/${transactionOf('revoke')}`, `${IRI_BASE}tx/${transactionOf('issue')}#stated`];
    for (const graph of graphs) {
      for (const line of (await documentOf(node, graph)).split(/(?<=\n)/)) {
        const [, subject = '', predicate = '', object = ''] = /^(\S+) (\S+) (.*) \S+ \.\n$/.exec(line) ?? [];
        const search = new URLSearchParams({ subject, predicate, object, graph });
        expect(await linesOf(node, `/api/v1/graph?${search}`)).toEqual([line]);
        search.delete('graph');
        search.delete('predicate');
        expect(await linesOf(node, `/api/v1/graph?${search}`)).toContain(line);
      }
    }
  });

  const long = (bytes: number) => `http://a.example/${'a'.repeat(bytes - 17)}`;
  it.each([
    ['limit=0', 400, 'BAD_REQUEST'],
    ['limit=501', 400, 'BAD_REQUEST'],
    ['limit=1e9', 400, 'BAD_REQUEST'],
    ['limit=9007199254740993000', 400, 'BAD_REQUEST'],
    ['limit=-1', 400, 'BAD_REQUEST'],
    ['limit=5&limit=6', 400, 'BAD_REQUEST'],
    ['cursor=', 400, 'BAD_REQUEST'],
    ['cursor=AAAA', 400, 'BAD_REQUEST'],
    [`cursor=${'_'.repeat(1_900)}`, 400, 'BAD_REQUEST'],
    ['cursor=%F0%9F%8E%AB', 400, 'BAD_REQUEST'],
    ['subject=ticket', 400, 'BAD_REQUEST'],
    ['subject=nobody:a', 404, ''],
    ['subject=http://a%20b/', 400, 'BAD_REQUEST'],
    ['subject=http://a/../b', 400, 'BAD_REQUEST'],
    ['subject=%3Chttp://a/%3E%3E', 400, 'BAD_REQUEST'],
    ['predicate=%22a%22', 400, 'BAD_REQUEST'],
    [`graph=${long(1_025)}`, 400, 'BAD_REQUEST'],
    [`object=%22a%22%5E%5E${'x'.repeat(100)}`, 400, 'BAD_REQUEST'],
    [`object=%22a%22%5E%5E%3C${long(1_100)}%3E`, 400, 'BAD_REQUEST'],
    [`object=%22${'%22'.repeat(600)}`, 400, 'BAD_REQUEST'],
    ['object=a', 400, 'BAD_REQUEST'],
    ['object=%22%00%22', 400, 'BAD_REQUEST'],
    ['sort=asc', 400, 'BAD_REQUEST'],
    ['__proto__=a', 400, 'BAD_REQUEST'],
    ['subject=%', 400, 'BAD_REQUEST'],
    [`object=%22${'a'.repeat(2_048)}%22`, 414, 'TARGET_TOO_LONG'],
    ['object=%22%5Cq%22', 400, 'BAD_REQUEST'],
    ['object=%22%5C%22', 400, 'BAD_REQUEST'],
    ['object=%22%5Cud800%22', 400, 'BAD_REQUEST'],
    ['object=%22%5CUffffffff%22', 400, 'BAD_REQUEST'],
  ])('%.80s is answered soon', async (search, status, code) => {
    const startedAt = performance.now();
    const response = await ask(node, `/api/v1/graph?${search}`);
    expect(performance.now() - startedAt).toBeLessThan(REFUSAL_MS_MAX);
    if (code === '') expect([response.status, await response.text()]).toEqual([200, '']);
    else expect([response.status, await problemOf(response)]).toEqual([status, code]);
  });

  it.each([
    `subject=${long(1_024)}`,
    `object=%22${'a'.repeat(1_900)}%22`,
    'object=%22%ED%9F%BF%22@de-x-none',
    'object=%22%22',
  ])('%s is of no quad', async (search) => {
    const response = await ask(node, `/api/v1/graph?${search}`, { headers: { accept: N_QUADS } });
    expect([response.status, await response.text(), response.headers.get('link')]).toEqual([200, '', null]);
  });

  it('a cursor of one pattern is none of another, and none once a byte is another', async () => {
    const first = await ask(node, '/api/v1/graph?predicate=cf:state&limit=1');
    const next = nextOf(first) ?? '';
    expect((await ask(node, next)).status).toBe(200);
    expect(await problemOf(await ask(node, next.replace('state', 'version')))).toBe('BAD_REQUEST');
    const cursor = new URLSearchParams(next.split('?')[1]).get('cursor') ?? '';
    let refused = 0;
    for (let at = 0; at < cursor.length; at += 1) {
      const other = `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`;
      const response = await ask(node, next.replace(cursor, other));
      expect([200, 400]).toContain(response.status);
      if (response.status === 400) refused += 1;
    }
    tell(`${refused} of ${cursor.length} changed cursors were refused; the others are places too`);
    expect(refused).toBeGreaterThan(0);
  });

  it('takes GET alone', async () => {
    for (const path of ['/api/v1/graph', '/doc/ticket/n-1', '/id/ticket/n-1', '/ontology']) {
      expect(await problemOf(await ask(node, path, { method: 'POST', body: 'a' }))).toBe('METHOD_NOT_ALLOWED');
    }
  });
});

describe('a node that keeps no graph', () => {
  it('says so at every address of the graph, and serves everything else', async () => {
    const [other] = cluster.followers;
    if (other === undefined) throw new Error('there is a follower');
    await other.start();
    await cluster.settled([node, other]);
    const { provenance_lag_blocks: lag } = await statusOf(other);
    expect(lag).toBe(null);
    expect(existsSync(join(other.home, 'data', 'graph'))).toBe(false);
    for (const path of [
      '/api/v1/graph',
      '/doc/ticket/n-1',
      '/api/v1/tickets/n-1/provenance',
      '/sparql',
      `/sparql?query=${encodeURIComponent('ASK { ?s ?p ?o }')}`,
    ]) {
      const response = await ask(other, path);
      expect([path, response.status, await problemOf(response)]).toEqual([path, 501, 'PROVENANCE_OFF']);
    }
    const type = { 'content-type': 'application/sparql-query' };
    const posted = await ask(other, '/sparql', { method: 'POST', body: 'ASK { ?s ?p ?o }', headers: type });
    expect(await problemOf(posted)).toBe('PROVENANCE_OFF');
    expect((await ask(other, '/api/v1/tickets/n-1/history')).status).toBe(200);
    expect(await textAs(other, '/ontology', TURTLE)).toBe(await textAs(node, '/ontology', TURTLE));
  });
});
