import { beforeEach, describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../../src/lib/bytes.ts';
import type { MemoryDisk } from '../../../src/store/memory-disk.ts';
import { KEEP_ALL, KEEP_NOTHING, newDisk, Tasks } from './journal-bench.ts';

let tasks: Tasks;
let disk: MemoryDisk;

beforeEach(() => {
  tasks = new Tasks();
  disk = newDisk(tasks);
  const file = disk.create('a');
  file.append(utf8('durable'));
  file.sync(() => {});
  disk.syncDirectory(() => {});
  tasks.run();
  file.close();
});

function content(of: MemoryDisk, name = 'a'): string | undefined {
  return fromUtf8(of.bytesOf(name));
}

describe('a crash of the memory disk', () => {
  it('keeps what was synced, and as many unsynced bytes as it is told', () => {
    disk.open('a').append(utf8(' or not'));
    expect(content(disk.crash({ bytesKept: () => 3, keeps: () => true }))).toBe('durable or');
  });

  it('leaves zeros where bytes did not reach the disk', () => {
    disk.open('a').append(utf8('1234'));
    expect(content(disk.crash({ bytesKept: () => 2, keeps: () => true, zeros: true }))).toBe('durable12\0\0');
  });

  it('forgets a sync that was under way, and never reports it', () => {
    const file = disk.open('a');
    const told: string[] = [];
    file.append(utf8('!'));
    file.sync(() => told.push('file'));
    disk.syncDirectory(() => told.push('directory'));
    const after = disk.crash(KEEP_NOTHING);
    tasks.run();
    expect(told).toEqual([]);
    expect(content(after)).toBe('durable');
    expect(() => disk.list()).toThrow('after a crash');
  });

  it('undoes names that were not synced: of a new file, even when its bytes were, and of a removed one', () => {
    const fresh = disk.create('b');
    fresh.sync(() => {});
    tasks.run();
    fresh.close();
    disk.remove('a');
    expect(disk.crash(KEEP_NOTHING).list()).toEqual(['a']);
  });

  it('keeps names it is told to keep', () => {
    disk.create('b').close();
    disk.remove('a');
    expect(disk.crash(KEEP_ALL).list()).toEqual(['b']);
  });

  it('brings back what a truncation cut, unless that was synced', () => {
    const file = disk.open('a');
    file.truncate(3);
    const undone = disk.crash({ bytesKept: () => 0, keeps: () => false });
    expect(content(undone)).toBe('durable');
    const again = undone.open('a');
    again.truncate(3);
    again.sync(() => {});
    tasks.run();
    expect(content(undone.crash(KEEP_NOTHING))).toBe('dur');
  });

  it('leaves files what they are, and copies are others', () => {
    const identity = disk.open('a').identity();
    const copy = disk.copy();
    expect(content(copy)).toBe('durable');
    expect(copy.open('a').identity().inode).not.toBe(identity.inode);
    expect(disk.crash(KEEP_NOTHING).open('a').identity()).toEqual(identity);
  });
});

describe('faults of the memory disk', () => {
  it('fails one sync, and the file is finished', () => {
    const file = disk.open('a');
    const codes: unknown[] = [];
    disk.failNextSync('EIO');
    file.append(utf8('!'));
    file.sync((error) => codes.push(error));
    tasks.run();
    expect(codes).toEqual([expect.objectContaining({ code: 'EIO' })]);
    expect(() => file.sync(() => {})).toThrow('after a failure');
  });

  it('writes short on a full disk', () => {
    const file = disk.open('a');
    const codes: unknown[] = [];
    disk.limitCapacity('durable'.length + 2);
    file.append(utf8('1234'));
    file.sync((error) => codes.push(error));
    tasks.run();
    expect(codes).toEqual([expect.objectContaining({ code: 'ENOSPC' })]);
    expect(content(disk.crash(KEEP_ALL))).toBe('durable12');
  });
});
