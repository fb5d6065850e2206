import { readFileSync } from 'node:fs';
import { Parser } from 'n3';
import { RDF_TYPE } from '../../provenance/namespaces.ts';
import type { Iri, Quad } from '../../provenance/terms.ts';

const SUBCLASS = 'http://www.w3.org/2000/01/rdf-schema#subClassOf';

/** A file of the words that graphs are written in. They lie beside the documentation, for whoever only reads. */
export function ontologyFile(name: 'counterfoil.ttl' | 'shapes.ttl'): Uint8Array {
  return readFileSync(new URL(`../../../docs/ontology/${name}`, import.meta.url));
}

let above: ReadonlyMap<Iri, readonly Iri[]> | undefined;

/** Every class that the ontology has above a class. */
function classesAbove(name: Iri): readonly Iri[] {
  above ??= readClasses();
  const found = new Set<Iri>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const higher of above.get(next) ?? []) {
      if (found.has(higher)) continue;
      found.add(higher);
      waiting.push(higher);
    }
  }
  return [...found];
}

function readClasses(): ReadonlyMap<Iri, readonly Iri[]> {
  const classes = new Map<Iri, Iri[]>();
  const text = Buffer.from(ontologyFile('counterfoil.ttl')).toString('utf8');
  for (const { subject, predicate, object } of new Parser().parse(text)) {
    if (predicate.value !== SUBCLASS) continue;
    classes.set(subject.value, [...(classes.get(subject.value) ?? []), object.value]);
  }
  return classes;
}

/** The full profile of some quads, less the quads themselves: for readers that know PROV-O and not this ontology. */
export function impliedQuads(quads: readonly Quad[]): readonly Quad[] {
  return quads.flatMap(({ subject, predicate, object, graph }) =>
    predicate === RDF_TYPE && object.kind === 'iri'
      ? classesAbove(object.value).map((value) => ({
          subject,
          predicate,
          object: { kind: 'iri' as const, value },
          graph,
        }))
      : [],
  );
}
