import { canonicalDocument } from './canonical.ts';
import type { Iris } from './iris.ts';
import type { Iri } from './terms.ts';
import { expand, type PrefixedName } from './vocabulary.ts';

/** `<iri>`, as a line holds it. */
export function ref(iri: Iri): string {
  return `<${iri}>`;
}

const words = new Map<PrefixedName, string>();

/** A word of a vocabulary, as a line holds it. */
export function word(name: PrefixedName): string {
  let found = words.get(name);
  if (found === undefined) {
    found = ref(expand(name));
    words.set(name, found);
  }
  return found;
}

const INTEGER = `"^^${word('xsd:integer')}`;
const DATE_TIME = `"^^${word('xsd:dateTime')}`;

export function integer(value: number): string {
  return `"${value}${INTEGER}`;
}

/** In UTC, with as many digits of a second as it takes: the one form in which engines keep it too. */
export function dateTime(milliseconds: number): string {
  const text = new Date(milliseconds).toISOString();
  return `"${text.replace(/\.?0*Z$/, 'Z')}${DATE_TIME}`;
}

/** One graph in the making: its lines, which `document` puts in order. */
export class GraphLines {
  readonly #lines: string[] = [];
  readonly #end: string;

  constructor(graph: Iri) {
    this.#end = ` ${ref(graph)} .`;
  }

  /** Subject and object as a line holds them; of the predicate the IRI in angle brackets. */
  add(subject: string, predicate: string, object: string): void {
    this.#lines.push(`${subject} ${predicate} ${object}${this.#end}`);
  }

  /** The canonical N-Quads document: sorted by code point, nothing twice. */
  document(): string {
    return canonicalDocument(this.#lines);
  }
}

/** A graph that is being written, and the activity that it is about. */
export interface Sheet {
  readonly iris: Iris;
  readonly graph: GraphLines;
  readonly activity: string;
}
