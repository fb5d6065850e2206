/** What the query engine needs of the graph index: its content, and what comes after. Quads are never taken back. */
export interface GraphSource {
  /** Height up to which the graph is indexed; -1 before that of genesis is. */
  indexedTo(): number;
  /**
   * Everything that is indexed when it is called, as N-Quads cut between lines; of later blocks some may be in it. The
   * next piece is asked for when the last one has been taken in: pieces of some 1 MiB keep both sides busy.
   */
  dump(): AsyncIterable<string | Uint8Array>;
  /** The N-Quads of each indexed block above `height`, ascending. */
  blocksSince(height: number): AsyncIterable<GraphBlock>;
}

export interface GraphBlock {
  readonly height: number;
  readonly nquads: string | Uint8Array;
}
