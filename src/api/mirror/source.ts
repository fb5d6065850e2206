import { MIRROR_BLOCKS_AT_ONCE_MAX, MIRROR_CHARS_AT_ONCE } from '../../model/graph-limits.ts';
import { irisUnder } from '../../provenance/iris.ts';
import type { Iri } from '../../provenance/terms.ts';
import { graphsOf, type IndexMoment } from '../graph/index-source.ts';

export interface MirrorGraph {
  readonly graph: Iri;
  /** Lines of N-Quads, all of this graph, each ended. */
  readonly document: string;
}

export interface MirrorBlock {
  readonly height: number;
  /** What transactions say, and what was stated with them. */
  readonly graphs: readonly MirrorGraph[];
  /** The graph of the block itself. */
  readonly own: MirrorGraph;
}

/** What there is to mirror. */
export interface MirrorSource {
  /** The blocks that are indexed, all between the two; null when none is. */
  heights(): { readonly from: number; readonly to: number } | null;
  /** Name of the graph of a block. */
  nameOf(height: number): Iri;
  /** The block at `height` and some above it; none when it is not indexed. @throws CorruptionError */
  blocksFrom(height: number): readonly MirrorBlock[];
}

/** The graph index as what is mirrored. @param heights see `MirrorSource` */
export function mirrorSourceOf(
  iriBase: Iri,
  moment: () => IndexMoment | undefined,
  heights: MirrorSource['heights'],
): MirrorSource {
  const iris = irisUnder(iriBase);
  return {
    heights,
    nameOf: (height) => iris.block(height),
    blocksFrom: (height) => {
      const opened = moment();
      if (opened === undefined) return [];
      try {
        const { view } = opened;
        const extent = view.extent.heights;
        if (extent === null || height < extent.from) return [];
        const to = Math.min(extent.to, height + MIRROR_BLOCKS_AT_ONCE_MAX - 1);
        const blocks: MirrorBlock[] = [];
        let chars = 0;
        for (let at = height; at <= to && chars < MIRROR_CHARS_AT_ONCE; at += 1) {
          const documents = graphsOf(view, iris.block(at));
          for (const { document } of documents) chars += document.length;
          const [own, ...graphs] = documents;
          if (own !== undefined) blocks.push({ height: at, own, graphs });
        }
        return blocks;
      } finally {
        opened.close();
      }
    },
  };
}
