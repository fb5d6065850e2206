import { assert } from '../lib/assert.ts';
import { SNAPSHOTS_MAX } from '../model/limits.ts';
import type { KeyValueReads, KeyValueSnapshot } from './key-value.ts';

/** Counts the snapshots of a store, and ends each of them once. */
export class Snapshots {
  #count = 0;

  open(begin: () => { readonly reads: KeyValueReads; readonly release: () => void }): KeyValueSnapshot {
    assert(this.#count < SNAPSHOTS_MAX, 'too many snapshots are open');
    const { reads, release } = begin();
    this.#count += 1;
    let isOpen = true;
    const opened = (): KeyValueReads => {
      assert(isOpen, 'the snapshot is closed');
      return reads;
    };
    return {
      get: (table, key) => opened().get(table, key),
      range: (table, range) => opened().range(table, range),
      close: () => {
        opened();
        isOpen = false;
        this.#count -= 1;
        release();
      },
    };
  }
}
