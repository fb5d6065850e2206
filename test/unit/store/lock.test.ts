import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from '../../../src/store/lock.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-lock-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function take(): string {
  const taken = lockDataDir(directory);
  return taken.ok ? 'held' : `${taken.error.code} ${taken.error.pid}`;
}

/** The lock that this process would write, changed. */
function leave(changes: object): void {
  const file = join(directory, 'LOCK');
  const taken = lockDataDir(directory);
  if (!taken.ok) throw new Error('the directory is locked already');
  const own: object = JSON.parse(readFileSync(file, 'utf8'));
  taken.value.release();
  writeFileSync(file, JSON.stringify({ ...own, ...changes }));
}

describe('the lock of a data directory', () => {
  it('is held once, names its owner, and is free after its release', () => {
    const first = lockDataDir(directory);
    expect(take()).toBe(`DATA_DIR_LOCKED ${process.pid}`);
    if (first.ok) first.value.release();
    expect(readdirSync(directory)).toEqual([]);
    expect(take()).toBe('held');
    expect(readdirSync(directory)).toEqual(['LOCK']);
  });

  it.each([
    ['a process number that another program has now', { started: 'some other time' }],
    ['an earlier run of this machine', { boot: 'another run' }],
    ['an earlier run of this container', { processes: 'pid:[1]' }],
    ['a process that cannot be', { pid: 0 }],
    ['a file that says nothing', { pid: 'x' }],
  ])('is taken over from %s', (_, changes) => {
    leave(changes);
    expect(take()).toBe('held');
    expect(readdirSync(directory)).toEqual(['LOCK']);
  });

  it('is taken over from a file that a crash left empty', () => {
    writeFileSync(join(directory, 'LOCK'), '');
    expect(take()).toBe('held');
  });

  it('is left to an owner on a machine that cannot be seen', () => {
    leave({ boot: 'another run', host: 'elsewhere', pid: 77 });
    expect(take()).toBe('DATA_DIR_LOCKED 77');
  });

  it('is taken over though an earlier take-over died half way', () => {
    leave({ started: 'some other time' });
    const dead = readFileSync(join(directory, 'LOCK'), 'utf8');
    writeFileSync(join(directory, 'LOCK.takeover'), dead);
    expect(take()).toBe('held');
    expect(readdirSync(directory)).toEqual(['LOCK']);
  });

  it('is not released when it has become somebody else’s', () => {
    const first = lockDataDir(directory);
    writeFileSync(
      join(directory, 'LOCK'),
      JSON.stringify({ pid: 1, started: '', host: hostname(), boot: '', processes: '' }),
    );
    if (first.ok) first.value.release();
    expect(existsSync(join(directory, 'LOCK'))).toBe(true);
  });

  it('cannot be made in a directory that is not there', () => {
    expect(() => lockDataDir(join(directory, 'nowhere'))).toThrow();
  });
});
