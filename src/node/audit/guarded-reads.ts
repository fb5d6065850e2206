import { compareBytes } from '../../lib/bytes.ts';
import type { KeyValueEntry, KeyValueReads } from '../../store/key-value.ts';

/** The database failed, or contradicts itself, while it was read. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

/**
 * Reads of a database that may be damaged: whatever it throws becomes an UnreadableError, and a range whose keys do not
 * ascend ends in one, since over damaged pages it might never end.
 */
export function guardedReads(reads: KeyValueReads): KeyValueReads {
  return {
    get: (table, key) => guarded(() => reads.get(table, key)),
    range: (table, range) =>
      ascending(
        guarded(() => reads.range(table, range)),
        range.reverse === true ? -1 : 1,
      ),
  };
}

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new UnreadableError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function* ascending(entries: Iterable<KeyValueEntry>, sign: 1 | -1): Generator<KeyValueEntry> {
  const iterator = guarded(() => entries[Symbol.iterator]());
  let last: Uint8Array | undefined;
  try {
    for (;;) {
      const { done, value } = guarded(() => iterator.next());
      if (done === true) return;
      if (last !== undefined && sign * compareBytes(value.key, last) <= 0) {
        throw new UnreadableError('its keys are out of order');
      }
      last = value.key;
      yield value;
    }
  } finally {
    iterator.return?.();
  }
}
