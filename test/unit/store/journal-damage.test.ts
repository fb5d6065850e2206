import { describe, expect, it } from 'vitest';
import { concat } from '../../../src/lib/bytes.ts';
import { createPrng } from '../../../src/lib/prng.ts';
import type { JournalPosition } from '../../../src/store/journal.ts';
import { recordHeader } from '../../../src/store/journal-format.ts';
import type { CrashChoice, MemoryDisk } from '../../../src/store/memory-disk.ts';
import {
  create,
  INCARNATION,
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

/** The first was made with the key, and replaced at the first start because it was empty. */
const NAME = '00000002.journal';

/** Three synced batches and one that is under way; `ends` are the durable ends. */
function written(tasks: Tasks): { disk: MemoryDisk; ends: number[]; words: string[]; witness: JournalPosition } {
  const disk = newDisk(tasks);
  create(disk, tasks);
  const { journal } = openOrThrow(disk, tasks);
  const ends = [journal.position().offset];
  const words: string[] = [];
  for (const batch of [['one', 'two'], ['three'], ['four', 'five', 'six']]) {
    words.push(...batch);
    journal.append(payloads(...batch), () => {});
    tasks.run();
    ends.push(journal.position().offset);
  }
  return { disk, ends, words, witness: journal.position() };
}

function isPrefix(part: readonly string[], whole: readonly string[]): boolean {
  return part.length <= whole.length && part.every((word, index) => word === whole[index]);
}

/** The same, with one more batch that the disk has not confirmed. */
function underWay() {
  const tasks = new Tasks();
  const { disk, words } = written(tasks);
  const again = disk.crash(KEEP_NOTHING);
  const { journal } = openOrThrow(again, tasks);
  journal.append(payloads('seven', 'eight'), () => {});
  return { disk: again, tasks, words, witness: journal.position() };
}

describe('an unsynced tail', () => {
  it.each([false, true])('is cut at any byte, and the journal goes on (zeros left behind: %s)', (zeros) => {
    const unsynced = 2 * 20 + 'seven'.length + 'eight'.length;
    for (let kept = 0; kept <= unsynced; kept += 1) {
      const { disk, tasks, words, witness } = underWay();
      const bytesKept = (_: string, count: number): number => {
        expect(count).toBe(unsynced);
        return kept;
      };
      const crashed = disk.crash({ bytesKept, keeps: () => true, zeros });
      const opened = openOrThrow(crashed, tasks, { witness });
      const found = texts(opened.records);
      expect(isPrefix(found, [...words, 'seven', 'eight'])).toBe(true);
      expect(isPrefix(words, found)).toBe(true);
      opened.journal.append(payloads('nine'), () => {});
      tasks.run();
      expect(texts(openOrThrow(crashed.crash(KEEP_NOTHING), tasks).records)).toEqual([...found, 'nine']);
    }
  });
});

describe('a synced journal', () => {
  it('that ends before a later record says it must is corrupt or cut, at every byte', () => {
    const tasks = new Tasks();
    const { disk, ends, words, witness } = written(tasks);
    const whole = disk.bytesOf(NAME);
    const closed = disk.crash(KEEP_NOTHING);
    for (let size = 0; size < whole.length; size += 1) {
      closed.overwrite(NAME, whole.slice(0, size));
      const attempt = closed.crash(KEEP_NOTHING);
      const code = problemOf(attempt, tasks, { witness });
      expect(code, `cut to ${size}`).toBe(size < (ends[0] ?? 0) ? 'JOURNAL_CORRUPT' : 'JOURNAL_CUT');
      if (code === 'JOURNAL_CUT') {
        const unwitnessed = openOrThrow(attempt, tasks);
        expect(isPrefix(texts(unwitnessed.records), words)).toBe(true);
      }
    }
  });

  it('with any bit flipped is never taken for whole; without a witness only its last batch can be lost', () => {
    const tasks = new Tasks();
    const { disk, ends, words, witness } = written(tasks);
    const whole = disk.bytesOf(NAME);
    const closed = disk.crash(KEEP_NOTHING);
    const lastBatch = ends.at(-2) ?? 0;
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = whole.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      closed.overwrite(NAME, damaged);
      expect(problemOf(closed.crash(KEEP_NOTHING), tasks, { witness }), `flip at ${at}`).toBe('JOURNAL_CORRUPT');
      closed.overwrite(NAME, damaged);
      const blind = open(reopened(closed), tasks);
      if (at < lastBatch) expect(blind.ok, `flip at ${at}`).toBe(false);
      else expect(blind.ok && isPrefix(texts(blind.value.records), words)).toBe(true);
    }
  });

  it('with a flipped bit in an older segment is corrupt, at every byte', () => {
    const tasks = new Tasks();
    const disk = newDisk(tasks);
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks, { segmentBytesMax: 220 });
    journal.append(payloads('one', 'two', 'three', 'four', 'five'), () => {});
    tasks.run();
    expect(disk.list()).toHaveLength(2);
    const whole = disk.bytesOf(NAME);
    const closed = disk.crash(KEEP_NOTHING);
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = whole.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      closed.overwrite(NAME, damaged);
      expect(problemOf(reopened(closed), tasks), `flip at ${at}`).toBe('JOURNAL_CORRUPT');
      closed.overwrite(NAME, whole.slice(0, at));
      expect(['JOURNAL_CORRUPT', 'JOURNAL_CUT']).toContain(problemOf(reopened(closed), tasks));
    }
    const beheaded = reopened(closed);
    beheaded.remove(NAME);
    expect(problemOf(beheaded, tasks)).toBe('JOURNAL_CUT');
  });

  it('is left as it was found when something is wrong with it', () => {
    const tasks = new Tasks();
    const { disk, witness } = written(tasks);
    const whole = disk.bytesOf(NAME);
    const closed = disk.crash(KEEP_NOTHING);
    closed.overwrite(NAME, whole.slice(0, whole.length - 4));
    expect(problemOf(closed, tasks, { witness })).toBe('JOURNAL_CUT');
    expect(closed.bytesOf(NAME)).toEqual(whole.slice(0, whole.length - 4));
  });

  it('with a payload that looks like a record is not taken in by it', () => {
    const tasks = new Tasks();
    const { disk } = written(tasks);
    const closed = disk.crash(KEEP_NOTHING);
    const { journal } = openOrThrow(closed, tasks);
    const replay = closed.bytesOf(NAME);
    journal.append([replay, replay], () => {});
    const torn = closed.crash({ bytesKept: (_, unsynced) => unsynced - 1, keeps: () => true });
    expect([...openOrThrow(torn, tasks).records].at(-1)).toEqual(replay);
  });
});

