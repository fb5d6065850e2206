import { Parser, type Query, type SparqlQuery } from 'sparqljs';
import { err, ok, type Result } from '../../lib/result.ts';
import {
  QUERY_DEPTH_MAX,
  QUERY_OPERATIONS_MAX,
  QUERY_OPERATIONS_PER_ROW,
  QUERY_PATTERNS_MAX,
  QUERY_REGEX_CHARS_MAX,
  QUERY_REGEX_REPEATS_MAX,
  QUERY_ROWS_EXPECTED_MAX,
  QUERY_TEXT_CHARS_MAX,
} from '../../model/graph-limits.ts';
import { type Expectation, expect, expectSelect } from './estimate.ts';
import { bracketDepth, type Place, placeAfter, placeOf } from './gate-text.ts';
import { longestText } from './growth.ts';
import { expressionsOf, isOfType, nodesOf, patternsOf } from './query-tree.ts';
import type { Statistics } from './statistics.ts';

/** Why a query is not run; codes are of the table of problems. */
export interface GateRefusal {
  readonly code: 'BAD_QUERY' | 'READ_ONLY' | 'SERVICE_NOT_ALLOWED' | 'QUERY_TOO_EXPENSIVE';
  readonly detail: string;
  readonly place?: Place | undefined;
}

/** What the engine has to know of a query that may run. */
export interface Admitted {
  readonly form: Query['queryType'];
  /** Whether it names its graphs itself. */
  readonly hasDataset: boolean;
  /** Whether a LIMIT can be written behind it, so that the engine need not finish an answer that is too long. */
  readonly takesLimit: boolean;
}

type Verdict = Result<Admitted, GateRefusal>;

function refuse(code: GateRefusal['code'], detail: string): Result<never, GateRefusal> {
  return err({ code, detail });
}

/**
 * Whether a query may run: that it is one, that it writes nothing and asks no other server, and that it is not bound to
 * run into the deadline. The last is an estimate from counts; what it lets pass has the deadline all the same.
 */
export function judgeQuery(text: string, statistics: Statistics): Verdict {
  if (bracketDepth(text) > QUERY_DEPTH_MAX) {
    return refuse('QUERY_TOO_EXPENSIVE', `brackets stand in each other more than ${QUERY_DEPTH_MAX} deep`);
  }
  const parsed = parse(text);
  if (!parsed.ok) return parsed;
  const query = parsed.value;
  if (query.type === 'update') return refuse('READ_ONLY', 'the graph follows from final blocks and is never updated');
  const fault =
    forbidden(query) ??
    tooLarge(query) ??
    tooLong(query) ??
    badPath(query) ??
    badRegex(query) ??
    tooWide(query, statistics);
  if (fault !== undefined) return err(fault);
  return ok({
    form: query.queryType,
    hasDataset: query.from !== undefined,
    takesLimit: query.queryType === 'SELECT' && query.limit === undefined && query.values === undefined,
  });
}

const AT = /(?:on|at) line (\d+)/;

function parse(text: string): Result<SparqlQuery, GateRefusal> {
  try {
    const parsed = new Parser().parse(text);
    // A prologue alone is an update of nothing by the grammar.
    if ('type' in parsed) return ok(parsed);
    return err({ code: 'BAD_QUERY', detail: 'there is no query in it; begin with SELECT, CONSTRUCT, ASK or DESCRIBE' });
  } catch (error) {
    return err({ code: 'BAD_QUERY', ...badQuery(text, error) });
  }
}

/** What is wrong with a text that is no query, in a sentence that begins with the place. */
function badQuery(text: string, error: unknown): { readonly detail: string; readonly place?: Place } {
  const message = error instanceof Error ? error.message : String(error);
  const loc: unknown = error instanceof Error && 'hash' in error ? Reflect.get(Object(error.hash), 'loc') : undefined;
  if (typeof loc === 'object' && loc !== null) {
    const { line, column, character } = placeAfter(
      text,
      Number(Reflect.get(loc, 'last_line')),
      Number(Reflect.get(loc, 'last_column')),
    );
    const what = character === '' ? 'the query ends too early' : `unexpected ${JSON.stringify(character)}`;
    return { detail: `line ${line}, column ${column}: ${what}`, place: { line, column } };
  }
  const words =
    message
      .split('\n')[0]
      ?.replaceAll(/[^\x20-\x7e]+/g, '?')
      .slice(0, 200) ?? '';
  const said = /^(?:Unknown prefix: (?<prefix>.*)|.*?(?<name>\?\w+))/.exec(words)?.groups;
  const mentioned = said?.['prefix'] === undefined ? said?.['name'] : `${said['prefix']}:`;
  const line = Number(AT.exec(words)?.[1] ?? 0);
  const at = mentioned === undefined ? -1 : text.indexOf(mentioned);
  const place = at >= 0 ? placeOf(text, at) : { line: Math.max(1, line), column: 1 };
  return { detail: `line ${place.line}, column ${place.column}: ${words}`, place };
}

