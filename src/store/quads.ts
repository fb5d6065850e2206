import { randomInt } from 'node:crypto';
import { assert } from '../lib/assert.ts';
import type { Hash } from '../model/ids.ts';
import type { KeyValue, KeyValueChange } from './key-value.ts';
import { GRAPH_TABLES, type Numbers, numberKey, type Order, quadKey } from './quad-keys.ts';
import { readLines } from './quad-lines.ts';
import {
  compareTriples,
  type GraphExtent,
  type GraphIdentity,
  type GraphMeta,
  metaRow,
  packTriples,
  readMeta,
  type TripleNumbers,
} from './quad-rows.ts';
import { TermWriter, termForm } from './quad-terms.ts';
import { written } from './written.ts';

/** What a block adds to the graphs. */
export interface BlockGraphs {
  readonly height: number;
  readonly hash: Hash;
  /** Canonical N-Quads, each line ended; in any order. */
  readonly documents: readonly string[];
}

const ORDERS: readonly Order[] = ['spog', 'posg', 'ospg'];
const NOTHING = new Uint8Array(0);

/**
 * Puts the graphs of blocks into an index: a range of heights without gaps, which grows at both ends.
 *
 * A quad is a key in each of three orders, by subject, predicate and object, which together find every pattern without a
 * graph by the beginning of a key; and it is in the one row that its block added to its graph, which is all that a pattern
 * with a graph has to look at: a graph is what one transaction or one block says, and as small as these.
 */
export class QuadIndex {
  readonly #store: KeyValue;
  readonly #identity: GraphIdentity;
  readonly #terms: TermWriter;
  #meta: GraphMeta;
  #isBusy = false;

  /** @throws ForeignGraphError, CorruptionError */
  constructor(store: KeyValue, identity: GraphIdentity) {
    this.#store = store;
    this.#identity = identity;
    this.#meta = readMeta(store, identity) ?? {
      extent: { heights: null, quads: 0, terms: 0 },
      incarnation: randomInt(2 ** 32),
      tip: null,
    };
    this.#terms = new TermWriter(store, termForm(identity.iriBase), this.#meta.extent.terms + 1);
  }

  /** Hash of the highest block that is indexed; null in an empty index. */
  get tip(): Hash | null {
    return this.#meta.tip;
  }

  /** What is durable. */
  get extent(): GraphExtent {
    return this.#meta.extent;
  }

  /**
   * Adds blocks in one write: each right above those that are there, or right below. One that is there already adds
   * nothing. To be called again when the write is durable; after an error never again.
   *
   * @throws StoreError; InvariantError for lines that are not canonical
   */
  async add(blocks: readonly BlockGraphs[]): Promise<void> {
    assert(!this.#isBusy, 'one write at a time');
    this.#isBusy = true;
    const batch = new Batch(this.#store, this.#terms);
    let { heights } = this.extent;
    let { tip } = this.#meta;
    for (const { height, hash, documents } of blocks) {
      if (heights !== null && height >= heights.from && height <= heights.to) continue;
      assert(
        heights === null || height === heights.to + 1 || height === heights.from - 1,
        `block ${height} is next to blocks ${heights?.from} to ${heights?.to}`,
      );
      if (heights === null || height > heights.to) tip = hash;
      heights = { from: Math.min(height, heights?.from ?? height), to: Math.max(height, heights?.to ?? height) };
      batch.add(height, documents);
    }
    if (heights !== null && heights !== this.extent.heights) {
      const extent = { heights, quads: this.extent.quads + batch.quads, terms: this.#terms.next - 1 };
      const meta = { ...this.#meta, extent, tip };
      const changes = [...batch.changes, ...this.#terms.takeRows(), metaRow(meta, this.#identity)];
      await written(this.#store, changes);
      this.#meta = meta;
    }
    this.#isBusy = false;
  }
}

/** Rows of some blocks. */
class Batch {
  readonly changes: KeyValueChange[] = [];
  quads = 0;
  readonly #store: KeyValue;
  readonly #terms: TermWriter;
  /** The least number that a graph can have that is new in this batch. */
  readonly #fresh: number;
  /** Of graphs that an earlier block of the batch has: their triples. */
  readonly #earlier = new Map<number, (readonly TripleNumbers[])[]>();

  constructor(store: KeyValue, terms: TermWriter) {
    this.#store = store;
    this.#terms = terms;
    this.#fresh = terms.next;
  }

  add(height: number, documents: readonly string[]): void {
    const graphs = new Map<number, TripleNumbers[]>();
    for (const document of documents) this.#read(document, graphs);
    for (const [graph, triples] of graphs) this.#addGraph(height, graph, triples);
  }

  #read(document: string, graphs: Map<number, TripleNumbers[]>): void {
    let name = '';
    let triples: TripleNumbers[] = [];
    const terms = this.#terms;
    const read = readLines(document, (subject, predicate, object, graph) => {
      if (graph !== name) {
        name = graph;
        const number = terms.number(graph);
        triples = graphs.get(number) ?? [];
        graphs.set(number, triples);
      }
      triples.push([terms.number(subject), terms.number(predicate), terms.number(object)]);
    });
    assert(read.ok, read.ok ? '' : `line ${read.error.line}: ${read.error.reason}`);
  }

  #addGraph(height: number, graph: number, triples: TripleNumbers[]): void {
    triples.sort(compareTriples);
    const known = this.#knownOf(graph);
    const added = triples.filter((triple, index) => {
      const before = triples[index - 1];
      return (before === undefined || compareTriples(before, triple) !== 0) && !known(triple);
    });
    if (added.length === 0) return;
    for (const order of ORDERS) {
      const table = GRAPH_TABLES[order];
      for (const [subject, predicate, object] of added) {
        const quad: Numbers = [subject, predicate, object, graph];
        this.changes.push({ table, key: quadKey(order, quad), value: NOTHING });
      }
    }
    this.changes.push({ table: GRAPH_TABLES.graphs, key: numberKey(graph, height), value: packTriples(added) });
    this.quads += added.length;
    this.#earlier.set(graph, [...(this.#earlier.get(graph) ?? []), added]);
  }

  /** Whether a graph has a triple already. Nearly every graph is of one block, and new with it. */
  #knownOf(graph: number): (triple: TripleNumbers) => boolean {
    const earlier = new Set(this.#earlier.get(graph)?.flatMap((triples) => triples.map((triple) => triple.join(' '))));
    const isStored = (triple: TripleNumbers): boolean =>
      graph < this.#fresh && this.#store.get(GRAPH_TABLES.spog, quadKey('spog', [...triple, graph])) !== undefined;
    return (triple) => (earlier.size > 0 && earlier.has(triple.join(' '))) || isStored(triple);
  }
}
