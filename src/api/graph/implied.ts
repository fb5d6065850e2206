import { RDF_TYPE } from '../../provenance/namespaces.ts';
import type { Iri, Quad } from '../../provenance/terms.ts';
import { ACTIVITIES, expand } from '../../provenance/vocabulary.ts';

const ACTIVITY = expand('prov:Activity');
const ENTITY = expand('prov:Entity');

/** What the ontology says of a thing of one class: what it is besides. The ledger's graphs leave it out. */
const IMPLIED_TYPES: ReadonlyMap<Iri, readonly Iri[]> = new Map<Iri, readonly Iri[]>([
  ...Object.values(ACTIVITIES).map((name): [Iri, readonly Iri[]] => [expand(name), [ACTIVITY]]),
  [expand('cf:Admission'), [ACTIVITY, expand('cf:Validation'), expand('cf:Consumption')]],
  [expand('cf:RejectedAttempt'), [ACTIVITY]],
  [expand('cf:Repetition'), [ACTIVITY]],
  [expand('cf:Finalization'), [ACTIVITY]],
  [expand('cf:TicketVersion'), [ENTITY]],
  [expand('cf:Ticket'), [ENTITY, expand('schema:Ticket')]],
  [expand('cf:Event'), [ENTITY, expand('schema:Event')]],
  [expand('cf:Tier'), [ENTITY]],
  [expand('cf:Block'), [ENTITY, expand('prov:Bundle')]],
  [expand('cf:Organisation'), [expand('prov:Organization'), expand('prov:Agent')]],
  [expand('cf:Authority'), [expand('prov:SoftwareAgent'), expand('prov:Agent')]],
]);

/** The full profile of some quads, less the quads themselves: for readers that know PROV-O and not this ontology. */
export function impliedQuads(quads: readonly Quad[]): readonly Quad[] {
  return quads.flatMap(({ subject, predicate, object, graph }) =>
    predicate === RDF_TYPE && object.kind === 'iri'
      ? (IMPLIED_TYPES.get(object.value) ?? []).map((value) => ({
          subject,
          predicate,
          object: { kind: 'iri' as const, value },
          graph,
        }))
      : [],
  );
}
