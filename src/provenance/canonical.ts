import { sortedByCodePoint } from '../lib/code-points.ts';
import { XSD_STRING } from './namespaces.ts';
import type { Quad, Term, Triple } from './terms.ts';

// Appendix A of RDFC-1.0: the short escapes where there are some, then every other control character of ASCII and
// what XML 1.1 has no character for. Everything else stands for itself.
const ESCAPED = /[^ !#-[\]-~\u0080-\ufffd]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

function escaped(character: string): string {
  return SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** A text in quotes, as N-Quads and Turtle both have it. */
export function writeString(value: string): string {
  return `"${value.replace(ESCAPED, escaped)}"`;
}

/** A term in the canonical form of N-Quads (RDFC-1.0). IRIs are taken to be absolute and without what IRIs cannot have. */
export function writeTerm(term: Term): string {
  if (term.kind === 'iri') return `<${term.value}>`;
  const text = writeString(term.value);
  if (term.language !== '') return `${text}@${term.language}`;
  return term.datatype === XSD_STRING ? text : `${text}^^<${term.datatype}>`;
}

/** One line of canonical N-Triples, without the line feed that ends it. */
export function writeTriple({ subject, predicate, object }: Triple): string {
  return `<${subject}> <${predicate}> ${writeTerm(object)} .`;
}

/** One line of canonical N-Quads, without the line feed that ends it. */
export function writeQuad({ subject, predicate, object, graph }: Quad): string {
  return `<${subject}> <${predicate}> ${writeTerm(object)} <${graph}> .`;
}

/** Lines as the one document that is hashed: by code point, each once, each with its line feed; empty when there are none. */
export function canonicalDocument(lines: readonly string[]): string {
  const sorted = sortedByCodePoint(new Set(lines));
  return sorted.length === 0 ? '' : `${sorted.join('\n')}\n`;
}
