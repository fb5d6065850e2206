import { closeSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import type { RootDatabase } from 'lmdb';

/** The file that LMDB keeps everything in. */
export const DATA_FILE = 'data.mdb';
/** MDB_CORRUPTED. */
const CORRUPTED = -30_796;

/** What both of the first two pages have behind the head of a page: that they are a root, and in which version. */
const ROOT_MARK = Uint32Array.of(0xbeef_c0de, 2);
const MARK_AT = 24;
const PAGE_BYTES_AT = 48;
const PAGE_BYTES_MIN = 4_096;
const PAGE_BYTES_MAX = 65_536;

/**
 * Looks at the roots in a file before LMDB does, which ends the process when they are none. A file that is empty, or not
 * there, will be begun.
 *
 * @throws Error with a code of LMDB
 */
export function assertRoots(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  const handle = openSync(file, 'r');
  try {
    const head = new Uint8Array(PAGE_BYTES_AT + 4);
    readSync(handle, head, 0, head.length, 0);
    const [pageBytes = 0] = new Uint32Array(head.buffer, PAGE_BYTES_AT, 1);
    const isPage = pageBytes >= PAGE_BYTES_MIN && pageBytes <= PAGE_BYTES_MAX;
    if (!hasMark(head) || !isPage) throw corrupted('the file is not one of this database');
    if (fstatSync(handle).size < 2 * pageBytes) throw corrupted('the file has been cut');
    readSync(handle, head, 0, head.length, pageBytes);
    if (!hasMark(head)) throw corrupted('the file has lost a root');
  } finally {
    closeSync(handle);
  }
}

function hasMark(head: Uint8Array): boolean {
  const mark = new Uint32Array(head.buffer, MARK_AT, ROOT_MARK.length);
  return mark.every((word, index) => word === ROOT_MARK[index]);
}

/**
 * Makes a file as long as its root says. LMDB maps it, however short it is, and reading what is missing would end the
 * process; zeros are an error. Nor need anything be missing: pages at the end that were used and freed in one write are
 * never written.
 *
 * @returns whether it was shorter
 */
export function lengthen(file: string, root: RootDatabase<Uint8Array, Uint8Array>): boolean {
  const stats: object = root.getStats();
  const bytes = (Number(Reflect.get(stats, 'lastPageNumber')) + 1) * Number(Reflect.get(stats, 'pageSize'));
  if (statSync(file).size >= bytes) return false;
  truncateSync(file, bytes);
  return true;
}

function corrupted(message: string): Error {
  return Object.assign(new Error(message), { code: CORRUPTED });
}
