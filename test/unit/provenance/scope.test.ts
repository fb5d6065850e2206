import { describe, expect, it } from 'vitest';
import { CF, PROV, RDF_TYPE, SCHEMA } from '../../../src/provenance/namespaces.ts';
import { isReservedPredicate, outOfScope, reservedVocabulary } from '../../../src/provenance/scope.ts';
import type { Triple } from '../../../src/provenance/terms.ts';

function triple(predicate: string, object: string, subject = 'http://a.example/s'): Triple {
  return { subject, predicate, object: { kind: 'iri', value: object } };
}

describe('whom statements are about', () => {
  const own = { isSubjectAllowed: (iri: string): boolean => iri.startsWith('http://a.example/') };

  it('names the first subject that is not theirs', () => {
    const triples = [triple('a:p', 'a:o'), triple('a:p', 'a:o', 'http://b.example/s'), triple('a:p', 'a:o', 'a:x')];
    expect(outOfScope(triples, own)).toEqual({ code: 'SUBJECT_OUT_OF_SCOPE', line: 2, iri: 'http://b.example/s' });
    expect(outOfScope(triples.slice(0, 1), own)).toBeUndefined();
  });
});

describe('the words of statements', () => {
  it.each([
    [triple(`${CF}state`, `${CF}Consumed`), `${CF}state`],
    [triple(`${CF}anything-to-come`, 'a:o'), `${CF}anything-to-come`],
    [triple(`${PROV}wasInvalidatedBy`, 'a:o'), `${PROV}wasInvalidatedBy`],
    [triple(`${PROV}specializationOf`, 'a:o'), `${PROV}specializationOf`],
    [triple(`${SCHEMA}totalPrice`, 'a:o'), `${SCHEMA}totalPrice`],
    [triple(RDF_TYPE, `${CF}TicketVersion`), `${CF}TicketVersion`],
    [triple(RDF_TYPE, `${PROV}Activity`), `${PROV}Activity`],
  ])('are not the ledger’s: %j', (statement, iri) => {
    const fault = reservedVocabulary([triple('a:p', 'a:o'), statement]);
    expect(fault).toEqual({ code: 'RESERVED_VOCABULARY', line: 2, iri });
  });

  it.each([
    triple(`${SCHEMA}sameAs`, 'https://tickets.example/7'),
    triple(`${SCHEMA}name`, 'a:o'),
    triple(RDF_TYPE, `${SCHEMA}Event`),
    triple(`${SCHEMA}about`, `${CF}Ticket`),
    triple('http://www.w3.org/2000/01/rdf-schema#comment', 'a:o'),
  ])('may be others: %j', (statement) => {
    expect(reservedVocabulary([statement])).toBeUndefined();
  });

  it('says of a predicate whose it is', () => {
    expect(isReservedPredicate(`${CF}ticket`)).toBe(true);
    expect(isReservedPredicate(`${SCHEMA}name`)).toBe(false);
  });
});
