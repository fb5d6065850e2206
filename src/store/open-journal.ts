import { assert, defined } from '../lib/assert.ts';
import { equalBytes } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Disk, DiskDone } from './disk.ts';
import type { Journal, JournalPosition, JournalProblem } from './journal.ts';
import { INCARNATION_BYTES, markerOf, PUBLIC_KEY_BYTES } from './journal-format.ts';
import {
  corrupt,
  createSegment,
  type FoundSegment,
  listSegments,
  readPayloads,
  readSegmentHeader,
  scanSegment,
  segmentName,
} from './journal-segment.ts';
import { LiveJournal } from './live-journal.ts';

/*
 * A key votes only with the journal that was made with it, because a voter that forgot a vote can be made to vote twice
 * (docs/consensus.md, "Memory"). Three things tell that memory is missing: checksums and the
 * synced offsets in later records (damage and cuts inside), the identity of each file in its own header (a copy is
 * another file), and the witness in `data/` (an older state of the very same files). The end that nothing testifies to
 * may be cut: no message whose record was not durable was ever sent.
 */

export interface NewJournal {
  readonly disk: Disk;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 16 random bytes, new for every journal. */
  readonly incarnation: Uint8Array;
}

/** Makes the journal of a new key, before the key itself is stored. @throws when the disk fails at once */
export function createJournal(
  fresh: NewJournal,
  done: (created: Result<undefined, { code: 'JOURNAL_EXISTS' } | { code: 'DISK_FAILED'; cause: Error }>) => void,
): void {
  assert(fresh.publicKey.length === PUBLIC_KEY_BYTES, 'a public key has 32 bytes');
  assert(fresh.incarnation.length === INCARNATION_BYTES, 'an incarnation has 16 bytes');
  if (listSegments(fresh.disk).length > 0) {
    done(err({ code: 'JOURNAL_EXISTS' }));
    return;
  }
  createSegment(fresh.disk, { ...fresh, segment: 1, start: 'created', previousEnd: 0 }, [], (error, file) => {
    file.close();
    done(error === undefined ? ok(undefined) : err({ code: 'DISK_FAILED', cause: error }));
  });
}

export interface OpenedJournal {
  readonly journal: Journal;
  /** The payloads since the last snapshot (included), read piece by piece; to be read before the next truncation. */
  readonly records: Iterable<Uint8Array>;
}

export interface JournalOptions {
  readonly disk: Disk;
  /** 32 bytes: whose votes these are. */
  readonly publicKey: Uint8Array;
  /** The disk failed, now or later. Called at most once; nothing else is called afterwards, and the process must end. */
  readonly onFatal: (error: Error) => void;
  /** What the node knows of the journal from `data/`; nothing when `data/` is new. */
  readonly witness?: JournalPosition | undefined;
  /** Bytes of a segment before the next one starts; JOURNAL_SEGMENT_BYTES_MAX unless told otherwise. */
  readonly segmentBytesMax?: number | undefined;
}

/**
 * Checks every record, cuts the torn tail and makes what is left durable; then calls `done`. A journal with a problem
 * is left as it was found. @throws when the disk cannot be read
 */
export function openJournal(
  options: JournalOptions,
  done: (opened: Result<OpenedJournal, JournalProblem>) => void,
): void {
  const { disk, witness } = options;
  const found = findChain(disk, options.publicKey);
  if (!found.ok) {
    done(found);
    return;
  }
  const { chain } = found.value;
  const newest = defined(chain.at(-1), 'a chain has a segment');
  const missing = witness === undefined ? undefined : missingBefore(newest, witness);
  if (missing !== undefined) {
    done(err(missing));
    return;
  }
  repair(options, found.value, newest, (journal) => {
    done(ok({ journal, records: { [Symbol.iterator]: () => payloadsOf(disk, chain) } }));
  });
}

interface FoundChain {
  /** From the last snapshot (or the creation) to the newest, without gaps. */
  readonly chain: readonly FoundSegment[];
  /** What a crash left of older segments, and of one that was not finished. */
  readonly useless: readonly number[];
}

