import { equalBytes, fromUtf8, utf8 } from '../lib/bytes.ts';
import { GRAPH_TERMS_CACHED_MAX } from '../model/graph-limits.ts';
import { sha256 } from '../model/hash.ts';
import { CorruptionError } from './blocks.ts';
import type { KeyValueChange, KeyValueReads } from './key-value.ts';
import { GRAPH_TABLES, NumberReader, numberKey } from './quad-keys.ts';
import type { Token } from './quad-lines.ts';

/** Of a term's SHA-256: two terms that share as much are kept apart by looking at them. */
const HASH_BYTES = 8;

const XSD = 'http://www.w3.org/2001/XMLSchema#';
/** Datatypes that are stored as a number; the place in the list is stored. Appended to only. */
const DATATYPES: readonly string[] = ['dateTime', 'integer', 'decimal', 'boolean', 'date', 'duration'].map(
  (name) => `"^^<${XSD}${name}>`,
);
/** First byte of a stored term: how the rest is completed. From `DATATYPE` on: a literal of one of the datatypes. */
const FORMS = { whole: 0, iri: 1, localIri: 2, text: 3, datatype: 16 } as const;

/** How terms are written down: IRIs of the chain, and literals of usual datatypes, without what they share. */
export interface TermForm {
  bytesOf(token: Token): Uint8Array;
  /** undefined for bytes that no term has. */
  tokenOf(bytes: Uint8Array): Token | undefined;
}

/** @param iriBase what the IRIs of the chain begin with */
export function termForm(iriBase: string): TermForm {
  const local = `<${iriBase}`;
  return {
    bytesOf: (token) => {
      if (token.startsWith(local)) return formed(FORMS.localIri, token.slice(local.length, -1));
      if (token.startsWith('<')) return formed(FORMS.iri, token.slice(1, -1));
      if (token.endsWith('"')) return formed(FORMS.text, token.slice(1, -1));
      const datatype = DATATYPES.findIndex((suffix) => token.endsWith(suffix));
      if (datatype < 0) return formed(FORMS.whole, token);
      return formed(FORMS.datatype + datatype, token.slice(1, -(DATATYPES[datatype] ?? '').length));
    },
    tokenOf: (bytes) => {
      const [form = -1] = bytes;
      const rest = fromUtf8(bytes.subarray(1));
      if (rest === undefined) return undefined;
      if (form === FORMS.localIri) return `${local}${rest}>`;
      if (form === FORMS.iri) return `<${rest}>`;
      if (form === FORMS.text) return `"${rest}"`;
      if (form === FORMS.whole) return rest;
      const suffix = DATATYPES[form - FORMS.datatype];
      return suffix === undefined ? undefined : `"${rest}${suffix}`;
    },
  };
}

function formed(form: number, rest: string): Uint8Array {
  const text = utf8(rest);
  const bytes = new Uint8Array(1 + text.length);
  bytes[0] = form;
  bytes.set(text, 1);
  return bytes;
}

/** A map that forgets what was long not used, in two halves: a look-up moves nothing. */
class Recent<Key, Value extends {}> {
  readonly #halfMax: number;
  #young = new Map<Key, Value>();
  #old: ReadonlyMap<Key, Value> = new Map();

