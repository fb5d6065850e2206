import { assert, defined } from '../lib/assert.ts';
import { equalBytes } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Disk } from './disk.ts';
import type { Journal, JournalPosition, JournalProblem } from './journal.ts';
import { CHAIN_ID_BYTES, INCARNATION_BYTES, markerOf, PUBLIC_KEY_BYTES } from './journal-format.ts';
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
 * another file), and the witness in `data/` (an older state of the very same files). Each start begins a segment, which
 * says where the one before ended: older files that are laid over newer ones are seen even when `data/` is as old. The
 * end that nothing testifies to may be cut: no message whose record was not durable was ever sent.
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
  const first = { ...fresh, chainId: null, segment: 1, start: 'created', previous: 0, previousEnd: 0 } as const;
  createSegment(fresh.disk, first, [], (error, file) => {
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
  /** 32 bytes: the chain that they are for. The first start binds the journal to it. */
  readonly chainId: Uint8Array;
  /** The disk failed, now or later. Called at most once; nothing else is called afterwards, and the process must end. */
  readonly onFatal: (error: Error) => void;
  /** What the node knows of the journal from `data/`; nothing when `data/` is new. */
  readonly witness?: JournalPosition | undefined;
  /** Bytes of a segment before the next one starts; JOURNAL_SEGMENT_BYTES_MAX unless told otherwise. */
  readonly segmentBytesMax?: number | undefined;
}

/**
 * Checks every record, cuts the torn tail, makes what is left durable and begins a segment; then calls `done`. A journal
 * with a problem is left as it was found. @throws when the disk cannot be read
 */
export function openJournal(
  options: JournalOptions,
  done: (opened: Result<OpenedJournal, JournalProblem>) => void,
): void {
  const { disk, witness, chainId } = options;
  assert(chainId.length === CHAIN_ID_BYTES, 'a chain id has 32 bytes');
  const found = findChain(disk, options.publicKey);
  if (!found.ok) {
    done(found);
    return;
  }
  const newest = defined(found.value.chain.at(-1), 'a chain has a segment');
  const problem = otherChain(newest, chainId) ?? (witness === undefined ? undefined : missingBefore(newest, witness));
  if (problem !== undefined) {
    done(err(problem));
    return;
  }
  restart(options, found.value, (opened) => done(ok(opened)));
}

interface FoundChain {
  /** From the last snapshot (or the creation) to the newest, without gaps. */
  readonly chain: readonly FoundSegment[];
  /** What a crash left of older segments, of empty ones, and of one that was not finished. */
  readonly useless: readonly number[];
}

function findChain(disk: Disk, publicKey: Uint8Array): Result<FoundChain, JournalProblem> {
  const numbers = listSegments(disk);
  if (numbers.length === 0) return err({ code: 'JOURNAL_MISSING' });
  const chain: FoundSegment[] = [];
  const useless: number[] = [];
  for (let index = numbers.length - 1; index >= 0; index -= 1) {
    const number = numbers[index] ?? 0;
    // The newest tells which one is before it, and those in between were empty.
    if (chain[0] !== undefined && number > previousOf(chain[0])) {
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
  return err({ code: 'JOURNAL_CUT', segment: first.previous, offset: first.previousEnd });
}

/** The segment whose records come before; beyond every number when none does, so that all others are useless. */
function previousOf({ header }: FoundSegment): number {
  return header.start === 'continued' ? header.previous : 0;
}

/** Whether `older` is not the whole segment before `newer`. */
function brokenLink(older: FoundSegment, newer: FoundSegment): JournalProblem | undefined {
  const { segment, previous, previousEnd, incarnation } = newer.header;
  if (older.header.segment !== previous || older.size < previousEnd) {
    return { code: 'JOURNAL_CUT', segment: previous, offset: previousEnd };
  }
  if (!equalBytes(older.header.incarnation, incarnation)) return corrupt(segment, 0, 'it is of another journal');
  if (older.end !== previousEnd) return corrupt(previous, older.end, 'the checksum is wrong');
  return undefined;
}

/** Segments are of one chain from the first start on: the newest speaks for all. */
function otherChain({ header }: FoundSegment, wanted: Uint8Array): JournalProblem | undefined {
  const { chainId } = header;
  return chainId === null || equalBytes(chainId, wanted) ? undefined : { code: 'JOURNAL_OF_ANOTHER_CHAIN', chainId };
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

/**
 * Nothing read may be believed before it is synced: after a mere restart it may still be in the system's cache alone.
 * What is useless goes after that, and not before.
 */
function restart(options: JournalOptions, found: FoundChain, done: (opened: OpenedJournal) => void): void {
  const { disk, onFatal } = options;
  const fatal = (cause: unknown): void => onFatal(new Error('the journal cannot be made durable', { cause }));
  const newest = defined(found.chain.at(-1), 'a chain has a segment');
  const file = disk.open(segmentName(newest.header.segment));
  if (newest.end < newest.size) file.truncate(newest.end);
  file.sync((error) => {
    file.close();
    if (error !== undefined) return fatal(error);
    disk.syncDirectory((directoryError) => {
      if (directoryError !== undefined) fatal(directoryError);
      else beginSegment({ options, found, fatal }, done);
    });
  });
}

interface Start {
  readonly options: JournalOptions;
  readonly found: FoundChain;
  readonly fatal: (cause: unknown) => void;
}

/** The segment of this run. An empty one before it is replaced by it: starts that write nothing leave one file, not many. */
function beginSegment(start: Start, done: (opened: OpenedJournal) => void): void {
  const { options, found, fatal } = start;
  const { disk, publicKey, chainId } = options;
  const newest = defined(found.chain.at(-1), 'a chain has a segment');
  const { incarnation, segment: before } = newest.header;
  const isEmpty = newest.end === newest.bodyStart;
  const chain = isEmpty ? found.chain.slice(0, -1) : found.chain;
  const segment = before + 1;
  const name = { publicKey, incarnation, chainId };
  const after = { start: 'continued', previous: before, previousEnd: newest.end } as const;
  const attempt = (deed: () => void): void => {
    try {
      deed();
    } catch (error) {
      fatal(error);
    }
  };
  attempt(() => {
    for (const number of found.useless) disk.remove(segmentName(number));
    const place = isEmpty ? newest.header : after;
    createSegment(disk, { ...place, ...name, segment }, [], (error, file, bodyStart) => {
      const finish = (): void => {
        const older = chain.map(({ header }) => header.segment);
        const journal = new LiveJournal({ ...options, incarnation }, { file, segment, bodyStart, older });
        done({ journal, records: { [Symbol.iterator]: () => payloadsOf(disk, chain) } });
      };
      if (error !== undefined) return fatal(error);
      if (!isEmpty) return finish();
      attempt(() => {
        disk.remove(segmentName(before));
        disk.syncDirectory((failure) => (failure === undefined ? finish() : fatal(failure)));
      });
    });
  });
}

function* payloadsOf(disk: Disk, chain: readonly FoundSegment[]): Generator<Uint8Array> {
  for (const found of chain) yield* readPayloads(disk, found);
}
