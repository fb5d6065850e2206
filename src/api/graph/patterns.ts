import { ok, type Result } from '../../lib/result.ts';
import { API_PAGE, API_PAGE_MAX } from '../../model/http-limits.ts';
import { iriFault } from '../../provenance/iri-form.ts';
import { RDF_LANG_STRING, XSD_STRING } from '../../provenance/namespaces.ts';
import type { Term } from '../../provenance/terms.ts';
import { NAMESPACES } from '../../provenance/vocabulary.ts';
import type { QuadPattern } from '../../store/quad-view.ts';
import { type ApiRequest, badField, type Outcome, type Route, wholeParameter } from '../exchange.ts';
import type { Problem } from '../problems.ts';
import { negotiateRdf } from '../rdf/negotiate.ts';
import type { GraphAccess } from './access.ts';
import { graphAnswer, whereKept } from './answers.ts';

/** Quads by a pattern, a page at a time. */
export function patternRoutes(graph: GraphAccess): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/graph',
      query: ['subject', 'predicate', 'object', 'graph', 'limit', 'cursor'],
      handle: (request) => findQuads(graph, request),
    },
  ];
}

async function findQuads(graph: GraphAccess, request: ApiRequest): Promise<Outcome> {
  const { query } = request;
  const format = negotiateRdf(request.header('accept'), ['n-quads', 'trig', 'turtle', 'n-triples', 'json-ld']);
  if (!format.ok) return format;
  const pattern = patternOf(query);
  if (!pattern.ok) return pattern;
  const limit = wholeParameter(query, 'limit', { least: 1, most: API_PAGE_MAX, otherwise: API_PAGE });
  if (!limit.ok) return limit;
  await graph.fresh();
  const found = whereKept(graph, (view) => ({
    extent: view.extent,
    page: view.match(pattern.value, { limit: limit.value, after: query.get('cursor') }),
  }));
  if (!found.ok) return found;
  const { extent, page } = found.value;
  if (!page.ok) return badField('cursor', 'is none that this node gave for this pattern; begin again without it');
  const { quads, next } = page.value;
  const headers = next === null ? {} : { link: `<${nextPage(query, next)}>; rel="next"` };
  return graphAnswer(graph, format.value, { quads, extent, headers });
}

function nextPage(query: ReadonlyMap<string, string>, cursor: string): string {
  return `/api/v1/graph?${new URLSearchParams(Object.fromEntries(new Map(query).set('cursor', cursor)))}`;
}

function patternOf(query: ReadonlyMap<string, string>): Result<QuadPattern, Problem> {
  const pattern: { -readonly [Key in keyof QuadPattern]: QuadPattern[Key] } = {};
  for (const part of ['subject', 'predicate', 'graph'] as const) {
    const text = query.get(part);
    if (text === undefined) continue;
    const iri = iriOf(text);
    if (iri === undefined) return badField(part, 'is an absolute IRI, or a prefixed name such as cf:state');
    pattern[part] = iri;
  }
  const text = query.get('object');
  if (text === undefined) return ok(pattern);
  const object = termOf(text);
  if (object === undefined) {
    return badField('object', 'is an IRI, a prefixed name, or a literal as in "text", "text"@en or "3"^^xsd:integer');
  }
  return ok({ ...pattern, object });
}

/** An IRI with or without angle brackets, or a prefixed name of the ledger's vocabularies. */
function iriOf(text: string): string | undefined {
  const bare = /^<(.*)>$/.exec(text)?.[1] ?? text;
  const [, prefix, name] = /^([a-z]+):([A-Za-z]+)$/.exec(bare) ?? [];
  const namespace = Object.entries(NAMESPACES).find(([known]) => known === prefix)?.[1];
  if (namespace !== undefined && name !== undefined) return namespace + name;
  return iriFault(bare) === undefined ? bare : undefined;
}

/** As N-Quads writes it: what a page showed can be asked for. */
const LITERAL = /^"((?:[^"\\]|\\.)*)"(?:@([A-Za-z0-9-]+)|\^\^(.+))?$/;
const ESCAPE = /\\(?:u([0-9A-Fa-f]{4})|U(00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})|([tbnrf"'\\])|)/g;
/** Of a pair of surrogates: no character of a text. */
const HALF = /\p{Cs}/u;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { t: '\t', b: '\b', n: '\n', r: '\r', f: '\f' };

/** The text between the quotes; undefined when a backslash in it means nothing. */
function unescaped(text: string): string | undefined {
  let isSound = true;
  const value = text.replace(ESCAPE, (_, four?: string, eight?: string, short?: string) => {
    const digits = four ?? eight;
    if (digits !== undefined) return String.fromCodePoint(Number.parseInt(digits, 16));
    if (short === undefined) isSound = false;
    return SHORT_ESCAPES[short ?? ''] ?? short ?? '';
  });
  return isSound && !HALF.test(value) ? value : undefined;
}

function termOf(text: string): Term | undefined {
  const [isLiteral, written = '', language, type] = LITERAL.exec(text) ?? [];
  if (isLiteral === undefined) {
    const iri = iriOf(text);
    return iri === undefined ? undefined : { kind: 'iri', value: iri };
  }
  const value = unescaped(written);
  if (value === undefined) return undefined;
  if (language !== undefined) {
    return { kind: 'literal', value, datatype: RDF_LANG_STRING, language: language.toLowerCase() };
  }
  const datatype = type === undefined ? XSD_STRING : iriOf(type);
  return datatype === undefined ? undefined : { kind: 'literal', value, datatype, language: '' };
}