  constructor(entriesMax: number) {
    this.#halfMax = Math.ceil(entriesMax / 2);
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: Key, value: Value): void {
    if (this.#young.size >= this.#halfMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}

/** Terms by their numbers, as the store shows them. A number is never given to another term. */
export class TermReader {
  readonly #form: TermForm;
  readonly #tokens = new Recent<number, Token>(GRAPH_TERMS_CACHED_MAX);
  readonly #numbers = new Recent<Token, number>(GRAPH_TERMS_CACHED_MAX);

  constructor(form: TermForm) {
    this.#form = form;
  }

  /** @throws CorruptionError */
  token(reads: KeyValueReads, number: number): Token {
    const known = this.#tokens.get(number);
    if (known !== undefined) return known;
    const bytes = Number.isNaN(number) ? undefined : reads.get(GRAPH_TABLES.terms, numberKey(number));
    const token = bytes && this.#form.tokenOf(bytes);
    if (token === undefined) throw new CorruptionError(`term ${number} of the graph is damaged`);
    this.#tokens.set(number, token);
    return token;
  }

  /** @throws CorruptionError */
  number(reads: KeyValueReads, token: Token): number | undefined {
    const known = this.#numbers.get(token);
    if (known !== undefined) return known;
    const bytes = this.#form.bytesOf(token);
    const { number } = numberIn(reads, bytes, hashOf(bytes));
    if (number !== undefined) this.#numbers.set(token, number);
    return number;
  }
}

/** Gives numbers to terms, in the order in which they come. */
export class TermWriter {
  readonly #reads: KeyValueReads;
  readonly #form: TermForm;
  readonly #numbers = new Recent<Token, number>(GRAPH_TERMS_CACHED_MAX);
  /** Rows of `numbers` that are not written yet, by the hash in them: a second term of the same hash adds to them. */
  readonly #unwritten = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array }>();
  readonly #fresh = new Map<number, Uint8Array>();
  #next: number;

  constructor(reads: KeyValueReads, form: TermForm, next: number) {
    this.#reads = reads;
    this.#form = form;
    this.#next = next;
  }

  /** The number that the next new term gets. */
  get next(): number {
    return this.#next;
  }

  number(token: Token): number {
    const known = this.#numbers.get(token);
    if (known !== undefined) return known;
    const bytes = this.#form.bytesOf(token);
    const hash = hashOf(bytes);
    const found = this.#find(bytes, hash);
    const number = found.number ?? this.#add(bytes, hash, found.row);
    // The token is a piece of its document, which would stay in memory with it.
    this.#numbers.set(this.#form.tokenOf(bytes) ?? token, number);
    return number;
  }

  /** The rows of all terms that were new since the last time. */
  takeRows(): readonly KeyValueChange[] {
    const rows: KeyValueChange[] = [];
    for (const [number, value] of this.#fresh) rows.push({ table: GRAPH_TABLES.terms, key: numberKey(number), value });
    for (const { key, value } of this.#unwritten.values()) rows.push({ table: GRAPH_TABLES.numbers, key, value });
    this.#fresh.clear();
    this.#unwritten.clear();
    return rows;
  }

  #find(bytes: Uint8Array, hash: Uint8Array): Found {
    const waiting = this.#unwritten.get(nameOf(hash));
    if (waiting === undefined) return numberIn(this.#reads, bytes, hash);
    return numberAmong(waiting.value, bytes, (number) => this.#fresh.get(number) ?? storedTerm(this.#reads, number));
  }

  #add(bytes: Uint8Array, hash: Uint8Array, others: Uint8Array): number {
    const number = this.#next;
    this.#next += 1;
    const key = numberKey(number);
    const value = new Uint8Array(others.length + key.length);
    value.set(others);
    value.set(key, others.length);
    this.#fresh.set(number, bytes);
    this.#unwritten.set(nameOf(hash), { key: hash, value });
    return number;
  }
}

interface Found {
  readonly number: number | undefined;
  /** Numbers of terms with that hash. */
  readonly row: Uint8Array;
}

function hashOf(bytes: Uint8Array): Uint8Array {
  return sha256(bytes).slice(0, HASH_BYTES);
}

function nameOf(hash: Uint8Array): string {
  return String.fromCharCode(...hash);
}

function storedTerm(reads: KeyValueReads, number: number): Uint8Array | undefined {
  return Number.isNaN(number) ? undefined : reads.get(GRAPH_TABLES.terms, numberKey(number));
}

function numberIn(reads: KeyValueReads, bytes: Uint8Array, hash: Uint8Array): Found {
  const row = reads.get(GRAPH_TABLES.numbers, hash);
  if (row === undefined) return { number: undefined, row: new Uint8Array(0) };
  return numberAmong(row, bytes, (number) => storedTerm(reads, number));
}

function numberAmong(row: Uint8Array, bytes: Uint8Array, termAt: (number: number) => Uint8Array | undefined): Found {
  const reader = new NumberReader(row);
  while (!reader.isAtEnd) {
    const number = reader.next();
    const term = termAt(number);
    if (term === undefined) throw new CorruptionError(`term ${number} of the graph is missing`);
    if (equalBytes(term, bytes)) return { number, row };
  }
  return { number: undefined, row };
}
