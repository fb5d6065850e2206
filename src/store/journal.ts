/**
 * How far the journal is durable: the witness that a node stores outside the journal (in `data/`, with every block).
 * A journal that ends before its witness was cut, or an older copy was put back: the key is dead.
 */
export interface JournalPosition {
  readonly publicKey: Uint8Array;
  /** The random nonce of the journal's creation. Keep it to the node: see RecordPlace. */
  readonly incarnation: Uint8Array;
  readonly segment: number;
  /** Durable bytes of that segment. */
  readonly offset: number;
}

/**
 * Why a journal cannot be used. All but JOURNAL_FORMAT and JOURNAL_OF_ANOTHER_CHAIN mean: this key never votes again
 * (docs/consensus.md, "Memory").
 */
export type JournalProblem =
  /** Another version wrote it: nothing is wrong with it. */
  | { readonly code: 'JOURNAL_FORMAT'; readonly file: string; readonly found: number; readonly wanted: number }
  /** The key has begun to vote on that chain: nothing is wrong with the journal, and it does not belong to this genesis. */
  | { readonly code: 'JOURNAL_OF_ANOTHER_CHAIN'; readonly chainId: Uint8Array }
  | { readonly code: 'JOURNAL_MISSING' }
  | { readonly code: 'JOURNAL_CORRUPT'; readonly file: string; readonly offset: number; readonly reason: string }
  | { readonly code: 'JOURNAL_OF_ANOTHER_KEY'; readonly publicKey: Uint8Array }
  | { readonly code: 'JOURNAL_COPIED'; readonly file: string }
  | { readonly code: 'JOURNAL_CUT'; readonly segment: number; readonly offset: number };

/** What was signed and must be remembered. All calls are refused (InvariantError) after `close`. */
export interface Journal {
  /**
   * Queues records behind each other; all that queue up during one sync go with the next. `onDurable` is called once
   * they, and all records before them, survive a crash; never after a failure, never before `append` has returned. A
   * crash before that leaves any number of them, first ones first. The caller no longer changes the bytes.
   */
  append(payloads: readonly Uint8Array[], onDurable: () => void): void;
  /**
   * Starts anew from `snapshot`, which says everything that the records appended so far say. Once it is durable as the
   * first record of a new segment, the older segments go; then `onDurable` is called.
   */
  truncate(snapshot: Uint8Array, onDurable: () => void): void;
  /** The durable end, for the witness. */
  position(): JournalPosition;
  /** True while so much is queued that the caller must wait for a sync before it takes new work. */
  full(): boolean;
  /** Waits for what is queued, then closes the file. */
  close(onClosed: () => void): void;
}
