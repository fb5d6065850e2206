import { Parser } from 'n3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GraphAccess } from '../../../../src/api/graph/access.ts';
import type { SparqlRequest, SparqlService } from '../../../../src/api/sparql/ask.ts';
import { ok } from '../../../../src/lib/result.ts';
import { jsonOf, openWorld, type World, type WorldOptions } from '../world.ts';

/** A service that answers every question with what it was asked. */
class Echo implements SparqlService {
  readonly limits = { deadlineMs: 5_000, quadsMax: 1_000_000 };
  readonly pid = undefined;
  asked: SparqlRequest | undefined;
  isClosed = false;

  ask(request: SparqlRequest) {
    this.asked = request;
    const format = request.query.startsWith('CONSTRUCT') ? request.graphFormat : request.rowFormat;
    const bytes = new TextEncoder().encode(request.query);
    return Promise.resolve(ok({ mediaType: format?.mediaType ?? 'none/none', bytes, height: 42 }));
  }

  close(): void {
    this.isClosed = true;
  }
}

const FORM = 'application/x-www-form-urlencoded';
const QUERY = 'application/sparql-query';
const SELECT = 'SELECT * {\n  ?s ?p "a+b & ü" # %41\n}';

const echo = new Echo();
let world: World;

beforeAll(async () => {
  world = await openWorld({ sparql: echo, origins: ['https://page.example'] });
});

afterAll(async () => {
  await world.api.close();
  expect(echo.isClosed).toBe(true);
});

function posted(
  body: string | Uint8Array<ArrayBuffer>,
  type: string,
  more: Readonly<Record<string, string>> = {},
  search = '',
) {
  return world.ask(`/sparql${search}`, { method: 'POST', body, headers: { 'content-type': type, ...more } });
}

