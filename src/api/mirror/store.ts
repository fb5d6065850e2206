import { fromUtf8 } from '../../lib/bytes.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { MIRROR_ANSWER_BYTES_MAX, MIRROR_REQUEST_MS_MAX } from '../../model/graph-limits.ts';
import type { Iri } from '../../provenance/terms.ts';
import { type StoreFault, StoreRequests, type StoreResponse } from './request.ts';

/** Named graphs in a store elsewhere. */
export interface MirrorStore {
  /** Makes the graph what the text says, whatever it was. @param ntriples lines, each ended */
  put(graph: Iri, ntriples: string): Promise<Result<true, StoreFault>>;
  /** Whether the store has a triple in the graph. */
  has(graph: Iri): Promise<Result<boolean, StoreFault>>;
  /** Ends what is under way. */
  close(): void;
}

export interface GraphStoreOptions {
  /** Of the store by the SPARQL 1.1 Graph Store HTTP Protocol; `graph` is added to its query. */
  readonly url: string;
  readonly token: string | undefined;
  readonly timeoutMs?: number;
}

const NTRIPLES = 'application/n-triples';
/** What is told of the words of a store that refuses. */
const WORDS_CHARS_MAX = 200;

export function createGraphStore({ url, token, timeoutMs = MIRROR_REQUEST_MS_MAX }: GraphStoreOptions): MirrorStore {
  const requests = new StoreRequests(token);
  const at = (graph: Iri): URL => {
    const target = new URL(url);
    target.searchParams.set('graph', graph);
    return target;
  };
  const bounds = { timeoutMs, bytesMax: MIRROR_ANSWER_BYTES_MAX };
  return {
    put: async (graph, ntriples) => {
      const headers = { 'content-type': NTRIPLES };
      const sent = await requests.send({ url: at(graph), method: 'PUT', headers, body: ntriples, ...bounds });
      if (!sent.ok) return sent;
      return isDone(sent.value) ? ok(true) : err(faultOf(sent.value));
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
