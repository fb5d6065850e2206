import { beforeEach, describe, expect, it } from 'vitest';
import { JOURNAL_QUEUE_BYTES_FULL, JOURNAL_RECORD_BYTES_MAX } from '../../../src/model/limits.ts';
import type { Journal } from '../../../src/store/journal.ts';
import { decodeJournalPosition, encodeJournalPosition } from '../../../src/store/journal-format.ts';
import type { MemoryDisk } from '../../../src/store/memory-disk.ts';
import {
  create,
  KEEP_ALL,
  KEEP_NOTHING,
  newDisk,
  open,
  openOrThrow,
  PUBLIC_KEY,
  payloads,
  problemOf,
  Tasks,
  texts,
} from './journal-bench.ts';

let tasks: Tasks;
let disk: MemoryDisk;

beforeEach(() => {
  tasks = new Tasks();
  disk = newDisk(tasks);
});

function append(journal: Journal, ...words: string[]): void {
  journal.append(payloads(...words), () => {});
  tasks.run();
}

describe('a new journal', () => {
  it('is made once, opens empty and keeps what was appended, in order', () => {
    expect(create(disk, tasks)).toBe('ok');
    expect(create(disk, tasks)).toBe('JOURNAL_EXISTS');
    const first = openOrThrow(disk, tasks);
    expect(texts(first.records)).toEqual([]);
    append(first.journal, 'one', 'two');
    append(first.journal, '', 'four');
    const again = openOrThrow(disk.crash(KEEP_NOTHING), tasks);
    expect(texts(again.records)).toEqual(['one', 'two', '', 'four']);
    expect(texts(again.records)).toEqual(['one', 'two', '', 'four']);
  });

  it('is whole or absent when the machine stops while it is made', () => {
    createHalf(disk);
    expect(problemOf(disk.crash(KEEP_NOTHING), tasks)).toBe('JOURNAL_MISSING');
  });

  it('goes on after a restart where it ended', () => {
    create(disk, tasks);
    append(openOrThrow(disk, tasks).journal, 'one');
    disk = disk.crash(KEEP_ALL);
    append(openOrThrow(disk, tasks).journal, 'two');
    expect(texts(openOrThrow(disk.crash(KEEP_NOTHING), tasks).records)).toEqual(['one', 'two']);
  });
});

function createHalf(target: MemoryDisk): void {
  target.create('00000001.journal').append(new Uint8Array(9));
}

describe('group commit', () => {
  it('syncs once for all that was queued during a sync, and tells in order', () => {
    let syncs = 0;
    disk = newDisk(tasks, (operation) => {
      if (operation === 'sync') syncs += 1;
    });
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    syncs = 0;
    const told: string[] = [];
    for (const word of ['a', 'b', 'c', 'd']) journal.append(payloads(word, word), () => told.push(word));
    expect(told).toEqual([]);
    tasks.step();
    expect(told).toEqual(['a']);
    tasks.step();
    expect(told).toEqual(['a', 'b', 'c', 'd']);
    expect(syncs).toBe(2);
  });

  it('takes appends from inside a callback', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    const told: string[] = [];
    journal.append(payloads('a'), () => {
      told.push('a');
      journal.append(payloads('b'), () => told.push('b'));
    });
    tasks.run();
    expect(told).toEqual(['a', 'b']);
    expect(texts(openOrThrow(disk.crash(KEEP_NOTHING), tasks).records)).toEqual(['a', 'b']);
  });
});

