import { createServer, type Server } from 'node:http';
import type { HostAndPort } from '../lib/address.ts';
import { API_CLOSE_MS_MAX, API_HEADERS_MS_MAX, METRICS_CONNECTIONS_MAX } from '../model/http-limits.ts';
import type { Metrics } from '../node/metrics.ts';

/** `/metrics` at an address of its own, for a monitoring network that must not reach the rest. */
export interface MetricsServer {
  /** @throws with `code` when the address cannot be had */
  listen(): Promise<void>;
  close(): Promise<void>;
}

export function createMetricsServer(metrics: Metrics, { host, port }: HostAndPort): MetricsServer {
  const limits = { headersTimeout: API_HEADERS_MS_MAX, requestTimeout: API_HEADERS_MS_MAX };
  const server: Server = createServer(limits, async (request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('only GET /metrics\n');
      return;
    }
    const { mediaType, text } = await metrics.expose();
    response.writeHead(200, { 'content-type': mediaType }).end(text);
  });
  server.maxConnections = METRICS_CONNECTIONS_MAX;
  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', (cause: NodeJS.ErrnoException) => {
          const message = `${host}:${port} cannot be had: choose another [metrics] address`;
          reject(
            Object.assign(new Error(message, { cause }), {
              code: cause.code === 'EADDRINUSE' ? 'PORT_IN_USE' : cause.code,
            }),
          );
        });
        server.listen({ host, port }, resolve);
      }),
    close: () =>
      new Promise((resolve) => {
        if (!server.listening) return resolve();
        const cutOff = setTimeout(() => server.closeAllConnections(), API_CLOSE_MS_MAX);
        server.close(() => {
          clearTimeout(cutOff);
          resolve();
        });
      }),
  };
}
