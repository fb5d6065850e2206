import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SparqlService } from '../../src/api/sparql/ask.ts';
import { AUDIT_QUESTIONS, PREFIXES } from '../support/audit-questions.ts';
import { jsonOf, openWorld, type World } from '../unit/api/world.ts';
import { openSparql, outcomeOf, season } from './support/sparql.ts';

const graph = season(50_000);
let service: SparqlService;
let world: World;

beforeAll(async () => {
  service = openSparql(graph);
  world = await openWorld({ sparql: service });
});

afterAll(async () => {
  await world.api.close();
});

const COUNT = 'SELECT (COUNT(*) AS ?n) { ?s ?p ?o }';

async function ticket(): Promise<string> {
  const rows = await outcomeOf(service, 'SELECT ?n { ?t schema:ticketNumber ?n } ORDER BY ?n LIMIT 1');
  return typeof rows === 'string' ? rows : (rows[0]?.['n'] ?? '');
}

describe('the questions of an auditor', () => {
  test('are answered', async () => {
    const one = await ticket();
    const counts: Record<string, number | string> = {};
    for (const [name, query] of Object.entries(AUDIT_QUESTIONS)) {
      const rows = await outcomeOf(service, query.replaceAll('TICKET', one));
      counts[name] = typeof rows === 'string' ? rows : rows.length;
    }
    expect(counts).toMatchInlineSnapshot(`
      {
        "Q01_history": 5,
        "Q02_state_as_of": 1,
        "Q03_who_admitted": 2,
        "Q04_chain_breaks": 0,
        "Q05_illegal_transitions": 6,
        "Q06_gate_curve": 56,
        "Q07_double_admissions": 40,
        "Q08_disputes": 12,
        "Q09_custody_resale": 56,
        "Q10_revoked_then_used": 0,
        "Q11_reconcile": 23,
        "Q12_authorities": 3,
        "Q13_out_of_lease": 510,
      }
    `);
  });
});

describe('the protocol', () => {
  const asked = encodeURIComponent(COUNT);
  const form = 'application/x-www-form-urlencoded';

  test.each<[string, string, RequestInit]>([
    ['GET', `?query=${asked}`, {}],
    ['POST of a form', '', { method: 'POST', body: `query=${asked}`, headers: { 'content-type': form } }],
    ['POST of a query', '', { method: 'POST', body: COUNT, headers: { 'content-type': 'application/sparql-query' } }],
  ])('answers %s', async (_, search, init) => {
    const response = await world.ask(`/sparql${search}`, init);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/sparql-results+json');
    expect(response.headers.get('vary')).toBe('Accept');
    expect(response.headers.get('counterfoil-height')).toBe(String(graph.indexedTo()));
    const { results } = await jsonOf(response);
    expect(Number(results.bindings[0].n.value)).toBeGreaterThan(49_000);
  });

  test.each([
    ['SELECT', 'application/sparql-results+xml', '<?xml'],
    ['SELECT', 'text/csv', 's,p,o'],
    ['SELECT', 'text/tab-separated-values', '?s\t?p\t?o'],
    ['CONSTRUCT', 'text/turtle', '<http'],
    ['CONSTRUCT', 'application/n-triples', '<http'],
    ['CONSTRUCT', 'application/n-quads', '<http'],
    ['CONSTRUCT', 'application/trig', '<http'],
    ['CONSTRUCT', 'application/rdf+xml', '<?xml'],
    ['CONSTRUCT', 'application/ld+json', '[{"@id"'],
  ])('answers %s as %s', async (form, accept, begin) => {
    const query = form === 'SELECT' ? 'SELECT ?s ?p ?o { ?s ?p ?o } LIMIT 2' : 'CONSTRUCT WHERE { ?s ?p ?o } LIMIT 2';
    const response = await world.ask(`/sparql?query=${encodeURIComponent(query)}`, { headers: { accept } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')?.split(';')[0]).toBe(accept);
    expect((await response.text()).startsWith(begin)).toBe(true);
  });

  test.each([
    [COUNT, 'text/turtle', 406, 'NOT_ACCEPTABLE'],
    ['DESCRIBE <http://a/>', 'text/csv', 406, 'NOT_ACCEPTABLE'],
    ['SELECT * { ?s ?p }', '*/*', 400, 'BAD_QUERY'],
    ['DROP ALL', '*/*', 403, 'READ_ONLY'],
    ['SELECT * { SERVICE <http://a/> { ?s ?p ?o } }', '*/*', 403, 'SERVICE_NOT_ALLOWED'],
    ['SELECT * { ?a ?b ?c . ?d ?e ?f }', '*/*', 422, 'QUERY_TOO_EXPENSIVE'],
  ])('refuses %s as %s with %d', async (query, accept, status, code) => {
    const response = await world.ask(`/sparql?query=${encodeURIComponent(query)}`, { headers: { accept } });
    expect([response.status, (await jsonOf(response)).code]).toEqual([status, code]);
    expect(response.headers.get('vary')).toBe('Accept');
  });

  test('says where a query is wrong', async () => {
    const response = await world.ask(`/sparql?query=${encodeURIComponent('SELECT *\n{ ?s ?p }')}`);
    expect(await jsonOf(response)).toMatchObject({ line: 2, column: 9, detail: 'line 2, column 9: unexpected "}"' });
  });
});

describe('the graphs of a query', () => {
  const block = (height: number) => `http://localhost/id/block/${height}`;
  const count = async (query: string, parameters = '') => {
    const response = await world.ask(`/sparql?query=${encodeURIComponent(PREFIXES + query)}${parameters}`);
    return Number((await jsonOf(response)).results.bindings[0].n.value);
  };
  const named = (name: string, height: number) => `&${name}=${encodeURIComponent(block(height))}`;

  test('are all of them together, unless the query or the request names some', async () => {
    const one = await count(`SELECT (COUNT(*) AS ?n) FROM <${block(1)}> { ?s ?p ?o }`);
    const two = await count(`SELECT (COUNT(*) AS ?n) FROM <${block(1)}> FROM <${block(2)}> { ?s ?p ?o }`);
    expect(one).toBeGreaterThan(20);
    expect(two).toBeGreaterThan(one);
    expect(await count(COUNT)).toBeGreaterThan(49_000);
    expect(await count(COUNT, named('default-graph-uri', 1))).toBe(one);
    expect(await count(COUNT, named('default-graph-uri', 1) + named('default-graph-uri', 2))).toBe(two);
    const other = `SELECT (COUNT(*) AS ?n) FROM <http://a/> { ?s ?p ?o }`;
    expect(await count(other)).toBe(0);
    expect(await count(other, named('default-graph-uri', 1))).toBe(one);
    const inside = 'SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }';
    expect(await count(inside, named('named-graph-uri', 1))).toBe(one);
    expect(await count(COUNT, named('named-graph-uri', 1))).toBe(0);
    expect(await count(inside, named('default-graph-uri', 1))).toBe(0);
  });
});
