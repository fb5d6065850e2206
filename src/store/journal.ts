import type { Result } from '../lib/result.ts';
import type { Disk } from './disk.ts';

/**
 * How far the journal is durable: the witness that a node stores outside the journal (in `data/`, with every block).
 * A journal that ends before its witness was cut, or an older copy was put back: the key is dead.
 */
export interface JournalPosition {
  readonly publicKey: Uint8Array;
  /** The random nonce of the journal's creation. */
  readonly incarnation: Uint8Array;
  readonly segment: number;
  /** Durable bytes of that segment. */
  readonly offset: number;
}

/** Why a journal cannot be used. Each of them means: this key never votes again (consensus.md §6). */
export type JournalProblem =
  | { readonly code: 'JOURNAL_MISSING' }
  | { readonly code: 'JOURNAL_CORRUPT'; readonly file: string; readonly offset: number; readonly reason: string }
  | { readonly code: 'JOURNAL_OF_ANOTHER_KEY'; readonly publicKey: Uint8Array }
  | { readonly code: 'JOURNAL_COPIED'; readonly file: string }
  | { readonly code: 'JOURNAL_CUT'; readonly segment: number; readonly offset: number };

export interface Journal {
  /**
   * Queues records behind each other; all that queue up during one sync go with the next. `onDurable` is called once
   * they, and all records before them, survive a crash; never after a failure, never before `append` has returned.
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

export interface OpenedJournal {
  readonly journal: Journal;
  /** The payloads since the last snapshot (included), read piece by piece; to be read before the first append. */
  readonly records: Iterable<Uint8Array>;
}

export interface JournalOptions {
  readonly disk: Disk;
  /** 32 bytes: whose votes these are. */
  readonly publicKey: Uint8Array;
  /** The disk failed. Called at most once; nothing else is called afterwards, and the process must end. */
  readonly onFatal: (error: Error) => void;
  readonly witness?: JournalPosition | undefined;
  /** Bytes of a segment before the next one starts; JOURNAL_SEGMENT_BYTES_MAX unless told otherwise. */
  readonly segmentBytesMax?: number;
}

/** Takes the outcome of opening: what is in the journal is durable by then. */
export type JournalOpened = (opened: Result<OpenedJournal, JournalProblem>) => void;
