import { expect, it } from 'vitest';
import { crc32c } from '../../../src/lib/crc32c.ts';
import { JOURNAL_FORMAT, RECORD_HEADER_BYTES } from '../../../src/store/journal-format.ts';
import { create, KEEP_ALL, newDisk, open, Tasks } from './journal-bench.ts';

const NAME = '00000001.journal';
const SEGMENT_AND_OFFSET = new Uint8Array([0, 0, 0, 1, 0, 0, 0, 0]);

/** The same file as a version with another format would have written it, checksum and all. */
function withFormat(file: Uint8Array, format: number): Uint8Array {
  const bytes = file.slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(RECORD_HEADER_BYTES, 0xc0_f0_00_00 + format);
  const covered = bytes.subarray(0, RECORD_HEADER_BYTES - 4);
  const payload = bytes.subarray(RECORD_HEADER_BYTES);
  view.setUint32(RECORD_HEADER_BYTES - 4, crc32c(payload, crc32c(covered, crc32c(SEGMENT_AND_OFFSET))));
  return bytes;
}

it.each([[JOURNAL_FORMAT - 1], [JOURNAL_FORMAT + 7]])(
  'a journal of format %i is told from a damaged one, and left as it is',
  (format) => {
    const tasks = new Tasks();
    const written = newDisk(tasks);
    create(written, tasks);
    const disk = written.crash(KEEP_ALL);
    const foreign = withFormat(disk.bytesOf(NAME), format);
    disk.overwrite(NAME, foreign);
    expect(open(disk, tasks)).toEqual({
      ok: false,
      error: { code: 'JOURNAL_FORMAT', file: NAME, found: format, wanted: JOURNAL_FORMAT },
    });
    expect(disk.bytesOf(NAME)).toEqual(foreign);
    disk.overwrite(NAME, withFormat(foreign, JOURNAL_FORMAT));
    expect(open(disk, tasks).ok).toBe(true);
  },
);
