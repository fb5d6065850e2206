import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { API_HEADER_BYTES_MAX } from '../model/http-limits.ts';
import { kindOf, type Problem, problemDocument } from './problems.ts';

/** How long a refused connection has to read why. */
const REFUSED_SOCKET_MS = 1_000;

/** RFC 9112 §3.2: such a request is answered with 400, and Node's own answer would say nothing more. */
export const NO_HOST: Problem = {
  code: 'BAD_REQUEST',
  detail: 'the request names no host: every HTTP/1.1 request has the header Host, such as Host: localhost',
};

/** Answers bytes that never became a request: for the event `clientError` of an HTTP server. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
  else refuseSocket(socket, unreadable(error.code));
}

function unreadable(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { code: 'HEADERS_TOO_LARGE', detail: `all headers together have at most ${API_HEADER_BYTES_MAX} bytes` };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { code: 'REQUEST_TIMEOUT', detail: 'headers and body have to arrive within the limits of this node' };
  }
  return { code: 'BAD_REQUEST', detail: 'not an HTTP/1.1 request' };
}

/** An answer without the HTTP server's help, on a connection that ends with it. */
export function refuseSocket(socket: Duplex, problem: Problem): void {
  const { status, retryAfterSeconds } = kindOf(problem.code);
  const body = `${JSON.stringify(problemDocument(problem, 'none'))}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(retryAfterSeconds === undefined ? [] : [`Retry-After: ${retryAfterSeconds}`]),
  ];
  socket.once('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // What the peer is still sending is read and dropped for a while: cutting it off at once would lose the answer.
  socket.resume();
  setTimeout(() => socket.destroy(), REFUSED_SOCKET_MS).unref();
}
