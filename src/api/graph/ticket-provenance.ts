import { API_PAGE, API_PAGE_MAX } from '../../model/http-limits.ts';
import { isName, TicketId } from '../../model/ids.ts';
import { irisUnder } from '../../provenance/iris.ts';
import type { Iri, Quad } from '../../provenance/terms.ts';
import { expand } from '../../provenance/vocabulary.ts';
import type { QuadView } from '../../store/quad-view.ts';
import { type ApiRequest, badField, type Outcome, type Route, wholeParameter } from '../exchange.ts';
import { fail } from '../problems.ts';
import { negotiateRdf } from '../rdf/negotiate.ts';
import type { GraphAccess } from './access.ts';
import { graphAnswer, whereKept } from './answers.ts';

const TICKET = expand('cf:ticket');
const GENERATED = expand('prov:wasGeneratedBy');

/** What the graph says of one ticket, activity by activity. */
export function ticketProvenanceRoutes(graph: GraphAccess): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/tickets/:id/provenance',
      query: ['limit', 'cursor'],
      handle: (request) => provenanceOf(graph, request),
    },
  ];
}

async function provenanceOf(graph: GraphAccess, request: ApiRequest): Promise<Outcome> {
  const format = negotiateRdf(request.header('accept'), ['turtle', 'trig', 'n-quads', 'n-triples', 'json-ld']);
  if (!format.ok) return format;
  const id = request.params['id'] ?? '';
  if (!isName(id)) return badField('id', 'is no id of a ticket');
  const limit = wholeParameter(request.query, 'limit', { least: 1, most: API_PAGE_MAX, otherwise: API_PAGE });
  if (!limit.ok) return limit;
  const after = request.query.get('cursor');
  await graph.fresh();
  const found = whereKept(graph, (view) => ({
    extent: view.extent,
    page: activitiesOf(view, graph, TicketId(id), { limit: limit.value, after }),
  }));
  if (!found.ok) return found;
  const { extent, page } = found.value;
  if (page === undefined)
    return badField('cursor', 'is none that this node gave for this ticket; begin again without it');
  if (page.quads.length === 0 && after === undefined) {
    return fail('UNKNOWN_TICKET', `the graph says nothing of ${id} as of block ${extent.heights?.to ?? 'none'}`);
  }
  const more = `/api/v1/tickets/${id}/provenance?limit=${limit.value}&cursor=${encodeURIComponent(page.next ?? '')}`;
  const headers = page.next === null ? {} : { link: `<${more}>; rel="next"` };
  return graphAnswer(graph, format.value, { quads: page.quads, extent, headers });
}

interface Page {
  readonly quads: readonly Quad[];
  readonly next: string | null;
}

/** The activities that name a ticket with what they made of it; of batches what is said of this one. */
function activitiesOf(
  view: QuadView,
  { iriBase }: GraphAccess,
  id: TicketId,
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
): Page | undefined {
  const ticket = irisUnder(iriBase).ticket(id);
  const named = view.match({ predicate: TICKET, object: { kind: 'iri', value: ticket } }, { limit, after });
  if (!named.ok) return undefined;
  const activities = named.value.quads.map(({ subject }) => subject);
  const quads = activities.flatMap((activity) => [
    ...[...view.each({ subject: activity })].filter(
      ({ predicate, object }) => predicate !== TICKET || object.value === ticket,
    ),
    ...view.each({ subject: `${activity}#stated` }),
    ...versionsOf(view, activity, ticket),
  ]);
  return { quads: after === undefined ? [...view.each({ subject: ticket }), ...quads] : quads, next: named.value.next };
}

/** The versions that an activity gave a ticket. */
function* versionsOf(view: QuadView, activity: Iri, ticket: Iri): Generator<Quad> {
  for (const { subject } of view.each({ predicate: GENERATED, object: { kind: 'iri', value: activity } })) {
    if (subject.startsWith(`${ticket}/v/`)) yield* view.each({ subject });
  }
}
