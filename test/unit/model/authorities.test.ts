import { describe, expect, it } from 'vitest';
import {
  authoritySetHash,
  faultsTolerated,
  primaryIndex,
  quorumOf,
  seatOf,
  weakQuorumOf,
} from '../../../src/model/authorities.ts';
import { PublicKey, View } from '../../../src/model/ids.ts';
import { consortium } from './consortium.ts';

describe('a quorum', () => {
  it('is what the protocol note says for each size', () => {
    const table = { 1: 1, 2: 2, 3: 2, 4: 3, 5: 4, 6: 4, 7: 5, 8: 6, 9: 6, 10: 7, 13: 9, 31: 21 };
    const computed = Object.fromEntries(Object.keys(table).map((n) => [n, quorumOf(Number(n))]));
    expect(computed).toEqual(table);
  });

  it('shares an honest voter with every other quorum, and is there without the faulty ones', () => {
    for (let n = 1; n <= 1_000; n += 1) {
      const f = faultsTolerated(n);
      expect(3 * f + 1, `n = ${n}`).toBeLessThanOrEqual(n);
      expect(2 * quorumOf(n) - n, `n = ${n}`).toBeGreaterThanOrEqual(f + 1);
      expect(quorumOf(n), `n = ${n}`).toBeLessThanOrEqual(n - f);
      expect(weakQuorumOf(n), `n = ${n}`).toBe(f + 1);
    }
  });

  it('is more than 2f + 1 where that would be too few', () => {
    const unsafe = [2, 3, 5, 6, 8, 9].filter((n) => 2 * (2 * faultsTolerated(n) + 1) - n < faultsTolerated(n) + 1);
    expect(unsafe).toEqual([2, 3, 5, 6, 8, 9]);
    expect(unsafe.every((n) => quorumOf(n) > 2 * faultsTolerated(n) + 1)).toBe(true);
  });
});

describe('an authority set', () => {
  const { authorities } = consortium(4);

  it('takes turns', () => {
    expect([0, 1, 4, 7, 4_000_000_001].map((view) => primaryIndex(authorities, View(view)))).toEqual([0, 1, 0, 3, 1]);
  });

  it('knows the seat of a key', () => {
    expect(authorities.authorities.map(({ publicKey }) => seatOf(authorities, publicKey))).toEqual([0, 1, 2, 3]);
    expect(seatOf(authorities, PublicKey('0'.repeat(64)))).toBe(-1);
  });

  it('has another hash when anything in it is other', () => {
    const { parameters } = authorities;
    const others = [
      consortium(5).authorities,
      consortium(4, 1).authorities,
      consortium(4, 0, 1).authorities,
      { ...authorities, authorities: [...authorities.authorities].reverse() },
      { ...authorities, parameters: { ...parameters, windowMax: 1 } },
    ];
    expect(new Set([authorities, ...others].map(authoritySetHash)).size).toBe(6);
  });
});
