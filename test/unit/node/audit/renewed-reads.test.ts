import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type RenewedReads, renewedReads } from '../../../../src/node/audit/renewed-reads.ts';
import { openLmdb, openLmdbForReading } from '../../../../src/store/lmdb.ts';
import { written } from '../../../../src/store/written.ts';

const [BROKEN, WHOLE] = [1, 2];
const PAGE_BYTES = 4_096;
const MARK = 'a value that lies nowhere else';

const directory = mkdtempSync(join(tmpdir(), 'counterfoil-renewed-'));
let reads: RenewedReads | undefined;

afterEach(async () => {
  for (const store of reads?.opened ?? []) await new Promise((resolve) => store.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

function key(index: number): Uint8Array {
  return Uint8Array.of(1, index);
}

/** Two tables of a real database, the page with the rows of one of them full of zeros. */
async function damaged(): Promise<RenewedReads> {
  const store = openLmdb(directory, [BROKEN, WHOLE]);
  const value = new Uint8Array(Buffer.from(MARK));
  const rows = Array.from({ length: 10 }, (_, index) => index);
  await written(store, [
    ...rows.map((index) => ({ table: BROKEN, key: key(index), value })),
    ...rows.map((index) => ({ table: WHOLE, key: key(index), value: key(index) })),
  ]);
  await new Promise((resolve) => store.close(resolve));
  const file = join(directory, 'data.mdb');
  const bytes = readFileSync(file);
  const page = Math.floor(bytes.indexOf(MARK) / PAGE_BYTES) * PAGE_BYTES;
  bytes.fill(0, page, page + PAGE_BYTES);
  writeFileSync(file, bytes);
  reads = renewedReads(() => openLmdbForReading(directory, [BROKEN, WHOLE]));
  return reads;
}

describe('reads of a database with a damaged page', () => {
  it('fail there, and find what is whole all the same', async () => {
    const reading = await damaged();
    expect(() => [...reading.range(BROKEN, {})]).toThrow();
    expect([...reading.range(WHOLE, {})]).toHaveLength(10);
    expect(() => reading.get(BROKEN, key(3))).toThrow();
    expect(reading.get(WHOLE, key(3))).toEqual(key(3));
  });
});
