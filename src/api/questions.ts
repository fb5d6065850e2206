import { askQuestion, QUESTION_PREFIXES, QUESTIONS } from '../provenance/questions.ts';
import type { Iri } from '../provenance/terms.ts';
import { type ApiRequest, badField, json, type Outcome, type Route } from './exchange.ts';
import { fail } from './problems.ts';
import type { SparqlService } from './sparql/ask.ts';
import { answerQuery } from './sparql/routes.ts';

const PARAMETERS = [...new Set(QUESTIONS.flatMap(({ parameters }) => parameters.map(({ name }) => name)))];

/** The questions that have names: what they are for, what they take, and their text; and the answer to each. */
export function questionRoutes(service: SparqlService | undefined, iriBase: Iri): readonly Route[] {
  const questions = QUESTIONS.map(({ name, title, purpose, honest, parameters, columns, sparql }) => ({
    name,
    title,
    purpose,
    honest,
    parameters,
    columns,
    sparql: `${QUESTION_PREFIXES}${sparql}`,
  }));
  return [
    { method: 'GET', path: '/api/v1/questions', handle: () => json({ questions }) },
    {
      method: 'GET',
      path: '/api/v1/questions/:name',
      query: PARAMETERS,
      handle: async (request) => await answer(service, iriBase, request),
    },
  ];
}

async function answer(service: SparqlService | undefined, iriBase: Iri, request: ApiRequest): Promise<Outcome> {
  const given = Object.fromEntries([...request.query].filter(([name]) => name !== 'pretty'));
  const query = askQuestion(request.params['name'] ?? '', given, iriBase);
  if (!query.ok) {
    const { code, name, reason } = query.error;
    return code === 'UNKNOWN_QUESTION' ? fail(code, reason) : badField(name, reason);
  }
  if (service === undefined) {
    return fail(
      'PROVENANCE_OFF',
      'this node answers no queries: ask another one, or set [provenance] index = "all" and sparql = "lazy"',
    );
  }
  return await answerQuery(service, request, { query: query.value, defaultGraphs: [], namedGraphs: [] });
}
