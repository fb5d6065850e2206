import { readFileSync } from 'node:fs';
import type { Answered } from '../client/call.ts';
import type { GraphText } from '../client/http.ts';
import { fromUtf8 } from '../lib/bytes.ts';
import type { Question } from '../provenance/question.ts';
import { QUESTIONS } from '../provenance/questions.ts';
import { NAMESPACES } from '../provenance/vocabulary.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { readGivenFile } from './files.ts';
import { answerOf, connect } from './node-client.ts';
import type { NodeOptions } from './node-options.ts';
import { tableText } from './rdf-table.ts';

export interface QueryOptions extends NodeOptions {
  readonly format?: Format;
}

/** The parameters of all questions, by their names. */
export interface AskOptions extends QueryOptions {
  readonly ticket?: string;
  readonly at?: string;
  readonly from?: string;
  readonly until?: string;
}

type Format = 'table' | 'json' | 'csv' | 'tsv';

/** What may be written short in a query that declares no prefix, and is written short in a table. */
const PREFIXES: Readonly<Record<string, string>> = {
  ...NAMESPACES,
  rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
};

const JSON_ROWS = 'application/sparql-results+json';
const ACCEPT: Readonly<Record<Format, string>> = {
  table: `${JSON_ROWS}, text/turtle`,
  json: `${JSON_ROWS}, application/ld+json`,
  csv: 'text/csv, text/turtle',
  tsv: 'text/tab-separated-values, text/turtle',
};

/** @throws CommandError with the node's own sentence */
export async function queryGraph(invocation: Invocation, given: string, options: QueryOptions): Promise<void> {
  const query = queryOf(given);
  const isPrefixed = !/\bPREFIX\b/i.test(query);
  const format = formatOf(invocation, options);
  const client = await connect(invocation, options);
  const sent = isPrefixed ? `${prologue()}\n${query}` : query;
  const answered = await client.sparql(sent, ACCEPT[format]);
  if (!answered.ok && isPrefixed) {
    // The node counts the line that was put in front.
    const detail = answered.error.detail.replace(/^line (\d+)/, (_, line) => `line ${Number(line) - 1}`);
    answerOf({ ...answered, error: { ...answered.error, detail } });
  }
  print(invocation, format, answered);
}

/** Asks a question that has a name. @throws CommandError with the node's own sentence */
export async function askNamed(invocation: Invocation, name: string, options: AskOptions): Promise<void> {
  const { ticket, at, from, until } = options;
  const format = formatOf(invocation, options);
  const client = await connect(invocation, options);
  print(invocation, format, await client.question(name, { ticket, at, from, until }, ACCEPT[format]));
}

/** Says which questions have names; asks no node. */
export function listQuestions({ terminal }: Invocation): void {
  for (const { sparql: _, ...question } of QUESTIONS) terminal.result(question, () => questionText(question));
}

function questionText({ name, title, purpose, parameters }: Omit<Question, 'sparql'>): string {
  const taken = parameters.map((parameter) => ` --${parameter.name} <${parameter.kind}>`).join('');
  return `${name}${taken}\n  ${title}\n  ${purpose}\n`;
}

function formatOf({ terminal }: Invocation, { format }: QueryOptions): Format {
  return format ?? (terminal.isJson ? 'json' : 'table');
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

function print({ terminal }: Invocation, format: Format, answered: Answered<GraphText>): void {
  const answer = answerOf(answered);
  const { text, rows } = shown(answer, format);
  terminal.data(text.replace(/\r?\n$/, ''));
  const what = rows === undefined ? 'the graph' : `${rows} row${rows === 1 ? '' : 's'}`;
  terminal.talk(`${what} as of block ${answer.height}`);
}

function shown(
  { text, mediaType }: GraphText,
  format: Format,
): { readonly text: string; readonly rows: number | undefined } {
  if (format !== 'table' || mediaType !== JSON_ROWS) return { text, rows: undefined };
  const table = tableText(text, PREFIXES);
  if (table !== undefined) return table;
  throw new CommandError('UNREACHABLE', 'The answer is not JSON of a query: is this the address of a node?');
}
