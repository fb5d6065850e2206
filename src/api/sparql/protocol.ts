import { fromUtf8 } from '../../lib/bytes.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { SPARQL_GRAPHS_MAX } from '../../model/graph-limits.ts';
import { fieldProblem } from '../exchange.ts';
import { fail, type Problem } from '../problems.ts';

export const FORM = 'application/x-www-form-urlencoded';
export const QUERY_TEXT = 'application/sparql-query';
export const UPDATE_TEXT = 'application/sparql-update';

/** What a client asks, before anybody has looked into the query. */
export interface Question {
  readonly query: string;
  /** Both empty: the query's own FROM, or everything. */
  readonly defaultGraphs: readonly string[];
  readonly namedGraphs: readonly string[];
}

const UPDATE_REFUSED: Problem = {
  code: 'READ_ONLY',
  detail: 'the graph follows from final blocks and is never updated; ask with SELECT, CONSTRUCT, ASK or DESCRIBE',
};

/** A GET; undefined when it asks nothing, and so wants the description of the service. */
export function questionOfTarget(search: string): Result<Question | undefined, Problem> {
  const parameters = parametersOf(search.replace(/^\?/, ''));
  if (!parameters.ok) return parameters;
  const { query, update, rest } = parameters.value;
  if (update) return err(UPDATE_REFUSED);
  if (query === undefined) return ok(undefined);
  return questionOf(query, rest);
}

/** A POST in one of its two forms (SPARQL 1.1 Protocol §2.1.2 and §2.1.3). */
export function questionOfBody(contentType: string, search: string, body: Uint8Array): Result<Question, Problem> {
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase();
  if (mediaType === UPDATE_TEXT) return err(UPDATE_REFUSED);
  const text = fromUtf8(body);
  if (text === undefined) return fail('BAD_REQUEST', 'the body is not UTF-8; encode it as UTF-8');
  const parameters = parametersOf([search.replace(/^\?/, ''), mediaType === FORM ? text : ''].join('&'));
  if (!parameters.ok) return parameters;
  const { query, update, rest } = parameters.value;
  if (update) return err(UPDATE_REFUSED);
  if (mediaType !== FORM && query !== undefined) {
    return err(fieldProblem('query', 'stands in the body here; take it out of the address'));
  }
  const asked = mediaType === FORM ? query : text;
  if (asked === undefined) return err(fieldProblem('query', 'is missing: send query=SELECT...'));
  return questionOf(asked, rest);
}

function questionOf(query: string, rest: ReadonlyMap<string, readonly string[]>): Result<Question, Problem> {
  if (query.trim() === '') return err(fieldProblem('query', 'is empty'));
  const defaultGraphs = rest.get('default-graph-uri') ?? [];
  const namedGraphs = rest.get('named-graph-uri') ?? [];
  for (const graph of [...defaultGraphs, ...namedGraphs]) {
    if (!URL.canParse(graph) || /[\s<>"{}|\\^`]/.test(graph)) {
      return err(fieldProblem('default-graph-uri', `${JSON.stringify(graph.slice(0, 100))} is no absolute IRI`));
    }
  }
  if (defaultGraphs.length + namedGraphs.length > SPARQL_GRAPHS_MAX) {
    return err(fieldProblem('default-graph-uri', `at most ${SPARQL_GRAPHS_MAX} graphs are named`));
  }
  return ok({ query, defaultGraphs, namedGraphs });
}

interface Parameters {
  readonly query: string | undefined;
  /** Whether it has a word of the protocol for updates. */
  readonly update: boolean;
  readonly rest: ReadonlyMap<string, readonly string[]>;
}

const OF_UPDATES = ['update', 'using-graph-uri', 'using-named-graph-uri'];

/** Those that are no word of the protocol are left alone: clients send names of formats of their own. */
function parametersOf(text: string): Result<Parameters, Problem> {
  const found = new Map<string, string[]>();
  for (const part of text.split('&')) {
    const cut = part.indexOf('=');
    const name = decoded(cut === -1 ? part : part.slice(0, cut));
    const value = decoded(cut === -1 ? '' : part.slice(cut + 1));
    if (name === undefined || value === undefined) {
      return fail('BAD_REQUEST', 'a parameter has a percent sign that encodes nothing; write a plain one as %25');
    }
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  const [query, second] = found.get('query') ?? [];
  if (second !== undefined) return err(fieldProblem('query', 'comes twice; keep one'));
  return ok({ query, update: OF_UPDATES.some((name) => found.has(name)), rest: found });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
