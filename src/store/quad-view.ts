import { compareBytes, utf8 } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { writeTerm } from '../provenance/canonical.ts';
import type { Iri, Quad, Term } from '../provenance/terms.ts';
import type { KeyValueReads } from './key-value.ts';
import { cursorOf, isPlaceOf, placeOf } from './quad-cursor.ts';
import { GRAPH_TABLES, NumberReader, type Numbers } from './quad-keys.ts';
import { iriOf, iriToken, type Token, termOf } from './quad-lines.ts';
import { type GraphExtent, type GraphIdentity, type GraphMeta, readMeta, unpackTriples } from './quad-rows.ts';
import { type Found, foundBy, graphRows, type Place, type Search, searchFor } from './quad-search.ts';
import { TermReader, termForm } from './quad-terms.ts';

/** What is not said may be anything. */
export interface QuadPattern {
  readonly subject?: Iri | undefined;
  readonly predicate?: Iri | undefined;
  readonly object?: Term | undefined;
  readonly graph?: Iri | undefined;
}

export interface MatchOptions {
  /** Quads that are wanted at most; at least one. */
  readonly limit: number;
  /** Goes on behind an earlier answer to the same pattern. */
  readonly after?: string | undefined;
  /** Gives a triple of several graphs once, with one of them. */
  readonly isUnion?: boolean | undefined;
}

export interface QuadPage {
  readonly quads: readonly Quad[];
  /** For the quads behind these; null when there are none. */
  readonly next: string | null;
}

/** A cursor that this index has not given for this pattern: it was begun anew meanwhile, or somebody made it up. */
export interface CursorFault {
  readonly code: 'BAD_CURSOR';
}

/** What outlives a moment of the store: the terms that were read. One index, until it is begun anew. */
export class GraphReader {
  readonly #identity: GraphIdentity;
  readonly #terms: TermReader;

  constructor(identity: GraphIdentity) {
    this.#identity = identity;
    this.#terms = new TermReader(termForm(identity.iriBase));
  }

  /**
   * The index at one moment: a snapshot, or a store that is not written meanwhile.
   *
   * @throws ForeignGraphError, CorruptionError
   */
  at(reads: KeyValueReads): QuadView {
    return new QuadView(reads, this.#terms, readMeta(reads, this.#identity));
  }
}

/** Quads as an index holds them at one moment. Each method throws a CorruptionError when what it reads is damaged. */
export class QuadView {
  readonly #reads: KeyValueReads;
  readonly #terms: TermReader;
  readonly #meta: GraphMeta | undefined;

  constructor(reads: KeyValueReads, terms: TermReader, meta: GraphMeta | undefined) {
    this.#reads = reads;
    this.#terms = terms;
    this.#meta = meta;
  }

  get extent(): GraphExtent {
    return this.#meta?.extent ?? { heights: null, quads: 0, terms: 0 };
  }

  /** A page of the quads of a pattern, in an order that stays. */
  match(pattern: QuadPattern, options: MatchOptions): Result<QuadPage, CursorFault> {
    const search = this.#searchFor(pattern, options.isUnion ?? false);
    const incarnation = this.#meta?.incarnation ?? 0;
    const after = options.after === undefined ? null : placeOf(options.after, incarnation);
    if (after === undefined || (after !== null && !(search && isPlaceOf(search, after)))) {
      return err({ code: 'BAD_CURSOR' });
    }
    const quads: Quad[] = [];
    let last: Place | undefined;
    for (const found of this.#found(search, after)) {
      if (quads.length === options.limit) {
        return ok({ quads, next: last === undefined ? null : cursorOf(last, incarnation) });
      }
      quads.push(this.#quad(found.quad));
      last = found.place;
    }
    return ok({ quads, next: null });
  }

  /** All quads of a pattern, lazily. */
  *each(pattern: QuadPattern, isUnion = false): Generator<Quad> {
    for (const { quad } of this.#found(this.#searchFor(pattern, isUnion), null)) yield this.#quad(quad);
  }

  /** How many quads a pattern has, counted up to `max`: a microsecond or so for each. */
  count(pattern: QuadPattern, max: number): number {
    const isAll = Object.values(pattern).every((part) => part === undefined);
    if (isAll) return Math.min(this.extent.quads, max);
    let count = 0;
    for (const _ of this.#found(this.#searchFor(pattern, false), null)) {
      count += 1;
      if (count >= max) break;
    }
    return count;
  }

  /** Everything, as N-Quads: a text for each graph of each block. Its lines are in no order that a hash could be taken of. */
  *dump(): Generator<string> {
    for (const { key, value } of this.#reads.range(GRAPH_TABLES.graphs, {})) {
      yield this.#linesOf(new NumberReader(key).next(), value).join('');
    }
  }

  /** The canonical document of one graph: its lines in order, each ended; empty when there is no such graph. */
  document(graph: Iri): string {
    const number = this.#number(iriToken(graph));
    if (number === undefined) return '';
    const lines = [...graphRows(this.#reads, number)].flatMap(({ value }) => this.#linesOf(number, value));
    return inOrder(lines);
  }

  /** Graphs that say something of a subject, ascending by when they were first named; `max` at most. */
  graphsOf(subject: Iri, max: number): readonly Iri[] {
    const number = this.#number(iriToken(subject));
    const graphs = new Set<number>();
    if (number === undefined) return [];
    for (const { quad } of this.#found(searchFor([number, undefined, undefined, undefined], false), null)) {
      graphs.add(quad[3]);
      if (graphs.size >= max) break;
    }
    return [...graphs].sort((a, b) => a - b).map((graph) => iriOf(this.#token(graph)));
  }

  #searchFor({ subject, predicate, object, graph }: QuadPattern, isUnion: boolean): Search | undefined {
    const bound: (number | undefined)[] = [];
    for (const part of [subject, predicate, object, graph]) {
      const number =
        part === undefined ? undefined : this.#number(typeof part === 'string' ? iriToken(part) : writeTerm(part));
      // A term that no quad has: nor is there a quad of the pattern.
      if (part !== undefined && number === undefined) return undefined;
      bound.push(number);
    }
    return searchFor(bound, isUnion);
  }

  #found(search: Search | undefined, after: Place | null): Iterable<Found> {
    return search === undefined ? [] : foundBy(this.#reads, search, after);
  }

  #linesOf(graph: number, row: Uint8Array): readonly string[] {
    const name = this.#token(graph);
    return unpackTriples(row).map(
      ([subject, predicate, object]) =>
        `${this.#token(subject)} ${this.#token(predicate)} ${this.#token(object)} ${name} .\n`,
    );
  }

  #quad([subject, predicate, object, graph]: Numbers): Quad {
    return {
      subject: iriOf(this.#token(subject)),
      predicate: iriOf(this.#token(predicate)),
      object: termOf(this.#token(object)),
      graph: iriOf(this.#token(graph)),
    };
  }

  #token(number: number): Token {
    return this.#terms.token(this.#reads, number);
  }

  #number(token: Token): number | undefined {
    return this.#terms.number(this.#reads, token);
  }
}

function inOrder(lines: readonly string[]): string {
  return lines
    .map((line) => ({ line, bytes: utf8(line) }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ line }) => line)
    .join('');
}
