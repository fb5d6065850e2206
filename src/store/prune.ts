import { defined } from '../lib/assert.ts';
import type { Timestamp } from '../model/ids.ts';
import { oldestRow, readBlock, readOldest } from './blocks.ts';
import type { KeyValueChange, KeyValueReads } from './key-value.ts';
import { heightKey, TABLES } from './schema.ts';

/** Which blocks stay. */
export interface Retention {
  /** The lowest that stays because of its height. */
  readonly below: number;
  /** Those of this time and later stay, and the one before them: it shows that none of that time is missing. */
  readonly since: Timestamp;
}

/**
 * Removes bodies, receipts and certificates of the oldest blocks, `count` at most; genesis and the newest stay. Where a transaction and a
 * block were is kept, and so are the histories of tickets: what is gone is known to be gone.
 *
 * @returns nothing when there is nothing to remove
 * @throws CorruptionError
 */
export function pruneChanges(
  reads: KeyValueReads,
  { below, since }: Retention,
  count: number,
): readonly KeyValueChange[] {
  const changes: KeyValueChange[] = [];
  const from = Math.max(1, readOldest(reads));
  let height = from;
  for (; height < Math.min(below, from + count); height += 1) {
    const next = defined(readBlock(reads, height + 1), `block ${height + 1} is stored`);
    if (next.header.timestamp >= since) break;
    const key = heightKey(height);
    for (const table of [TABLES.blocks, TABLES.receipts, TABLES.certificates]) {
      changes.push({ table, key, value: undefined });
    }
  }
  return changes.length === 0 ? [] : [...changes, oldestRow(height)];
}
