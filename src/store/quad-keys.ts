import { assert } from '../lib/assert.ts';
import type { Table } from './key-value.ts';
import { afterPrefix } from './schema.ts';

/** The tables of a graph index, an environment of its own. A number is never used again for anything else. */
export const GRAPH_TABLES = {
  /** What is indexed, and of which chain. */
  meta: 1,
  /** Eight bytes of a term's hash → numbers of terms, nearly always one. */
  numbers: 2,
  /** Number → term. */
  terms: 3,
  /** Subject, predicate, object, graph → nothing. */
  spog: 4,
  /** Predicate, object, subject, graph → nothing. */
  posg: 5,
  /** Object, subject, predicate, graph → nothing. */
  ospg: 6,
  /** Graph, height → what the block of that height added to the graph. */
  graphs: 7,
} as const satisfies Record<string, Table>;

/** The numbers of the terms of a quad: of subject, predicate, object and graph. */
export type Numbers = readonly [subject: number, predicate: number, object: number, graph: number];

export type Order = 'spog' | 'posg' | 'ospg';

/** Which part of a quad is at each place of a key. */
const PLACES: Readonly<Record<Order, Numbers>> = {
  spog: [0, 1, 2, 3],
  posg: [1, 2, 0, 3],
  ospg: [2, 0, 1, 3],
};

/** Numbers are below this: five bytes hold them. */
export const NUMBER_END = 2 ** 35;

/**
 * Bytes of a number: one below 2^7, two below 2^14, and so on. The ones that a first byte begins with say how many follow:
 * byte order is the order of numbers, and no number's bytes begin another's.
 */
export function numberBytes(number: number): number {
  if (number < 0x80) return 1;
  if (number < 0x4000) return 2;
  if (number < 0x20_0000) return 3;
  return number < 0x1000_0000 ? 4 : 5;
}

/** @returns the place behind the number */
export function putNumber(target: Uint8Array, at: number, number: number): number {
  const length = numberBytes(number);
  if (length === 1) {
    target[at] = number;
    return at + 1;
  }
  let rest = number;
  for (let place = at + length - 1; place > at; place -= 1) {
    target[place] = rest & 0xff;
    rest = length === 5 ? Math.floor(rest / 0x100) : rest >>> 8;
  }
  target[at] = rest | ((0xff00 >> (length - 1)) & 0xff);
  return at + length;
}

export function numberKey(...numbers: readonly number[]): Uint8Array {
  let length = 0;
  for (const number of numbers) {
    assert(number >= 0 && number < NUMBER_END, `${number} fits into five bytes`);
    length += numberBytes(number);
  }
  const key = new Uint8Array(length);
  let at = 0;
  for (const number of numbers) at = putNumber(key, at, number);
  return key;
}

/** Reads numbers one after another. Bytes that end within one, or are none, give NaN: whoever reads stored ones checks. */
export class NumberReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  next(): number {
    const first = this.#bytes[this.#at] ?? 0xff;
    if (first < 0x80) {
      this.#at += 1;
      return first;
    }
    const ones = Math.clz32(~(first << 24));
    const end = this.#at + ones + 1;
    if (ones > 4 || end > this.#bytes.length) {
      this.#at = this.#bytes.length;
      return Number.NaN;
    }
    let number = first & (0xff >> (ones + 1));
    for (let place = this.#at + 1; place < end; place += 1) number = number * 0x100 + (this.#bytes[place] ?? 0);
    this.#at = end;
    return number;
  }
}

export function quadKey(order: Order, quad: Numbers): Uint8Array {
  const [a, b, c, d] = PLACES[order];
  const [first, second, third, fourth] = [quad[a] ?? 0, quad[b] ?? 0, quad[c] ?? 0, quad[d] ?? 0];
  const key = new Uint8Array(numberBytes(first) + numberBytes(second) + numberBytes(third) + numberBytes(fourth));
  putNumber(key, putNumber(key, putNumber(key, putNumber(key, 0, first), second), third), fourth);
  return key;
}

/** The quad of a key; with NaN where the key is none. */
export function quadOfKey(order: Order, key: Uint8Array): Numbers {
  const reader = new NumberReader(key);
  const [first, second, third, fourth] = [reader.next(), reader.next(), reader.next(), reader.next()];
  const fourthOrDamaged = reader.isAtEnd ? fourth : Number.NaN;
  if (order === 'spog') return [first, second, third, fourthOrDamaged];
  if (order === 'posg') return [third, first, second, fourthOrDamaged];
  return [second, third, first, fourthOrDamaged];
}

/** What every quad's key begins with that agrees with the bound parts; they are the first places of the order. */
export function patternPrefix(order: Order, bound: readonly (number | undefined)[]): Uint8Array {
  const numbers: number[] = [];
  for (const place of PLACES[order]) {
    const number = bound[place];
    if (number === undefined) break;
    numbers.push(number);
  }
  return numberKey(...numbers);
}

/** The key that all keys of the same triple, in whichever graph, come before. */
export function afterTriple(order: Order, quad: Numbers): Uint8Array | undefined {
  const [a, b, c] = PLACES[order];
  return afterPrefix(numberKey(quad[a] ?? 0, quad[b] ?? 0, quad[c] ?? 0));
}
