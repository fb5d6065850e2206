import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDirectories } from '../../../src/store/directories.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('directories', () => {
  it('are made with those above them, for this user alone', () => {
    expect(makeDirectories(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'));
    for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(root, path)).mode & 0o777).toBe(0o700);
    expect(makeDirectories(join(root, 'a', 'b', 'c'))).toBeUndefined();
    expect(makeDirectories(join(root, 'a', 'd'))).toBe(join(root, 'a', 'd'));
  });

  it('are not made in a file, nor in its place', () => {
    writeFileSync(join(root, 'file'), '');
    const refused = expect.objectContaining({ code: 'DIRECTORY_NOT_MADE', cause: expect.any(Error) });
    expect(() => makeDirectories(join(root, 'file'))).toThrow(refused);
    expect(() => makeDirectories(join(root, 'file', 'inside'))).toThrow(refused);
  });

  it.runIf(existsSync('/proc/self'))('are refused at once where the system takes none', () => {
    const refused = expect.objectContaining({ code: 'DIRECTORY_NOT_MADE' });
    expect(() => makeDirectories('/proc/nope')).toThrow(refused);
    expect(() => makeDirectories('/proc/nope/inside')).toThrow(refused);
  });
});
