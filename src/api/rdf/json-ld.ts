import { compareCodePoints } from '../../lib/code-points.ts';
import { writeTerm } from '../../provenance/canonical.ts';
import { RDF_TYPE, XSD_STRING } from '../../provenance/namespaces.ts';
import type { Iri, Term, Triple } from '../../provenance/terms.ts';
import { grouped } from './turtle.ts';

type Json = string | readonly Json[] | { readonly [name: string]: Json };

/**
 * Quads as JSON-LD in its expanded form: whole IRIs and no context, so that nothing has to be fetched to read it, and
 * no short name of a context can be taken for an IRI that a submitter wrote.
 */
export function writeJsonLd(quads: readonly (Triple & { readonly graph?: Iri })[]): string {
  const nodes = grouped(quads, ({ graph }) => graph ?? '').flatMap(([graph, ofGraph]): readonly Json[] => {
    const ofSubjects = grouped(ofGraph, ({ subject }) => subject).map(([subject, triples]) => node(subject, triples));
    return graph === '' ? ofSubjects : [{ '@id': graph, '@graph': ofSubjects }];
  });
  return `${JSON.stringify(nodes, null, 2)}\n`;
}

function node(subject: Iri, triples: readonly Triple[]): Json {
  const members: [string, Json][] = [['@id', subject]];
  for (const [predicate, ofPredicate] of grouped(triples, ({ predicate }) => predicate)) {
    const byLine = new Map(ofPredicate.map(({ object }) => [writeTerm(object), object]));
    const objects = [...byLine].sort(([a], [b]) => compareCodePoints(a, b)).map(([, object]) => object);
    const isTyped = predicate === RDF_TYPE && objects.every((object) => object.kind === 'iri');
    members.push(isTyped ? ['@type', objects.map(({ value }) => value)] : [predicate, objects.map(value)]);
  }
  return Object.fromEntries(members);
}

function value(object: Term): Json {
  if (object.kind === 'iri') return { '@id': object.value };
  if (object.language !== '') return { '@value': object.value, '@language': object.language };
  return object.datatype === XSD_STRING
    ? { '@value': object.value }
    : { '@value': object.value, '@type': object.datatype };
}
