import { expect, it } from 'vitest';
import { migrate } from '../../../src/store/migrate.ts';
import { heightKey, META, TABLES } from '../../../src/store/schema.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { contentOf, copyOf, memoryStore } from '../../support/stores.ts';

it('adds to a directory of the first layout what it lacks', async () => {
  const store = memoryStore();
  const generator = await ChainGenerator.open(store, { seed: 3, transactions: 12 });
  await generator.grow(12);
  const index = [...store.range(TABLES.treeKeys, {})];
  expect(index.length).toBe([...store.range(TABLES.state, {})].length);
  const old = await copyOf(store, [
    ...index.map(({ key }) => ({ table: TABLES.treeKeys, key, value: undefined })),
    { table: TABLES.meta, key: META.schema, value: heightKey(1) },
  ]);
  expect(contentOf(old)).not.toBe(contentOf(store));
  const told: number[] = [];
  await migrate(old, async (rows) => void told.push(rows));
  expect(told).toEqual([index.length]);
  expect(contentOf(old)).toBe(contentOf(store));
  await migrate(old);
  expect(contentOf(old)).toBe(contentOf(store));
});

it('leaves what it does not know as it is', async () => {
  const empty = memoryStore();
  await migrate(empty);
  expect(contentOf(empty)).toBe(contentOf(memoryStore()));
  const later = await copyOf(memoryStore(), [{ table: TABLES.meta, key: META.schema, value: heightKey(99) }]);
  await migrate(later);
  expect([...later.range(TABLES.meta, {})]).toHaveLength(1);
});
