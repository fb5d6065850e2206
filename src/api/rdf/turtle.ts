import { compareCodePoints } from '../../lib/code-points.ts';
import { writeString, writeTerm } from '../../provenance/canonical.ts';
import { RDF_TYPE, XSD } from '../../provenance/namespaces.ts';
import type { Iri, Term, Triple } from '../../provenance/terms.ts';

/** Namespaces by their short names, which are of ASCII letters and digits. */
export type Prefixes = Readonly<Record<string, Iri>>;

// A part of what local names may be: no escapes, no dots, nothing outside ASCII.
const LOCAL_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?\d*\.\d+$/;

/**
 * Writes the terms of one document. n3's own writer is not used: it takes an IRI such as `<cf:state>` for the short
 * form of another, and so would let a submitter state what only the ledger may.
 */
class TurtleWriter {
  readonly #prefixes: readonly (readonly [name: string, namespace: Iri])[];
  readonly #used = new Set<string>();

  constructor(prefixes: Prefixes) {
    // The longest namespace that fits gives the shortest name.
    this.#prefixes = Object.entries(prefixes).sort(([, a], [, b]) => b.length - a.length);
  }

  iri(iri: Iri): string {
    for (const [name, namespace] of this.#prefixes) {
      if (!iri.startsWith(namespace) || !LOCAL_NAME.test(iri.slice(namespace.length))) continue;
      this.#used.add(name);
      return `${name}:${iri.slice(namespace.length)}`;
    }
    return `<${iri}>`;
  }

  predicate(iri: Iri): string {
    return iri === RDF_TYPE ? 'a' : this.iri(iri);
  }

  term(term: Term): string {
    if (term.kind === 'iri') return this.iri(term.value);
    const { value, datatype } = term;
    const isShort =
      (datatype === `${XSD}boolean` && (value === 'true' || value === 'false')) ||
      (datatype === `${XSD}integer` && INTEGER.test(value)) ||
      (datatype === `${XSD}decimal` && DECIMAL.test(value));
    if (isShort) return value;
    const written = writeTerm(term);
    return written.endsWith('>') ? `${writeString(value)}^^${this.iri(datatype)}` : written;
  }

  /** The declarations of the prefixes that were used. */
  head(): string {
    const lines = this.#prefixes
      .filter(([name]) => this.#used.has(name))
      .map(([name, namespace]) => `@prefix ${name}: <${namespace}> .\n`)
      .sort(compareCodePoints);
    return lines.length === 0 ? '' : `${lines.join('')}\n`;
  }
}

/** Triples as Turtle, each once, in an order that depends on them alone. */
export function writeTurtle(triples: readonly Triple[], prefixes: Prefixes): string {
  const writer = new TurtleWriter(prefixes);
  const body = subjects(writer, triples, '');
  return writer.head() + body;
}

/** Graphs as TriG; what is in no graph comes first. */
export function writeTrig(quads: readonly (Triple & { readonly graph?: Iri })[], prefixes: Prefixes): string {
  const writer = new TurtleWriter(prefixes);
  const graphs = grouped(quads, ({ graph }) => graph ?? '');
  const blocks = graphs.map(([graph, ofGraph]) =>
    graph === '' ? subjects(writer, ofGraph, '') : `${writer.iri(graph)} {\n${subjects(writer, ofGraph, '  ')}}\n`,
  );
  return writer.head() + blocks.join('\n');
}

function subjects(writer: TurtleWriter, triples: readonly Triple[], indent: string): string {
  return grouped(triples, ({ subject }) => subject)
    .map(([subject, ofSubject]) => {
      const lines = grouped(ofSubject, ({ predicate }) => predicate, typesFirst).map(([predicate, ofPredicate]) => {
        const objects = new Map(ofPredicate.map(({ object }) => [writeTerm(object), object]));
        const sorted = [...objects]
          .sort(([a], [b]) => compareCodePoints(a, b))
          .map(([, object]) => writer.term(object));
        return `${writer.predicate(predicate)} ${sorted.join(', ')}`;
      });
      return `${indent}${writer.iri(subject)} ${lines.join(` ;\n${indent}  `)} .\n`;
    })
    .join('');
}

function typesFirst(a: string, b: string): number {
  return Number(b === RDF_TYPE) - Number(a === RDF_TYPE) || compareCodePoints(a, b);
}

/** Things by a key of theirs, in the order of the keys. */
export function grouped<T>(
  things: readonly T[],
  keyOf: (thing: T) => string,
  order: (a: string, b: string) => number = compareCodePoints,
): readonly (readonly [key: string, things: readonly T[]])[] {
  const groups = new Map<string, T[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [thing]);
    else group.push(thing);
  }
  return [...groups].sort(([a], [b]) => order(a, b));
}
