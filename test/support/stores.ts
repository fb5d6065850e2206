import { hash } from 'node:crypto';
import type { KeyValueChange, KeyValueReads } from '../../src/store/key-value.ts';
import { MemoryKeyValue } from '../../src/store/memory.ts';
import { TABLES } from '../../src/store/schema.ts';

export const ALL_TABLES: readonly number[] = Object.values(TABLES);

export function memoryStore(): MemoryKeyValue {
  return new MemoryKeyValue({ tables: ALL_TABLES, schedule: setImmediate });
}

/** Every row of every table. */
export function rowsOf(reads: KeyValueReads): readonly (KeyValueChange & { readonly value: Uint8Array })[] {
  return ALL_TABLES.flatMap((table) => [...reads.range(table, {})].map((row) => ({ table, ...row })));
}

/** A store in memory with the rows of another one, and some changes on top. */
export async function copyOf(reads: KeyValueReads, changes: readonly KeyValueChange[] = []): Promise<MemoryKeyValue> {
  const store = memoryStore();
  await new Promise<void>((resolve, reject) => {
    store.write([...rowsOf(reads), ...changes], { durable: resolve, failed: reject });
  });
  return store;
}

/** Equal for stores that hold the same. */
export function contentOf(reads: KeyValueReads): string {
  const lines = rowsOf(reads).map(({ table, key, value }) => {
    return `${table} ${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}\n`;
  });
  return hash('sha256', lines.join(''));
}
