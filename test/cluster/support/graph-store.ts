import { join } from 'node:path';
import oxigraph from 'oxigraph';
import { ROOT } from '../../../scripts/suites.mjs';
import { type Program, startProgram } from './program.ts';
import { until } from './until.ts';

/** The runnable jar of Apache Jena Fuseki: with it the tests of the mirror run against that server. */
const FUSEKI_JAR = process.env['COUNTERFOIL_FUSEKI_JAR'];

/** A server of graphs and queries as a process of its own, which keeps what it has confirmed. */
export class GraphServer {
  readonly kind = FUSEKI_JAR === undefined ? 'oxigraph' : 'fuseki';
  readonly #port: number;
  readonly #directory: string;
  #program: Program | undefined;

  constructor(port: number, directory: string) {
    this.#port = port;
    this.#directory = directory;
  }

  get dataUrl(): string {
    return `http://127.0.0.1:${this.#port}${this.kind === 'fuseki' ? '/ledger' : ''}/data`;
  }

  get queryUrl(): string {
    return `http://127.0.0.1:${this.#port}${this.kind === 'fuseki' ? '/ledger' : ''}/query`;
  }

  async start(): Promise<void> {
    this.#program =
      FUSEKI_JAR === undefined
        ? startProgram(process.execPath, [
            join(ROOT, 'test/cluster/support/graph-store.mjs'),
            String(this.#port),
            join(this.#directory, 'graphs.jsonl'),
          ])
        : startProgram('java', ['-Xmx512m', '-jar', FUSEKI_JAR, ...this.#fusekiOptions()]);
    await until(async () => (await fetch(`${this.queryUrl}?query=ASK%7B%7D`, ASKS)).ok, {
      what: 'the server of graphs',
      describe: () => this.#program?.output() ?? '',
    });
  }

  /** At once, as a power cut would. */
  async kill(): Promise<void> {
    this.#program?.child.kill('SIGKILL');
    await this.#program?.ended;
    this.#program = undefined;
  }

  /** Names of all graphs, ascending. */
  async graphs(): Promise<readonly string[]> {
    const query = 'SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }';
    const response = await fetch(this.queryUrl, { ...ASKS, method: 'POST', body: new URLSearchParams({ query }) });
    const { results } = JSON.parse(await response.text());
    return results.bindings.map(({ g }: { readonly g: { readonly value: string } }) => g.value).sort(byCode);
  }

  /** Everything, as lines of N-Quads in order. */
  async lines(): Promise<readonly string[]> {
    const store = new oxigraph.Store();
    for (const graph of await this.graphs()) {
      const response = await fetch(`${this.dataUrl}?graph=${encodeURIComponent(graph)}`, {
        headers: { accept: 'application/n-triples' },
      });
      const to_graph_name = oxigraph.namedNode(graph);
      store.load(await response.text(), { format: 'application/n-triples', to_graph_name });
    }
    return linesOf(store);
  }

  #fusekiOptions(): readonly string[] {
    const location = ['--tdb2', '--set', 'tdb2:unionDefaultGraph=true', `--loc=${this.#directory}`];
    return ['--localhost', `--port=${this.#port}`, ...location, '--update', '/ledger'];
  }
}

const ASKS = { headers: { accept: 'application/sparql-results+json' } };

/** The whole graph of a node, page by page, in the form of `GraphServer.lines`. */
export async function linesOfNode(url: string): Promise<readonly string[]> {
  const store = new oxigraph.Store();
  let path: string | undefined = '/api/v1/graph?limit=500';
  while (path !== undefined) {
    const response: Response = await fetch(`${url}${path}`, { headers: { accept: 'application/n-quads' } });
    if (!response.ok) throw new Error(await response.text());
    store.load(await response.text(), { format: 'application/n-quads' });
    path = /<([^>]*)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
  }
  return linesOf(store);
}

function linesOf(store: oxigraph.Store): readonly string[] {
  return store
    .dump({ format: 'application/n-quads' })
    .split('\n')
    .filter((line) => line !== '')
    .sort(byCode);
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : 1;
}
