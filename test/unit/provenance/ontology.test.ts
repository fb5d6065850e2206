import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Parser, Store } from 'n3';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../scripts/suites.mjs';
import { CF, PROV, RDF_TYPE, SCHEMA } from '../../../src/provenance/namespaces.ts';
import { isReservedPredicate } from '../../../src/provenance/scope.ts';
import { toldStory } from '../../support/described-story.ts';

const RDFS = 'http://www.w3.org/2000/01/rdf-schema#';
const EXERCISE_NOTE = 'http://www.w3.org/2004/02/skos/core#scopeNote';

const ontology = new Store(new Parser().parse(readFileSync(join(ROOT, 'docs/ontology/counterfoil.ttl'), 'utf8')));

/** Subjects of the ontology that are words of ours. */
const defined = new Set(
  ontology
    .getSubjects(RDF_TYPE, null, null)
    .map(({ value }) => value)
    .filter((iri) => iri.startsWith(CF)),
);

/** Words of which the audit exercise alone makes use. */
const ofExercise = new Set(ontology.getSubjects(EXERCISE_NOTE, null, null).map(({ value }) => value));

/** Every prefixed name in the code of the describers. */
const inCode = new Set(
  ['describe.ts', 'describe-operation.ts', 'describe-block.ts', 'vocabulary.ts'].flatMap((name) => {
    const text = readFileSync(join(ROOT, 'src/provenance', name), 'utf8');
    return [...text.matchAll(/'(?:(cf)|(prov)|(schema)):(\w+)'/g)].map(
      ([, cf, prov, , word = '']) => (cf ? CF : prov ? PROV : SCHEMA) + word,
    );
  }),
);

const quads = new Parser({ format: 'N-Quads' }).parse(toldStory().documents.join(''));
const stated = quads.filter(({ graph }) => graph.value.endsWith('#stated'));
const written = quads.filter(({ graph }) => !graph.value.endsWith('#stated'));

describe('the ontology', () => {
  it('defines every word of ours that the describers can write', () => {
    const ours = [...inCode].filter((iri) => iri.startsWith(CF));
    expect(ours.length).toBeGreaterThan(80);
    expect(ours.filter((iri) => !defined.has(iri))).toEqual([]);
  });

  it('defines nothing that is not written, but for the words of the audit exercise and the kinds of things', () => {
    const isKind = (iri: string): boolean =>
      [RDF_TYPE, `${RDFS}range`, `${RDFS}domain`, `${RDFS}subClassOf`].some(
        (predicate) => ontology.countQuads(null, predicate, iri, null) > 0,
      );
    const idle = [...defined].filter((iri) => !inCode.has(iri) && !ofExercise.has(iri) && !isKind(iri));
    expect(idle).toEqual([]);
    expect([...ofExercise].filter((iri) => inCode.has(iri))).toEqual([]);
    expect(ofExercise.size).toBe(9);
  });

  it('says of each word what it is, and where it belongs', () => {
    for (const iri of defined) {
      expect(ontology.countQuads(iri, `${RDFS}label`, null, null), iri).toBe(1);
      expect(ontology.countQuads(iri, `${RDFS}comment`, null, null), iri).toBe(1);
      expect(ontology.countQuads(iri, `${RDFS}isDefinedBy`, null, null), iri).toBe(1);
    }
    for (const { value } of ontology.getSubjects(RDF_TYPE, `${RDFS}Class`, null)) {
      expect(ontology.countQuads(value, `${RDFS}subClassOf`, null, null), value).toBeGreaterThan(0);
    }
  });

  it('is linked with PROV-O and schema.org and nothing that is not there', () => {
    const own = [`${RDFS}subClassOf`, `${RDFS}subPropertyOf`, `${RDFS}domain`, `${RDFS}range`].flatMap((predicate) =>
      ontology.getObjects(null, predicate, null).map(({ value }) => value),
    );
    expect(own.filter((iri) => iri.startsWith(CF) && !defined.has(iri))).toEqual([]);
  });
});

describe('what a chain writes', () => {
  it('uses every word of the describers in the story of these tests', () => {
    const used = new Set(written.flatMap(({ predicate, object }) => [predicate.value, object.value]));
    // Its tiers and refusals have not every outcome and role.
    const rare = ['Refunded', 'Upheld', 'OrganiserRole'].map((word) => CF + word);
    expect([...inCode].filter((iri) => !used.has(iri) && !rare.includes(iri))).toEqual([]);
  });

  it('is in words that no submitter may use', () => {
    const predicates = new Set(written.map(({ predicate }) => predicate.value));
    predicates.delete(RDF_TYPE);
    expect([...predicates].filter((iri) => !isReservedPredicate(iri))).toEqual([]);
    expect([...predicates].filter((iri) => !inCode.has(iri))).toEqual([]);
    expect(stated.length).toBe(2);
  });
});
