import type { GraphBlock, GraphSource } from '../../src/api/graph-source.ts';

const PIECE_CHARS = 1_048_576;

/** A graph index in memory: N-Quads by block. */
export class MemoryGraph implements GraphSource {
  readonly #blocks: GraphBlock[] = [];
  /** Called before each piece of a dump: what happens while an engine is filled. */
  onPiece: () => void = () => undefined;

  constructor(blocks: Iterable<GraphBlock> = []) {
    this.#blocks.push(...blocks);
  }

  add(block: GraphBlock): void {
    this.#blocks.push(block);
  }

  indexedTo(): number {
    return this.#blocks.at(-1)?.height ?? -1;
  }

  async *dump(): AsyncGenerator<string> {
    let piece = '';
    // By index: what is added meanwhile is in it, too.
    for (let index = 0; index < this.#blocks.length; index += 1) {
      piece += this.#blocks[index]?.nquads ?? '';
      if (piece.length < PIECE_CHARS) continue;
      this.onPiece();
      yield piece;
      piece = '';
    }
    yield piece;
  }

  async *blocksSince(height: number): AsyncGenerator<GraphBlock> {
    for (const block of this.#blocks) if (block.height > height) yield block;
  }
}
