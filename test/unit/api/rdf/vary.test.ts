import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Route } from '../../../../src/api/exchange.ts';
import { createPipeline } from '../../../../src/api/pipeline.ts';
import { createRateLimit } from '../../../../src/api/rate-limit.ts';
import { negotiateRdf } from '../../../../src/api/rdf/negotiate.ts';
import { rdfAnswer, serialise } from '../../../../src/api/rdf/serialise.ts';
import { API_LIMITS } from '../../../../src/api/settings.ts';
import { createMetrics } from '../../../../src/node/metrics.ts';
import { MemoryNode } from '../memory-node.ts';

const graph: Route = {
  method: 'GET',
  path: '/graph',
  handle: ({ header }) => {
    const format = negotiateRdf(header('accept'), ['turtle', 'json-ld']);
    if (!format.ok) return format;
    const statement = { subject: 'a:s', predicate: 'a:p', object: { kind: 'iri', value: 'a:o' } } as const;
    return rdfAnswer(format.value, serialise(format.value, [statement], {}));
  },
};

describe('a graph over HTTP', () => {
  let server: Server;
  let url = '';

  beforeAll(async () => {
    const node = new MemoryNode();
    const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const app = createPipeline(
      {
        ...{ reader: node.reader, submit: node.submit, peers: node.peers, subscribe: node.subscribe },
        graph: {
          iriBase: 'http://localhost/id/',
          read: () => undefined,
          status: () => null,
          fresh: () => Promise.resolve(),
        },
        metrics: createMetrics(),
        logger: silent,
        settings: {
          ...{ host: '127.0.0.1', port: 0, portOption: '[api] port', hosts: [], operatorToken: null },
          ...{ origins: ['https://box.example'], devnet: false, gate: 'main', limits: API_LIMITS },
        },
      },
      [graph],
      createRateLimit(API_LIMITS.requestsPerSecond, API_LIMITS.requestsBurst),
      () => false,
    );
    server = createServer(app.callback());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graph`;
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('comes in the form that was asked for, and varies with that and with the origin', async () => {
    const turtle = await fetch(url);
    expect([turtle.status, turtle.headers.get('content-type')]).toEqual([200, 'text/turtle; charset=utf-8']);
    expect(turtle.headers.get('vary')).toBe('Origin, Accept');
    expect(await turtle.text()).toBe('<a:s> <a:p> <a:o> .\n');
    const json = await fetch(url, {
      headers: { accept: 'application/ld+json;profile="http://www.w3.org/ns/json-ld#expanded"' },
    });
    expect(json.headers.get('content-type')).toBe('application/ld+json');
    expect(await json.json()).toEqual([{ '@id': 'a:s', 'a:p': [{ '@id': 'a:o' }] }]);
  });

  it('is refused in a form that there is not', async () => {
    const answer = await fetch(url, { headers: { accept: 'application/rdf+xml' } });
    expect([answer.status, answer.headers.get('vary')]).toEqual([406, 'Origin, Accept']);
    expect(await answer.json()).toMatchObject({
      code: 'NOT_ACCEPTABLE',
      detail: 'ask with Accept for one of text/turtle, application/ld+json',
    });
  });
});