describe('the newest of several segments', () => {
  const NEWEST = '00000003.journal';

  function twoSegments(...newestWords: string[]) {
    const tasks = new Tasks();
    const disk = newDisk(tasks);
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks, { segmentBytesMax: 230 });
    journal.append(payloads('one'), () => {});
    tasks.run();
    const full = 'x'.repeat(210 - journal.position().offset);
    journal.append(payloads(full, ...newestWords), () => {});
    tasks.run();
    journal.append(payloads('last'), () => {});
    tasks.run();
    expect(disk.list()).toHaveLength(2);
    return { tasks, disk: disk.crash(KEEP_NOTHING), whole: disk.bytesOf(NEWEST) };
  }

  function headerBytes(whole: Uint8Array): number {
    return 20 + new DataView(whole.buffer, whole.byteOffset).getUint32(8);
  }

  it('with a damaged header and a record behind it is corrupt, at every byte of the header', () => {
    const { tasks, disk, whole } = twoSegments('two');
    for (let at = 0; at < headerBytes(whole); at += 1) {
      const damaged = whole.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 16;
      disk.overwrite(NEWEST, damaged);
      expect(problemOf(reopened(disk), tasks), `flip at ${at}`).toBe('JOURNAL_CORRUPT');
    }
  });

  it('was never used when it ends inside its header, and is made anew', () => {
    const { tasks, disk, whole } = twoSegments('two');
    for (let size = 0; size < headerBytes(whole); size += 1) {
      disk.overwrite(NEWEST, whole.slice(0, size));
      const again = reopened(disk);
      const { journal, records } = openOrThrow(again, tasks, { segmentBytesMax: 230 });
      expect(texts(records)[0]).toBe('one');
      journal.append(payloads('anew'), () => {});
      tasks.run();
      expect(texts(openOrThrow(again.crash(KEEP_NOTHING), tasks).records).at(-1)).toBe('anew');
    }
  });

  it('does not count twice under another name', () => {
    const { tasks, disk, whole } = twoSegments('two');
    const before = texts(openOrThrow(reopened(disk), tasks).records);
    disk.overwrite('00000004.journal', whole);
    const again = reopened(disk);
    expect(texts(openOrThrow(again, tasks).records)).toEqual(before);
    expect(again.list()).toEqual([NAME, NEWEST, '00000004.journal']);
    expect(again.bytesOf('00000004.journal')).not.toEqual(whole);
  });
});

