import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isGraphDamage, type OpenedGraph, openGraph } from '../../../src/store/graph-directory.ts';
import { openLmdb } from '../../../src/store/lmdb.ts';
import { GRAPH_TABLES, numberKey } from '../../../src/store/quad-keys.ts';
import { beginOpening, noteDamage } from '../../../src/store/replacement.ts';
import { written } from '../../../src/store/written.ts';
import { GRAPH_IRI_BASE, graphBlock } from '../../support/graph-blocks.ts';

const IDENTITY = { source: 'test', iriBase: GRAPH_IRI_BASE };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-graph-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function closed({ store }: Pick<OpenedGraph, 'store'>): Promise<void> {
  return new Promise((resolve, reject) => store.close((done) => (done.ok ? resolve() : reject(done.error))));
}

/** Opens what is there, says why it was dropped, and adds the first two blocks when it begins anew. */
async function visit(identity = IDENTITY): Promise<string | null> {
  const opened = await openGraph(directory, identity);
  const { index, dropped } = opened;
  if (index.extent.heights === null) await index.add([graphBlock(1, 10), graphBlock(2, 10)]);
  expect(index.extent.heights).toEqual({ from: 1, to: 2 });
  expect(index.tip).toBe(graphBlock(2, 0).hash);
  await closed(opened);
  return dropped;
}

it('keeps an index that is whole, and tidies up', async () => {
  expect([await visit(), await visit()]).toEqual([null, null]);
  expect(readdirSync(directory).sort()).toEqual(['data.mdb', 'lock.mdb']);
});

it('begins anew for another chain, describer or base', async () => {
  await visit();
  expect(await visit({ ...IDENTITY, source: 'other' })).toBe(
    'it is of test http://localhost/id/, not of other http://localhost/id/',
  );
  expect(await visit()).toMatch('it is of other');
});

it('begins anew after an opening that did not end, and when damage was noted', async () => {
  await visit();
  beginOpening(directory);
  expect(await visit()).toBe('reading it ended the process');
  noteDamage(directory, 'a row is missing');
  expect(await visit()).toBe('a row is missing');
  expect(await visit()).toBe(null);
});

it('begins anew where there is no index', async () => {
  const data = join(directory, 'data.mdb');
  writeFileSync(data, 'something else '.repeat(2_000));
  expect(await visit()).toBe('the file is not one of this database');
  writeFileSync(data, readFileSync(data).fill(1, 4_096, 8_192));
  expect(await visit()).toBe('the file has lost a root');
  const whole = readFileSync(data);
  for (const bytes of [65_536, 12_288, 8_192, 8_191, 100]) {
    writeFileSync(data, whole);
    truncateSync(data, bytes);
    expect(await visit()).toMatch(/the file has been cut|MDB_CORRUPTED/);
  }
});

it('takes a file that ends with pages which nobody needs for whole', async () => {
  await visit();
  const data = join(directory, 'data.mdb');
  const store = openLmdb(directory, Object.values(GRAPH_TABLES));
  const key = numberKey(1);
  // Used and freed in one write: LMDB counts the pages, and has no reason to write them.
  const changes = [new Uint8Array(1_000_000), undefined].map((value) => ({ table: GRAPH_TABLES.spog, key, value }));
  await written(store, changes);
  await closed({ store });
  const bytes = statSync(data).size;
  expect(await visit()).toBe(null);
  expect(statSync(data).size).toBeGreaterThan(bytes);
});

it.each([
  ['its last term', GRAPH_TABLES.terms, undefined],
  ['a key', GRAPH_TABLES.posg, undefined],
  ['the row of what it holds', GRAPH_TABLES.meta, undefined],
  ['another layout in that row', GRAPH_TABLES.meta, Uint8Array.of(9, 9)],
])('begins anew without %s', async (_, table, value) => {
  await visit();
  const store = openLmdb(directory, Object.values(GRAPH_TABLES));
  const keys = [...store.range(table, {})].map(({ key }) => key);
  const removed = table === GRAPH_TABLES.terms ? [numberKey(keys.length)] : keys;
  await written(
    store,
    removed.map((key) => ({ table, key, value })),
  );
  await closed({ store });
  expect(await visit()).toMatch(/of the graph index does not fit|does not end with term|its layout is 9/);
});

it('does not take a full disk for damage', () => {
  expect(isGraphDamage(Object.assign(new Error('no room'), { code: 'ENOSPC' }))).toBe(false);
});
