import { compareBytes, concat } from '../lib/bytes.ts';
import type { KeyValue } from './key-value.ts';
import { heightKey, META, SCHEMA_VERSION, TABLES } from './schema.ts';
import { treeKeyRow } from './state-rows.ts';
import { written } from './written.ts';

const ROWS_PER_WRITE = 4_096;

/**
 * Brings a data directory of an earlier layout to this one; one that is new, empty or unknown stays as it is. It may be
 * interrupted: the layout's number is written last, and what was written before is written again.
 *
 * Layout 1 lacked the table `treeKeys`.
 *
 * @param onProgress is told of the rows that were written, and waited for
 * @throws StoreError
 */
export async function migrate(
  store: KeyValue,
  onProgress: (rows: number) => Promise<void> = async () => undefined,
): Promise<void> {
  const schema = store.get(TABLES.meta, META.schema);
  if (schema === undefined || compareBytes(schema, heightKey(1)) !== 0) return;
  let from: Uint8Array | undefined;
  let rows = 0;
  do {
    const keys = [...store.range(TABLES.state, { ...(from && { from }), limit: ROWS_PER_WRITE })].map(({ key }) => key);
    await written(store, keys.map(treeKeyRow));
    rows += keys.length;
    await onProgress(rows);
    const last = keys.length < ROWS_PER_WRITE ? undefined : keys.at(-1);
    from = last && concat(last, Uint8Array.of(0));
  } while (from !== undefined);
  await written(store, [{ table: TABLES.meta, key: META.schema, value: heightKey(SCHEMA_VERSION) }]);
}
