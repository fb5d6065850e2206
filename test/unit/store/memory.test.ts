import { beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { MemoryKeyValue } from '../../../src/store/memory.ts';
import { Tasks } from './journal-bench.ts';

const KEY = utf8('key');

let tasks: Tasks;
let store: MemoryKeyValue;
let told: string[];

beforeEach(() => {
  tasks = new Tasks();
  store = new MemoryKeyValue({ tables: [1], schedule: tasks.schedule });
  told = [];
});

function write(value: number): void {
  store.write([{ table: 1, key: KEY, value: Uint8Array.of(value) }], {
    visible: () => told.push(`${value} visible`),
    durable: () => told.push(`${value} durable`),
    failed: (error) => told.push(`${value} ${error.code}`),
  });
}

describe('the memory store', () => {
  it('shows a write when its time comes, and then makes it durable', () => {
    write(1);
    expect(store.get(1, KEY)).toBeUndefined();
    tasks.step();
    expect(store.get(1, KEY)).toEqual(Uint8Array.of(1));
    expect(told).toEqual(['1 visible']);
    tasks.step();
    expect(told).toEqual(['1 visible', '1 durable']);
  });

  it('takes all that waits into the next transaction', () => {
    for (const value of [1, 2, 3]) write(value);
    tasks.run();
    expect(told).toEqual(['1 visible', '1 durable', '2 visible', '3 visible', '2 durable', '3 durable']);
    expect(store.get(1, KEY)).toEqual(Uint8Array.of(3));
  });

  it('loses in a crash what was not durable, unless it is told to keep it', () => {
    write(1);
    tasks.run();
    write(2);
    tasks.step();
    const [lost, kept] = [store.crash(false), store.crash(true)];
    tasks.run();
    expect(told).toEqual(['1 visible', '1 durable', '2 visible']);
    expect(lost.get(1, KEY)).toEqual(Uint8Array.of(1));
    expect(kept.get(1, KEY)).toEqual(Uint8Array.of(2));
  });

  it('fails all that waits and all that comes after a failed write', () => {
    write(1);
    tasks.run();
    store.failNextWrite('DISK_FULL');
    for (const value of [2, 3]) write(value);
    tasks.run();
    write(4);
    expect(told).not.toContain('4 DISK_FULL');
    tasks.run();
    expect(told.slice(2)).toEqual(['2 DISK_FULL', '3 DISK_FULL', '4 DISK_FULL']);
    expect(store.get(1, KEY)).toEqual(Uint8Array.of(1));
  });
});
