import { QUESTION_PREFIXES, QUESTIONS } from '../provenance/questions.ts';
import { json, type Route } from './exchange.ts';

/** The questions that have names: what they are for, what they take, and their text. */
export function questionRoutes(): readonly Route[] {
  const questions = QUESTIONS.map(({ name, title, purpose, honest, parameters, columns, sparql }) => ({
    name,
    title,
    purpose,
    honest,
    parameters,
    columns,
    sparql: `${QUESTION_PREFIXES}${sparql}`,
  }));
  return [{ method: 'GET', path: '/api/v1/questions', handle: () => json({ questions }) }];
}
