import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SparqlService } from '../../../../src/api/sparql/ask.ts';
import { createForwardingService } from '../../../../src/api/sparql/forward.ts';
import { judgeQuery } from '../../../../src/api/sparql/gate.ts';
import { NO_STATISTICS } from '../../../../src/api/sparql/statistics.ts';
import { MIRROR_QUERIES_IN_FLIGHT_MAX } from '../../../../src/model/graph-limits.ts';
import { until } from '../../../cluster/support/until.ts';
import { StoreServer } from '../mirror/store-server.ts';
import { jsonOf, openWorld, type World } from '../world.ts';

const ROWS = 'application/sparql-results+json';
const ASK = 'ASK { ?s ?p ?o }';

let server: StoreServer;
let service: SparqlService;
let world: World;
let height: number;

beforeEach(async () => {
  server = new StoreServer();
  height = 7;
  await open(60_000);
});

async function open(deadlineMs: number): Promise<void> {
  const url = await server.listen();
  const silent = () => undefined;
  service = createForwardingService({
    url: `${url}/query`,
    token: 'secret',
    deadlineMs,
    height: () => height,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    gate: { judge: (query) => Promise.resolve(judgeQuery(query, NO_STATISTICS)), close: silent },
  });
  world = await openWorld({ sparql: service });
}

afterEach(async () => {
  await world.api.close();
  await server.close();
});

function answer(status: number, mediaType: string, text: string): void {
  server.answer = (response) => void response.writeHead(status, { 'content-type': mediaType }).end(text);
}

function ask(query: string, accept = '*/*', more = ''): Promise<Response> {
  return world.ask(`/sparql?query=${encodeURIComponent(query)}${more}`, { headers: { accept } });
}

describe('a question', () => {
  test('is put to the store, with the graphs that it names and the token', async () => {
    answer(200, `${ROWS};charset=utf-8`, '{"boolean":true}');
    const graphs = '&default-graph-uri=http://a/&default-graph-uri=http://b/%23c&named-graph-uri=http://d/';
    const response = await ask(ASK, '*/*', graphs);
    expect([response.status, await response.text()]).toEqual([200, '{"boolean":true}']);
    expect(response.headers.get('content-type')).toBe(ROWS);
    expect(response.headers.get('counterfoil-height')).toBe('7');
    const [asked] = server.asked;
    expect(asked).toMatchObject({ method: 'POST', url: '/query', headers: { accept: ROWS } });
    expect(asked?.headers.authorization).toBe('Bearer secret');
    const form = new URLSearchParams(asked?.body);
    expect(form.get('query')).toBe(ASK);
    expect(form.getAll('default-graph-uri')).toEqual(['http://a/', 'http://b/#c']);
    expect(form.getAll('named-graph-uri')).toEqual(['http://d/']);
  });

  test('for rows asks for one more than are given', async () => {
    answer(200, 'text/csv; charset=utf-8', 's\r\n');
    await ask('SELECT ?s { ?s ?p ?o }', 'text/csv');
    expect(new URLSearchParams(server.asked[0]?.body).get('query')).toBe('SELECT ?s { ?s ?p ?o }\nLIMIT 100001');
    answer(200, 'text/csv', `s\r\n${'"a"\r\n'.repeat(100_001)}`);
    const response = await ask('SELECT ?s { ?s ?p ?o }', 'text/csv');
    expect([response.status, (await jsonOf(response)).code]).toEqual([422, 'QUERY_TOO_EXPENSIVE']);
  });

  test.each([
    ['DROP ALL', 403, 'READ_ONLY'],
    ['SELECT * { SERVICE <http://a/> { ?s ?p ?o } }', 403, 'SERVICE_NOT_ALLOWED'],
    ['SELECT * { ?s ?p', 400, 'BAD_QUERY'],
    [`ASK { ${'{'.repeat(40)}${'}'.repeat(40)} }`, 422, 'QUERY_TOO_EXPENSIVE'],
  ])('that the gate refuses is not put: %s', async (query, status, code) => {
    const response = await ask(query);
    expect([response.status, (await jsonOf(response)).code]).toEqual([status, code]);
    expect(server.asked).toEqual([]);
  });

  test.each([
    [ASK, 'text/turtle'],
    ['DESCRIBE <http://a/>', 'text/csv'],
  ])('%s is not answered as %s', async (query, accept) => {
    expect((await ask(query, accept)).status).toBe(406);
    expect(server.asked).toEqual([]);
  });

  test('waits for the first block', async () => {
    height = -1;
    const response = await ask(ASK);
    expect([response.status, (await jsonOf(response)).code]).toEqual([503, 'NOT_READY']);
  });
});

