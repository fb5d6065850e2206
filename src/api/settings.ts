import {
  API_BURST_PER_ADDRESS,
  API_CLOSE_MS_MAX,
  API_CONNECTIONS_CHECK_MS,
  API_CONNECTIONS_MAX,
  API_HEADERS_MS_MAX,
  API_KEEP_ALIVE_MS,
  API_REQUEST_MS_MAX,
  API_REQUESTS_PER_ADDRESS_PER_SECOND,
  API_SILENCE_MS_MAX,
  FEED_BUFFER_BYTES_MAX,
  FEED_CONNECTIONS_MAX,
  FEED_PING_MS,
  FEED_STALL_MS_MAX,
} from '../model/http-limits.ts';
import type { Metrics } from '../node/metrics.ts';
import type { GraphAccess } from './graph/access.ts';
import type { Operator, PeerControl, Reader, Seed, Submit, Subscribe } from './ports.ts';
import type { SparqlService } from './sparql/ask.ts';

/** One line per call: what happened as fields, then the words. pino's loggers are one. */
export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What bounds a client; each has its default and its reason in `model/limits`. Milliseconds, bytes, counts. */
export interface ApiLimits {
  readonly headersMsMax: number;
  readonly requestMsMax: number;
  readonly connectionsCheckMs: number;
  readonly keepAliveMs: number;
  readonly silenceMsMax: number;
  readonly closeMsMax: number;
  readonly connectionsMax: number;
  readonly requestsPerSecond: number;
  readonly requestsBurst: number;
  readonly feedConnectionsMax: number;
  readonly feedBufferBytesMax: number;
  readonly feedStallMsMax: number;
  readonly feedPingMs: number;
}

export const API_LIMITS: ApiLimits = {
  headersMsMax: API_HEADERS_MS_MAX,
  requestMsMax: API_REQUEST_MS_MAX,
  connectionsCheckMs: API_CONNECTIONS_CHECK_MS,
  keepAliveMs: API_KEEP_ALIVE_MS,
  silenceMsMax: API_SILENCE_MS_MAX,
  closeMsMax: API_CLOSE_MS_MAX,
  connectionsMax: API_CONNECTIONS_MAX,
  requestsPerSecond: API_REQUESTS_PER_ADDRESS_PER_SECOND,
  requestsBurst: API_BURST_PER_ADDRESS,
  feedConnectionsMax: FEED_CONNECTIONS_MAX,
  feedBufferBytesMax: FEED_BUFFER_BYTES_MAX,
  feedStallMsMax: FEED_STALL_MS_MAX,
  feedPingMs: FEED_PING_MS,
};

export interface ApiSettings {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How the user names the port, for the error when it is taken: `[api] port`, `--base-port`. */
  readonly portOption: string;
  /** Names, without port, that a `Host` may have beside loopback's and `host` itself. */
  readonly hosts: readonly string[];
  /** Origins whose pages may call: `https://box.example`; none by default. */
  readonly origins: readonly string[];
  /** Without one, and not a devnet, the node signs nothing over HTTP. */
  readonly operatorToken: string | null;
  readonly devnet: boolean;
  /** The gate of a scan that names none, when the ticket has none assigned either. */
  readonly gate: string;
  readonly limits: ApiLimits;
}

export interface ApiDependencies {
  readonly reader: Reader;
  readonly submit: Submit;
  readonly peers: PeerControl;
  /** Absent on a node that has no organisation's key: it only reads, and passes on what clients signed. */
  readonly operator?: Operator;
  /** What the node knows as RDF. */
  readonly graph: GraphAccess;
  readonly subscribe: Subscribe;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Present on devnets only. */
  readonly seed?: Seed;
  /** Absent when queries are off: `/sparql` is no address then, or says that there is no graph. It is closed with the API. */
  readonly sparql?: SparqlService;
  readonly settings: ApiSettings;
}

/** The HTTP surface of one node. */
export interface Api {
  /** @throws PortError when the address cannot be had. */
  listen(): Promise<{ readonly host: string; readonly port: number; readonly url: string }>;
  /** Stops accepting, lets running requests end, and resolves within `closeMsMax`. */
  close(): Promise<void>;
}
