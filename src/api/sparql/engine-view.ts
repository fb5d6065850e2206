import oxigraph from 'oxigraph';
import { utf8 } from '../../lib/bytes.ts';
import { QUERY_ANSWER_PIECE_BYTES, QUERY_PREDICATES_MAX, QUERY_ROWS_MAX } from '../../model/graph-limits.ts';
import { sizeFault } from './answer-size.ts';
import type { EngineQuery, EngineRefusal, FromEngine, ToEngine } from './engine-wire.ts';
import { judgeQuery } from './gate.ts';
import { STATISTICS_QUERY, statisticsOf } from './statistics.ts';

/** The graph in the engine's memory. */
interface View {
  /** Does what the node asks and tells the outcome; false when nothing more can be asked of it. */
  take(message: ToEngine): boolean;
}

export function createView(tell: (message: FromEngine) => void): View {
  const store = new oxigraph.Store();
  const done = (message: ToEngine): FromEngine => {
    switch (message.kind) {
      case 'load':
        // Our own lines: they were checked before they were indexed.
        store.load(message.nquads, { format: 'application/n-quads', no_transaction: true, lenient: true });
        return { kind: 'loaded', quads: store.size };
      case 'count':
        return { kind: 'counted', statistics: statisticsOf(count(store), store.size, QUERY_PREDICATES_MAX) };
      case 'query':
        return answer(store, message, tell);
    }
  };
  return {
    take: (message) => {
      try {
        tell(done(message));
        return true;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        tell({ kind: 'broken', reason, memoryBytes: process.memoryUsage.rss() });
        return false;
      }
    },
  };
}

function count(store: oxigraph.Store): string {
  return String(store.query(STATISTICS_QUERY, { results_format: 'text/csv', use_default_graph_as_union: true }));
}

function refusal(code: EngineRefusal['code'], detail: string): EngineRefusal {
  return { kind: 'refused', code, detail };
}

/** The last word on a query, after the pieces of its answer. */
function answer(store: oxigraph.Store, query: EngineQuery, tell: (message: FromEngine) => void): FromEngine {
  const judged = judgeQuery(query.query, { ...query.statistics, quads: store.size });
  if (!judged.ok) return { kind: 'refused', ...judged.error };
  const { form, hasDataset, takesLimit } = judged.value;
  const isGraph = form === 'CONSTRUCT' || form === 'DESCRIBE';
  const format = isGraph ? query.graphFormat : query.rowFormat;
  if (format === null) return refusal('NOT_ACCEPTABLE', form);
  const result = run(store, takesLimit ? `${query.query}\nLIMIT ${QUERY_ROWS_MAX + 1}` : query.query, {
    results_format: format,
    ...datasetOf(query, hasDataset),
  });
  if (typeof result !== 'string') return result;
  const fault = sizeFault(result, form === 'SELECT' ? format : null);
  if (fault !== undefined) return refusal('QUERY_TOO_EXPENSIVE', fault);
  const bytes = utf8(result);
  for (let at = 0; at < bytes.length; at += QUERY_ANSWER_PIECE_BYTES) {
    tell({ kind: 'piece', bytes: bytes.slice(at, at + QUERY_ANSWER_PIECE_BYTES) });
  }
  return { kind: 'answered', isGraph };
}

type QueryOptions = NonNullable<Parameters<oxigraph.Store['query']>[1]>;

/** What the request names goes before what the query names; else the default graph is the union of all. */
function datasetOf({ defaultGraphs, namedGraphs }: EngineQuery, hasDataset: boolean): QueryOptions {
  if (defaultGraphs.length + namedGraphs.length === 0) return hasDataset ? {} : { use_default_graph_as_union: true };
  const nodes = (iris: readonly string[]) => iris.map((iri) => oxigraph.namedNode(iri));
  return {
    named_graphs: nodes(namedGraphs),
    // An engine without a default graph to look at looks at its own, which is empty: every quad has a name.
    ...(defaultGraphs.length === 0 ? {} : { default_graph: nodes(defaultGraphs) }),
  };
}

const ENGINE_PLACE = /error at (\d+):(\d+)/;

/** A trap of WebAssembly, and a stack that ended. */
const FATAL = ['RuntimeError', 'RangeError'];

/** @throws what the engine does not come back from: it has run out of memory or stack, and holds half a thought */
function run(store: oxigraph.Store, text: string, options: QueryOptions): string | EngineRefusal {
  try {
    return String(store.query(text, options));
  } catch (error) {
    if (!(error instanceof Error) || FATAL.includes(error.name)) throw error;
    const [, line, column] = ENGINE_PLACE.exec(error.message) ?? [];
    const place = line === undefined ? {} : { place: { line: Number(line), column: Number(column) } };
    return { kind: 'refused', code: 'BAD_QUERY', detail: error.message.slice(0, 300), ...place };
  }
}
