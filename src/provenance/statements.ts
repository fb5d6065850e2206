/** The statements of a submitter: a grammar of our own, so that no library's version decides what the chain takes. */
import { utf8 } from '../lib/bytes.ts';
import { compareCodePoints } from '../lib/code-points.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { STATEMENTS_BYTES_MAX, STATEMENTS_MAX } from '../model/graph-limits.ts';
import { iriFault } from './iri-form.ts';
import { datatypeFault, isLanguage, lexicalFault, PLAIN_CHARACTERS } from './literal-form.ts';
import { RDF_LANG_STRING, XSD_STRING } from './namespaces.ts';
import type { Iri, Term, Triple } from './terms.ts';

export type StatementCode =
  | 'EMPTY_GRAPH'
  | 'GRAPH_TOO_LARGE'
  | 'BAD_SYNTAX'
  | 'BLANK_NODE_NOT_ALLOWED'
  | 'TRIPLE_TERM_NOT_ALLOWED'
  | 'BASE_DIRECTION_NOT_ALLOWED'
  | 'RELATIVE_IRI'
  | 'BAD_IRI'
  | 'BAD_CHARACTER'
  | 'BAD_ESCAPE'
  | 'BAD_LANGUAGE'
  | 'BAD_DATATYPE'
  | 'BAD_LEXICAL_FORM'
  | 'NOT_SORTED'
  | 'DUPLICATE_STATEMENT';

/** Why statements are not taken, and where. */
export interface StatementFault {
  readonly code: StatementCode;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  readonly reason: string;
}

/** Ends the reading of a line. */
class LineSignal extends Error {
  readonly code: StatementCode;
  readonly at: number;

  constructor(code: StatementCode, at: number, reason: string) {
    super(reason);
    this.code = code;
    this.at = at;
  }
}

function refuse(code: StatementCode, at: number, reason: string): never {
  throw new LineSignal(code, at, reason);
}

interface Cursor {
  readonly line: string;
  at: number;
}

/**
 * Reads canonical N-Triples, taking exactly the bytes that `canonicalDocument` makes of what is read: each line ended
 * by a line feed, all in ascending order of code points. IRIs are absolute, blank nodes and all that came with RDF 1.2
 * are refused. Takes a time in proportion to the length of the text.
 */
export function parseStatements(text: string): Result<readonly Triple[], StatementFault> {
  const size = sizeFault(text);
  if (size !== undefined) return err({ line: 1, column: 1, ...size });
  const triples: Triple[] = [];
  let previous = '';
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const line = end === -1 ? text.slice(start) : text.slice(start, end);
    try {
      if (triples.length === STATEMENTS_MAX) refuse('GRAPH_TOO_LARGE', 0, `at most ${STATEMENTS_MAX} statements`);
      triples.push(readLine(line));
      if (end === -1) refuse('BAD_SYNTAX', line.length, 'the last line has no line feed');
      checkOrder(previous, line);
    } catch (error) {
      if (!(error instanceof LineSignal)) throw error;
      const column = [...line.slice(0, error.at)].length + 1;
      return err({ code: error.code, line: lineNumber(text, start), column, reason: error.message });
    }
    previous = line;
    start = end + 1;
  }
  return ok(triples);
}

function sizeFault(text: string): Pick<StatementFault, 'code' | 'reason'> | undefined {
  if (text === '') return { code: 'EMPTY_GRAPH', reason: 'there is no statement' };
  const isSmall = text.length <= STATEMENTS_BYTES_MAX && utf8(text).length <= STATEMENTS_BYTES_MAX;
  return isSmall ? undefined : { code: 'GRAPH_TOO_LARGE', reason: `at most ${STATEMENTS_BYTES_MAX} bytes` };
}

function lineNumber(text: string, start: number): number {
  return text.slice(0, start).split('\n').length;
}

function checkOrder(previous: string, line: string): void {
  if (line === previous) refuse('DUPLICATE_STATEMENT', 0, 'the statement stands there twice');
  if (compareCodePoints(previous, line) > 0) refuse('NOT_SORTED', 0, 'the lines are not in the order of code points');
}

