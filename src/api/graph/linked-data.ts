import { ok } from '../../lib/result.ts';
import { GRAPH_DOCUMENT_QUADS_MAX } from '../../model/graph-limits.ts';
import { iriFault } from '../../provenance/iri-form.ts';
import type { Iri, Quad } from '../../provenance/terms.ts';
import type { QuadView } from '../../store/quad-view.ts';
import type { ApiRequest, Outcome, Route } from '../exchange.ts';
import { fail } from '../problems.ts';
import { contentTypeOf, RDF_MEDIA_TYPES } from '../rdf/media-types.ts';
import { negotiate, negotiateRdf } from '../rdf/negotiate.ts';
import type { GraphAccess } from './access.ts';
import { graphAnswer, heightHeader, whereKept } from './answers.ts';
import { documentPage } from './document-page.ts';
import { impliedQuads, ontologyFile } from './ontology.ts';

/** The chain's own IRIs: the thing itself answers 303, and the document about it in the form that is asked for. */
export function linkedDataRoutes(graph: GraphAccess): readonly Route[] {
  return [
    { method: 'GET', path: '/id/*rest', handle: (request) => seeDocument(graph, request) },
    { method: 'GET', path: '/doc/*rest', handle: (request) => documentOf(graph, request) },
    { method: 'GET', path: '/ontology', handle: (request) => wordsOf('counterfoil.ttl', request) },
    { method: 'GET', path: '/ontology/shapes', handle: (request) => wordsOf('shapes.ttl', request) },
  ];
}

/** A ticket is no document: whoever asks for it is sent to what is known about it (303). */
function seeDocument({ iriBase }: GraphAccess, { params }: ApiRequest): Outcome {
  const rest = params['rest'] ?? '';
  const fault = iriFault(iriBase + rest);
  if (fault !== undefined) return fail('UNKNOWN_RESOURCE', `nothing of this chain has such an IRI: it ${fault.reason}`);
  // The path was decoded, and a header takes ASCII alone; what follows a bare # would not be asked for.
  const location = `/doc/${encodeURI(rest).replaceAll('#', '%23').replaceAll('?', '%3F')}`;
  return ok({
    status: 303,
    headers: { location, vary: 'Accept' },
    content: { kind: 'bytes', mediaType: 'text/plain; charset=utf-8', bytes: Buffer.from(`see ${location}\n`) },
  });
}

async function documentOf(graph: GraphAccess, request: ApiRequest): Promise<Outcome> {
  const html = 'text/html';
  const chosen = negotiate(request.header('accept'), [RDF_MEDIA_TYPES.turtle, html, ...OTHERS]);
  if (!chosen.ok) return chosen;
  const iri = graph.iriBase + (request.params['rest'] ?? '');
  await graph.fresh();
  const found = whereKept(graph, (view) => ({ extent: view.extent, ...about(view, iri) }));
  if (!found.ok) return found;
  const { extent, quads, isWhole } = found.value;
  if (quads.length === 0) {
    return fail('UNKNOWN_RESOURCE', `the graph says nothing of ${iri} as of block ${extent.heights?.to ?? 'none'}`);
  }
  const rest = `/api/v1/graph?object=${encodeURIComponent(iri)}`;
  const headers = isWhole ? {} : { link: `<${rest}>; rel="related"` };
  if (chosen.value === html) {
    const page = { iri, iriBase: graph.iriBase, quads, rest: isWhole ? undefined : rest };
    return documentPage({ ...page, headers: { ...heightHeader(extent), ...headers } });
  }
  const format = negotiateRdf(chosen.value, ['turtle', 'trig', 'n-quads', 'n-triples', 'json-ld']);
  if (!format.ok) return format;
  return graphAnswer(graph, format.value, { quads: [...quads, ...impliedQuads(quads)], extent, headers });
}

const OTHERS = [
  RDF_MEDIA_TYPES.trig,
  RDF_MEDIA_TYPES['n-quads'],
  RDF_MEDIA_TYPES['n-triples'],
  RDF_MEDIA_TYPES['json-ld'],
] as const;

/** What is said of a thing, then of its parts, then what else points at it; within a bound, and whether it was met. */
function about(view: QuadView, iri: Iri): { readonly quads: readonly Quad[]; readonly isWhole: boolean } {
  const quads = new Map<string, Quad>();
  let isWhole = true;
  const take = (found: Iterable<Quad>): void => {
    for (const quad of found) {
      if (quads.size >= GRAPH_DOCUMENT_QUADS_MAX) {
        isWhole = false;
        return;
      }
      quads.set(`${quad.subject} ${quad.predicate} ${quad.object.value} ${quad.graph}`, quad);
    }
  };
  take(view.each({ subject: iri }));
  for (const part of ['#stated', '#finalization']) take(view.each({ subject: iri + part }));
  take(view.each({ graph: `${iri}#stated` }));
  take(view.each({ object: { kind: 'iri', value: iri } }));
  return { quads: [...quads.values()], isWhole };
}

/** The words of the chain, as they are written. */
function wordsOf(name: Parameters<typeof ontologyFile>[0], request: ApiRequest): Outcome {
  const format = negotiateRdf(request.header('accept'), ['turtle']);
  if (!format.ok) return format;
  const content = { kind: 'bytes' as const, mediaType: contentTypeOf('turtle'), bytes: ontologyFile(name) };
  return ok({ status: 200, headers: { vary: 'Accept' }, content });
}