describe('bounds', () => {
  it('refuses a record above the limit and an empty append', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    expect(() => journal.append([new Uint8Array(JOURNAL_RECORD_BYTES_MAX + 1)], () => {})).toThrow('journal record');
    expect(() => journal.append([], () => {})).toThrow('nothing to append');
  });

  it('says that it is full until the queue was written, and refuses what goes on all the same', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    const large = new Uint8Array(JOURNAL_QUEUE_BYTES_FULL / 2);
    journal.append([large], () => {});
    expect(journal.full()).toBe(false);
    journal.append([large], () => {});
    expect(journal.full()).toBe(true);
    expect(() => {
      for (let index = 0; index < 8; index += 1) journal.append([large], () => {});
    }).toThrow('full and got more work');
    tasks.run();
    expect(journal.full()).toBe(false);
  });

  it('is closed after what was queued, and not used afterwards', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    const told: string[] = [];
    journal.append(payloads('a'), () => told.push('a'));
    journal.close(() => told.push('closed'));
    expect(() => journal.append(payloads('b'), () => {})).toThrow('closed');
    tasks.run();
    expect(told).toEqual(['a', 'closed']);
    expect(() => journal.append(payloads('b'), () => {})).toThrow('closed');
    expect(texts(openOrThrow(disk, tasks).records)).toEqual(['a']);
  });
});

describe('segments', () => {
  it('start anew when one is full, and are read through', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks, { segmentBytesMax: 300 });
    const words = Array.from({ length: 40 }, (_, index) => `record ${index}`);
    for (const word of words) journal.append(payloads(word), () => {});
    tasks.run();
    expect(disk.list().length).toBeGreaterThan(5);
    for (const name of disk.list()) expect(disk.bytesOf(name).length).toBeLessThanOrEqual(300);
    expect(texts(openOrThrow(disk.crash(KEEP_NOTHING), tasks).records)).toEqual(words);
  });

  it('take a record that is larger than a small segment alone', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks, { segmentBytesMax: 200 });
    append(journal, 'x'.repeat(500), 'y'.repeat(500), 'z');
    expect(texts(openOrThrow(disk.crash(KEEP_NOTHING), tasks).records).map((word) => word[0])).toEqual(['x', 'y', 'z']);
  });
});

describe('truncation', () => {
  it('leaves the snapshot and what came after it', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks, { segmentBytesMax: 200 });
    const told: string[] = [];
    for (let index = 0; index < 20; index += 1) journal.append(payloads(`old ${index}`), () => {});
    journal.truncate(payloads('snapshot')[0] ?? new Uint8Array(), () => told.push('truncated'));
    journal.append(payloads('after'), () => told.push('after'));
    tasks.run();
    expect(told).toEqual(['truncated', 'after']);
    expect(disk.list()).toHaveLength(1);
    expect(texts(openOrThrow(disk.crash(KEEP_NOTHING), tasks).records)).toEqual(['snapshot', 'after']);
  });
});

describe('a failed sync', () => {
  it.each(['append', 'truncate'] as const)('ends the journal at %s: one report, no callback, no second try', (call) => {
    create(disk, tasks);
    const fatal: Error[] = [];
    const { journal } = openOrThrow(disk, tasks, { onFatal: (error) => fatal.push(error) });
    const told: string[] = [];
    disk.failNextSync('EIO');
    if (call === 'append') journal.append(payloads('lost'), () => told.push('lost'));
    else journal.truncate(new Uint8Array(1), () => told.push('lost'));
    journal.append(payloads('later'), () => told.push('later'));
    tasks.run();
    journal.append(payloads('even later'), () => told.push('even later'));
    journal.close(() => told.push('closed'));
    tasks.run();
    expect(told).toEqual([]);
    expect(fatal).toHaveLength(1);
    expect(fatal[0]?.cause).toMatchObject({ code: 'EIO' });
  });

  it('when the directory cannot be synced, too', () => {
    create(disk, tasks);
    const fatal: Error[] = [];
    const { journal } = openOrThrow(disk, tasks, { onFatal: (error) => fatal.push(error) });
    journal.truncate(new Uint8Array(1), () => fatal.push(new Error('told')));
    disk.failNextSync('EIO');
    tasks.run();
    expect(fatal.map((error) => error.message)).toEqual(['the journal cannot be written']);
  });

  it('on a full disk loses nothing that was durable', () => {
    create(disk, tasks);
    const fatal: Error[] = [];
    const { journal } = openOrThrow(disk, tasks, { onFatal: (error) => fatal.push(error) });
    append(journal, 'kept');
    disk.limitCapacity(disk.bytesOf('00000002.journal').length + 30);
    append(journal, 'lost for lack of room');
    expect(fatal[0]?.cause).toMatchObject({ code: 'ENOSPC' });
    expect(texts(openOrThrow(disk.crash(KEEP_ALL), tasks).records)).toEqual(['kept']);
  });

  it('while it is opened is fatal as well', () => {
    create(disk, tasks);
    const fatal: Error[] = [];
    disk.failNextSync('EIO');
    expect(() => open(disk, tasks, { onFatal: (error) => fatal.push(error) })).toThrow('did not open');
    expect(fatal).toHaveLength(1);
  });
});