describe('the search for proof behind a damage', () => {
  it('finds a record wherever it begins', () => {
    for (let size = 65_536 - 60; size < 65_536 + 30; size += 1) {
      const tasks = new Tasks();
      const disk = newDisk(tasks);
      create(disk, tasks);
      const { journal } = openOrThrow(disk, tasks);
      const at = journal.position().offset;
      for (const payload of [new Uint8Array(size), new Uint8Array(3)]) {
        journal.append([payload], () => {});
        tasks.run();
      }
      const closed = disk.crash(KEEP_NOTHING);
      const damaged = disk.bytesOf(NAME);
      damaged[at + 30] = 1;
      closed.overwrite(NAME, damaged);
      expect(problemOf(closed, tasks), `${size} bytes`).toBe('JOURNAL_CORRUPT');
    }
  });

  it('is not led astray by a record inside a payload that was not finished', () => {
    const tasks = new Tasks();
    const disk = newDisk(tasks);
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    const at = journal.position().offset;
    const place = { marker: INCARNATION.slice(0, 8), segment: 2, offset: at };
    const inner = concat(recordHeader(place, at + 1, payloads('inner')[0] ?? new Uint8Array()), ...payloads('inner'));
    journal.append([concat(inner, new Uint8Array(9))], () => {});
    const torn = disk.crash({ bytesKept: (_, unsynced) => unsynced - 1, keeps: () => true });
    expect(texts(openOrThrow(torn, tasks).records)).toEqual([]);
  });
});

function reopened(disk: MemoryDisk): MemoryDisk {
  return disk.crash(KEEP_NOTHING);
}

/** Runs one story on a disk that stops at operation `stopAt`; tells what was acknowledged and where the disk is. */
function story(stopAt: number) {
  const tasks = new Tasks();
  let operations = 0;
  const disk = newDisk(tasks, () => {
    operations += 1;
    if (operations === stopAt) throw new Error('the machine stops here');
  });
  const acknowledged: string[] = [];
  const seen = { witness: undefined as JournalPosition | undefined, stopped: false, created: false };
  try {
    seen.created = create(disk, tasks) === 'ok';
    const fatal = (): void => {
      seen.stopped = true;
    };
    const { journal } = openOrThrow(disk, tasks, { segmentBytesMax: 250, onFatal: fatal });
    const note = (word: string) => (): void => {
      acknowledged.push(word);
      seen.witness = journal.position();
    };
    for (const word of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']) journal.append(payloads(word), note(word));
    tasks.run();
    journal.append(payloads('b1'), note('b1'));
    journal.truncate(new TextEncoder().encode('S'), note('S'));
    journal.append(payloads('c1'), note('c1'));
    tasks.run();
    for (const word of ['d1', 'd2', 'd3', 'd4', 'd5', 'd6']) journal.append(payloads(word), note(word));
    tasks.run();
  } catch {
    seen.stopped = true;
  }
  return { tasks, disk, acknowledged, seen, operations };
}

const ORDER = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'b1', 'S', 'c1', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6'];

describe('a machine that stops at any operation, in any half-written state', () => {
  const total = story(Number.POSITIVE_INFINITY);

  it('is a story with segments and a truncation', () => {
    expect(total.acknowledged).toEqual(ORDER);
    expect(total.operations).toBeGreaterThan(40);
    expect(total.disk.list()[0]).not.toBe(NAME);
  });

  const random = createPrng(36);
  const choices: [string, () => CrashChoice][] = [
    ['nothing unsynced remains', () => KEEP_NOTHING],
    ['everything remains', () => KEEP_ALL],
    ['names change, bytes do not', () => ({ bytesKept: () => 0, keeps: () => true })],
    ['bytes remain, names do not', () => ({ bytesKept: (_, count) => count, keeps: () => false })],
    ...Array.from({ length: 12 }, (_, index): [string, () => CrashChoice] => [
      `chance ${index}`,
      () => ({
        bytesKept: (_name, count) => random.below(count + 1),
        keeps: () => random.chance(0.5),
        zeros: random.chance(0.5),
      }),
    ]),
  ];

  it.each(choices)('keeps what was acknowledged and opens again: %s', (_, choose) => {
    for (let stopAt = 1; stopAt <= total.operations; stopAt += 1) {
      const { tasks, disk, acknowledged, seen } = story(stopAt);
      expect(seen.stopped).toBe(true);
      const after = disk.crash(choose());
      const opened = open(after, tasks, seen.witness === undefined ? {} : { witness: seen.witness });
      if (!seen.created) continue;
      if (!opened.ok) throw new Error(`operation ${stopAt}: ${JSON.stringify(opened.error)}`);
      const found = texts(opened.value.records);
      const cut = found[0] === 'S' ? ORDER.indexOf('S') : 0;
      expect(found, `operation ${stopAt}`).toEqual(ORDER.slice(cut, cut + found.length));
      const last = acknowledged.at(-1);
      if (last !== undefined) expect(ORDER.indexOf(found.at(-1) ?? '')).toBeGreaterThanOrEqual(ORDER.indexOf(last));
    }
  });
});