function readLine(line: string): Triple {
  const cursor = { line, at: 0 };
  const subject = readIri(cursor, 'a subject');
  take(cursor, ' ', 'one space behind the subject');
  const predicate = readIri(cursor, 'a predicate');
  take(cursor, ' ', 'one space behind the predicate');
  const object = readObject(cursor);
  take(cursor, ' .', 'one space and a full stop behind the object');
  if (cursor.at < line.length) refuse('BAD_SYNTAX', cursor.at, 'something stands behind the full stop');
  return { subject, predicate, object };
}

function take(cursor: Cursor, wanted: string, what: string): void {
  if (!cursor.line.startsWith(wanted, cursor.at)) refuse('BAD_SYNTAX', cursor.at, `here stands ${what}`);
  cursor.at += wanted.length;
}

function readIri(cursor: Cursor, what: string): Iri {
  const { line, at } = cursor;
  if (line.startsWith('<<', at)) refuse('TRIPLE_TERM_NOT_ALLOWED', at, 'triples within triples are not taken');
  if (line.startsWith('_:', at)) refuse('BLANK_NODE_NOT_ALLOWED', at, 'give the node an IRI');
  if (line[at] !== '<') refuse('BAD_SYNTAX', at, `here stands ${what}: an IRI in angle brackets`);
  const end = line.indexOf('>', at);
  if (end === -1) refuse('BAD_SYNTAX', at, 'the IRI has no end');
  const iri = line.slice(at + 1, end);
  const fault = iriFault(iri);
  if (fault !== undefined) refuse(fault.code, at + 1 + fault.at, `the IRI ${fault.reason}`);
  cursor.at = end + 1;
  return iri;
}

function readObject(cursor: Cursor): Term {
  if (cursor.line[cursor.at] !== '"') return { kind: 'iri', value: readIri(cursor, 'an object') };
  const start = cursor.at;
  const value = readText(cursor);
  const next = cursor.line[cursor.at];
  if (next === '@') return { kind: 'literal', value, datatype: RDF_LANG_STRING, language: readLanguage(cursor) };
  if (next !== '^') return { kind: 'literal', value, datatype: XSD_STRING, language: '' };
  take(cursor, '^^', '^^ and a datatype');
  const datatypeAt = cursor.at;
  const datatype = readIri(cursor, 'a datatype');
  const fault = datatypeFault(datatype);
  if (fault !== undefined) refuse('BAD_DATATYPE', datatypeAt, fault);
  const wanted = lexicalFault(datatype, value);
  if (wanted !== undefined) refuse('BAD_LEXICAL_FORM', start, `a value of this datatype is ${wanted}`);
  return { kind: 'literal', value, datatype, language: '' };
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '"': '"', '\\': '\\' };

/** The text between two quotes. Escapes are those of `writeString`, of which the text may need only these five. */
function readText(cursor: Cursor): string {
  const { line } = cursor;
  let value = '';
  let at = cursor.at + 1;
  for (;;) {
    PLAIN_CHARACTERS.lastIndex = at;
    PLAIN_CHARACTERS.test(line);
    const end = PLAIN_CHARACTERS.lastIndex;
    value += line.slice(at, end);
    const stop = line[end];
    if (stop === '"') {
      cursor.at = end + 1;
      return value;
    }
    if (stop === undefined) refuse('BAD_SYNTAX', cursor.at, 'the text has no end');
    if (stop !== '\\') refuse('BAD_CHARACTER', end, 'a character that texts cannot have');
    const character = ESCAPES[line[end + 1] ?? ''];
    if (character === undefined) {
      refuse('BAD_ESCAPE', end, 'texts take \\t \\n \\r \\" and \\\\; all else is written as itself');
    }
    value += character;
    at = end + 2;
  }
}

const LANGUAGE_CHARACTERS = /[A-Za-z0-9-]*/y;

function readLanguage(cursor: Cursor): string {
  const start = cursor.at + 1;
  LANGUAGE_CHARACTERS.lastIndex = start;
  LANGUAGE_CHARACTERS.test(cursor.line);
  cursor.at = LANGUAGE_CHARACTERS.lastIndex;
  const tag = cursor.line.slice(start, cursor.at);
  const direction = tag.indexOf('--');
  if (direction !== -1) refuse('BASE_DIRECTION_NOT_ALLOWED', start + direction, 'base directions are not taken');
  if (!isLanguage(tag)) refuse('BAD_LANGUAGE', start, 'a language is written in lower case, as en or pt-br');
  return tag;
}
