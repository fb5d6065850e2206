import { fromUtf8 } from '../../lib/bytes.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { MIRROR_ANSWER_BYTES_MAX, MIRROR_PUTS_IN_FLIGHT_MAX, MIRROR_REQUEST_MS_MAX } from '../../model/graph-limits.ts';
import type { Iri } from '../../provenance/terms.ts';
import { type StoreFault, StoreRequests, type StoreResponse } from './request.ts';
import type { MirrorGraph } from './source.ts';

/** Named graphs in a store elsewhere. */
export interface MirrorStore {
  /** Has the store take all of these; after a fault some may be there. Doing it again changes nothing. */
  take(graphs: readonly MirrorGraph[]): Promise<Result<true, StoreFault>>;
  /** Whether the store has a triple in the graph. */
  has(graph: Iri): Promise<Result<boolean, StoreFault>>;
  /** Ends what is under way. */
  close(): void;
}

export interface GraphStoreOptions {
  /** Of the store by the SPARQL 1.1 Graph Store HTTP Protocol; `graph` is added to its query. */
  readonly url: string;
  readonly token: string | undefined;
  /** `graphs`: each by a PUT of its own; `quads`: all of some blocks by one POST of N-Quads, which not every store takes. */
  readonly by: 'graphs' | 'quads';
  readonly timeoutMs?: number;
}

const NQUADS = 'application/n-quads';
const NTRIPLES = 'application/n-triples';
/** What is told of the words of a store that refuses. */
const WORDS_CHARS_MAX = 200;

export function createGraphStore({
  url,
  token,
  by,
  timeoutMs = MIRROR_REQUEST_MS_MAX,
}: GraphStoreOptions): MirrorStore {
  const requests = new StoreRequests(token);
  const at = (graph: Iri): URL => {
    const target = new URL(url);
    target.searchParams.set('graph', graph);
    return target;
  };
  const bounds = { timeoutMs, bytesMax: MIRROR_ANSWER_BYTES_MAX };
  const write = async (method: 'PUT' | 'POST', target: URL, type: string, body: string) => {
    const sent = await requests.send({ url: target, method, headers: { 'content-type': type }, body, ...bounds });
    if (!sent.ok) return sent;
    return isDone(sent.value) ? ok<true>(true) : err(faultOf(sent.value));
  };
  const put = (one: MirrorGraph) => write('PUT', at(one.graph), NTRIPLES, triplesOf(one));
  const post = (all: readonly MirrorGraph[]) =>
    write('POST', new URL(url), NQUADS, all.map(({ document }) => document).join(''));
  return {
    take: (graphs) => {
      if (graphs.length === 0) return Promise.resolve(ok(true));
      return by === 'quads' ? post(graphs) : inTurns(graphs, put);
    },
    has: async (graph) => {
      const sent = await requests.send({ url: at(graph), method: 'GET', headers: { accept: NTRIPLES }, ...bounds });
      // So much is not nothing.
      if (!sent.ok) return sent.error.kind === 'too large' ? ok(true) : sent;
      if (sent.value.status === 404) return ok(false);
      // Some stores have every graph, and most of them are empty.
      return isDone(sent.value) ? ok(sent.value.bytes.includes(LESS_THAN)) : err(faultOf(sent.value));
    },
    close: () => requests.close(),
  };
}

/** The document without its name at the end of each line. */
function triplesOf({ graph, document }: MirrorGraph): string {
  const end = ` <${graph}> .\n`;
  return document
    .split(/(?<=\n)/)
    .map((line) => `${line.slice(0, -end.length)} .\n`)
    .join('');
}

/** Some at once; after the first fault no more. */
async function inTurns(
  graphs: readonly MirrorGraph[],
  put: (graph: MirrorGraph) => Promise<Result<true, StoreFault>>,
): Promise<Result<true, StoreFault>> {
  const waiting = graphs.values();
  let fault: StoreFault | undefined;
  const work = async (): Promise<void> => {
    for (const graph of waiting) {
      const taken = await put(graph);
      if (!taken.ok) fault ??= taken.error;
      if (fault !== undefined) return;
    }
  };
  await Promise.all(Array.from({ length: MIRROR_PUTS_IN_FLIGHT_MAX }, work));
  return fault === undefined ? ok(true) : err(fault);
}

/** No triple is without an IRI. */
const LESS_THAN = 0x3c;

function isDone({ status }: StoreResponse): boolean {
  return status >= 200 && status < 300;
}

/** The fault of a store that answers, and does not do what it is asked. */
export function faultOf({ status, bytes }: StoreResponse): StoreFault {
  const words = (fromUtf8(bytes) ?? '').replaceAll(/[^\x20-\x7e]+/g, ' ').trim();
  return {
    kind: 'status',
    reason: `it answers ${status}${words === '' ? '' : `: ${words.slice(0, WORDS_CHARS_MAX)}`}`,
  };
}
