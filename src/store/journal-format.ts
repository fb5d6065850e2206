import { crc32c } from '../lib/crc32c.ts';
import type { Result } from '../lib/result.ts';
import {
  type Codec,
  decode,
  encode,
  type Malformed,
  malformed,
  nullable,
  oneOf,
  struct,
  text,
  u32,
} from '../model/codec.ts';
import { JOURNAL_RECORD_BYTES_MAX } from '../model/limits.ts';
import type { DiskFile, FileIdentity } from './disk.ts';
import type { JournalPosition } from './journal.ts';

/** The layout of segments and of the records in them. Another layout is another number, and nodes that do not know it refuse the journal. */
export const JOURNAL_FORMAT = 3;
/** In front of the number: what begins otherwise is no journal. */
const FORMAT_MARK = 0xc0_f0_00_00;
export const PUBLIC_KEY_BYTES = 32;
export const INCARNATION_BYTES = 16;
export const CHAIN_ID_BYTES = 32;
const MARKER_BYTES = 8;
/** Marker, payload length, synced offset, checksum. */
export const RECORD_HEADER_BYTES = MARKER_BYTES + 12;
const READ_WINDOW_BYTES = 65_536;
const IDENTITY_TEXT_BYTES_MAX = 64;

/** How a segment came to be: with the key, after others, or with a snapshot that replaces all before. */
type SegmentStart = 'created' | 'continued' | 'snapshot';

/** The payload of each segment's first record. */
export interface SegmentHeader {
  readonly format: number;
  readonly publicKey: Uint8Array;
  readonly incarnation: Uint8Array;
  readonly segment: number;
  readonly start: SegmentStart;
  /** The chain that the key votes on; null in what was made with the key, which may be older than genesis. */
  readonly chainId: Uint8Array | null;
  /** The newest segment with records before this one; 0 when there is none. */
  readonly previous: number;
  /** Its bytes, all of them durable before this one was made; 0 when there is none. */
  readonly previousEnd: number;
  /** Which file this segment was written to: in a copied file it is the identity of another one. */
  readonly identity: FileIdentity;
}

/** Where a record is and to which journal it belongs: part of its checksum, so that it is valid nowhere else. */
export interface RecordPlace {
  /** The first bytes of the journal's incarnation: nobody outside can put them into a payload on purpose. */
  readonly marker: Uint8Array;
  readonly segment: number;
  readonly offset: number;
}

export interface JournalRecord {
  readonly payload: Uint8Array;
  /** Bytes of the segment that were durable when this record was written. */
  readonly synced: number;
  /** Where the next record begins. */
  readonly end: number;
}

function rawBytes(count: number): Codec<Uint8Array> {
  return { write: (writer, value) => writer.raw(value), read: (reader) => reader.raw(count) };
}

const FORMAT_CODEC: Codec<number> = {
  write: (writer, value) => u32.write(writer, FORMAT_MARK + value),
  read: (reader) =>
    reader.u32() === FORMAT_MARK + JOURNAL_FORMAT ? JOURNAL_FORMAT : malformed('not a journal of a known format'),
};

const IDENTITY: Codec<FileIdentity> = struct<FileIdentity>({
  device: text(IDENTITY_TEXT_BYTES_MAX),
  inode: text(IDENTITY_TEXT_BYTES_MAX),
  birthTime: text(IDENTITY_TEXT_BYTES_MAX),
});

const SEGMENT_HEADER: Codec<SegmentHeader> = struct<SegmentHeader>({
  format: FORMAT_CODEC,
  publicKey: rawBytes(PUBLIC_KEY_BYTES),
  incarnation: rawBytes(INCARNATION_BYTES),
  segment: u32,
  start: oneOf(['created', 'continued', 'snapshot']),
  chainId: nullable(rawBytes(CHAIN_ID_BYTES)),
  previous: u32,
  previousEnd: u32,
  identity: IDENTITY,
});

const POSITION: Codec<JournalPosition> = struct<JournalPosition>({
  publicKey: rawBytes(PUBLIC_KEY_BYTES),
  incarnation: rawBytes(INCARNATION_BYTES),
  segment: u32,
  offset: u32,
});

export function encodeSegmentHeader(header: Omit<SegmentHeader, 'format'>): Uint8Array {
  return encode(SEGMENT_HEADER, { format: JOURNAL_FORMAT, ...header });
}

function decodeSegmentHeader(payload: Uint8Array): Result<SegmentHeader, Malformed> {
  return decode(SEGMENT_HEADER, payload);
}

/** The witness as the bytes that a node stores in `data/`. */
export function encodeJournalPosition(position: JournalPosition): Uint8Array {
  return encode(POSITION, position);
}

