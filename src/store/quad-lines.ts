import { err, ok, type Result } from '../lib/result.ts';
import { RDF_LANG_STRING, XSD_STRING } from '../provenance/namespaces.ts';
import type { Term } from '../provenance/terms.ts';

/**
 * A term as canonical N-Quads, and `writeTerm`, have it: `<http://example.org/a>`, `"text"`, `"1"^^<...integer>`, `"hallo"@de`. Two terms
 * are the same exactly when their tokens are.
 */
export type Token = string;

/** Called for each line, in order. */
export type LineVisitor = (subject: Token, predicate: Token, object: Token, graph: Token) => void;

export interface LineFault {
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

const IRI = '<[^\\x00-\\x20<>"{}|^`\\\\]+>';
/** RDFC-1.0 §5: a short escape where there is one, `\u` for other controls and non-characters, everything else as it is. */
const ESCAPE = '\\\\(?:[btnfr"\\\\]|u(?:000[0-7BEF]|001[0-9A-F]|007F|FFF[EF]))';
const PLAIN = '[^"\\\\\\x00-\\x1f\\x7f\\ufffe\\uffff]*';
const TEXT = `"${PLAIN}(?:${ESCAPE}${PLAIN})*"`;
/** xsd:string is what a literal has that names none; a language has its own datatype. */
const LITERAL = `${TEXT}(?:\\^\\^(?!<${XSD_STRING}>|<${RDF_LANG_STRING}>)${IRI}|@[a-z]{1,8}(?:-[a-z0-9]{1,8})*)?`;
const LINE = new RegExp(`(${IRI}) (${IRI}) (${IRI}|${LITERAL}) (${IRI}) \\.\\n`, 'y');
/** With the flag, a pair of them is one character, and none. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Reads a document of canonical N-Quads: lines without blank nodes, comments or spare spaces, each with a graph and each
 * ended. The order of the lines is not looked at.
 *
 * @returns how many lines there were
 */
export function readLines(document: string, visit: LineVisitor): Result<number, LineFault> {
  if (LONE_SURROGATE.test(document)) return err({ line: 1, reason: 'a half of a character, somewhere' });
  let lines = 0;
  let at = 0;
  while (at < document.length) {
    LINE.lastIndex = at;
    const match = LINE.exec(document);
    lines += 1;
    if (match === null) {
      const end = document.indexOf('\n', at);
      const line = document.slice(at, Math.min(end < 0 ? document.length : end, at + 200));
      return err({ line: lines, reason: `not a canonical line: ${line}` });
    }
    const [, subject = '', predicate = '', object = '', graph = ''] = match;
    visit(subject, predicate, object, graph);
    at = LINE.lastIndex;
  }
  return ok(lines);
}

export function iriToken(iri: string): Token {
  return `<${iri}>`;
}

const BY_SEQUENCE: ReadonlyMap<string, string> = new Map([
  ['\\b', '\b'],
  ['\\t', '\t'],
  ['\\n', '\n'],
  ['\\f', '\f'],
  ['\\r', '\r'],
  ['\\"', '"'],
  ['\\\\', '\\'],
]);
const ESCAPES = /\\(?:u[0-9A-F]{4}|.)/g;

/** The term of a canonical token. */
export function termOf(token: Token): Term {
  if (token.startsWith('<')) return { kind: 'iri', value: iriOf(token) };
  const end = token.lastIndexOf('"');
  const value = token.slice(1, end).replace(ESCAPES, plainOf);
  const rest = token.slice(end + 1);
  if (rest === '') return { kind: 'literal', value, datatype: XSD_STRING, language: '' };
  if (rest.startsWith('@')) return { kind: 'literal', value, datatype: RDF_LANG_STRING, language: rest.slice(1) };
  return { kind: 'literal', value, datatype: rest.slice(3, -1), language: '' };
}

export function iriOf(token: Token): string {
  return token.slice(1, -1);
}

function plainOf(sequence: string): string {
  return BY_SEQUENCE.get(sequence) ?? String.fromCharCode(Number.parseInt(sequence.slice(2), 16));
}
