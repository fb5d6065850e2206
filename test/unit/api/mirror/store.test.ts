import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGraphStore, type MirrorStore } from '../../../../src/api/mirror/store.ts';
import { MIRROR_PUTS_IN_FLIGHT_MAX } from '../../../../src/model/graph-limits.ts';
import { until } from '../../../cluster/support/until.ts';
import { StoreServer } from './store-server.ts';

const GRAPH = 'http://localhost/id/tx/1#stated';
const TEXT = '<http://a/ü> <http://b/> "c\\n <x> ."@de .\n<http://c/> <http://d/> <http://e/> .\n';
const ONE = { graph: GRAPH, document: TEXT.replaceAll(/ \.\n/g, ` <${GRAPH}> .\n`) };

let server: StoreServer;
let url: string;
let store: MirrorStore;

beforeEach(async () => {
  server = new StoreServer();
  url = await server.listen();
  store = createGraphStore({ url: `${url}/data?space=a%20b`, token: 'secret', by: 'graphs', timeoutMs: 300 });
});

afterEach(async () => {
  store.close();
  await server.close();
});

describe('a store of graphs', () => {
  it('is given a graph as it is', async () => {
    expect(await store.take([ONE])).toEqual({ ok: true, value: true });
    const [asked] = server.asked;
    expect(asked).toMatchObject({ method: 'PUT', body: TEXT });
    const { searchParams, pathname } = new URL(asked?.url ?? '', url);
    expect([pathname, searchParams.get('graph'), searchParams.get('space')]).toEqual(['/data', GRAPH, 'a b']);
    expect(asked?.headers).toMatchObject({
      'content-type': 'application/n-triples',
      authorization: 'Bearer secret',
    });
  });

  it('is given many, some at once, and none after a fault', async () => {
    const waiting: (() => void)[] = [];
    server.answer = (response) => void waiting.push(() => void response.writeHead(204).end());
    const all = Array.from({ length: 10 }, (_, index) => ({ ...ONE, graph: `http://localhost/id/tx/${index}` }));
    const patient = createGraphStore({ url, token: undefined, by: 'graphs' });
    const taken = patient.take(all);
    await until(() => waiting.length === MIRROR_PUTS_IN_FLIGHT_MAX, { what: 'the first graphs' });
    expect(server.asked.length).toBe(MIRROR_PUTS_IN_FLIGHT_MAX);
    server.answer = (response) => void response.writeHead(507).end();
    for (const answer of waiting) answer();
    expect(await taken).toMatchObject({ error: { reason: 'it answers 507' } });
    expect(server.asked.length).toBeLessThanOrEqual(2 * MIRROR_PUTS_IN_FLIGHT_MAX);
    server.answer = (response) => void response.writeHead(204).end();
    server.asked.length = 0;
    expect(await patient.take(all)).toEqual({ ok: true, value: true });
    expect(new Set(server.asked.map((asked) => asked.url)).size).toBe(10);
    expect(await patient.take([])).toEqual({ ok: true, value: true });
    patient.close();
  });

  it('is given quads at once when it takes them', async () => {
    const quick = createGraphStore({ url: `${url}/data`, token: undefined, by: 'quads' });
    const other = { graph: 'http://localhost/id/tx/2', document: '<a:a> <a:b> <a:c> <http://localhost/id/tx/2> .\n' };
    expect(await quick.take([ONE, other])).toEqual({ ok: true, value: true });
    expect(await quick.take([])).toEqual({ ok: true, value: true });
    expect(server.asked).toMatchObject([{ method: 'POST', url: '/data', body: ONE.document + other.document }]);
    expect(server.asked[0]?.headers['content-type']).toBe('application/n-quads');
    quick.close();
  });

  it.each([200, 201, 204])('has taken it when it answers %d', async (status) => {
    server.answer = (response) => void response.writeHead(status).end(status === 204 ? '' : '{"count":1}');
    expect(await store.take([ONE])).toEqual({ ok: true, value: true });
  });

  it.each([
    [400, 'bad\r\n\x1b[31mline', 'it answers 400: bad [31mline'],
    [401, '', 'it answers 401'],
    [500, 'x'.repeat(1_000), `it answers 500: ${'x'.repeat(200)}`],
  ])('says what a refusal with %d says, as one line', async (status, text, reason) => {
    server.answer = (response) => void response.writeHead(status).end(text);
    expect(await store.take([ONE])).toEqual({ ok: false, error: { kind: 'status', reason } });
  });

  it('is not followed anywhere else', async () => {
    const other = new StoreServer();
    const location = await other.listen();
    server.answer = (response) => void response.writeHead(307, { location }).end();
    expect(await store.take([ONE])).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(other.asked).toEqual([]);
    await other.close();
  });

  it('is given up when it is silent, closes the connection, sends too much or is not there', async () => {
    server.answer = () => undefined;
    expect(await store.take([ONE])).toMatchObject({ error: { kind: 'timeout' } });
    server.answer = (response) => void response.destroy();
    expect(await store.take([ONE])).toMatchObject({ error: { kind: 'unreachable' } });
    server.answer = (response) => void response.writeHead(200).end('x'.repeat(100_000));
    expect(await store.take([ONE])).toMatchObject({ error: { kind: 'too large' } });
    server.answer = (response) => void response.writeHead(200).write('x');
    expect(await store.take([ONE])).toMatchObject({ error: { kind: 'timeout' } });
    await server.close();
    expect(await store.take([ONE])).toMatchObject({ error: { kind: 'unreachable' } });
  });

  it('is not waited for when the node stops', async () => {
    const patient = createGraphStore({ url, token: undefined, by: 'graphs', timeoutMs: 60_000 });
    server.answer = () => undefined;
    const put = patient.take([ONE]);
    await until(() => server.asked.length === 1, { what: 'the request' });
    patient.close();
    expect(await put).toMatchObject({ error: { kind: 'stopped' } });
    expect(await patient.take([ONE])).toMatchObject({ error: { kind: 'stopped' } });
    expect(server.asked.length).toBe(1);
    expect(server.asked[0]?.headers.authorization).toBe(undefined);
  });

  it.each([
    [404, '', { ok: true, value: false }],
    [200, '', { ok: true, value: false }],
    [200, TEXT, { ok: true, value: true }],
    [200, TEXT.repeat(10_000), { ok: true, value: true }],
    [503, '', { ok: false, error: { kind: 'status', reason: 'it answers 503' } }],
  ])('that answers %d to a question has a graph or not', async (status, text, expected) => {
    server.answer = (response) => void response.writeHead(status).end(text);
    expect(await store.has(GRAPH)).toEqual(expected);
    expect(server.asked[0]).toMatchObject({ method: 'GET', headers: { accept: 'application/n-triples' } });
  });
});
