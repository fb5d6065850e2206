import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Gateway, type Upstream } from '../../../src/devnet/gateway.ts';
import type { ListedNode } from '../../../src/devnet/nodes.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const NODE: ListedNode = {
  id: 'venue',
  role: 'authority',
  // Nobody listens at port 1.
  http: 'http://127.0.0.1:1',
  p2p: '127.0.0.1:7282',
  pid: 4122,
  state: 'ready',
};

async function gateway(upstreams: readonly Upstream[], listed = NODE): Promise<string> {
  const made = new Gateway({ port: 0, nodes: () => [listed], upstreams: () => upstreams, commands: ['curl <here>'] });
  const port = await made.listen();
  cleanups.push(() => made.close());
  return `http://127.0.0.1:${port}`;
}

async function node(name: string, listener: RequestListener): Promise<Upstream & { readonly server: Server }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { name, port: portOf(server.address()), server };
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** A port on which nobody listens. */
async function deadNode(name: string): Promise<Upstream> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server.address());
  server.close();
  await once(server, 'close');
  return { name, port };
}

const echo: RequestListener = (incoming, response) => {
  let body = '';
  incoming.on('data', (chunk) => {
    body += chunk;
  });
  incoming.on('end', () => {
    response.writeHead(201, { 'x-from-node': 'yes' });
    response.end(
      JSON.stringify({ method: incoming.method, url: incoming.url, type: incoming.headers['content-type'], body }),
    );
  });
};

describe('its own pages', () => {
  it('list the nodes, for people and for programs', async () => {
    const url = await gateway([]);
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toContain('text/html');
    const text = await page.text();
    expect(text).toContain(NODE.http);
    expect(text).toContain('curl &lt;here&gt;');
    expect(text).not.toMatch(/(?:src|href)="https?:\/\/(?!127\.0\.0\.1)/);
    const listed = { ...NODE, height: null, is_primary: null };
    expect(await (await fetch(`${url}/api/v1/nodes`)).json()).toEqual({ nodes: [listed] });
    expect((await (await fetch(`${url}/api/v1/nodes?pretty`)).text()).split('\n').length).toBeGreaterThan(5);
  });

  it('say how far each node is, and which one proposes', async () => {
    const status: RequestListener = (_, response) => response.end('{"head":{"height":7},"primary":"venue"}');
    const { port } = await node('venue', status);
    const url = await gateway([], { ...NODE, http: `http://127.0.0.1:${port}` });
    const list = await (await fetch(`${url}/api/v1/nodes`)).json();
    expect(list).toMatchObject({ nodes: [{ id: 'venue', height: 7, is_primary: true }] });
    expect(await (await fetch(url)).text()).toMatch(/class="role">primary<.*data-of="height">7</);
  });

  it('may run what is written in them, and nothing else', async () => {
    const page = await fetch(await gateway([]));
    const policy = page.headers.get('content-security-policy') ?? '';
    const script = /<script>(.*)<\/script>/s.exec(await page.text())?.[1] ?? '';
    expect(policy).toContain(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`);
    expect(policy).toContain("default-src 'none'");
  });

  it('answer to names of this machine only', async () => {
    const url = await gateway([]);
    const status = await new Promise((resolve) => {
      request(`${url}/api/v1/nodes`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(421);
  });
});

describe('everything else', () => {
  it('goes to the first node, body and all, and says which it was', async () => {
    const url = await gateway([await node('first', echo), await node('second', echo)]);
    const response = await fetch(`${url}/api/v1/x?y=z`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('counterfoil-node')).toBe('first');
    expect(response.headers.get('x-from-node')).toBe('yes');
    expect(await response.json()).toEqual({
      method: 'POST',
      url: '/api/v1/x?y=z',
      type: 'application/json',
      body: '{"a":1}',
    });
  });

  it('goes to the next one when the first takes no connection, with the whole body', async () => {
    const url = await gateway([await deadNode('gone'), await node('second', echo)]);
    const body = 'x'.repeat(300_000);
    const response = await fetch(`${url}/api/v1/x`, { method: 'POST', body });
    expect(response.headers.get('counterfoil-node')).toBe('second');
    expect(await response.json()).toMatchObject({ body });
  });

  it('is never sent to a second node once a first one took it', async () => {
    let asked = 0;
    const dying = await node('dying', (incoming) => {
      asked += 1;
      incoming.socket.destroy();
    });
    const spare = await node('spare', () => {
      asked += 1;
    });
    const url = await gateway([dying, spare]);
    const response = await fetch(`${url}/api/v1/x`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ code: 'NODE_WENT_AWAY' });
    expect(asked).toBe(1);
  });

  it.each([2_000_000, 30_000_000])(
    'is answered as soon as the node has said why it takes no %d bytes',
    async (size) => {
      const strict = await node('strict', (incoming, response) => {
        response.writeHead(413, { 'content-length': 8 }).end('too much');
        incoming.resume();
      });
      const url = await gateway([strict]);
      const response = await fetch(`${url}/api/v1/x`, { method: 'POST', body: new Uint8Array(size) });
      expect(response.status).toBe(413);
      expect(response.headers.get('counterfoil-node')).toBe('strict');
      expect(await response.text()).toBe('too much');
    },
  );

  it('is a problem when no node is there', async () => {
    const url = await gateway([await deadNode('one'), await deadNode('two')]);
    const response = await fetch(`${url}/api/v1/status`);
    expect(response.status).toBe(503);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'NO_LIVE_NODE', status: 503 });
  });
});

describe('a feed', () => {
  async function feedNode(name: string): Promise<Upstream> {
    const made = await node(name, (_incoming, response) => response.writeHead(404).end());
    const sockets = new WebSocketServer({ server: made.server });
    sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(`${name}: ${message}`)));
    cleanups.push(() => {
      for (const socket of sockets.clients) socket.terminate();
    });
    return made;
  }

  it('goes through both ways, past a node that is gone', async () => {
    const url = await gateway([await deadNode('gone'), await feedNode('second')]);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
    cleanups.push(() => socket.terminate());
    await once(socket, 'open');
    socket.send('hello');
    const [message] = await once(socket, 'message');
    expect(String(message)).toBe('second: hello');
  });

  it('ends when its node does', async () => {
    const upstream = await feedNode('first');
    const url = await gateway([upstream]);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    for (const cleanup of cleanups.splice(1)) await cleanup();
    await closed;
  });

  it('is refused when no node is there', async () => {
    const url = await gateway([]);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('503');
  });
});

describe('what is no request', () => {
  /** Everything that comes back on a connection on which just this is sent. */
  async function answerTo(url: string, bytes: string): Promise<string> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    cleanups.push(() => socket.destroy());
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.write(bytes, 'latin1');
    await once(socket, 'end');
    return text;
  }

  it.each([
    ['garbage', '\x16\x03\x01\x02\x00', 400, 'BAD_REQUEST'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.0\r\n\r\n', 400, 'BAD_REQUEST'],
    ['a request for a page without a host', 'GET / HTTP/1.1\r\n\r\n', 400, 'BAD_REQUEST'],
    ['a request for a node without a host', 'GET /api/v1/status HTTP/1.1\r\n\r\n', 400, 'BAD_REQUEST'],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
  ])('is answered with a problem: %s', async (_name, bytes, status, code) => {
    const text = await answerTo(await gateway([await node('venue', echo)]), bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ status, code });
  });
});