function findChain(disk: Disk, publicKey: Uint8Array): Result<FoundChain, JournalProblem> {
  const numbers = listSegments(disk);
  if (numbers.length === 0) return err({ code: 'JOURNAL_MISSING' });
  const chain: FoundSegment[] = [];
  const useless: number[] = [];
  for (let index = numbers.length - 1; index >= 0; index -= 1) {
    const number = numbers[index] ?? 0;
    if (chain[0]?.header.start === 'created' || chain[0]?.header.start === 'snapshot') {
      useless.push(number);
      continue;
    }
    const isNewest = index === numbers.length - 1;
    const older = isNewest ? numbers[index - 1] : undefined;
    const olderHeader = older === undefined ? undefined : readSegmentHeader(disk, older);
    const scanned = scanSegment(disk, number, publicKey, olderHeader && markerOf(olderHeader.incarnation));
    if (!scanned.ok) return scanned;
    if (scanned.value === undefined) {
      useless.push(number);
      continue;
    }
    const broken = chain[0] === undefined ? undefined : brokenLink(scanned.value, chain[0]);
    if (broken !== undefined) return err(broken);
    chain.unshift(scanned.value);
  }
  const first = chain[0]?.header;
  if (first === undefined) return err(corrupt(numbers[0] ?? 0, 0, 'no segment is whole'));
  if (first.start !== 'continued') return ok({ chain, useless });
  return err({ code: 'JOURNAL_CUT', segment: first.segment - 1, offset: first.previousEnd });
}

/** Whether `older` is not the whole segment before `newer`. */
function brokenLink(older: FoundSegment, newer: FoundSegment): JournalProblem | undefined {
  const { segment, previousEnd, incarnation } = newer.header;
  if (older.header.segment !== segment - 1 || older.size < previousEnd) {
    return { code: 'JOURNAL_CUT', segment: segment - 1, offset: previousEnd };
  }
  if (!equalBytes(older.header.incarnation, incarnation)) return corrupt(segment, 0, 'it is of another journal');
  if (older.end !== previousEnd) return corrupt(segment - 1, older.end, 'the checksum is wrong');
  return undefined;
}

/** What the witness saw and the journal lacks. Witnesses of earlier keys of this node say nothing. */
function missingBefore(newest: FoundSegment, witness: JournalPosition): JournalProblem | undefined {
  const { publicKey, incarnation, segment } = newest.header;
  if (!equalBytes(publicKey, witness.publicKey)) return undefined;
  const cut: JournalProblem = { code: 'JOURNAL_CUT', segment: witness.segment, offset: witness.offset };
  if (!equalBytes(incarnation, witness.incarnation) || segment < witness.segment) return cut;
  if (segment > witness.segment || newest.end >= witness.offset) return undefined;
  return newest.size < witness.offset ? cut : corrupt(segment, newest.end, 'the checksum is wrong');
}

/** Nothing read may be believed before it is synced: after a mere restart it may still be in the system's cache alone. */
function repair(
  options: JournalOptions,
  found: FoundChain,
  newest: FoundSegment,
  done: (journal: Journal) => void,
): void {
  const { disk, publicKey, onFatal, segmentBytesMax } = options;
  const { segment, incarnation } = newest.header;
  for (const number of found.useless) disk.remove(segmentName(number));
  const file = disk.open(segmentName(segment));
  if (newest.end < newest.size) file.truncate(newest.end);
  const orFatal =
    (next: () => void): DiskDone =>
    (error) => {
      if (error === undefined) next();
      else onFatal(new Error('the journal cannot be made durable', { cause: error }));
    };
  const oldest = found.chain[0]?.header.segment ?? segment;
  const finish = (): void => {
    const current = { file, segment, bodyStart: newest.bodyStart, oldest };
    done(new LiveJournal({ disk, publicKey, incarnation, onFatal, segmentBytesMax }, current));
  };
  file.sync(orFatal(() => disk.syncDirectory(orFatal(finish))));
}

function* payloadsOf(disk: Disk, chain: readonly FoundSegment[]): Generator<Uint8Array> {
  for (const found of chain) yield* readPayloads(disk, found);
}
