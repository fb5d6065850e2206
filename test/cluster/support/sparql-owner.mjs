// A node's part in the life of an engine: it starts one, gives it something to do, and is killed.
import { createSparqlService } from '../../../dist/api/sparql/service.js';

const silent = () => undefined;
const quads = Array.from({ length: 20_000 }, (_, i) => `<http://a/${i}> <http://p> "${i}" <http://g> .\n`).join('');
const service = createSparqlService({
  source: {
    indexedTo: () => 0,
    dump: async function* () {
      yield quads;
    },
    blocksSince: async function* () {
      yield* [];
    },
  },
  logger: { debug: silent, info: silent, warn: silent, error: silent },
  metrics: { queryAsked: silent, queryEngineKilled: silent },
  mode: 'lazy',
  deadlineMs: 60_000,
  memoryBytes: 1_073_741_824,
  idleMs: 60_000,
});

/** @param {string} query */
function ask(query) {
  const format = { mediaType: 'text/csv', engine: 'text/csv' };
  return service.ask({
    query,
    defaultGraphs: [],
    namedGraphs: [],
    rowFormat: format,
    graphFormat: undefined,
    caller: '',
  });
}

await ask('ASK {}');
const hashes = `${'SHA512('.repeat(28)}STR(?s)${')'.repeat(28)}`;
const long = ask(
  `SELECT (MAX(${hashes}) AS ?x) { { ?s ?p ?o } UNION { ?s ?p ?o } UNION { ?s ?p ?o } UNION { ?s ?p ?o } }`,
);
process.send?.(service.pid);
await long;
