import fc from 'fast-check';
import { writeTerm } from '../../src/provenance/canonical.ts';
import type { Quad, Term } from '../../src/provenance/terms.ts';
import { iriToken } from '../../src/store/quad-lines.ts';
import type { QuadPattern } from '../../src/store/quad-view.ts';
import type { BlockGraphs } from '../../src/store/quads.ts';
import { graphBlockHash } from './graph-blocks.ts';

export const IDENTITY = { source: 'test', iriBase: 'http://localhost/id/' };

const IRIS = [
  'http://localhost/id/ticket/a',
  'http://localhost/id/ticket/a/v/1',
  'http://localhost/id/tx/1',
  'http://localhost/id/tx/2',
  'http://localhost/id/',
  'https://example.org/grün#%20',
  'urn:x',
];
const XSD = 'http://www.w3.org/2001/XMLSchema#';
const LITERALS: readonly Term[] = [
  literal('', `${XSD}string`),
  literal('a "quote", a \\, a\nline, \u0000 \u007f \ufffe 😀 <b>', `${XSD}string`),
  literal('1', `${XSD}integer`),
  literal('1', `${XSD}string`),
  literal('1', 'urn:other'),
  {
    kind: 'literal',
    value: 'hallo',
    datatype: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#langString',
    language: 'de',
  },
  {
    kind: 'literal',
    value: 'hallo',
    datatype: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#langString',
    language: 'de-ch',
  },
];

function literal(value: string, datatype: string): Term {
  return { kind: 'literal', value, datatype, language: '' };
}

const iri = fc.constantFrom(...IRIS);
const term: fc.Arbitrary<Term> = fc.oneof(
  iri.map((value) => ({ kind: 'iri', value }) as const),
  fc.constantFrom(...LITERALS),
);
/** Few terms, so that they meet in every place. */
export const anyQuad: fc.Arbitrary<Quad> = fc.record({
  subject: iri,
  predicate: fc.constantFrom('urn:p', 'urn:q'),
  object: term,
  graph: fc.constantFrom(...IRIS.slice(0, 4)),
});
export const anyBlocks: fc.Arbitrary<readonly (readonly Quad[])[]> = fc.array(fc.array(anyQuad, { maxLength: 12 }), {
  minLength: 1,
  maxLength: 6,
});

export function lineOf({ subject, predicate, object, graph }: Quad): string {
  return `${iriToken(subject)} ${iriToken(predicate)} ${writeTerm(object)} ${iriToken(graph)} .\n`;
}

/** @param perDocument lines in each of the documents that a block comes in */
export function graphsOf(height: number, quads: readonly Quad[], perDocument = 5): BlockGraphs {
  const documents: string[] = [];
  for (let at = 0; at < quads.length; at += perDocument) {
    documents.push(
      quads
        .slice(at, at + perDocument)
        .map(lineOf)
        .join(''),
    );
  }
  return { height, hash: graphBlockHash(height), documents };
}

const PARTS = ['subject', 'predicate', 'object', 'graph'] as const;

/** The sixteen patterns that a quad has. */
export function patternsOf(quad: Quad): readonly QuadPattern[] {
  return Array.from({ length: 16 }, (_, mask) => {
    const bound = PARTS.filter((_part, index) => (mask & (1 << index)) !== 0);
    return Object.fromEntries(bound.map((part) => [part, quad[part]]));
  });
}

/** What a pattern has among lines, by looking at each quad; sorted. */
export function matching(quads: readonly Quad[], pattern: QuadPattern): readonly string[] {
  const wanted = { ...pattern, object: pattern.object && writeTerm(pattern.object) };
  const found = quads.filter((quad) => {
    const tokens = { ...quad, object: writeTerm(quad.object) };
    return PARTS.every((part) => wanted[part] === undefined || wanted[part] === tokens[part]);
  });
  return [...new Set(found.map(lineOf))].sort();
}

/** The triple of a line, for what a union has. */
export function tripleOf(line: string): string {
  return line.slice(0, line.lastIndexOf(' <'));
}
