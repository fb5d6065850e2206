import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareBytes, concat, utf8 } from '../../src/lib/bytes.ts';
import type { Disk, DiskFile } from '../../src/store/disk.ts';
import { MemoryDisk } from '../../src/store/memory-disk.ts';
import { openNodeDisk } from '../../src/store/node-disk.ts';

function sync(target: DiskFile): Promise<void> {
  return new Promise((resolve, reject) => {
    target.sync((error) => (error === undefined ? resolve() : reject(error)));
  });
}

function syncDirectory(disk: Disk): Promise<void> {
  return new Promise((resolve, reject) => {
    disk.syncDirectory((error) => (error === undefined ? resolve() : reject(error)));
  });
}

function text(file: DiskFile, offset = 0, length = 1_000_000): string {
  return Buffer.from(file.read(offset, length)).toString();
}

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-disk-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe.each([
  ['node', () => openNodeDisk(join(directory, 'files'))],
  ['memory', () => new MemoryDisk({ schedule: setImmediate })],
])('the %s disk', (_, make) => {
  it('lists the files that were made, by name', async () => {
    const disk = make();
    expect(disk.list()).toEqual([]);
    for (const name of ['b', 'a', 'c']) disk.create(name).close();
    await syncDirectory(disk);
    expect(disk.list()).toEqual(['a', 'b', 'c']);
    disk.remove('b');
    expect(disk.list()).toEqual(['a', 'c']);
  });

  it('makes no file twice, and opens and removes none that is not there', () => {
    const disk = make();
    disk.create('a').close();
    expect(() => disk.create('a')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(() => disk.open('b')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => disk.remove('b')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('reads what was appended and synced, from any place, up to the end', async () => {
    const disk = make();
    const file = disk.create('a');
    file.append(utf8('one '));
    file.append(new Uint8Array(0));
    file.append(utf8('two'));
    expect(file.size()).toBe(7);
    await sync(file);
    file.append(utf8(' three'));
    await sync(file);
    expect(text(file)).toBe('one two three');
    expect(text(file, 4, 3)).toBe('two');
    expect(text(file, 8, 100)).toBe('three');
    expect(text(file, 13, 1)).toBe('');
    expect(text(file, 99, 1)).toBe('');
    file.close();
    const again = disk.open('a');
    expect(again.size()).toBe(13);
    again.append(utf8('!'));
    await sync(again);
    expect(text(again)).toBe('one two three!');
    again.close();
  });

  it('calls back after the call has returned, once', async () => {
    const disk = make();
    const file = disk.create('a');
    const told: string[] = [];
    const done = new Promise<void>((resolve) => {
      file.sync(() => {
        told.push('file');
        disk.syncDirectory(() => {
          told.push('directory');
          resolve();
        });
        told.push('after directory');
      });
      told.push('after file');
    });
    await done;
    expect(told).toEqual(['after file', 'file', 'after directory', 'directory']);
    file.close();
  });

  it('syncs what is appended during a sync with the next one', async () => {
    const file = make().create('a');
    file.append(utf8('one'));
    const first = sync(file);
    file.append(utf8(' two'));
    await first;
    await sync(file);
    expect(text(file)).toBe('one two');
    file.close();
  });

  it('cuts a file and goes on there', async () => {
    const disk = make();
    const file = disk.create('a');
    file.append(utf8('one two'));
    await sync(file);
    file.truncate(3);
    expect(file.size()).toBe(3);
    file.append(utf8('!'));
    await sync(file);
    expect(text(file)).toBe('one!');
    expect(() => {
      file.append(utf8('x'));
      file.truncate(0);
    }).toThrow('under way');
    file.close();
  });

  it('refuses a second sync at a time', async () => {
    const file = make().create('a');
    const first = sync(file);
    expect(() => file.sync(() => {})).toThrow('twice');
    await first;
    file.close();
  });

  it('tells one file from another for as long as it lives', async () => {
    const disk = make();
    const file = disk.create('a');
    const identity = file.identity();
    file.append(utf8('more'));
    await sync(file);
    expect(file.identity()).toEqual(identity);
    file.close();
    const [again, other] = [disk.open('a'), disk.create('b')];
    expect(again.identity()).toEqual(identity);
    expect(other.identity()).not.toEqual(identity);
    expect(identity.inode).toMatch(/^\d+$/);
    again.close();
    other.close();
  });

  it('keeps any appends in order, however many and however large', async () => {
    const disk = make();
    let count = 0;
    const check = async (batches: Uint8Array[][]) => {
      const file = disk.create(`file ${count++}`);
      for (const batch of batches) {
        for (const bytes of batch) file.append(bytes);
        await sync(file);
      }
      expect(compareBytes(file.read(0, file.size() + 1), concat(...batches.flat()))).toBe(0);
      file.close();
    };
    const bytes = fc.uint8Array({ maxLength: 20 });
    await fc.assert(fc.asyncProperty(fc.array(fc.array(bytes, { maxLength: 20 }), { maxLength: 4 }), check), {
      numRuns: 60,
    });
    await check([Array.from({ length: 3_000 }, (_unused, index) => new Uint8Array(1 + (index % 7)).fill(index))]);
    await check([[new Uint8Array(9_000_000).fill(1), new Uint8Array(5)]]);
  });
});

describe('the node disk alone', () => {
  it('keeps its files to this user, and leaves folders out', () => {
    const path = join(directory, 'deep', 'files');
    const disk = openNodeDisk(path);
    disk.create('a').close();
    mkdirSync(join(path, 'folder'));
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, 'a')).mode & 0o777).toBe(0o600);
    expect(disk.list()).toEqual(['a']);
  });

  it('sees what another process appended before it opened a file', () => {
    const disk = openNodeDisk(directory);
    disk.create('a').close();
    appendFileSync(join(directory, 'a'), 'foreign');
    const file = disk.open('a');
    expect(text(file)).toBe('foreign');
    file.close();
  });

  it('says what it could not do and why', () => {
    const disk = openNodeDisk(directory);
    expect(() => disk.open('b')).toThrow(/^cannot open .*b: ENOENT/);
    appendFileSync(join(directory, 'a'), 'x');
    expect(() => openNodeDisk(join(directory, 'a'))).toThrow(/^cannot open the directory /);
  });
});
