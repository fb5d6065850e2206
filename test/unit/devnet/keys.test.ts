import { describe, expect, it } from 'vitest';
import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import { isUsableKey } from '../../../src/model/keys.ts';

describe('the keys of a devnet', () => {
  it('are the same on every machine', () => {
    expect(devnetKeyPair('node-0').publicKey).toMatchInlineSnapshot(
      `"2b272071a982a900dea2889726b3d196945c64e2c2e1db015b96da945c20871c"`,
    );
  });

  it('differ by name and may enter a chain', () => {
    const keys = ['node-0', 'node-1', 'box-office'].map((name) => devnetKeyPair(name).publicKey);
    expect(new Set(keys).size).toBe(3);
    expect(keys.every(isUsableKey)).toBe(true);
  });
});
