import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { API_HEADER_BYTES_MAX, API_HEADERS_COUNT_MAX } from '../model/http-limits.ts';
import { GateId } from '../model/ids.ts';
import { chainRoutes } from './chain.ts';
import type { Route } from './exchange.ts';
import { Feed } from './feed.ts';
import { linkedDataRoutes } from './graph/linked-data.ts';
import { patternRoutes } from './graph/patterns.ts';
import { ticketProvenanceRoutes } from './graph/ticket-provenance.ts';
import { checkHost, checkSocketOrigin, WILDCARDS } from './guards.ts';
import { nodeRoutes } from './node.ts';
import { peerRoutes } from './peers.ts';
import { createPipeline } from './pipeline.ts';
import type { Problem, ProblemCode } from './problems.ts';
import { proofRoutes } from './proofs.ts';
import { questionRoutes } from './questions.ts';
import { callerOf, createRateLimit, type RateLimit } from './rate-limit.ts';
import type { Api, ApiDependencies, ApiLimits, ApiSettings } from './settings.ts';
import { sparqlRoutes, unansweredSparqlRoutes } from './sparql/routes.ts';
import { type TicketRoutes, ticketRoutes } from './tickets.ts';
import { refuseSocket, refuseUnreadable } from './unreadable.ts';
import { verifyRoutes } from './verify-page.ts';

/** The address could not be had; the message names the option that chooses another. */
class PortError extends Error {
  override readonly name = 'PortError';
  readonly code: 'PORT_IN_USE' | 'PORT_FORBIDDEN' | 'ADDRESS_NOT_AVAILABLE';

  constructor(code: PortError['code'], message: string, options: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The HTTP surface of a node: built, and not yet listening. */
export function createApi(dependencies: ApiDependencies): Api {
  const { settings, sparql } = dependencies;
  const { limits } = settings;
  const rateLimit = createRateLimit(limits.requestsPerSecond, limits.requestsBurst);
  const feed = new Feed(dependencies);
  const routes = apiRoutes(dependencies, (seeded) => feed.seeded(seeded));
  let isStopping = false;
  const app = createPipeline(dependencies, routes, rateLimit, () => isStopping);
  const server = httpServer(limits, app.callback());
  server.on('upgrade', upgrade(dependencies, feed, rateLimit));
  return {
    listen: async () => await listen(server, settings),
    close: async () => {
      isStopping = true;
      sparql?.close();
      await Promise.all([feed.close(), stop(server, limits.closeMsMax)]);
    },
  };
}

/** Everything that a node answers to. */
export function apiRoutes(
  dependencies: Omit<ApiDependencies, 'subscribe' | 'logger' | 'settings'> & {
    readonly settings: Pick<ApiSettings, 'devnet' | 'gate'>;
  },
  onSeeded: TicketRoutes['onSeeded'],
): readonly Route[] {
  const { reader, submit, operator, metrics, seed, settings, peers, graph, sparql } = dependencies;
  return [
    ...nodeRoutes(reader, metrics, graph),
    ...peerRoutes(peers),
    ...patternRoutes(graph),
    ...ticketProvenanceRoutes(graph),
    ...linkedDataRoutes(graph),
    ...chainRoutes({ reader, submit, devnet: settings.devnet }),
    ...ticketRoutes({
      reader,
      submit,
      operator,
      seed: settings.devnet ? seed : undefined,
      onSeeded,
      gate: GateId(settings.gate),
    }),
    ...(sparql === undefined ? unansweredSparqlRoutes(graph) : sparqlRoutes(sparql)),
    ...questionRoutes(sparql, graph.iriBase),
    ...proofRoutes(reader),
    ...verifyRoutes(),
  ];
}

function httpServer(limits: ApiLimits, listener: ReturnType<ReturnType<typeof createPipeline>['callback']>): Server {
  const options = {
    headersTimeout: limits.headersMsMax,
    requestTimeout: limits.requestMsMax,
    connectionsCheckingInterval: limits.connectionsCheckMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: API_HEADER_BYTES_MAX,
    // Answered by the first step of the pipeline, with a problem.
    requireHostHeader: false,
  };
  const server = createServer(options, (request, response) => void listener(request, response));
  server.maxConnections = limits.connectionsMax;
  server.maxHeadersCount = API_HEADERS_COUNT_MAX;
  server.timeout = limits.silenceMsMax;
  server.on('clientError', refuseUnreadable);
  return server;
}

function upgrade(
  { settings, logger }: ApiDependencies,
  feed: Feed,
  rateLimit: RateLimit,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const judge = (request: IncomingMessage, socket: Duplex, head: Buffer): Problem | undefined => {
    const host = checkHost(request.headers.host, settings);
    if (!host.ok) return host.error;
    const caller = callerOf(request.socket.remoteAddress ?? '');
    if (!rateLimit.take(caller, performance.now()).allowed) return { code: 'RATE_LIMITED', detail: 'try again in 1 s' };
    if (request.url?.split('?')[0] !== '/ws' || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      return { code: 'NO_SUCH_ROUTE', detail: 'only /ws can be upgraded, and only to a WebSocket' };
    }
    const origin = checkSocketOrigin(request.headers, settings);
    if (!origin.ok) return origin.error;
    const accepted = feed.accept(request, socket, head);
    return accepted.ok ? undefined : accepted.error;
  };
  return (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const problem = judge(request, socket, head);
    const code: ProblemCode | 'OPEN' = problem?.code ?? 'OPEN';
    logger.info({ path: request.url?.slice(0, 256), code, address: request.socket.remoteAddress }, 'websocket');
    if (problem !== undefined) refuseSocket(socket, problem);
  };
}

async function listen(server: Server, settings: ApiSettings): Promise<Awaited<ReturnType<Api['listen']>>> {
  const { host, port } = settings;
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(portError(error, settings));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const name = WILDCARDS.includes(host) ? 'localhost' : isIPv6(host) ? `[${host}]` : host;
  return { host, port: bound, url: `http://${name}:${bound}` };
}

function portError(error: NodeJS.ErrnoException, { host, port, portOption }: ApiSettings): Error {
  const cause = { cause: error };
  if (error.code === 'EADDRINUSE') {
    return new PortError('PORT_IN_USE', `port ${port} of ${host} is in use; choose another with ${portOption}`, cause);
  }
  if (error.code === 'EACCES') {
    return new PortError(
      'PORT_FORBIDDEN',
      `port ${port} needs rights; choose one above 1023 with ${portOption}`,
      cause,
    );
  }
  return new PortError('ADDRESS_NOT_AVAILABLE', `cannot listen on ${host}: ${error.message}; see ${portOption}`, cause);
}

/** Lets running requests end; what is still there after `graceMs` is cut off. */
async function stop(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearTimeout(cutOff);
}
