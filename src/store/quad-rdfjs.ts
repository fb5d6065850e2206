import { Readable } from 'node:stream';
import type { Quad as StoredQuad, Term as StoredTerm } from '../provenance/terms.ts';
import type { QuadPattern, QuadView } from './quad-view.ts';

/*
 * The quads of an index as the RDF/JS specifications have them (Data Model, Stream, Dataset): what libraries of RDF take.
 */

interface NamedNode {
  readonly termType: 'NamedNode';
  readonly value: string;
  equals(other: AnyTerm | null | undefined): boolean;
}

interface DefaultGraph {
  readonly termType: 'DefaultGraph';
  readonly value: '';
  equals(other: AnyTerm | null | undefined): boolean;
}

interface Literal {
  readonly termType: 'Literal';
  readonly value: string;
  readonly language: string;
  readonly datatype: NamedNode;
  equals(other: AnyTerm | null | undefined): boolean;
}

interface QuadTerm {
  readonly termType: 'Quad';
  readonly value: '';
  readonly subject: NamedNode;
  readonly predicate: NamedNode;
  readonly object: NamedNode | Literal;
  readonly graph: NamedNode | DefaultGraph;
  equals(other: AnyTerm | null | undefined): boolean;
}

/** A term of whichever library. */
interface AnyTerm {
  readonly termType: string;
  readonly value: string;
}

interface RdfSourceOptions {
  /** Whether the default graph is all graphs together, each triple once; it is empty otherwise. */
  readonly isUnion: boolean;
}

/**
 * An RDF/JS source: what `match` gives is a stream of quads, and an async iterable. A variable, like a term that is not
 * given, stands for all terms.
 *
 * @param view of a snapshot that is kept until the streams have ended
 */
export function rdfSource(view: QuadView, { isUnion }: RdfSourceOptions) {
  return {
    match: (
      subject?: AnyTerm | null,
      predicate?: AnyTerm | null,
      object?: AnyTerm | null,
      graph?: AnyTerm | null,
    ): Readable => {
      const isDefault = graph?.termType === 'DefaultGraph';
      const pattern = patternOf([subject, predicate, object, isDefault ? undefined : graph]);
      if (pattern === undefined || (isDefault && !isUnion)) return Readable.from([]);
      return Readable.from(quadTerms(view.each(pattern, isDefault), isDefault));
    },
  };
}

const DEFAULT_GRAPH: DefaultGraph = {
  termType: 'DefaultGraph',
  value: '',
  equals: (other) => other?.termType === 'DefaultGraph',
};

function* quadTerms(quads: Iterable<StoredQuad>, isDefault: boolean): Generator<QuadTerm> {
  for (const quad of quads) yield quadTerm(quad, isDefault ? DEFAULT_GRAPH : namedNode(quad.graph));
}

/** undefined when no stored quad can have such terms. */
function patternOf(terms: readonly (AnyTerm | null | undefined)[]): QuadPattern | undefined {
  const parts: (StoredTerm | undefined)[] = [];
  for (const term of terms) {
    const part = isGiven(term) ? storedTerm(term) : undefined;
    if (isGiven(term) && part === undefined) return undefined;
    parts.push(part);
  }
  const [subject, predicate, object, graph] = parts;
  if ([subject, predicate, graph].some((part) => part?.kind === 'literal')) return undefined;
  return { subject: subject?.value, predicate: predicate?.value, object, graph: graph?.value };
}

function isGiven(term: AnyTerm | null | undefined): term is AnyTerm {
  return term !== null && term !== undefined && term.termType !== 'Variable';
}

function storedTerm(term: AnyTerm): StoredTerm | undefined {
  const { termType, value } = term;
  if (termType === 'NamedNode') return { kind: 'iri', value };
  if (termType !== 'Literal' || !('language' in term) || !('datatype' in term)) return undefined;
  const { language, datatype } = term;
  if (typeof language !== 'string' || !isTerm(datatype)) return undefined;
  return { kind: 'literal', value, datatype: datatype.value, language };
}

function isTerm(value: unknown): value is AnyTerm {
  return typeof value === 'object' && value !== null && 'value' in value && typeof value.value === 'string';
}

function namedNode(value: string): NamedNode {
  const node: NamedNode = {
    termType: 'NamedNode',
    value,
    equals: (other) => other?.termType === 'NamedNode' && other.value === value,
  };
  return node;
}

function literal({ value, language, datatype }: Extract<StoredTerm, { kind: 'literal' }>): Literal {
  return {
    termType: 'Literal',
    value,
    language,
    datatype: namedNode(datatype),
    equals: (other) => {
      const same = other?.termType === 'Literal' ? storedTerm(other) : undefined;
      return (
        same?.kind === 'literal' && same.value === value && same.language === language && same.datatype === datatype
      );
    },
  };
}

function objectTerm(term: StoredTerm): NamedNode | Literal {
  return term.kind === 'iri' ? namedNode(term.value) : literal(term);
}

function quadTerm(stored: StoredQuad, graph: QuadTerm['graph']): QuadTerm {
  const quad = {
    termType: 'Quad' as const,
    value: '' as const,
    subject: namedNode(stored.subject),
    predicate: namedNode(stored.predicate),
    object: objectTerm(stored.object),
    graph,
  };
  const places = ['subject', 'predicate', 'object', 'graph'] as const;
  const equals = (other: AnyTerm | null | undefined): boolean =>
    other?.termType === 'Quad' &&
    places.every((place) => {
      const term: unknown = Reflect.get(other, place);
      return isTerm(term) && quad[place].equals(term);
    });
  return { ...quad, equals };
}
