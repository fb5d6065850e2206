import type { KeyRange, KeyValueEntry, KeyValueReads, Table } from '../../store/key-value.ts';
import type { ReadOnlyKeyValue } from '../../store/lmdb.ts';

export interface RenewedReads extends KeyValueReads {
  /** Everything that was opened, for whoever ends the reading to close. */
  readonly opened: readonly ReadOnlyKeyValue[];
}

/**
 * Reads of a damaged database that nobody writes. Once LMDB has met a damaged page it refuses whatever else the same
 * transaction asks for, and its package goes on with that one: after a read that failed, those that follow have the
 * database opened again. What is whole is thus found behind what is not.
 */
export function renewedReads(open: () => ReadOnlyKeyValue): RenewedReads {
  const opened: ReadOnlyKeyValue[] = [];
  const begin = (): KeyValueReads => {
    const store = open();
    opened.push(store);
    return store.snapshot();
  };
  let current = begin();
  return {
    opened,
    get: (table: Table, key: Uint8Array) => {
      try {
        return current.get(table, key);
      } catch (error) {
        current = begin();
        throw error;
      }
    },
    *range(table: Table, range: KeyRange): Generator<KeyValueEntry> {
      try {
        yield* current.range(table, range);
      } catch (error) {
        current = begin();
        throw error;
      }
    },
  };
}
