import { GRAPH_BLOCKS_PER_WRITE, GRAPH_CHARS_PER_WRITE } from '../model/graph-limits.ts';
import type { Height } from '../model/ids.ts';
import { CorruptionError, readBlock, readHeadHeight, readOldest, type StoredBlock } from '../store/blocks.ts';
import type { OpenedGraph } from '../store/graph-directory.ts';
import type { KeyValueReads } from '../store/key-value.ts';
import type { ReadOnlyKeyValue } from '../store/lmdb.ts';
import { ForeignGraphError } from '../store/quad-rows.ts';
import type { BlockGraphs } from '../store/quads.ts';

/** What a final block says, as documents of canonical N-Quads: of each transaction, of what was stated with it, of the block. */
export type BlockDescriber = (block: StoredBlock) => readonly string[];

/** How far an index is. */
export interface IndexStatus {
  /** Heights of the lowest and the highest block that is indexed; null when none is. */
  readonly indexedFrom: number | null;
  readonly indexedTo: number | null;
  readonly quads: number;
  /** On the disk. */
  readonly bytes: number;
}

export interface IndexingParts {
  readonly chain: Pick<ReadOnlyKeyValue, 'snapshot'>;
  readonly graph: Pick<OpenedGraph, 'store' | 'index'>;
  readonly describe: BlockDescriber;
  /** Called after each write. */
  readonly told: (status: IndexStatus) => void;
}

/** The chain does not give what it should; the index is in order. */
class UnreadableChainError extends Error {
  override readonly name = 'UnreadableChainError';
  readonly code = 'CHAIN_UNREADABLE';
}

/** Brings a graph index to the chain: new blocks first, then those below that were fetched or are there. */
export class Indexing {
  readonly #parts: IndexingParts;
  #isChecked = false;
  #isStopped = false;

  constructor(parts: IndexingParts) {
    this.#parts = parts;
  }

  get status(): IndexStatus {
    const { index, store } = this.#parts.graph;
    const { heights, quads } = index.extent;
    return {
      indexedFrom: heights?.from ?? null,
      indexedTo: heights?.to ?? null,
      quads,
      bytes: store.sizeBytes(),
    };
  }

  /**
   * Indexes what the chain shows and the index lacks, some blocks in each write, until nothing is left or it is stopped.
   * Not to be called again before it has ended.
   *
   * @throws ForeignGraphError when the chain is not the one that was indexed; CorruptionError, StoreError of the index
   */
  async advance(): Promise<void> {
    for (;;) {
      const blocks = this.#isStopped ? [] : this.#nextBlocks();
      if (blocks.length === 0) return;
      await this.#parts.graph.index.add(blocks);
      this.#parts.told(this.status);
    }
  }

  /** Ends `advance` after the write that is under way. */
  stop(): void {
    this.#isStopped = true;
  }

  #nextBlocks(): readonly BlockGraphs[] {
    const snapshot = this.#parts.chain.snapshot();
    try {
      if (!this.#isChecked) this.#check(snapshot);
      this.#isChecked = true;
      return this.#describe(snapshot, this.#heights(snapshot));
    } finally {
      snapshot.close();
    }
  }

  /** A chain that was cut back or replaced may have other blocks where the index has been. */
  #check(chain: KeyValueReads): void {
    const { extent, tip } = this.#parts.graph.index;
    if (extent.heights === null) return;
    const { to } = extent.heights;
    const head = headOf(chain);
    if (head < to) throw new ForeignGraphError(`it goes up to block ${to}, and the chain to block ${head}`);
    const block = blockAt(chain, to);
    if (block !== undefined && block.hash !== tip) throw new ForeignGraphError(`it is of another block ${to}`);
  }

  #heights(chain: KeyValueReads): readonly number[] {
    const head = headOf(chain);
    const oldest = readOldest(chain);
    const { heights } = this.#parts.graph.index.extent;
    const next = heights === null ? oldest : heights.to + 1;
    if (next < oldest) {
      throw new ForeignGraphError(`it ends with block ${next - 1}, and the chain begins with block ${oldest}`);
    }
    if (next <= head) return span(next, Math.min(head, next + GRAPH_BLOCKS_PER_WRITE - 1));
    const below = (heights?.from ?? 0) - 1;
    if (below < oldest) return [];
    return span(Math.max(oldest, below - GRAPH_BLOCKS_PER_WRITE + 1), below).toReversed();
  }

  #describe(chain: KeyValueReads, heights: readonly number[]): readonly BlockGraphs[] {
    const blocks: BlockGraphs[] = [];
    let chars = 0;
    for (const height of heights) {
      const block = blockAt(chain, height);
      if (block === undefined) throw new UnreadableChainError(`block ${height} is not in the chain`);
      const documents = this.#parts.describe(block);
      blocks.push({ height, hash: block.hash, documents });
      for (const document of documents) chars += document.length;
      if (chars >= GRAPH_CHARS_PER_WRITE) break;
    }
    return blocks;
  }
}

function span(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function headOf(chain: KeyValueReads): Height {
  const head = readHeadHeight(chain);
  if (head === undefined) throw new UnreadableChainError('the chain has no block');
  return head;
}

function blockAt(chain: KeyValueReads, height: number): StoredBlock | undefined {
  try {
    return readBlock(chain, height);
  } catch (cause) {
    // Of the index the same error would say that it has to begin anew.
    if (!(cause instanceof CorruptionError)) throw cause;
    throw new UnreadableChainError(`block ${height} cannot be read`, { cause });
  }
}
