import { fromUtf8, utf8 } from '../../lib/bytes.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { STATEMENTS_BYTES_MAX, STATEMENTS_MAX, STATEMENTS_SOURCE_BYTES_MAX } from '../../model/graph-limits.ts';
import { canonicalDocument, writeTriple } from '../../provenance/canonical.ts';
import { iriFault } from '../../provenance/iri-form.ts';
import { datatypeFault, isLanguage } from '../../provenance/literal-form.ts';
import { XSD_STRING } from '../../provenance/namespaces.ts';
import { parseStatements, type StatementCode } from '../../provenance/statements.ts';
import type { Iri } from '../../provenance/terms.ts';
import { canonicalLiteral } from './literals.ts';
import { RDF_MEDIA_TYPES } from './media-types.ts';
import { readTokens, type SyntaxTrouble, type Token } from './n3.ts';

export type SourceCode =
  | StatementCode
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'BAD_ENCODING'
  | 'VERSION_NOT_ALLOWED'
  | 'NAMED_GRAPH_NOT_ALLOWED';

/** Why a document makes no statements, and where. */
export interface SourceFault {
  readonly code: SourceCode;
  /** From 1; null when the fault is the whole document's. */
  readonly line: number | null;
  /** From 1, in characters; null as well then. */
  readonly column: number | null;
  readonly detail: string;
}

/** Ends the reading at a token. */
class SourceSignal extends Error {
  readonly code: SourceCode;
  readonly token: Token | undefined;

  constructor(code: SourceCode, token: Token | undefined, detail: string) {
    super(detail);
    this.code = code;
    this.token = token;
  }
}

const RDF_1_2 = {
  code: 'TRIPLE_TERM_NOT_ALLOWED',
  detail: 'statements about statements (RDF 1.2) are not taken',
} as const;
const VERSION = {
  code: 'VERSION_NOT_ALLOWED',
  detail: 'no version is announced here: statements are RDF 1.1',
} as const;
const GRAPH = {
  code: 'NAMED_GRAPH_NOT_ALLOWED',
  detail: 'statements have no graph: the ledger gives them theirs',
} as const;
const BLANK = { code: 'BLANK_NODE_NOT_ALLOWED', detail: 'blank nodes are not taken: give the node an IRI' } as const;

/** What no token may be. */
const FORBIDDEN: Readonly<Record<string, { readonly code: SourceCode; readonly detail: string }>> = {
  '<<': RDF_1_2,
  '<<(': RDF_1_2,
  '>>': RDF_1_2,
  ')>>': RDF_1_2,
  '~': RDF_1_2,
  '{|': RDF_1_2,
  '|}': RDF_1_2,
  VERSION,
  '@version': VERSION,
  '{': GRAPH,
  GRAPH,
  blank: BLANK,
  '[': BLANK,
  dircode: { code: 'BASE_DIRECTION_NOT_ALLOWED', detail: 'base directions (RDF 1.2) are not taken' },
};

/**
 * Makes the statements of a transaction from Turtle or N-Triples: canonical N-Triples, as `parseStatements` takes them.
 * Texts become NFC, languages lower case, and values the one form of their datatype. Whatever cannot be kept is refused.
 *
 * @param contentType as the header has it; a charset must be UTF-8
 * @param base what relative IRIs of Turtle are resolved against; without one, and without `@base`, they are refused
 */
export function readTurtle(bytes: Uint8Array, contentType: string, base?: Iri): Result<string, SourceFault> {
  const format = sourceFormat(contentType);
  if (!format.ok) return format;
  if (bytes.length > STATEMENTS_SOURCE_BYTES_MAX) {
    return whole('GRAPH_TOO_LARGE', `at most ${STATEMENTS_SOURCE_BYTES_MAX} bytes are read`);
  }
  const text = fromUtf8(bytes);
  if (text === undefined) return whole('BAD_ENCODING', 'the document is not UTF-8; encode it as UTF-8');
  const lines: string[] = [];
  try {
    const trouble = readTokens(text, { format: format.value, base }, observer(lines, format.value));
    if (trouble !== undefined) return err(syntaxFault(text, trouble));
  } catch (error) {
    if (!(error instanceof SourceSignal)) throw error;
    const { code, token, message } = error;
    return token === undefined ? whole(code, message) : err({ code, ...placeOf(text, token), detail: message });
  }
  return finished(canonicalDocument(lines));
}

/** The chain's own reader has the last word, so that nobody signs what is then refused. */
function finished(document: string): Result<string, SourceFault> {
  if (utf8(document).length > STATEMENTS_BYTES_MAX) {
    return whole('GRAPH_TOO_LARGE', `at most ${STATEMENTS_BYTES_MAX} bytes in canonical N-Triples`);
  }
  const read = parseStatements(document);
  return read.ok ? ok(document) : whole(read.error.code, read.error.reason);
}

function whole(code: SourceCode, detail: string): Result<never, SourceFault> {
  return err({ code, line: null, column: null, detail });
}

