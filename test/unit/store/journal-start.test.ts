import { describe, expect, it } from 'vitest';
import { createPrng } from '../../../src/lib/prng.ts';
import type { CrashChoice, MemoryDisk } from '../../../src/store/memory-disk.ts';
import {
  CHAIN_ID,
  create,
  KEEP_ALL,
  KEEP_NOTHING,
  newDisk,
  open,
  openOrThrow,
  payloads,
  problemOf,
  Tasks,
  texts,
} from './journal-bench.ts';

const STARTS = 1_000;

/** A journal that was started and written to so often, and then stopped. */
function started(tasks: Tasks, ...runs: readonly (readonly string[])[]): MemoryDisk {
  let disk = newDisk(tasks);
  create(disk, tasks);
  for (const words of runs) {
    disk = disk.crash(KEEP_ALL);
    const { journal } = openOrThrow(disk, tasks);
    if (words.length > 0) journal.append(payloads(...words), () => {});
    tasks.run();
  }
  return disk.crash(KEEP_ALL);
}

function copyOf(disk: MemoryDisk): ReadonlyMap<string, Uint8Array> {
  return new Map(disk.list().map((name) => [name, disk.bytesOf(name)]));
}

describe('a start', () => {
  it('begins a segment, and leaves those before it as they are', () => {
    const tasks = new Tasks();
    const disk = started(tasks, ['one'], ['two', 'three']);
    expect(disk.list()).toEqual(['00000002.journal', '00000003.journal']);
    const before = copyOf(disk);
    const { journal, records } = openOrThrow(disk, tasks);
    expect(journal.position().segment).toBe(4);
    expect(texts(records)).toEqual(['one', 'two', 'three']);
    for (const [name, bytes] of before) expect(disk.bytesOf(name), name).toEqual(bytes);
  });

  it(`leaves one file without a record, however many there were (${STARTS})`, () => {
    const tasks = new Tasks();
    let disk = started(tasks, ['one']);
    for (let index = 0; index < STARTS; index += 1) {
      openOrThrow(disk, tasks);
      disk = disk.crash(index % 2 === 0 ? KEEP_ALL : KEEP_NOTHING);
      expect(disk.list().length).toBeLessThanOrEqual(2);
    }
    const { journal, records } = openOrThrow(disk, tasks);
    expect(texts(records)).toEqual(['one']);
    expect(journal.position().segment).toBe(STARTS + 3);
    journal.truncate(payloads('snapshot')[0] ?? new Uint8Array(), () => {});
    tasks.run();
    expect(disk.list()).toHaveLength(1);
    expect(texts(openOrThrow(disk.crash(KEEP_NOTHING), tasks).records)).toEqual(['snapshot']);
  });

  it('sees older files that were laid over the newer ones, though nothing else is a witness', () => {
    const tasks = new Tasks();
    let disk = started(tasks, ['zero']);
    const { journal } = openOrThrow(disk, tasks);
    journal.append(payloads('one'), () => {});
    tasks.run();
    const older = copyOf(disk);
    journal.append(payloads('two'), () => {});
    tasks.run();
    disk = disk.crash(KEEP_ALL);
    openOrThrow(disk, tasks);
    disk = disk.crash(KEEP_ALL);
    for (const [name, bytes] of older) disk.overwrite(name, bytes);
    expect(problemOf(disk, tasks)).toBe('JOURNAL_CUT');
  });

  it('loses nothing to files of a stopped node that are laid over what came after them', () => {
    const tasks = new Tasks();
    let disk = started(tasks, ['zero'], []);
    const older = copyOf(disk);
    const { journal } = openOrThrow(disk, tasks);
    journal.append(payloads('one'), () => {});
    tasks.run();
    disk = disk.crash(KEEP_ALL);
    for (const [name, bytes] of older) disk.overwrite(name, bytes);
    expect(disk.list()).toEqual(['00000002.journal', '00000003.journal', '00000004.journal']);
    expect(texts(openOrThrow(disk, tasks).records)).toEqual(['zero', 'one']);
    expect(disk.list()).toEqual(['00000002.journal', '00000004.journal', '00000005.journal']);
  });

  it('misses a segment with records, wherever it was', () => {
    const tasks = new Tasks();
    const disk = started(tasks, ['one'], ['two'], [], ['three'], []);
    expect(disk.list()).toEqual(['00000002.journal', '00000003.journal', '00000005.journal', '00000006.journal']);
    for (const name of disk.list().slice(0, -1)) {
      const less = disk.crash(KEEP_ALL);
      less.remove(name);
      expect(problemOf(less, tasks), name).toBe('JOURNAL_CUT');
    }
  });
});

