import { equalBytes } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Disk, DiskFile, FileIdentity } from './disk.ts';
import type { JournalProblem } from './journal.ts';
import {
  encodeSegmentHeader,
  JOURNAL_FORMAT,
  type JournalRecord,
  markerOf,
  RecordReader,
  recordHeader,
  type SegmentHeader,
} from './journal-format.ts';

const SEGMENT_NAME = /^(\d{8})\.journal$/;

export function segmentName(segment: number): string {
  return `${String(segment).padStart(8, '0')}.journal`;
}

/** Numbers of the segments in the directory, ascending; other files are somebody else's. */
export function listSegments(disk: Disk): readonly number[] {
  return disk.list().flatMap((name) => {
    const digits = SEGMENT_NAME.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

/** Whose journal it is. */
export type JournalName = Pick<SegmentHeader, 'publicKey' | 'incarnation' | 'chainId'>;

export type NewSegment = JournalName & Pick<SegmentHeader, 'segment' | 'start' | 'previous' | 'previousEnd'>;

/** Hands a record to the file; `synced` says how much of the file is durable by now. */
export function appendRecord(
  file: DiskFile,
  of: Pick<SegmentHeader, 'incarnation' | 'segment'>,
  synced: number,
  payload: Uint8Array,
): void {
  const place = { marker: markerOf(of.incarnation), segment: of.segment, offset: file.size() };
  file.append(recordHeader(place, synced, payload));
  file.append(payload);
}

/**
 * Makes a segment that holds its header and `payloads`: create, sync the file, sync the directory, and only then
 * `done(undefined, file, where the first payload begins)`. Creating may throw.
 */
export function createSegment(
  disk: Disk,
  fresh: NewSegment,
  payloads: readonly Uint8Array[],
  done: (error: Error | undefined, file: DiskFile, bodyStart: number) => void,
): void {
  const file = disk.create(segmentName(fresh.segment));
  appendRecord(file, fresh, 0, encodeSegmentHeader({ ...fresh, identity: file.identity() }));
  const bodyStart = file.size();
  for (const payload of payloads) appendRecord(file, fresh, 0, payload);
  file.sync((error) => {
    if (error !== undefined) done(error, file, bodyStart);
    else disk.syncDirectory((directoryError) => done(directoryError, file, bodyStart));
  });
}

/** A segment as it was found: sound up to `end`. */
export interface FoundSegment {
  readonly header: SegmentHeader;
  /** Where the first record after the header begins. */
  readonly bodyStart: number;
  readonly end: number;
  /** More than `end` when the tail is torn. */
  readonly size: number;
}

/**
 * Reads a whole segment. Undefined when it was never used: its creation was cut short before anything depended on it,
 * which only the newest can be, and only beside an older one whose header gives `marker`.
 */
export function scanSegment(
  disk: Disk,
  segment: number,
  owner: Uint8Array,
  marker: Uint8Array | undefined,
): Result<FoundSegment | undefined, JournalProblem> {
  const file = disk.open(segmentName(segment));
  try {
    const reader = new RecordReader(file, segment);
    const first = reader.segmentHeader();
    if (first === undefined) {
      const found = reader.format();
      if (found !== undefined && found !== JOURNAL_FORMAT) {
        return err({ code: 'JOURNAL_FORMAT', file: file.name, found, wanted: JOURNAL_FORMAT });
      }
      const unused = marker !== undefined && !reader.provesSynced(marker, 0);
      return unused ? ok(undefined) : err(corrupt(segment, 0, 'the header is damaged'));
    }
    const { header, end: bodyStart } = first;
    if (!equalBytes(header.publicKey, owner)) {
      return err({ code: 'JOURNAL_OF_ANOTHER_KEY', publicKey: header.publicKey });
    }
    if (!isSameFile(header.identity, file.identity())) return err({ code: 'JOURNAL_COPIED', file: file.name });
    const end = soundEnd(reader, markerOf(header.incarnation), bodyStart);
    const size = file.size();
    if (end < size && reader.provesSynced(markerOf(header.incarnation), end)) {
      return err(corrupt(segment, end, 'the checksum is wrong'));
    }
    if (header.start === 'snapshot' && end === bodyStart) {
      return marker === undefined ? err(corrupt(segment, end, 'the snapshot is damaged')) : ok(undefined);
    }
    return ok({ header, bodyStart, end, size });
  } finally {
    file.close();
  }
}

function soundEnd(reader: RecordReader, marker: Uint8Array, bodyStart: number): number {
  let end = bodyStart;
  for (let record = reader.record(marker, end); record !== undefined; record = reader.record(marker, end)) {
    end = record.end;
  }
  return end;
}

/** The header alone, for its marker. */
export function readSegmentHeader(disk: Disk, segment: number): SegmentHeader | undefined {
  const file = disk.open(segmentName(segment));
  try {
    return new RecordReader(file, segment).segmentHeader()?.header;
  } finally {
    file.close();
  }
}

/** The payloads of a segment between two offsets that were found sound. @throws when the file has changed since. */
export function* readPayloads(disk: Disk, found: FoundSegment): Generator<Uint8Array> {
  const file = disk.open(segmentName(found.header.segment));
  try {
    const reader = new RecordReader(file, found.header.segment);
    const marker = markerOf(found.header.incarnation);
    for (let offset = found.bodyStart; offset < found.end; ) {
      const record: JournalRecord | undefined = reader.record(marker, offset);
      if (record === undefined) throw new Error(`${file.name} changed while it was read`);
      yield record.payload;
      offset = record.end;
    }
  } finally {
    file.close();
  }
}

/**
 * A copy is another file. The device is left out: its number changes when a machine starts anew or a disk moves to
 * another slot. A time of birth counts only where both ends know one.
 */
function isSameFile(stored: FileIdentity, actual: FileIdentity): boolean {
  const sameBirth = stored.birthTime === actual.birthTime || stored.birthTime === '' || actual.birthTime === '';
  return stored.inode === actual.inode && sameBirth;
}

export function corrupt(segment: number, offset: number, reason: string): JournalProblem {
  return { code: 'JOURNAL_CORRUPT', file: segmentName(segment), offset, reason };
}
