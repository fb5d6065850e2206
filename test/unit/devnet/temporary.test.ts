import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isTemporaryDirectory, makeTemporaryDirectory, removeUnusedHomes } from '../../../src/devnet/temporary.ts';

describe('the directory of a devnet that nobody keeps', () => {
  it('goes with its last home', () => {
    const directory = makeTemporaryDirectory();
    for (const home of ['venue', 'city']) mkdirSync(join(directory, home, 'data'), { recursive: true });
    removeUnusedHomes(directory, (home) => home.endsWith('venue'));
    expect(existsSync(join(directory, 'venue'))).toBe(false);
    expect(existsSync(join(directory, 'city', 'data'))).toBe(true);
    removeUnusedHomes(directory, () => true);
    expect(existsSync(directory)).toBe(false);
    removeUnusedHomes(directory, () => true);
  });

  it('is the only kind that is removed', () => {
    const other = mkdtempSync(join(tmpdir(), 'counterfoil-other-'));
    try {
      mkdirSync(join(other, 'venue'));
      writeFileSync(join(other, 'venue', 'file'), '');
      removeUnusedHomes(other, () => true);
      expect(existsSync(join(other, 'venue', 'file'))).toBe(true);
      expect(isTemporaryDirectory(other)).toBe(false);
      expect(isTemporaryDirectory('/home/counterfoil-devnet-abc')).toBe(false);
      expect(isTemporaryDirectory(join(tmpdir(), 'counterfoil-devnet-abc', 'venue'))).toBe(false);
    } finally {
      rmSync(other, { recursive: true });
    }
  });
});