describe('the chain of a journal', () => {
  it('is that of the first start, and no other is served', () => {
    const tasks = new Tasks();
    const other = CHAIN_ID.map((byte) => byte + 1);
    for (const words of [[], ['one']]) {
      const disk = started(tasks, words);
      const before = copyOf(disk);
      const problem = { code: 'JOURNAL_OF_ANOTHER_CHAIN', chainId: CHAIN_ID };
      expect(open(disk, tasks, { chainId: other })).toEqual({ ok: false, error: problem });
      expect(copyOf(disk)).toEqual(before);
      expect(problemOf(disk, tasks)).toBe('ok');
    }
  });

  it('is remembered by snapshots and by segments that follow full ones', () => {
    const tasks = new Tasks();
    for (const how of ['truncate', 'append'] as const) {
      let disk = started(tasks, ['one']);
      const { journal } = openOrThrow(disk, tasks, { segmentBytesMax: 200 });
      if (how === 'truncate') journal.truncate(new Uint8Array(3), () => {});
      else journal.append(payloads('x'.repeat(200), 'y'.repeat(200)), () => {});
      tasks.run();
      disk = disk.crash(KEEP_NOTHING);
      expect(problemOf(disk, tasks, { chainId: new Uint8Array(32) })).toBe('JOURNAL_OF_ANOTHER_CHAIN');
    }
  });

  it('is open until somebody votes', () => {
    const tasks = new Tasks();
    const disk = newDisk(tasks);
    create(disk, tasks);
    expect(problemOf(disk, tasks, { chainId: new Uint8Array(32) })).toBe('ok');
  });
});

const BEGINNINGS: readonly [string, readonly (readonly string[])[], readonly string[]][] = [
  ['the first', [], []],
  ['after one that wrote nothing', [[]], []],
  ['after one that wrote', [['one', 'two']], ['one', 'two']],
  ['after one that wrote and one that did not', [['one', 'two'], []], ['one', 'two']],
  ['after several', [['one'], [], [], ['two'], []], ['one', 'two']],
];

/** Starts on a disk that stops at operation `stopAt`; the disk as that leaves it, and whether it came to that. */
function interrupt(runs: readonly (readonly string[])[], stopAt: number, isTorn: boolean) {
  const tasks = new Tasks();
  let operations = Number.NEGATIVE_INFINITY;
  const disk = newDisk(tasks, () => {
    operations += 1;
    if (operations === stopAt) throw new Error('the machine stops here');
  });
  create(disk, tasks);
  let at = disk;
  for (const [index, words] of runs.entries()) {
    at = at.crash(KEEP_ALL);
    const { journal } = openOrThrow(at, tasks);
    if (words.length > 0) journal.append(payloads(...words), () => {});
    tasks.run();
    if (isTorn && index === runs.length - 1) journal.append(payloads('torn'), () => {});
  }
  at = at.crash({ bytesKept: (_, unsynced) => unsynced - 1, keeps: () => true });
  operations = 0;
  let isOver = false;
  try {
    openOrThrow(at, tasks);
    isOver = true;
  } catch {}
  operations = Number.NEGATIVE_INFINITY;
  return { tasks, disk: at, isOver };
}

describe('a start that is cut short at any operation, again and again', () => {
  const random = createPrng(54);
  const chance = (): CrashChoice => ({
    bytesKept: (_name, count) => random.below(count + 1),
    keeps: () => random.chance(0.5),
    zeros: random.chance(0.5),
  });
  const ends: [string, (disk: MemoryDisk) => MemoryDisk][] = [
    ['nothing unsynced remains', (disk) => disk.crash(KEEP_NOTHING)],
    ['everything remains', (disk) => disk.crash(KEEP_ALL)],
    ['names change, bytes do not', (disk) => disk.crash({ bytesKept: () => 0, keeps: () => true })],
    ['bytes remain, names do not', (disk) => disk.crash({ bytesKept: (_, count) => count, keeps: () => false })],
    ['the process is killed', (disk) => disk.kill()],
    ['killed, and later the power goes', (disk) => disk.kill().crash({ bytesKept: () => 0, keeps: () => true })],
    ...Array.from({ length: 6 }, (_, index): [string, (disk: MemoryDisk) => MemoryDisk] => [
      `chance ${index}`,
      (disk) => disk.crash(chance()),
    ]),
  ];

  it.each(BEGINNINGS)('%s', (_, runs, words) => {
    for (const [how, end] of ends) {
      for (const isTorn of [false, true]) {
        let stopAt = 1;
        for (; ; stopAt += 1) {
          const { tasks, disk, isOver } = interrupt(runs, stopAt, isTorn);
          const opened = open(end(disk), tasks);
          const where = `${how}, operation ${stopAt}`;
          expect(opened.ok && texts(opened.value.records), where).toEqual(words);
          if (isOver) break;
        }
        expect(stopAt).toBeGreaterThan(10);
      }
    }
  });
});