function sourceFormat(contentType: string): Result<string, SourceFault> {
  const [mediaType = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const { turtle, trig } = RDF_MEDIA_TYPES;
  const taken = `${turtle} and ${RDF_MEDIA_TYPES['n-triples']} are taken here`;
  if (mediaType === trig || mediaType === RDF_MEDIA_TYPES['n-quads']) {
    return whole('UNSUPPORTED_MEDIA_TYPE', `statements have no graphs, for which ${mediaType} is; ${taken}`);
  }
  if (mediaType !== turtle && mediaType !== RDF_MEDIA_TYPES['n-triples']) {
    return whole('UNSUPPORTED_MEDIA_TYPE', taken);
  }
  for (const parameter of parameters) {
    const [, name, value] = /^(charset|version)="?([^"]*)"?$/.exec(parameter) ?? [];
    if (name === 'charset' && !/^utf-?8$/.test(value ?? '')) return whole('BAD_ENCODING', 'the charset is UTF-8 here');
    if (name === 'version' && value !== '1.1') return whole('VERSION_NOT_ALLOWED', VERSION.detail);
  }
  return ok(mediaType);
}

/** Judges what n3 reads, at the token where it reads it, and collects the lines. */
function observer(lines: string[], format: string): Parameters<typeof readTokens>[2] {
  let current: Token | undefined;
  let literal: Token | undefined;
  let list: Token | undefined;
  return {
    onToken: (token) => {
      current = token;
      if (token.type === 'literal') literal = token;
      // The empty list is an IRI; every other is made of blank nodes.
      if (list !== undefined && token.type !== ')') refuse('BLANK_NODE_NOT_ALLOWED', list, BLANK.detail);
      list = token.type === '(' ? token : undefined;
      checkToken(token, format);
    },
    onIri: (iri) => {
      const fault = iriFault(iri);
      if (fault !== undefined) refuse(fault.code, current, `the IRI ${fault.reason}`);
      const isDatatype = current?.type === 'type' || current?.type === 'typeIRI';
      const reason = isDatatype && iri !== XSD_STRING ? datatypeFault(iri) : undefined;
      if (reason !== undefined) refuse('BAD_DATATYPE', current, reason);
    },
    onLiteral: (value, datatype, language) => {
      const kept = canonicalLiteral(value, datatype, language);
      if (!kept.ok) refuse(kept.error.code, literal, kept.error.reason);
      return kept.value;
    },
    onTriple: (triple) => {
      if (lines.length === STATEMENTS_MAX) refuse('GRAPH_TOO_LARGE', current, `at most ${STATEMENTS_MAX} statements`);
      lines.push(writeTriple(triple));
    },
  };
}

function refuse(code: SourceCode, token: Token | undefined, detail: string): never {
  throw new SourceSignal(code, token, detail);
}

function checkToken(token: Token, format: string): void {
  const forbidden = Object.hasOwn(FORBIDDEN, token.type) ? FORBIDDEN[token.type] : undefined;
  if (forbidden !== undefined) refuse(forbidden.code, token, forbidden.detail);
  if (token.type === 'langcode' && !isLanguage(token.value.toLowerCase())) {
    refuse('BAD_LANGUAGE', token, 'the language is no tag such as en, de-at or zh-hans');
  }
  // N-Triples have no base, which n3 would call a syntax error.
  const isIri = token.type === 'IRI' || token.type === 'typeIRI';
  const fault = isIri && format === RDF_MEDIA_TYPES['n-triples'] ? iriFault(token.value) : undefined;
  if (fault !== undefined) refuse(fault.code, token, `the IRI ${fault.reason}`);
}

const LINE_END = /\r\n|\r|\n/;

function placeOf(
  text: string,
  { line, start }: Pick<Token, 'line' | 'start'>,
): { readonly line: number; readonly column: number } {
  const before = (text.split(LINE_END)[line - 1] ?? '').slice(0, start);
  return { line, column: [...before].length + 1 };
}

const SEPARATORS = /(?:\s|#[^\n\r]*)*/y;

function syntaxFault(text: string, { message, token, previousToken }: SyntaxTrouble): SourceFault {
  const detail = message
    .replace(/ on line \d+\.$/, '')
    .replaceAll(/[^\x20-\x7e]+/g, '?')
    .slice(0, 160);
  if (token !== undefined) return { code: 'BAD_SYNTAX', ...placeOf(text, token), detail };
  // No token at all: it begins behind the last one, and what separates the two.
  SEPARATORS.lastIndex = previousToken === undefined ? 0 : offsetBehind(text, previousToken);
  SEPARATORS.test(text);
  const before = text.slice(0, SEPARATORS.lastIndex).split(LINE_END);
  const start = before.at(-1)?.length ?? 0;
  return { code: 'BAD_SYNTAX', ...placeOf(text, { line: before.length, start }), detail };
}

function offsetBehind(text: string, { line, endLine = line, end }: Token): number {
  const ends = [...text.matchAll(new RegExp(LINE_END, 'g'))];
  const last = ends[endLine - 2];
  return (last === undefined ? 0 : last.index + last[0].length) + end;
}
