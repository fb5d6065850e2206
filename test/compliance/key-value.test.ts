import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareBytes, toHex, utf8 } from '../../src/lib/bytes.ts';
import { KEY_BYTES_MAX, SNAPSHOTS_MAX } from '../../src/model/limits.ts';
import type { KeyRange, KeyValue, KeyValueChange, KeyValueEntry, KeyValueReads } from '../../src/store/key-value.ts';
import { openLmdb } from '../../src/store/lmdb.ts';
import { MemoryKeyValue } from '../../src/store/memory.ts';

const TABLES = [1, 2, 7];

interface Made {
  readonly store: KeyValue;
  readonly dispose: () => void;
}

function makeLmdb(): Made {
  const path = mkdtempSync(join(tmpdir(), 'counterfoil-lmdb-'));
  return { store: openLmdb(path, TABLES), dispose: () => rmSync(path, { recursive: true }) };
}

function makeMemory(): Made {
  return { store: new MemoryKeyValue({ tables: TABLES, schedule: setImmediate }), dispose: () => {} };
}

function put(key: string, value: string | undefined, table = 1): KeyValueChange {
  return { table, key: utf8(key), value: value === undefined ? undefined : utf8(value) };
}

/** Settles when the write is durable. */
function write(store: KeyValue, ...batch: readonly KeyValueChange[]): Promise<void> {
  return new Promise((resolve, reject) => store.write(batch, { durable: resolve, failed: reject }));
}

function close(store: KeyValue): Promise<boolean> {
  return new Promise((resolve) => store.close((closed) => resolve(closed.ok)));
}

function read(store: KeyValueReads, key: string, table = 1): string | undefined {
  const value = store.get(table, utf8(key));
  return value === undefined ? undefined : Buffer.from(value).toString();
}

function keys(store: KeyValueReads, range: KeyRange, table = 1): string[] {
  return [...store.range(table, range)].map(({ key }) => Buffer.from(key).toString());
}

