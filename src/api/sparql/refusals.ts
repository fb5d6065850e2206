import type { Problem } from '../problems.ts';
import type { EngineRefusal } from './engine-wire.ts';

export const STOPPING: Problem = { code: 'STOPPING', detail: 'the node is stopping; ask another' };
export const QUEUE_FULL: Problem = {
  code: 'OVERLOADED',
  detail: 'too many queries wait already; try again in a second',
};

export function seconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1_000)));
}

export function penalised(leftMs: number): Problem {
  return {
    code: 'QUERY_PENALTY',
    detail: `an earlier query from this address had to be killed, which others waited for; ask again in ${seconds(leftMs)} s`,
    headers: { 'retry-after': seconds(leftMs) },
  };
}

/** For the client, what the gate or the engine refused. */
export function refused({ code, detail, place }: EngineRefusal): Problem {
  if (code !== 'NOT_ACCEPTABLE') return { code, detail, ...(place === undefined ? {} : { members: { ...place } }) };
  const isGraph = detail === 'CONSTRUCT' || detail === 'DESCRIBE';
  return isGraph ? NO_GRAPH_FORMAT : NO_ROW_FORMAT;
}

const NO_ROW_FORMAT: Problem = {
  code: 'NOT_ACCEPTABLE',
  detail:
    'rows come as application/sparql-results+json, application/sparql-results+xml, text/csv or text/tab-separated-values',
};
export const NO_GRAPH_FORMAT: Problem = {
  code: 'NOT_ACCEPTABLE',
  detail:
    'a graph comes as text/turtle, application/n-triples, application/n-quads, application/trig, application/rdf+xml or application/ld+json',
};