export function decodeJournalPosition(bytes: Uint8Array): Result<JournalPosition, Malformed> {
  return decode(POSITION, bytes);
}

export function markerOf(incarnation: Uint8Array): Uint8Array {
  return incarnation.subarray(0, MARKER_BYTES);
}

/** The bytes that go in front of `payload`. */
export function recordHeader(place: RecordPlace, synced: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES);
  bytes.set(place.marker);
  const view = new DataView(bytes.buffer);
  view.setUint32(MARKER_BYTES, payload.length);
  view.setUint32(MARKER_BYTES + 4, synced);
  view.setUint32(MARKER_BYTES + 8, checksum(place, bytes, payload));
  return bytes;
}

function checksum(place: RecordPlace, header: Uint8Array, payload: Uint8Array): number {
  const where = new DataView(new ArrayBuffer(8));
  where.setUint32(0, place.segment);
  where.setUint32(4, place.offset);
  const covered = header.subarray(0, RECORD_HEADER_BYTES - 4);
  return crc32c(payload, crc32c(covered, crc32c(new Uint8Array(where.buffer))));
}

/** Reads the records of one segment with a window of bounded size. */
export class RecordReader {
  readonly #file: DiskFile;
  readonly #segment: number;
  readonly #size: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(file: DiskFile, segment: number) {
    this.#file = file;
    this.#segment = segment;
    this.#size = file.size();
  }

  /** The record at `offset`; undefined when none is there whole and sound. */
  record(marker: Uint8Array, offset: number): JournalRecord | undefined {
    if (offset + RECORD_HEADER_BYTES > this.#size) return undefined;
    const header = this.#bytes(offset, RECORD_HEADER_BYTES);
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const length = view.getUint32(MARKER_BYTES);
    const start = offset + RECORD_HEADER_BYTES;
    if (!marker.every((byte, index) => byte === header[index])) return undefined;
    if (length > JOURNAL_RECORD_BYTES_MAX || start + length > this.#size) return undefined;
    const synced = view.getUint32(MARKER_BYTES + 4);
    const expected = view.getUint32(MARKER_BYTES + 8);
    const headerCopy = header.slice();
    const payload = this.#bytes(start, length).slice();
    const place = { marker, segment: this.#segment, offset };
    if (synced > offset || checksum(place, headerCopy, payload) !== expected) return undefined;
    return { payload, synced, end: start + length };
  }

  /** The format that a sound first record names, whether or not it is known here. */
  format(): number | undefined {
    if (this.#size < RECORD_HEADER_BYTES) return undefined;
    const payload = this.record(this.#bytes(0, MARKER_BYTES).slice(), 0)?.payload;
    if (payload === undefined || payload.length < 4) return undefined;
    const marked = new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0);
    return marked >= FORMAT_MARK && marked <= FORMAT_MARK + 0xffff ? marked - FORMAT_MARK : undefined;
  }

  /** The first record of the segment, whose marker is not known yet. */
  segmentHeader(): { readonly header: SegmentHeader; readonly end: number } | undefined {
    if (this.#size < RECORD_HEADER_BYTES) return undefined;
    const marker = this.#bytes(0, MARKER_BYTES).slice();
    const record = this.record(marker, 0);
    if (record === undefined) return undefined;
    const header = decodeSegmentHeader(record.payload);
    return header.ok && header.value.segment === this.#segment ? { header: header.value, end: record.end } : undefined;
  }

  /**
   * Whether a sound record at or after `offset` says that more than `offset` bytes were durable when it was written:
   * then the damage at `offset` is damage, and not the end of what was being written.
   */
  provesSynced(marker: Uint8Array, offset: number): boolean {
    for (let at = offset; at + RECORD_HEADER_BYTES <= this.#size; at += 1) {
      const window = this.#bytes(at, Math.min(READ_WINDOW_BYTES, this.#size - at));
      const found = indexOf(window, marker);
      if (found < 0) {
        at += window.length - marker.length;
        continue;
      }
      at += found;
      if ((this.record(marker, at)?.synced ?? 0) > offset) return true;
    }
    return false;
  }

  #bytes(offset: number, length: number): Uint8Array {
    const from = offset - this.#windowStart;
    if (from < 0 || from + length > this.#window.length) {
      this.#window = this.#file.read(offset, Math.max(length, READ_WINDOW_BYTES));
      this.#windowStart = offset;
      return this.#window.subarray(0, length);
    }
    return this.#window.subarray(from, from + length);
  }
}

function indexOf(bytes: Uint8Array, marker: Uint8Array): number {
  const first = marker[0] ?? 0;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (marker.every((byte, index) => byte === bytes[at + index])) return at;
  }
  return -1;
}
