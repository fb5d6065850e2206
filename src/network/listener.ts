import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { formatAddress, type HostAndPort } from '../lib/address.ts';
import { assert } from '../lib/assert.ts';
import { CLOSE_TIMEOUT_MS_MAX } from '../model/limits.ts';
import { Admission } from './admission.ts';
import { type Channel, WEBSOCKET_LIMITS } from './channel.ts';
import { type NodeIdentity, peerIdentity } from './identity.ts';

export interface ListenerOptions {
  readonly identity: NodeIdentity;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** From accepted connection to judged hello, so that TLS and HTTP need no timers of their own. */
  readonly timeoutMs: number;
  /** An open WebSocket with a proven node at its end; its place stays counted until `admitted`. */
  readonly onChannel: (channel: Channel, timeLeftMs: number, admitted: () => void) => void;
  /** A connection that ended before that. */
  readonly onRefused: (address: string, reason: 'BAD_IDENTITY' | 'TOO_MANY_PEERS' | 'HELLO_TIMEOUT') => void;
}

/** The address that a node was told to listen on cannot be had. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: 'PORT_IN_USE' | 'PORT_FORBIDDEN' | 'ADDRESS_NOT_AVAILABLE';

  constructor(code: ListenError['code'], message: string, cause: Error) {
    super(message, { cause });
    this.code = code;
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const at = formatAddress(host, port);
  switch (error.code) {
    case 'EADDRINUSE':
      return new ListenError('PORT_IN_USE', `${at} is in use: choose another [network] listen_port`, error);
    case 'EACCES':
      return new ListenError(
        'PORT_FORBIDDEN',
        `${at} needs privileges: choose a [network] listen_port above 1023`,
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ListenError(
        'ADDRESS_NOT_AVAILABLE',
        `${at} is no address of this machine: see [network] listen_address`,
        error,
      );
    default:
      return new Error(`cannot listen on ${at}`, { cause: error });
  }
}

const HEADER_BYTES_MAX = 4_096;

/** Takes connections in: bounded before TLS, proven by TLS, upgraded to WebSocket, and handed on. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #websockets = new WebSocketServer({ ...WEBSOCKET_LIMITS, noServer: true, clientTracking: false });
  readonly #admission = new Admission();
  readonly #sockets = new Set<Socket>();
  #address: HostAndPort | undefined;
  /** By connection: those whose WebSocket is not open yet, and which were not refused. */
  readonly #waiting = new Map<string, { readonly timer: NodeJS.Timeout; readonly deadlineMs: number }>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        ...options.identity.tls,
        requestCert: true,
        rejectUnauthorized: false,
        maxHeaderSize: HEADER_BYTES_MAX,
      },
      refuseRequest,
    );
    this.#server.on('connection', (socket: Socket) => this.#onConnection(socket));
    this.#server.on('tlsClientError', (_error: Error, socket: TLSSocket) => this.#refuse(socket, 'BAD_IDENTITY'));
    this.#server.on('secureConnection', (socket: TLSSocket) => this.#onSecure(socket));
    this.#server.on('clientError', (_error: Error, socket: Duplex) => socket.destroy());
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#onUpgrade(request, socket, head),
    );
  }

  /** @throws ListenError when the address cannot be had. */
  async open(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
      this.#server.once('error', fail);
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.off('error', fail);
        this.#address = boundAddress(this.#server);
        resolve();
      });
    });
  }

  /** What was bound; undefined before `open`. */
  get address(): HostAndPort | undefined {
    return this.#address;
  }

  /** Connections that are not admitted yet. */
  get pending(): number {
    return this.#admission.pending;
  }

  /** Takes no more connections, and cuts those that are not admitted; resolves when all sockets are closed. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#admission.clear();
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, CLOSE_TIMEOUT_MS_MAX);
    await closed;
    clearTimeout(timer);
  }

  #onConnection(socket: Socket): void {
    const connection = connectionOf(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    const cut = (): void => {
      socket.destroy();
    };
    if (!this.#admission.enter(connection.key, connection.host, cut, performance.now())) {
      this.#options.onRefused(connection.address, 'TOO_MANY_PEERS');
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const { timeoutMs } = this.#options;
    const timer = setTimeout(() => this.#refuse(socket, 'HELLO_TIMEOUT'), timeoutMs);
    this.#waiting.set(connection.key, { timer, deadlineMs: performance.now() + timeoutMs });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#endWait(connection.key);
      this.#admission.leave(connection.key);
    });
  }

  /** Before a byte of HTTP is parsed: strangers without a node key end here. */
  #onSecure(socket: TLSSocket): void {
    if (!peerIdentity(socket, Date.now()).ok) this.#refuse(socket, 'BAD_IDENTITY');
  }

  #refuse(socket: Socket, reason: 'BAD_IDENTITY' | 'HELLO_TIMEOUT'): void {
    const connection = connectionOf(socket);
    socket.destroy();
    if (connection !== undefined && this.#endWait(connection.key) !== undefined) {
      this.#options.onRefused(connection.address, reason);
    }
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = socket instanceof TLSSocket ? connectionOf(socket) : undefined;
    if (connection === undefined || !(socket instanceof TLSSocket)) {
      socket.destroy();
      return;
    }
    this.#websockets.handleUpgrade(request, socket, head, (ws) => {
      const leftMs = this.#endWait(connection.key) ?? 0;
      const channel: Channel = { ws, socket, direction: 'inbound', address: connection.address };
      this.#options.onChannel(channel, leftMs, () => this.#admission.leave(connection.key));
    });
  }

  /** Milliseconds that were left; undefined when the wait had ended before. */
  #endWait(key: string): number | undefined {
    const wait = this.#waiting.get(key);
    if (wait === undefined) return undefined;
    clearTimeout(wait.timer);
    this.#waiting.delete(key);
    return Math.max(0, wait.deadlineMs - performance.now());
  }
}

function boundAddress(server: Server): HostAndPort {
  const address = server.address();
  assert(typeof address === 'object' && address !== null, 'an open listener has an address');
  return { host: address.address, port: address.port };
}

interface Connection {
  readonly key: string;
  readonly host: string;
  readonly address: string;
}

/** Both ends of the socket name it: TLS and TCP objects of one connection give the same key. */
function connectionOf(socket: Socket): Connection | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  const address = formatAddress(remoteAddress, remotePort);
  return { key: `${address} ${localAddress} ${localPort}`, host: remoteAddress, address };
}

/** RFC 9110 §15.5.22. Nothing but WebSocket is served here. */
function refuseRequest(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end();
}
