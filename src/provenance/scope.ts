import { CF, PROV, RDF_TYPE, SCHEMA } from './namespaces.ts';
import type { Iri, Triple } from './terms.ts';

/** Which statements may not be made by whoever made them. */
export interface ScopeFault {
  readonly code: 'SUBJECT_OUT_OF_SCOPE' | 'RESERVED_VOCABULARY';
  /** From 1: canonical statements have a line each. */
  readonly line: number;
  /** The subject that is not theirs to describe, or the name that only the ledger states. */
  readonly iri: Iri;
}

/**
 * Names that the ledger alone states. Questions are asked of all graphs at once, so whoever could state `cf:state` of
 * his own ticket would answer for the ledger. PROV is reserved as a whole, and not only where a question of today looks:
 * who did what, when and from what is the ledger's to say. Of schema.org it is what the ledger writes of tickets.
 */
const RESERVED_NAMESPACES: readonly string[] = [CF, PROV];
const RESERVED_PREDICATES: ReadonlySet<Iri> = new Set(
  [
    'ticketNumber',
    'ticketedSeat',
    'issuedBy',
    'dateIssued',
    'totalPrice',
    'price',
    'priceCurrency',
    'startDate',
    'organizer',
    'validFrom',
    'validThrough',
  ].map((name) => SCHEMA + name),
);

/** Whether a predicate is the ledger's alone. Everything that the ledger itself writes with should be. */
export function isReservedPredicate(predicate: Iri): boolean {
  return isReservedName(predicate) || RESERVED_PREDICATES.has(predicate);
}

function isReservedName(iri: Iri): boolean {
  return RESERVED_NAMESPACES.some((namespace) => iri.startsWith(namespace));
}

/** The first statement about something that its submitter may not describe. */
export function outOfScope(
  triples: readonly Triple[],
  allowed: { readonly isSubjectAllowed: (iri: Iri) => boolean },
): ScopeFault | undefined {
  const index = triples.findIndex(({ subject }) => !allowed.isSubjectAllowed(subject));
  const triple = triples[index];
  return triple && { code: 'SUBJECT_OUT_OF_SCOPE', line: index + 1, iri: triple.subject };
}

/** The first statement in the ledger's own words: with a predicate of its, or of something as one of its classes. */
export function reservedVocabulary(triples: readonly Triple[]): ScopeFault | undefined {
  for (const [index, { predicate, object }] of triples.entries()) {
    const isOwnClass = predicate === RDF_TYPE && object.kind === 'iri' && isReservedName(object.value);
    if (isOwnClass || isReservedPredicate(predicate)) {
      return { code: 'RESERVED_VOCABULARY', line: index + 1, iri: isOwnClass ? object.value : predicate };
    }
  }
  return undefined;
}