describe.each([
  ['lmdb', makeLmdb],
  ['memory', makeMemory],
])('the key-value store %s', (_, make) => {
  let made: Made;
  let store: KeyValue;

  beforeEach(() => {
    made = make();
    store = made.store;
  });

  afterEach(async () => {
    await close(store);
    made.dispose();
  });

  it('gives back what was put, table by table, and nothing after it was removed', async () => {
    await write(store, put('a', 'one'), put('a', 'two', 2), put('empty', ''));
    expect([read(store, 'a'), read(store, 'a', 2), read(store, 'a', 7)]).toEqual(['one', 'two', undefined]);
    expect(store.get(1, utf8('empty'))).toEqual(new Uint8Array(0));
    await write(store, put('a', undefined), put('never there', undefined));
    expect([read(store, 'a'), read(store, 'a', 2)]).toEqual([undefined, 'two']);
  });

  it('lets the last of several changes of one key count', async () => {
    await write(store, put('a', 'one'), put('a', 'two'), put('b', 'one'), put('b', undefined));
    expect([read(store, 'a'), read(store, 'b')]).toEqual(['two', undefined]);
  });

  it('hands out bytes that are plain and the reader’s own', async () => {
    await write(store, put('a', 'one'));
    const [entry] = store.range(1, {});
    for (const bytes of [store.get(1, utf8('a')), entry?.value, entry?.key]) {
      expect(bytes?.constructor).toBe(Uint8Array);
      bytes?.fill(0);
    }
    expect(keys(store, {})).toEqual(['a']);
    expect(read(store, 'a')).toBe('one');
  });

  it('keeps large values and the longest key', async () => {
    const key = new Uint8Array(KEY_BYTES_MAX).fill(255);
    const values = [100, 5_000, 40_000, 3_000_000].map((size) =>
      new Uint8Array(size).map((_byte, index) => index % 251),
    );
    await write(store, ...values.map((value, index) => ({ table: 1, key: Uint8Array.of(index), value })));
    await write(store, { table: 2, key, value: utf8('long') });
    for (const [index, value] of values.entries()) {
      expect(compareBytes(store.get(1, Uint8Array.of(index)) ?? new Uint8Array(), value)).toBe(0);
    }
    for (const [index, { value }] of [...store.range(1, {})].entries()) {
      expect(compareBytes(value, values[index] ?? new Uint8Array())).toBe(0);
    }
    expect([...store.range(2, { reverse: true })].map(({ value }) => Buffer.from(value).toString())).toEqual(['long']);
  });

  it('walks ranges both ways, from included, to excluded, at most limit', async () => {
    await write(store, ...['a', 'b', 'c', 'd'].map((key) => put(key, key)));
    const [b, d] = [utf8('b'), utf8('d')];
    expect(keys(store, {})).toEqual(['a', 'b', 'c', 'd']);
    expect(keys(store, { from: b, to: d })).toEqual(['b', 'c']);
    expect(keys(store, { reverse: true })).toEqual(['d', 'c', 'b', 'a']);
    expect(keys(store, { from: b, to: d, reverse: true })).toEqual(['c', 'b']);
    expect(keys(store, { to: utf8('cc'), reverse: true, limit: 2 })).toEqual(['c', 'b']);
    expect(keys(store, { limit: 0 })).toEqual([]);
    expect(keys(store, { from: d, to: b })).toEqual([]);
    expect(keys(store, {}, 7)).toEqual([]);
  });

  it('can be left in the middle of a range and read inside one', async () => {
    await write(store, ...['a', 'b', 'c'].map((key) => put(key, key)));
    for (const { key } of store.range(1, {})) {
      for (const inner of store.range(1, { reverse: true })) if (compareBytes(inner.key, key) <= 0) break;
      expect(read(store, 'c')).toBe('c');
      if (Buffer.from(key).toString() === 'b') break;
    }
    expect(keys(store, {})).toEqual(['a', 'b', 'c']);
  });

  it('tells visible before durable, in the order of the writes, never at once', async () => {
    const told: string[] = [];
    const done = new Promise<void>((resolve, reject) => {
      for (const name of ['a', 'b', 'c']) {
        store.write([put(name, name)], {
          visible: () => told.push(`${name} visible ${read(store, name)}`),
          durable: () => {
            told.push(`${name} durable`);
            if (name === 'c') resolve();
          },
          failed: reject,
        });
      }
    });
    expect(told).toEqual([]);
    await done;
    for (const name of ['a', 'b', 'c']) {
      expect(told.indexOf(`${name} visible ${name}`)).toBeGreaterThanOrEqual(0);
      expect(told.indexOf(`${name} visible ${name}`)).toBeLessThan(told.indexOf(`${name} durable`));
    }
    const durable = told.filter((line) => line.endsWith('durable'));
    expect(durable).toEqual(['a durable', 'b durable', 'c durable']);
  });

  it('shows a snapshot as it was, until it is closed', async () => {
    await write(store, put('a', 'old'), put('b', 'old'));
    const snapshot = store.snapshot();
    await write(store, put('a', 'new'), put('b', undefined), put('c', 'new'));
    const later = store.snapshot();
    await write(store, put('a', 'newest'));
    expect([read(snapshot, 'a'), read(snapshot, 'b'), read(snapshot, 'c')]).toEqual(['old', 'old', undefined]);
    expect(keys(snapshot, {})).toEqual(['a', 'b']);
    expect(keys(snapshot, { reverse: true, limit: 1 })).toEqual(['b']);
    expect([read(later, 'a'), keys(later, {})]).toEqual(['new', ['a', 'c']]);
    expect(read(store, 'a')).toBe('newest');
    snapshot.close();
    expect(read(later, 'a')).toBe('new');
    later.close();
    expect(() => read(later, 'a')).toThrow('closed');
  });

  it('has room for SNAPSHOTS_MAX snapshots of different moments', async () => {
    const snapshots = [];
    for (let index = 0; index < SNAPSHOTS_MAX; index += 1) {
      await write(store, put('count', `${index}`));
      snapshots.push(store.snapshot());
    }
    expect(() => store.snapshot()).toThrow('too many');
    expect(snapshots.map((snapshot) => read(snapshot, 'count'))).toEqual(
      snapshots.map((_snapshot, index) => `${index}`),
    );
    for (const snapshot of snapshots) snapshot.close();
    const again = store.snapshot();
    expect(read(again, 'count')).toBe(`${SNAPSHOTS_MAX - 1}`);
    again.close();
  });

  it('refuses what the schema or the limits do not know', () => {
    const outcome = { failed: () => {} };
    expect(() => store.get(3, utf8('a'))).toThrow('no table 3');
    expect(() => store.write([put('a', 'a', 3)], outcome)).toThrow('no table 3');
    expect(() => store.write([put('', 'a')], outcome)).toThrow('a key of 0 bytes');
    expect(() => store.write([put('k'.repeat(KEY_BYTES_MAX + 1), 'a')], outcome)).toThrow('a key of 1025 bytes');
  });

  it('counts its size', async () => {
    const before = store.sizeBytes();
    await write(store, { table: 1, key: utf8('a'), value: new Uint8Array(1_000_000) });
    expect(store.sizeBytes()).toBeGreaterThan(before + 900_000);
  });

  it('closes after the writes under way', async () => {
    const told: string[] = [];
    const note = (): void => {
      told.push('durable');
    };
    store.write([put('a', 'a')], { durable: note, failed: note });
    expect(await close(store)).toBe(true);
    expect(told).toEqual(['durable']);
    expect(() => store.write([put('b', 'b')], { failed: () => {} })).toThrow('closed');
    made.dispose();
    made = make();
    store = made.store;
  });

  it('agrees with a plain map on any writes and ranges', async () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 });
    const batch = fc.array(fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }) }), {
      maxLength: 30,
    });
    const range = fc.record({ from: key, to: key, reverse: fc.boolean(), limit: fc.nat(9) }, { requiredKeys: [] });
    const check = async (batches: { key: Uint8Array; value: Uint8Array | undefined }[][], ranges: KeyRange[]) => {
      await write(store, ...[...store.range(7, {})].map((entry) => ({ table: 7, key: entry.key, value: undefined })));
      const model = new Map<string, KeyValueEntry>();
      for (const changes of batches) {
        await write(store, ...changes.map((change) => ({ table: 7, ...change })));
        for (const change of changes) {
          if (change.value === undefined) model.delete(toHex(change.key));
          else model.set(toHex(change.key), { key: change.key, value: change.value });
        }
        for (const wanted of [{}, ...ranges]) expect([...store.range(7, wanted)]).toEqual(expected(model, wanted));
        for (const entry of model.values()) expect(store.get(7, entry.key)).toEqual(entry.value);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(batch, { maxLength: 4 }), fc.array(range, { maxLength: 8 }), check), {
      numRuns: 100,
    });
  });
});

function expected(model: ReadonlyMap<string, KeyValueEntry>, range: KeyRange): KeyValueEntry[] {
  const { from, to } = range;
  const inside = [...model.values()]
    .filter(({ key }) => from === undefined || compareBytes(key, from) >= 0)
    .filter(({ key }) => to === undefined || compareBytes(key, to) < 0)
    .sort((a, b) => compareBytes(a.key, b.key));
  return (range.reverse === true ? inside.reverse() : inside).slice(0, range.limit);
}
