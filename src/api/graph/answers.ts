import { ok, type Result } from '../../lib/result.ts';
import type { Quad } from '../../provenance/terms.ts';
import { NAMESPACES } from '../../provenance/vocabulary.ts';
import type { GraphExtent } from '../../store/quad-rows.ts';
import type { QuadView } from '../../store/quad-view.ts';
import type { Outcome } from '../exchange.ts';
import { fail, type Problem } from '../problems.ts';
import type { RdfFormat } from '../rdf/media-types.ts';
import { rdfAnswer, serialise } from '../rdf/serialise.ts';
import type { GraphAccess } from './access.ts';

/** Names for people in front of the chain's own, where a form of RDF has prefixes. */
function prefixesOf(iriBase: string): Readonly<Record<string, string>> {
  return {
    ...NAMESPACES,
    t: `${iriBase}ticket/`,
    tx: `${iriBase}tx/`,
    block: `${iriBase}block/`,
    agent: `${iriBase}agent/`,
    gate: `${iriBase}gate/`,
  };
}

/** Up to which block an answer is true. */
export function heightHeader({ heights }: GraphExtent): Readonly<Record<string, string>> {
  return heights === null ? {} : { 'counterfoil-height': String(heights.to) };
}

export function graphAnswer(
  { iriBase }: GraphAccess,
  format: RdfFormat,
  found: {
    readonly quads: readonly Quad[];
    readonly extent: GraphExtent;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Outcome {
  const text = serialise(format, found.quads, prefixesOf(iriBase));
  return rdfAnswer(format, text, { ...heightHeader(found.extent), ...found.headers });
}

/** What a use of the graph gives, or that there is none: never, or not at this moment. */
export function whereKept<T>(graph: GraphAccess, use: (view: QuadView) => T): Result<T, Problem> {
  if (graph.status() === null) return NO_GRAPH;
  const found = graph.read((view) => ({ result: use(view) }));
  return found === undefined
    ? fail('NOT_READY', 'the index of the graph is not open yet; see provenance_lag_blocks in GET /api/v1/status')
    : ok(found.result);
}

/** The answer of a node whose configuration says so. */
export const NO_GRAPH = fail(
  'PROVENANCE_OFF',
  'this node keeps no graph: ask another one, or set [provenance] index = "all" and restart it',
);