describe('a question', () => {
  const graphs = 'default-graph-uri=http://a/1&default-graph-uri=http://a/2&named-graph-uri=urn:b';

  test.each<[string, () => Promise<Response>]>([
    ['in the address', () => world.ask(`/sparql?query=${encodeURIComponent(SELECT)}&${graphs}`)],
    ['in a form', () => posted(`${graphs}&query=${encodeURIComponent(SELECT)}`, FORM)],
    [
      'in a form that says its characters',
      () => posted(`${graphs}&query=${encodeURIComponent(SELECT)}`, `${FORM}; charset=UTF-8`),
    ],
    ['as the body', () => posted(SELECT, QUERY, {}, `?${graphs}`)],
  ])('%s is understood', async (_, send) => {
    const response = await send();
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(SELECT);
    expect(response.headers.get('counterfoil-height')).toBe('42');
    expect(response.headers.get('vary')).toBe('Origin, Accept');
    expect(echo.asked).toMatchObject({
      defaultGraphs: ['http://a/1', 'http://a/2'],
      namedGraphs: ['urn:b'],
      caller: '127.0.0.1',
    });
  });

  test('with parameters of a client of its own is understood', async () => {
    const response = await world.ask(`/sparql?query=ASK%7B%7D&format=json&output=json&results=json&timeout=3`);
    expect(response.status).toBe(200);
  });

  test.each<[string, () => Promise<Response>, number, string]>([
    ['twice', () => world.ask('/sparql?query=ASK%7B%7D&query=ASK%7B%7D'), 400, 'BAD_REQUEST'],
    ['empty', () => world.ask('/sparql?query='), 400, 'BAD_REQUEST'],
    ['not there', () => posted('format=json', FORM), 400, 'BAD_REQUEST'],
    ['in two places', () => posted('ASK{}', QUERY, {}, '?query=ASK%7B%7D'), 400, 'BAD_REQUEST'],
    ['in half a percent sign', () => world.ask('/sparql?query=ASK%7'), 400, 'BAD_REQUEST'],
    ['not in UTF-8', () => posted(new Uint8Array([0x41, 0xff]), QUERY), 400, 'BAD_REQUEST'],
    ['of a relative graph', () => world.ask('/sparql?query=ASK%7B%7D&default-graph-uri=a'), 400, 'BAD_REQUEST'],
    [
      'of a graph in brackets',
      () => world.ask('/sparql?query=ASK%7B%7D&default-graph-uri=http://a%3E'),
      400,
      'BAD_REQUEST',
    ],
    ['of many graphs', () => posted(`query=ASK%7B%7D${'&named-graph-uri=urn:a'.repeat(65)}`, FORM), 400, 'BAD_REQUEST'],
    ['too long for an address', () => world.ask(`/sparql?query=${'a'.repeat(8_200)}`), 414, 'TARGET_TOO_LONG'],
    ['too long', () => posted('a'.repeat(16_385), QUERY), 413, 'BODY_TOO_LARGE'],
    ['too long as a form', () => posted(`query=${'a'.repeat(16_385)}`, FORM), 413, 'BODY_TOO_LARGE'],
    ['in JSON', () => posted('{"query":"ASK{}"}', 'application/json'), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['in Latin-1', () => posted('ASK{}', `${QUERY}; charset=iso-8859-1`), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['packed', () => posted('ASK{}', QUERY, { 'content-encoding': 'gzip' }), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['as an update', () => posted('DROP ALL', 'application/sparql-update'), 403, 'READ_ONLY'],
    ['as an update in a form', () => posted('update=DROP%20ALL', FORM), 403, 'READ_ONLY'],
    ['beside an update', () => posted('query=ASK%7B%7D&update=DROP%20ALL', FORM), 403, 'READ_ONLY'],
    ['as an update in the address', () => world.ask('/sparql?update=DROP%20ALL'), 403, 'READ_ONLY'],
    ['as an update named otherwise', () => posted('u%70date=DROP+ALL', FORM), 403, 'READ_ONLY'],
    ['with graphs of an update', () => posted('query=ASK%7B%7D&using-graph-uri=urn:a', FORM), 403, 'READ_ONLY'],
    ['put', () => world.ask('/sparql', { method: 'PUT', body: 'x' }), 405, 'METHOD_NOT_ALLOWED'],
    ['deleted', () => world.ask('/sparql', { method: 'DELETE' }), 405, 'METHOD_NOT_ALLOWED'],
  ])('%s is refused', async (_, send, status, code) => {
    echo.asked = undefined;
    const response = await send();
    expect([response.status, (await jsonOf(response)).code]).toEqual([status, code]);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(echo.asked).toBeUndefined();
  });
});

describe('the format', () => {
  test.each([
    [null, 'application/sparql-results+json', 'text/turtle'],
    ['*/*', 'application/sparql-results+json', 'text/turtle'],
    ['application/json', 'application/json', 'application/json'],
    ['text/csv', 'text/csv', undefined],
    ['text/*', 'text/csv', 'text/turtle'],
    ['TEXT/CSV;Q=0.5, application/sparql-results+xml', 'application/sparql-results+xml', undefined],
    ['application/sparql-results+xml;q=0.5, text/csv;q=0.75', 'text/csv', undefined],
    ['text/csv;q=0.9, text/tab-separated-values;q=0.95, */*;q=0.1', 'text/tab-separated-values', 'text/turtle'],
    [
      '*/*;q=0.5, application/sparql-results+json;q=0, text/turtle;q=0',
      'application/sparql-results+xml',
      'application/n-triples',
    ],
    ['application/ld+json;profile="a,b";q=0.3, application/rdf+xml;q=0.2', undefined, 'application/ld+json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/xml', 'application/xml'],
    ['text/turtle;q=0', undefined, undefined],
    ['image/png', undefined, undefined],
    ['nonsense', undefined, undefined],
  ])('of Accept: %s', async (accept, rows, graph) => {
    // fetch sends a header of its own unless it is given one.
    await world.ask('/sparql?query=ASK%7B%7D', { headers: { accept: accept ?? '' } });
    expect(echo.asked?.rowFormat?.mediaType).toBe(rows);
    expect(echo.asked?.graphFormat?.mediaType).toBe(graph);
  });
});

describe('without a question', () => {
  test.each(['text/turtle', 'application/n-triples', 'application/n-quads', 'application/trig'])(
    'it says in %s what it is',
    async (accept) => {
      const response = await world.ask('/sparql', { headers: { accept } });
      expect(response.status).toBe(200);
      expect(response.headers.get('vary')).toContain('Accept');
      const quads = new Parser({ format: accept }).parse(await response.text());
      const told = quads.map(
        ({ predicate, object }) => `${predicate.value.replace(/^.*[#/]/, '')} ${object.value.replace(/^.*[#/]/, '')}`,
      );
      expect(told).toContain('feature UnionDefaultGraph');
      expect(told).toContain('supportedLanguage SPARQL11Query');
      expect(told).toContain('resultFormat SPARQL_Results_TSV');
      expect(quads.find(({ predicate }) => predicate.value.endsWith('#endpoint'))?.object.value).toBe(
        `${world.url}/sparql`,
      );
    },
  );

  test('it says the same in JSON-LD and RDF/XML', async () => {
    const json = await jsonOf(await world.ask('/sparql', { headers: { accept: 'application/ld+json' } }));
    expect(JSON.stringify(json)).toContain('sparql-service-description#UnionDefaultGraph');
    const xml = await (await world.ask('/sparql', { headers: { accept: 'application/rdf+xml' } })).text();
    expect(xml).toContain('rdf:resource="http://www.w3.org/ns/sparql-service-description#UnionDefaultGraph"');
  });

  test('it says nothing in a format it has not', async () => {
    const response = await world.ask('/sparql', { headers: { accept: 'text/csv' } });
    expect([response.status, (await jsonOf(response)).code]).toEqual([406, 'NOT_ACCEPTABLE']);
  });
});

const EMPTY: GraphAccess = {
  iriBase: 'http://localhost/id/',
  read: () => undefined,
  status: () => ({ indexedFrom: null, indexedTo: null, quads: 0, bytes: 0, lagBlocks: 0 }),
  fresh: () => Promise.resolve(),
};

test.each<[string, WorldOptions, number, string]>([
  ['queries are off there is no such address', { graph: EMPTY }, 404, 'NO_SUCH_ROUTE'],
  ['no graph is kept that is said', {}, 501, 'PROVENANCE_OFF'],
])('where %s', async (_, options, status, code) => {
  const other = await openWorld(options);
  const type = { 'content-type': 'application/sparql-query' };
  try {
    for (const init of [{}, { method: 'POST', body: 'ASK {}', headers: type }]) {
      const response = await other.ask('/sparql?query=ASK%7B%7D', init);
      expect([response.status, (await jsonOf(response)).code]).toEqual([status, code]);
    }
  } finally {
    await other.api.close();
  }
});