function forbidden(query: Query): GateRefusal | undefined {
  for (const node of nodesOf(query)) {
    if (isOfType(node, 'service')) {
      return { code: 'SERVICE_NOT_ALLOWED', detail: 'this node asks no other for a query; leave out SERVICE' };
    }
  }
  return undefined;
}

function tooLarge(query: Query): GateRefusal | undefined {
  let patterns = 0;
  const operations = operationsOf(query);
  for (const node of nodesOf(query)) {
    if (isOfType(node, 'bgp') && 'triples' in node && Array.isArray(node.triples)) patterns += node.triples.length;
    if (isOfType(node, 'path') && 'items' in node && Array.isArray(node.items)) patterns += node.items.length - 1;
    if (isOfType(node, 'group') || isOfType(node, 'optional') || isOfType(node, 'query')) patterns += 1;
  }
  if (operations > QUERY_OPERATIONS_MAX) {
    return expensive(`it has ${operations} operators and functions, and ${QUERY_OPERATIONS_MAX} are taken`);
  }
  if (patterns <= QUERY_PATTERNS_MAX) return undefined;
  return expensive(
    `it has ${patterns} patterns and groups, and ${QUERY_PATTERNS_MAX} are taken; ask in several queries`,
  );
}

function operationsOf(query: Query): number {
  let operations = 0;
  for (const node of nodesOf(query)) {
    if (isOfType(node, 'operation') || isOfType(node, 'functionCall')) operations += 1;
  }
  return operations;
}

function tooLong(query: Query): GateRefusal | undefined {
  if (longestText(query) <= QUERY_TEXT_CHARS_MAX) return undefined;
  return expensive(`it makes a text of more than ${QUERY_TEXT_CHARS_MAX} characters`);
}

/** A repetition within a repetition is the same set of places found over and over. */
function badPath(query: Query): GateRefusal | undefined {
  const isClosure = (node: object): boolean =>
    isOfType(node, 'path') && 'pathType' in node && typeof node.pathType === 'string' && '*+?'.includes(node.pathType);
  for (const node of nodesOf(query)) {
    if (!isClosure(node)) continue;
    for (const inner of nodesOf(node)) {
      const isAny = isOfType(inner, 'path') && 'pathType' in inner && inner.pathType === '!';
      if (inner !== node && (isClosure(inner) || isAny)) {
        return expensive(
          'a path of any length repeats named properties, not another such path nor everything but some',
        );
      }
    }
  }
  return undefined;
}

function badRegex(query: Query): GateRefusal | undefined {
  for (const node of nodesOf(query)) {
    if (!isOfType(node, 'operation') || !('operator' in node) || !('args' in node) || !Array.isArray(node.args))
      continue;
    if (node.operator !== 'regex' && node.operator !== 'replace') continue;
    const pattern: unknown = node.args[1];
    const isLiteral = typeof pattern === 'object' && pattern !== null && Reflect.get(pattern, 'termType') === 'Literal';
    if (!isLiteral) return expensive('the pattern of REGEX and REPLACE is written out, and not computed');
    const value = String(Reflect.get(pattern, 'value'));
    if (value.length > QUERY_REGEX_CHARS_MAX || repeats(value) > QUERY_REGEX_REPEATS_MAX) {
      return expensive(
        `a regular expression has at most ${QUERY_REGEX_CHARS_MAX} characters, and its counts multiply to ${QUERY_REGEX_REPEATS_MAX}`,
      );
    }
  }
  return undefined;
}

/** What the counts of a regular expression multiply to, as if each stood in the one before. */
function repeats(pattern: string): number {
  let product = 1;
  for (const [, least = '', most = ''] of pattern.matchAll(/\{\s*(\d+)\s*,?\s*(\d*)\s*\}/g)) {
    product *= Math.max(1, Number(least), Number(most));
  }
  return product;
}

function tooWide(query: Query, statistics: Statistics): GateRefusal | undefined {
  const { widest, bound } = widestOf(query, statistics);
  const outside = expressionsOf(query).flatMap((one) => patternsOf(one));
  const rows = Math.max(widest, ...outside.map((pattern) => expect([pattern], bound, statistics).widest));
  // As if each were done for every row: most are.
  const all = rows * (1 + operationsOf(query) / QUERY_OPERATIONS_PER_ROW);
  if (all <= QUERY_ROWS_EXPECTED_MAX) return undefined;
  const how = Number.isFinite(all)
    ? `the like of ${all.toExponential(0)} rows`
    : 'a path from everywhere to everywhere';
  return expensive(
    `it would go through ${how}: join its parts by names they share, and begin a path of any length at something known`,
  );
}

function widestOf(query: Query, statistics: Statistics): Expectation {
  if (query.queryType === 'SELECT') return expectSelect(query, new Set(), statistics);
  return expect(query.where ?? [], new Set(), statistics);
}

function expensive(detail: string): GateRefusal {
  return { code: 'QUERY_TOO_EXPENSIVE', detail };
}
