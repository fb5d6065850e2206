import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGraphStore, type MirrorStore } from '../../../../src/api/mirror/store.ts';
import { until } from '../../../cluster/support/until.ts';
import { StoreServer } from './store-server.ts';

const GRAPH = 'http://localhost/id/tx/1#stated';
const TEXT = '<http://a/ü> <http://b/> "c\\n"@de .\n';

let server: StoreServer;
let url: string;
let store: MirrorStore;

beforeEach(async () => {
  server = new StoreServer();
  url = await server.listen();
  store = createGraphStore({ url: `${url}/data?space=a%20b`, token: 'secret', timeoutMs: 300 });
});

afterEach(async () => {
  store.close();
  await server.close();
});

describe('a store of graphs', () => {
  it('is given a graph as it is', async () => {
    expect(await store.put(GRAPH, TEXT)).toEqual({ ok: true, value: true });
    const [asked] = server.asked;
    expect(asked).toMatchObject({ method: 'PUT', body: TEXT });
    const { searchParams, pathname } = new URL(asked?.url ?? '', url);
    expect([pathname, searchParams.get('graph'), searchParams.get('space')]).toEqual(['/data', GRAPH, 'a b']);
    expect(asked?.headers).toMatchObject({
      'content-type': 'application/n-triples',
      authorization: 'Bearer secret',
    });
  });

  it.each([200, 201, 204])('has taken it when it answers %d', async (status) => {
    server.answer = (response) => void response.writeHead(status).end(status === 204 ? '' : '{"count":1}');
    expect(await store.put(GRAPH, TEXT)).toEqual({ ok: true, value: true });
  });

  it.each([
    [400, 'bad\r\n\x1b[31mline', 'it answers 400: bad [31mline'],
    [401, '', 'it answers 401'],
    [500, 'x'.repeat(1_000), `it answers 500: ${'x'.repeat(200)}`],
  ])('says what a refusal with %d says, as one line', async (status, text, reason) => {
    server.answer = (response) => void response.writeHead(status).end(text);
    expect(await store.put(GRAPH, TEXT)).toEqual({ ok: false, error: { kind: 'status', reason } });
  });

  it('is not followed anywhere else', async () => {
    const other = new StoreServer();
    const location = await other.listen();
    server.answer = (response) => void response.writeHead(307, { location }).end();
    expect(await store.put(GRAPH, TEXT)).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(other.asked).toEqual([]);
    await other.close();
  });

  it('is given up when it is silent, closes the connection, sends too much or is not there', async () => {
    server.answer = () => undefined;
    expect(await store.put(GRAPH, TEXT)).toMatchObject({ error: { kind: 'timeout' } });
    server.answer = (response) => void response.destroy();
    expect(await store.put(GRAPH, TEXT)).toMatchObject({ error: { kind: 'unreachable' } });
    server.answer = (response) => void response.writeHead(200).end('x'.repeat(100_000));
    expect(await store.put(GRAPH, TEXT)).toMatchObject({ error: { kind: 'too large' } });
    server.answer = (response) => void response.writeHead(200).write('x');
    expect(await store.put(GRAPH, TEXT)).toMatchObject({ error: { kind: 'timeout' } });
    await server.close();
    expect(await store.put(GRAPH, TEXT)).toMatchObject({ error: { kind: 'unreachable' } });
  });

  it('is not waited for when the node stops', async () => {
    const patient = createGraphStore({ url, token: undefined, timeoutMs: 60_000 });
    server.answer = () => undefined;
    const put = patient.put(GRAPH, TEXT);
    await until(() => server.asked.length === 1, { what: 'the request' });
    patient.close();
    expect(await put).toMatchObject({ error: { kind: 'stopped' } });
    expect(await patient.put(GRAPH, TEXT)).toMatchObject({ error: { kind: 'stopped' } });
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