describe('a journal that is not the one of this key', () => {
  it('is missing', () => {
    expect(problemOf(disk, tasks)).toBe('JOURNAL_MISSING');
  });

  it('is of another key', () => {
    create(disk, tasks, new Uint8Array(32).fill(9));
    expect(problemOf(disk, tasks)).toBe('JOURNAL_OF_ANOTHER_KEY');
  });

  it('is a copy', () => {
    create(disk, tasks);
    append(openOrThrow(disk, tasks).journal, 'one');
    expect(problemOf(disk.copy(), tasks)).toBe('JOURNAL_COPIED');
    expect(problemOf(disk, tasks)).toBe('ok');
  });

  it('is an older state of the very same file, which the witness knows', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    append(journal, 'one');
    const before = { at: journal.position(), bytes: disk.bytesOf('00000002.journal') };
    append(journal, 'two');
    const witness = journal.position();
    disk = disk.crash(KEEP_NOTHING);
    disk.overwrite('00000002.journal', before.bytes);
    expect(problemOf(disk, tasks, { witness })).toBe('JOURNAL_CUT');
    expect(problemOf(disk, tasks, { witness: before.at })).toBe('ok');
  });

  it('is an older state with the newest segment gone, which the witness knows', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks, { segmentBytesMax: 200 });
    append(journal, 'one', 'two', 'x'.repeat(100));
    const witness = journal.position();
    disk = disk.crash(KEEP_NOTHING);
    expect(witness.segment).toBe(3);
    disk.remove('00000003.journal');
    expect(problemOf(disk, tasks)).toBe('ok');
    disk = disk.crash(KEEP_ALL);
    expect(problemOf(disk, tasks, { witness })).toBe('JOURNAL_CUT');
  });

  it('is put back after a truncation removed it', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    append(journal, 'one');
    const old = disk.bytesOf('00000002.journal');
    journal.truncate(new Uint8Array(3), () => {});
    tasks.run();
    disk = disk.crash(KEEP_NOTHING);
    expect(disk.list()).toEqual(['00000003.journal']);
    disk.remove('00000003.journal');
    disk.overwrite('00000002.journal', old);
    expect(problemOf(disk, tasks)).toBe('JOURNAL_COPIED');
  });

  it('is another journal of the same key', () => {
    create(disk, tasks);
    const witness = { publicKey: PUBLIC_KEY, incarnation: new Uint8Array(16), segment: 1, offset: 10 };
    expect(problemOf(disk, tasks, { witness })).toBe('JOURNAL_CUT');
  });

  it('but a witness of an earlier key of the node says nothing', () => {
    create(disk, tasks);
    const witness = { publicKey: new Uint8Array(32), incarnation: new Uint8Array(16), segment: 9, offset: 10 };
    expect(problemOf(disk, tasks, { witness })).toBe('ok');
  });
});

describe('the position', () => {
  it('has one byte form', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    append(journal, 'one');
    const position = journal.position();
    expect(decodeJournalPosition(encodeJournalPosition(position))).toEqual({ ok: true, value: position });
  });

  it('counts what is durable and nothing else', () => {
    create(disk, tasks);
    const { journal } = openOrThrow(disk, tasks);
    const before = journal.position();
    journal.append(payloads('one'), () => {});
    expect(journal.position()).toEqual(before);
    tasks.run();
    expect(journal.position().offset).toBe(before.offset + 20 + 3);
  });
});
