import { utf8 } from '../../lib/bytes.ts';
import { err, ok } from '../../lib/result.ts';
import { SPARQL_BODY_BYTES_MAX } from '../../model/graph-limits.ts';
import type { ApiRequest, BodyRule, Outcome, Route } from '../exchange.ts';
import type { GraphAccess } from '../graph/access.ts';
import { NO_GRAPH } from '../graph/answers.ts';
import type { Problem } from '../problems.ts';
import type { SparqlService } from './ask.ts';
import { writeDescription } from './description.ts';
import { contentType, formatFor, GRAPH_FORMATS, ROW_FORMATS } from './negotiate.ts';
import { FORM, QUERY_TEXT, type Question, questionOfBody, questionOfTarget, UPDATE_TEXT } from './protocol.ts';
import { NO_GRAPH_FORMAT } from './refusals.ts';

/** Every answer, and every refusal, may be another for another Accept. */
const VARY = { vary: 'Accept' };

const BODY: BodyRule = {
  mediaType: QUERY_TEXT,
  alsoTakes: [FORM, UPDATE_TEXT],
  bytesMax: SPARQL_BODY_BYTES_MAX,
  example: 'query.rq',
};

/** `/sparql`: queries by GET and by POST, and what the service is. */
export function sparqlRoutes(service: SparqlService): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/sparql',
      query: 'own',
      handle: async (request) => {
        const question = questionOfTarget(request.search);
        if (!question.ok) return varied(question.error);
        if (question.value === undefined) return describe(service, request);
        return await answerQuery(service, request, question.value);
      },
    },
    {
      method: 'POST',
      path: '/sparql',
      query: 'own',
      body: BODY,
      handle: async (request) => {
        const question = questionOfBody(request.header('content-type') ?? '', request.search, request.body);
        return question.ok ? await answerQuery(service, request, question.value) : varied(question.error);
      },
    },
  ];
}

/** The same where there is no service: without a graph that is said, and queries alone that are off have no address. */
export function unansweredSparqlRoutes(graph: GraphAccess): readonly Route[] {
  if (graph.status() !== null) return [];
  const handle = (): Outcome => NO_GRAPH;
  return [
    { method: 'GET', path: '/sparql', query: 'own', handle },
    { method: 'POST', path: '/sparql', query: 'own', body: BODY, handle },
  ];
}

function varied(problem: Problem): Outcome {
  return err({ ...problem, headers: { ...problem.headers, ...VARY } });
}

/** The answer to a query, in the form that its caller takes. */
export async function answerQuery(service: SparqlService, request: ApiRequest, question: Question): Promise<Outcome> {
  const accept = request.header('accept');
  const answered = await service.ask({
    ...question,
    rowFormat: formatFor(accept, ROW_FORMATS),
    graphFormat: formatFor(accept, GRAPH_FORMATS),
    caller: request.caller,
    isGone: request.isGone,
  });
  if (!answered.ok) return varied(answered.error);
  const { mediaType, bytes, height } = answered.value;
  const headers = { ...VARY, 'counterfoil-height': String(height) };
  return ok({ status: 200, headers, content: { kind: 'bytes', mediaType: contentType(mediaType), bytes } });
}

function describe(service: SparqlService, request: ApiRequest): Outcome {
  const format = formatFor(request.header('accept'), GRAPH_FORMATS);
  if (format === undefined) return varied(NO_GRAPH_FORMAT);
  const text = writeDescription(`http://${request.header('host') ?? 'localhost'}/sparql`, service.limits, format);
  const mediaType = contentType(format.mediaType);
  return ok({ status: 200, headers: VARY, content: { kind: 'bytes', mediaType, bytes: utf8(text) } });
}
