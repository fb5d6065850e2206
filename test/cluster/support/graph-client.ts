import type { BlockAnswer } from '../../../src/client/answers.ts';
import { concat, utf8 } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/model/hash.ts';
import { merkleRoot } from '../../../src/model/merkle.ts';
import { askQuestion, QUESTIONS } from '../../../src/provenance/questions.ts';
import { statusOf } from './cluster.ts';
import type { NodeProcess } from './node-process.ts';
import { until } from './until.ts';

export const IRI_BASE = 'http://localhost/id/';
const PAGE = 500;
const TIMEOUT_MS = 20_000;

type Asked = Pick<NodeProcess, 'name' | 'url'>;

/** What a node answers, redirects as they are. */
export async function ask({ url }: Pick<Asked, 'url'>, path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(`${url}${path}`, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
}

/** The same in one form of RDF, or another. @throws with what was answered when that is none */
export async function textAs(node: Asked, path: string, accept: string): Promise<string> {
  const response = await ask(node, path, { headers: { accept } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${node.name} answers ${path} with ${response.status} ${text}`);
  return text;
}

/** Where an answer says that the next page is. */
export function nextOf(response: Response): string | undefined {
  return /^<([^>]*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
}

/** Lines of N-Quads of a whole pattern or ticket, page by page, as they come. */
export async function linesOf(node: Asked, first: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let path: string | undefined = first; path !== undefined; ) {
    const response = await ask(node, path, { headers: { accept: 'application/n-quads' } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${node.name} answers ${path} with ${response.status} ${text}`);
    lines.push(...text.split(/(?<=\n)/));
    path = nextOf(response);
  }
  return lines;
}

/** Every line of a node's graph, in order. */
export async function wholeGraphOf(node: Asked): Promise<readonly string[]> {
  return [...(await linesOf(node, `/api/v1/graph?limit=${PAGE}`))].sort();
}

/** The document of one graph as a node gives it; empty when there is none. */
export async function documentOf(node: Asked, graph: string, limit: number = PAGE): Promise<string> {
  const lines = await linesOf(node, `/api/v1/graph?limit=${limit}&graph=${encodeURIComponent(graph)}`);
  // A page is in order, and pages follow each other as the graph was written.
  return lines.toSorted().join('');
}

/** Whether the documents that a node gives of a block's transactions are those that its header commits to. */
export async function graphRootOf(node: Asked, { transactions }: BlockAnswer): Promise<string> {
  const leaves: Uint8Array[] = [];
  for (const { id } of transactions) {
    const described = await documentOf(node, `${IRI_BASE}tx/${id}`);
    const stated = await documentOf(node, `${IRI_BASE}tx/${id}#stated`);
    leaves.push(concat(sha256(utf8(described)), stated === '' ? new Uint8Array(32) : sha256(utf8(stated))));
  }
  return merkleRoot(leaves);
}

/** Waits until a node's index has everything that is final there. */
export async function indexed(node: NodeProcess): Promise<void> {
  await until(async () => (await statusOf(node)).provenance_lag_blocks === 0, {
    what: `the index of ${node.name} to have everything`,
    describe: () => node.logTail(),
  });
}

/** What two nodes with one chain may tell differently: whose signatures of a block each of them keeps. */
export function isOfFinalization(line: string): boolean {
  return line.startsWith(`<${IRI_BASE}block/`) && /#finalization> /.test(line);
}

/** Asks a query by GET. */
export async function askSparql(node: Pick<Asked, 'url'>, query: string, accept: string): Promise<Response> {
  return await ask(node, `/sparql?query=${encodeURIComponent(query)}`, { headers: { accept } });
}

/** Rows that a node answers to a question, as texts by its columns; empty where a row has no value. */
export async function rowsOver(
  node: Pick<Asked, 'url'>,
  name: string,
  parameters: Readonly<Record<string, string>>,
): Promise<readonly (readonly string[])[]> {
  const text = askQuestion(name, parameters, IRI_BASE);
  if (!text.ok) throw new Error(`${text.error.code}: ${text.error.name} ${text.error.reason}`);
  const response = await askSparql(node, text.value, 'application/sparql-results+json');
  const body = await response.text();
  if (!response.ok) throw new Error(`${name} is answered ${response.status} ${body}`);
  const { results }: SparqlRows = JSON.parse(body);
  const columns = QUESTIONS.find((question) => question.name === name)?.columns ?? [];
  return results.bindings.map((row) => columns.map((column) => row[column]?.value ?? ''));
}

interface SparqlRows {
  readonly results: { readonly bindings: readonly Readonly<Record<string, { readonly value: string }>>[] };
}
