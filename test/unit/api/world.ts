import type { GraphAccess } from '../../../src/api/graph/access.ts';
import { createApi } from '../../../src/api/server.ts';
import { API_LIMITS, type Api, type ApiLimits, type ApiSettings } from '../../../src/api/settings.ts';
import type { SparqlService } from '../../../src/api/sparql/ask.ts';
import { createMetrics } from '../../../src/node/metrics.ts';
import { MemoryNode } from './memory-node.ts';

export const TOKEN = 'the-operator-token-of-these-tests';

export interface World {
  readonly node: MemoryNode;
  readonly api: Api;
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Lines that were logged. */
  readonly lines: Readonly<Record<string, unknown>>[];
  /** A request that is JSON unless it says otherwise, by the operator. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

export interface WorldOptions extends Partial<Omit<ApiSettings, 'limits'>> {
  readonly limits?: Partial<ApiLimits>;
  readonly hasOperator?: boolean;
  readonly sparql?: SparqlService;
  /** None is kept when absent. */
  readonly graph?: GraphAccess;
}

const NO_GRAPH: GraphAccess = {
  iriBase: 'http://localhost/id/',
  read: () => undefined,
  status: () => null,
  fresh: () => Promise.resolve(),
};

/** The real server on a free port of loopback, before a node in memory. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const { limits, hasOperator = true, sparql, graph = NO_GRAPH, ...settings } = options;
  const node = new MemoryNode();
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push({ ...fields, level, message });
  };
  const api = createApi({
    reader: node.reader,
    submit: node.submit,
    peers: node.peers,
    ...(hasOperator ? { operator: node.operator } : {}),
    subscribe: node.subscribe,
    graph,
    metrics: createMetrics(),
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    seed: node.seed,
    ...(sparql === undefined ? {} : { sparql }),
    settings: {
      host: '127.0.0.1',
      port: 0,
      portOption: '[api] port',
      hosts: [],
      origins: [],
      operatorToken: TOKEN,
      devnet: false,
      gate: 'main',
      ...settings,
      limits: { ...API_LIMITS, ...limits },
    },
  });
  const { host, port, url } = await api.listen();
  const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(url + path, init);
  const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    ask(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}`, ...headers },
    });
  return { node, api, url, host, port, lines, ask, post };
}

/** Waits for something to become true, as long as any test may take. */
export async function until(isTrue: () => boolean, deadlineMs = 10_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error('what was waited for did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The body of an answer, as loosely typed as tests need it. */
export async function jsonOf(response: Response) {
  return JSON.parse(await response.text());
}
