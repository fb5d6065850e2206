import { sortedByCodePoint } from '../lib/code-points.ts';
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

let lastTime = { milliseconds: Number.NaN, text: '' };

/** In UTC, with as many digits of a second as it takes: the one form in which engines keep it too. */
export function dateTime(milliseconds: number): string {
  // Everything in a block has its time.
  if (lastTime.milliseconds === milliseconds) return lastTime.text;
  const text = `"${new Date(milliseconds).toISOString().replace(/\.?0*Z$/, 'Z')}${DATE_TIME}`;
  lastTime = { milliseconds, text };
  return text;
}

/** One graph in the making: what is said of each subject, which `document` puts in order. */
export class GraphLines {
  readonly #bySubject = new Map<string, string[]>();
  readonly #end: string;

  constructor(graph: Iri) {
    this.#end = ` ${ref(graph)} .\n`;
  }

  /** Subject and object as a line holds them; of the predicate the IRI in angle brackets. */
  add(subject: string, predicate: string, object: string): void {
    const said = `${predicate} ${object}`;
    const list = this.#bySubject.get(subject);
    if (list === undefined) this.#bySubject.set(subject, [said]);
    else list.push(said);
  }

  /**
   * The canonical N-Quads document: sorted by code point, nothing twice. Subject by subject, since no term begins with
   * another whole one that is an IRI: lines of one subject are neighbours, and in the order of their subjects.
   */
  document(): string {
    let text = '';
    for (const subject of sortedByCodePoint(this.#bySubject.keys())) {
      let last = '';
      for (const said of sortedByCodePoint(this.#bySubject.get(subject) ?? [])) {
        if (said !== last) text += `${subject} ${said}${this.#end}`;
        last = said;
      }
    }
    return text;
  }
}

/** A graph that is being written, and the activity that it is about. */
export interface Sheet {
  readonly iris: Iris;
  readonly graph: GraphLines;
  readonly activity: string;
}
