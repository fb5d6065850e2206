import { assert } from '../lib/assert.ts';
import {
  JOURNAL_QUEUE_BYTES_FULL,
  JOURNAL_QUEUE_BYTES_MAX,
  JOURNAL_RECORD_BYTES_MAX,
  JOURNAL_SEGMENT_BYTES_MAX,
} from '../model/limits.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { Journal, JournalPosition } from './journal.ts';
import { RECORD_HEADER_BYTES } from './journal-format.ts';
import { appendRecord, createSegment, type JournalName, segmentName } from './journal-segment.ts';

export interface LiveJournalOptions extends JournalName {
  readonly disk: Disk;
  /** The disk failed. Called at most once; nothing else is called afterwards, and the process must end. */
  readonly onFatal: (error: Error) => void;
  /** Bytes of a segment before the next one starts; JOURNAL_SEGMENT_BYTES_MAX unless told otherwise. */
  readonly segmentBytesMax?: number | undefined;
}

/** The newest segment, open at its durable end. */
export interface CurrentSegment {
  readonly file: DiskFile;
  readonly segment: number;
  /** Where the first record after the header begins. */
  readonly bodyStart: number;
  /** Numbers of the segments before it that are still there. */
  readonly older: readonly number[];
}

type Work =
  | { readonly kind: 'record'; readonly payload: Uint8Array; readonly onDurable: (() => void) | undefined }
  | { readonly kind: 'snapshot'; readonly payload: Uint8Array; readonly onDurable: () => void }
  | { readonly kind: 'close'; readonly onClosed: () => void };

assert(JOURNAL_RECORD_BYTES_MAX < JOURNAL_SEGMENT_BYTES_MAX, 'a segment has room for any record');

/** One thing happens at a time: a batch and its sync, a new segment, or a truncation. Made by `openJournal`. */
export class LiveJournal implements Journal {
  readonly #options: LiveJournalOptions;
  readonly #segmentBytesMax: number;
  #current: CurrentSegment;
  #durable: number;
  #queue: Work[] = [];
  #queuedBytes = 0;
  #busy = false;
  #ended = false;

  constructor(options: LiveJournalOptions, current: CurrentSegment) {
    this.#options = options;
    this.#segmentBytesMax = options.segmentBytesMax ?? JOURNAL_SEGMENT_BYTES_MAX;
    this.#current = current;
    this.#durable = current.file.size();
  }

  append(payloads: readonly Uint8Array[], onDurable: () => void): void {
    assert(payloads.length > 0, 'nothing to append');
    const last = payloads.length - 1;
    for (const [index, payload] of payloads.entries()) {
      this.#enqueue({ kind: 'record', payload, onDurable: index === last ? onDurable : undefined });
    }
    this.#proceed();
  }

  truncate(snapshot: Uint8Array, onDurable: () => void): void {
    this.#enqueue({ kind: 'snapshot', payload: snapshot, onDurable });
    this.#proceed();
  }

  position(): JournalPosition {
    const { publicKey, incarnation } = this.#options;
    return { publicKey, incarnation, segment: this.#current.segment, offset: this.#durable };
  }

  full(): boolean {
    return this.#queuedBytes >= JOURNAL_QUEUE_BYTES_FULL;
  }

  close(onClosed: () => void): void {
    this.#enqueue({ kind: 'close', onClosed });
    this.#proceed();
  }

  #enqueue(work: Work): void {
    assert(this.#queue.at(-1)?.kind !== 'close', 'the journal is closed');
    if (work.kind !== 'close') {
      const { length } = work.payload;
      assert(length <= JOURNAL_RECORD_BYTES_MAX, `a journal record of ${length} bytes`);
      this.#queuedBytes += length + RECORD_HEADER_BYTES;
      assert(this.#queuedBytes <= JOURNAL_QUEUE_BYTES_MAX, 'the journal was full and got more work');
    }
    if (!this.#ended) this.#queue.push(work);
  }

  #proceed(): void {
    const work = this.#queue[0];
    if (this.#busy || this.#ended || work === undefined) return;
    this.#busy = true;
    if (work.kind === 'close') this.#end(work.onClosed);
    else this.#attempt(() => this.#start(work));
  }

  #start(work: Exclude<Work, { kind: 'close' }>): void {
    if (work.kind === 'snapshot') this.#startSnapshot(work.payload);
    else if (this.#hasRoomFor(work.payload)) this.#writeBatch();
    else this.#openSegment('continued', [], () => this.#resume([]));
  }

  #writeBatch(): void {
    const { file, segment } = this.#current;
    let count = 0;
    for (const work of this.#queue) {
      if (work.kind !== 'record' || !this.#hasRoomFor(work.payload)) break;
      appendRecord(file, { ...this.#options, segment }, this.#durable, work.payload);
      count += 1;
    }
    file.sync((error) => {
      if (error === undefined) {
        this.#durable = file.size();
        this.#resume(this.#queue.splice(0, count));
      } else this.#fail(error);
    });
  }

  /** A segment without records takes any, so that a small `segmentBytesMax` never stops the journal. */
  #hasRoomFor(payload: Uint8Array): boolean {
    const { file, bodyStart } = this.#current;
    const size = file.size();
    return size === bodyStart || size + RECORD_HEADER_BYTES + payload.length <= this.#segmentBytesMax;
  }

  #startSnapshot(payload: Uint8Array): void {
    this.#openSegment('snapshot', [payload], () => {
      const { disk } = this.#options;
      for (const number of this.#current.older) disk.remove(segmentName(number));
      disk.syncDirectory((error) => {
        if (error === undefined) {
          this.#current = { ...this.#current, older: [] };
          this.#resume(this.#queue.splice(0, 1));
        } else this.#fail(error);
      });
    });
  }

  #openSegment(start: 'continued' | 'snapshot', payloads: readonly Uint8Array[], next: () => void): void {
    const { file: before, segment: previous, older } = this.#current;
    const segment = previous + 1;
    const fresh = { ...this.#options, segment, start, previous, previousEnd: this.#durable };
    createSegment(this.#options.disk, fresh, payloads, (error, file, bodyStart) => {
      this.#attempt(() => {
        if (error !== undefined) throw error;
        before.close();
        this.#current = { file, segment, bodyStart, older: [...older, previous] };
        this.#durable = file.size();
        next();
      });
    });
  }

  /** Tells who waited, then goes on with what came meanwhile. */
  #resume(finished: readonly Work[]): void {
    for (const work of finished) {
      if (work.kind === 'close') continue;
      this.#queuedBytes -= work.payload.length + RECORD_HEADER_BYTES;
      work.onDurable?.();
    }
    this.#busy = false;
    this.#proceed();
  }

  #end(onClosed: () => void): void {
    this.#ended = true;
    this.#current.file.close();
    onClosed();
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A disk that failed once is not asked again: what it holds is unknown (fsync forgets what it could not write). */
  #fail(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue = [];
    this.#options.onFatal(new Error('the journal cannot be written', { cause }));
  }
}
