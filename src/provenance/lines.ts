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

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what has to be escaped.
const ESCAPED = /["\\\u0000-\u001f\u007f]/g;
const NAMED: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\f', '\\f'],
  ['\r', '\\r'],
]);

/** A plain literal in the canonical form of N-Quads (RDFC-1.0 §5.2). */
export function plain(value: string): string {
  const escaped = (one: string): string =>
    NAMED.get(one) ?? `\\u${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  return `"${value.replace(ESCAPED, escaped)}"`;
}

const INTEGER = `"^^${word('xsd:integer')}`;
const DATE_TIME = `"^^${word('xsd:dateTime')}`;

export function integer(value: number): string {
  return `"${value}${INTEGER}`;
}

/** In UTC with milliseconds. */
export function dateTime(milliseconds: number): string {
  return `"${new Date(milliseconds).toISOString()}${DATE_TIME}`;
}

const SURROGATE = /[\ud800-\udfff]/;

/** Orders lines by code point: UTF-16 order differs from it where one has characters above U+FFFF. */
function compareLines(a: string, b: string): number {
  if (a === b) return 0;
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return a < b ? -1 : 1;
  const left = [...a];
  const right = [...b];
  for (let index = 0; index < left.length && index < right.length; index += 1) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** One graph in the making: its lines, which `document` puts in order. */
export class GraphLines {
  readonly #lines: string[] = [];
  readonly #end: string;

  constructor(graph: Iri) {
    this.#end = ` ${ref(graph)} .\n`;
  }

  /** Subject and object as a line holds them; of the predicate the IRI in angle brackets. */
  add(subject: string, predicate: string, object: string): void {
    this.#lines.push(`${subject} ${predicate} ${object}${this.#end}`);
  }

  /** The canonical N-Quads document: sorted by code point, nothing twice. */
  document(): string {
    this.#lines.sort(compareLines);
    return this.#lines.filter((line, index) => line !== this.#lines[index - 1]).join('');
  }
}

/** A graph that is being written, and the activity that it is about. */
export interface Sheet {
  readonly iris: Iris;
  readonly graph: GraphLines;
  readonly activity: string;
}