describe('a store', () => {
  test.each([
    [400, 'text/plain', 'no such function', [400, 'BAD_QUERY']],
    [406, 'text/plain', '', [406, 'NOT_ACCEPTABLE']],
    [401, 'text/plain', '', [502, 'MIRROR_FAILED']],
    [500, 'text/html', '<p>sorry</p>', [502, 'MIRROR_FAILED']],
    [200, 'text/html', '<script>', [502, 'MIRROR_FAILED']],
    [204, ROWS, '', [502, 'MIRROR_FAILED']],
  ])('that answers %d %s is passed on as a problem', async (status, mediaType, text, problem) => {
    answer(status, mediaType, text);
    const response = await ask(ASK);
    expect([response.status, (await jsonOf(response)).code]).toEqual(problem);
    expect(response.headers.get('vary')).toBe('Accept');
  });

  test('that sends too much is not listened to', async () => {
    const piece = Buffer.alloc(1_048_576, ' ');
    server.answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/turtle' });
      const more = (): void => {
        if (!response.destroyed) response.write(piece, more);
      };
      more();
    };
    const response = await ask('CONSTRUCT WHERE { ?s ?p ?o }', 'text/turtle');
    expect(await jsonOf(response)).toMatchObject({ code: 'QUERY_TOO_EXPENSIVE' });
  });

  test('that takes too long costs its caller a wait', async () => {
    await world.api.close();
    await server.close();
    server = new StoreServer();
    await open(300);
    server.answer = () => undefined;
    const late = await ask(ASK);
    expect([late.status, (await jsonOf(late)).code, late.headers.get('retry-after')]).toEqual([
      503,
      'QUERY_DEADLINE',
      '60',
    ]);
    expect((await jsonOf(await ask(ASK))).code).toBe('QUERY_PENALTY');
  });

  test('is asked a few questions at once', async () => {
    const waiting: (() => void)[] = [];
    server.answer = (response) => {
      waiting.push(() => void response.writeHead(200, { 'content-type': ROWS }).end('{"boolean":true}'));
    };
    const answers = Array.from({ length: MIRROR_QUERIES_IN_FLIGHT_MAX + 2 }, () => ask(ASK));
    await until(() => waiting.length === MIRROR_QUERIES_IN_FLIGHT_MAX, { what: 'the first questions' });
    while (server.asked.length < answers.length || waiting.length > 0) {
      await until(() => waiting.length > 0, { what: 'a question' });
      waiting.shift()?.();
      await new Promise(setImmediate);
    }
    for (const one of answers) expect((await one).status).toBe(200);
  });

  test('is not waited for when the node stops', async () => {
    server.answer = () => undefined;
    const asked = service.ask({
      query: ASK,
      defaultGraphs: [],
      namedGraphs: [],
      rowFormat: { mediaType: ROWS, engine: ROWS },
      graphFormat: undefined,
      caller: 'a',
    });
    await until(() => server.asked.length === 1, { what: 'the question' });
    service.close();
    expect(await asked).toMatchObject({ ok: false, error: { code: 'STOPPING' } });
  });

  test('is described without a ceiling', async () => {
    const response = await world.ask('/sparql', { headers: { accept: 'application/n-triples' } });
    expect(await response.text()).toContain('"Queries only. One has 60 s."');
  });
});
