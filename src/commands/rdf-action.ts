import { readFileSync } from 'node:fs';
import type { SparqlText } from '../client/http.ts';
import { fromUtf8 } from '../lib/bytes.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { readGivenFile } from './files.ts';
import { answerOf, connect } from './node-client.ts';
import type { NodeOptions } from './node-options.ts';
import { tableText } from './rdf-table.ts';

export interface QueryOptions extends NodeOptions {
  readonly format?: 'table' | 'json' | 'csv' | 'tsv';
}

/** What may be written short in a query that declares no prefix, and is written short in a table. */
const PREFIXES: Readonly<Record<string, string>> = {
  cf: 'https://w3id.org/counterfoil#',
  prov: 'http://www.w3.org/ns/prov#',
  schema: 'http://schema.org/',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
};

const JSON_ROWS = 'application/sparql-results+json';
const ACCEPT: Readonly<Record<NonNullable<QueryOptions['format']>, string>> = {
  table: `${JSON_ROWS}, text/turtle`,
  json: `${JSON_ROWS}, application/ld+json`,
  csv: 'text/csv, text/turtle',
  tsv: 'text/tab-separated-values, text/turtle',
};

/** @throws CommandError with the node's own sentence */
export async function queryGraph(invocation: Invocation, given: string, options: QueryOptions): Promise<void> {
  const { terminal } = invocation;
  const query = queryOf(given);
  const isPrefixed = !/\bPREFIX\b/i.test(query);
  const format = options.format ?? (terminal.isJson ? 'json' : 'table');
  const client = await connect(invocation, options);
  const sent = isPrefixed ? `${prologue()}\n${query}` : query;
  const answered = await client.sparql(sent, ACCEPT[format]);
  if (!answered.ok && isPrefixed) {
    // The node counts the line that was put in front.
    const detail = answered.error.detail.replace(/^line (\d+)/, (_, line) => `line ${Number(line) - 1}`);
    answerOf({ ...answered, error: { ...answered.error, detail } });
  }
  const { text, rows } = shown(answerOf(answered), format);
  terminal.data(text.replace(/\r?\n$/, ''));
  const height = answered.ok ? answered.value.height : 0;
  terminal.talk(`${rows === undefined ? 'the graph' : `${rows} row${rows === 1 ? '' : 's'}`} as of block ${height}`);
}

function queryOf(given: string): string {
  if (given !== '-' && /[\s{(]/.test(given)) return given;
  const bytes = given === '-' ? new Uint8Array(readFileSync(0)) : readGivenFile(given);
  const text = fromUtf8(bytes);
  if (text === undefined) throw new CommandError('USAGE', `${given} is not text in UTF-8.`);
  return text;
}

function prologue(): string {
  return Object.entries(PREFIXES)
    .map(([name, iri]) => `PREFIX ${name}: <${iri}>`)
    .join(' ');
}

function shown(
  { text, mediaType }: SparqlText,
  format: QueryOptions['format'],
): { readonly text: string; readonly rows: number | undefined } {
  if (format !== 'table' || mediaType !== JSON_ROWS) return { text, rows: undefined };
  const table = tableText(text, PREFIXES);
  if (table !== undefined) return table;
  throw new CommandError('UNREACHABLE', 'The answer is not JSON of a query: is this the address of a node?');
}
