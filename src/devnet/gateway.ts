import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as openRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { discardRest, jsonText } from '../api/exchange.ts';
import { NO_HOST, refuseSocket, refuseUnreadable } from '../api/unreadable.ts';
import { API_HEADER_BYTES_MAX } from '../model/http-limits.ts';
import { renderGatewayPage } from './gateway-page.ts';
import { type ListedNode, seeNodes } from './nodes.ts';

const LOOPBACK = '127.0.0.1';
/** A node that takes longer than this to accept a connection on the same machine is not there. */
const CONNECT_MS_MAX = 1_000;

/** A node to which requests can be passed on. */
export interface Upstream {
  readonly name: string;
  readonly port: number;
}

export interface GatewayOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly nodes: () => readonly ListedNode[];
  /** Whom to ask, the best first. */
  readonly upstreams: () => readonly Upstream[];
  /** What the page tells people to try. */
  readonly commands: readonly string[];
}

/** One address for the whole devnet: a page, the list of nodes, and everything else from the first node that answers. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    const settings = { requireHostHeader: false, maxHeaderSize: API_HEADER_BYTES_MAX };
    this.#server = createServer(settings, (request, response) => this.#answer(request, response));
    this.#server.on('clientError', refuseUnreadable);
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** @returns the port; @throws the error of the socket (`code` EADDRINUSE when the port is taken) */
  async listen(): Promise<number> {
    this.#server.listen(this.#options.port, LOOPBACK);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.#options.port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '/').split('?')[0];
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const isOurs = isRead && (path === '/' || path === '/api/v1/nodes');
    if (request.headers.host === undefined) refuseSocket(request.socket, NO_HOST);
    else if (!isOurs) this.#pass(request, response, this.#options.upstreams());
    else if (!isLoopback(request)) refuseHost(response);
    else void this.#show(response, path === '/' ? 'page' : 'list', request.url ?? '');
  }

  async #show(response: ServerResponse, as: 'page' | 'list', target: string): Promise<void> {
    const nodes = await seeNodes(this.#options.nodes());
    if (as === 'page') {
      const { html, policy } = renderGatewayPage(nodes, this.#options.commands);
      send(response, 200, { type: 'text/html; charset=utf-8', body: html, policy });
      return;
    }
    const { search } = new URL(target, 'http://localhost');
    send(response, 200, { type: 'application/json; charset=utf-8', body: jsonText({ nodes }, search) });
  }

  /** Tries one node after another until one takes the connection: nothing of the body has left before that. */
  #pass(request: IncomingMessage, response: ServerResponse, [upstream, ...others]: readonly Upstream[]): void {
    if (upstream === undefined) {
      noNode(response);
      return;
    }
    // A node that closes after its answer resets what is still being sent, and the answer is lost with it.
    const outgoing = openUpstream(request, upstream, 'keep-alive');
    let connected = false;
    onConnected(outgoing, () => {
      connected = true;
      request.pipe(outgoing);
    });
    let answer: IncomingMessage | undefined;
    outgoing.once('response', (incoming) => {
      answer = incoming;
      response.writeHead(incoming.statusCode ?? 502, withoutHop(headersFrom(incoming, upstream)));
      // It is decided, and nobody reads the rest of the body.
      if (!request.complete) {
        request.unpipe(outgoing);
        discardRest(request);
      }
      incoming.pipe(response);
      incoming.once('error', () => response.destroy());
    });
    outgoing.once('error', () => {
      // What fails after the whole answer is the rest of a body that nobody reads.
      outgoing.on('error', () => undefined);
      if (response.closed || answer?.complete === true) return;
      if (!connected) this.#pass(request, response, others);
      else if (response.headersSent) response.destroy();
      else nodeFailed(response, upstream);
    });
    response.once('close', () => outgoing.destroy());
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    this.#passUpgrade(request, socket, head, this.#options.upstreams());
  }

  #passUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, upstreams: readonly Upstream[]): void {
    const [upstream, ...others] = upstreams;
    if (upstream === undefined) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const outgoing = openUpstream(request, upstream);
    let connected = false;
    onConnected(outgoing, () => {
      connected = true;
      outgoing.end();
    });
    outgoing.once('upgrade', (incoming, inner, innerHead) => {
      socket.write(responseHead(incoming, upstream));
      if (innerHead.length > 0) socket.write(innerHead);
      if (head.length > 0) inner.write(head);
      join(socket, inner);
    });
    outgoing.once('response', (incoming) => {
      socket.write(responseHead(incoming, upstream));
      incoming.pipe(socket);
    });
    outgoing.once('error', () => (connected ? socket.destroy() : this.#passUpgrade(request, socket, head, others)));
    socket.once('close', () => outgoing.destroy());
  }
}

