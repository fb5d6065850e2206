import { setImmediate as nextTurn } from 'node:timers/promises';
import { GRAPH_BLOCKS_READ_MAX, QUERY_LOAD_CHARS_MAX } from '../../model/graph-limits.ts';
import { irisUnder } from '../../provenance/iris.ts';
import type { Iri } from '../../provenance/terms.ts';
import { expand } from '../../provenance/vocabulary.ts';
import type { QuadView } from '../../store/quad-view.ts';
import type { GraphBlock, GraphSource } from '../graph-source.ts';

/** The index at one moment, to be closed once. */
export interface IndexMoment {
  readonly view: QuadView;
  close(): void;
}

const CONTAINS = expand('cf:contains');

/** What the query engine is filled from: the graph index alone, so that it does not matter which blocks are kept. */
export function sourceOfIndex(iriBase: Iri, moment: () => IndexMoment | undefined): GraphSource {
  const iris = irisUnder(iriBase);
  return {
    indexedTo: () => using(moment, (view) => view.extent.heights?.to ?? -1) ?? -1,
    async *dump() {
      const opened = moment();
      if (opened === undefined) return;
      try {
        let lines: string[] = [];
        let chars = 0;
        for (const text of opened.view.dump()) {
          lines.push(text);
          chars += text.length;
          if (chars < QUERY_LOAD_CHARS_MAX) continue;
          yield lines.join('');
          lines = [];
          chars = 0;
        }
        yield lines.join('');
      } finally {
        opened.close();
      }
    },
    async *blocksSince(height) {
      for (let next = height + 1; ; ) {
        const from = next;
        const blocks = using(moment, (view) => blocksFrom(view, (at) => iris.block(at), from)) ?? [];
        if (blocks.length === 0) return;
        yield* blocks;
        next += blocks.length;
        await nextTurn();
      }
    },
  };
}

function using<T>(moment: () => IndexMoment | undefined, use: (view: QuadView) => T): T | undefined {
  const opened = moment();
  if (opened === undefined) return undefined;
  try {
    return use(opened.view);
  } finally {
    opened.close();
  }
}

function blocksFrom(view: QuadView, nameOf: (height: number) => Iri, from: number): readonly GraphBlock[] {
  const to = Math.min(view.extent.heights?.to ?? -1, from + GRAPH_BLOCKS_READ_MAX - 1);
  const blocks: GraphBlock[] = [];
  for (let height = from; height <= to; height += 1) {
    const nquads = graphsOf(view, nameOf(height))
      .map(({ document }) => document)
      .join('');
    blocks.push({ height, nquads });
  }
  return blocks;
}

/** Every graph of a block as its document: that of the block first, none that is empty. */
export function graphsOf(view: QuadView, block: Iri): readonly { readonly graph: Iri; readonly document: string }[] {
  const names = [block];
  for (const { object } of view.each({ subject: block, predicate: CONTAINS, graph: block })) {
    names.push(object.value, `${object.value}#stated`);
  }
  return names.map((graph) => ({ graph, document: view.document(graph) })).filter(({ document }) => document !== '');
}
