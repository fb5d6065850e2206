// A store of graphs over HTTP: the Graph Store HTTP Protocol at /data, queries at /query. What it has confirmed is in a
// file, so it can be killed.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import oxigraph from 'oxigraph';

const [port, path] = process.argv.slice(2);
const store = new oxigraph.Store();
const NTRIPLES = 'application/n-triples';

/** @param {string} graph '' for quads, which are added @param {string} ntriples */
function replace(graph, ntriples) {
  if (graph === '') return store.load(ntriples, { format: 'application/n-quads' });
  const name = oxigraph.namedNode(graph);
  // First beside the store: what it cannot read leaves it as it was.
  new oxigraph.Store().load(ntriples, { format: NTRIPLES });
  store.update(`DROP SILENT GRAPH <${graph}>`);
  store.load(ntriples, { format: NTRIPLES, to_graph_name: name });
}

if (existsSync(path)) {
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  // A line that a kill has cut was never confirmed.
  truncateSync(path, Buffer.byteLength(whole));
  for (const line of whole.split('\n').filter((one) => one !== '')) {
    const [graph, ntriples] = JSON.parse(line);
    replace(graph, ntriples);
  }
}
const file = openSync(path, 'a');

/** @param {string} graph @param {string} ntriples */
function keep(graph, ntriples) {
  replace(graph, ntriples);
  writeSync(file, `${JSON.stringify([graph, ntriples])}\n`);
  fsyncSync(file);
}

/** @param {URLSearchParams} form */
function ask(form, /** @type {string} */ accept) {
  const graphs = form.getAll('default-graph-uri').map((iri) => oxigraph.namedNode(iri));
  const dataset = graphs.length === 0 ? { use_default_graph_as_union: true } : { default_graph: graphs };
  return String(store.query(form.get('query') ?? '', { results_format: accept, ...dataset }));
}

/** @returns {[number, string, string]} */
function answer(
  /** @type {string} */ method,
  /** @type {URL} */ url,
  /** @type {string} */ body,
  /** @type {string} */ accept,
) {
  if (url.pathname === '/query')
    return [200, accept, ask(new URLSearchParams(method === 'GET' ? url.search : body), accept)];
  const graph = url.searchParams.get('graph');
  if (url.pathname === '/data' && graph === null && method === 'POST') {
    keep('', body);
    return [204, 'text/plain', ''];
  }
  if (url.pathname !== '/data' || graph === null) return [404, 'text/plain', 'no such address'];
  if (method === 'PUT') {
    keep(graph, body);
    return [204, 'text/plain', ''];
  }
  const found = store.dump({ format: NTRIPLES, from_graph_name: oxigraph.namedNode(graph) });
  return found === '' ? [404, 'text/plain', 'no such graph'] : [200, NTRIPLES, found];
}

const server = createServer(async (request, response) => {
  /** @type {Buffer[]} */
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const url = new URL(request.url ?? '/', 'http://localhost');
  const body = Buffer.concat(pieces).toString('utf8');
  try {
    const [status, mediaType, text] = answer(request.method ?? '', url, body, request.headers.accept ?? '');
    response.writeHead(status, { 'content-type': mediaType }).end(text);
  } catch (error) {
    response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
  }
});
process.once('exit', () => closeSync(file));
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