function openUpstream(
  request: IncomingMessage,
  upstream: Upstream,
  connection = request.headers.connection,
): ClientRequest {
  return openRequest({
    host: LOOPBACK,
    port: upstream.port,
    method: request.method,
    path: request.url,
    headers: { ...request.headers, ...(connection === undefined ? {} : { connection }) },
    // A kept connection may close as a write goes out on it, and a write must not be sent twice.
    agent: false,
    setHost: false,
  });
}

function onConnected(outgoing: ClientRequest, connected: () => void): void {
  outgoing.once('socket', (socket) => {
    const timer = setTimeout(() => outgoing.destroy(new Error('the node does not answer')), CONNECT_MS_MAX);
    socket.once('close', () => clearTimeout(timer));
    // After its answer a request listens no more, and a write that is still under way can fail.
    socket.on('error', () => undefined);
    socket.once('connect', () => {
      clearTimeout(timer);
      connected();
    });
  });
}

function join(a: Duplex, b: Duplex): void {
  a.pipe(b);
  b.pipe(a);
  a.once('close', () => b.destroy());
  b.once('close', () => a.destroy());
  b.on('error', () => a.destroy());
}

function headersFrom(incoming: IncomingMessage, upstream: Upstream): string[] {
  return [...incoming.rawHeaders, 'Counterfoil-Node', upstream.name];
}

/** How long a connection is kept is said for each by its own server. */
function withoutHop(headers: readonly string[]): string[] {
  return headers.filter((_, index) => !/^(connection|keep-alive)$/i.test(headers[index - (index % 2)] ?? ''));
}

function responseHead(incoming: IncomingMessage, upstream: Upstream): string {
  const headers = headersFrom(incoming, upstream);
  let text = `HTTP/1.1 ${incoming.statusCode} ${incoming.statusMessage}\r\n`;
  for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${text}\r\n`;
}

/** A page elsewhere can make a name of its own lead here: only names of this machine are answered. */
function isLoopback(request: IncomingMessage): boolean {
  const host = (request.headers.host ?? '').replace(/:[0-9]+$/, '').toLowerCase();
  return host === 'localhost' || host === LOOPBACK || host === '[::1]' || host.endsWith('.localhost');
}

interface Content {
  readonly type: string;
  readonly body: string;
  /** What a page may do; an answer of another kind does nothing. */
  readonly policy?: string;
}

function send(response: ServerResponse, status: number, { type, body, policy = "default-src 'none'" }: Content): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': policy,
  });
  response.end(body);
}

function problem(
  response: ServerResponse,
  status: number,
  code: string,
  [title, detail]: readonly [string, string],
): void {
  const type = `urn:counterfoil:problem:${code}`;
  const body = JSON.stringify({ type, title, status, code, detail });
  send(response, status, { type: 'application/problem+json; charset=utf-8', body: `${body}\n` });
}

function refuseHost(response: ServerResponse): void {
  problem(response, 421, 'WRONG_HOST', ['Not this host', 'A devnet answers to localhost and 127.0.0.1 only.']);
}

function noNode(response: ServerResponse): void {
  response.setHeader('Retry-After', '1');
  const detail = 'No node of this devnet answers. Its terminal says why, and how to start one again.';
  problem(response, 503, 'NO_LIVE_NODE', ['No node answers', detail]);
}

function nodeFailed(response: ServerResponse, upstream: Upstream): void {
  const detail = `${upstream.name} went away before it answered. What was asked may have been done, so look before you repeat it. An Idempotency-Key is known to the organisation whose node signed: with one, repeat it at ${upstream.name} itself, http://localhost:${upstream.port}, when that is back.`;
  problem(response, 502, 'NODE_WENT_AWAY', ['The node went away', detail]);
}
