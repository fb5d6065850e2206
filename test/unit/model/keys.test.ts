import { Point } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { isUsableKey } from '../../../src/model/keys.ts';
import { asKey, littleEndian, NON_CANONICAL, P, TORSION } from './edge-points.ts';

describe('a key that may enter the chain', () => {
  it('is the encoding of a point of large order', () => {
    expect(isUsableKey(asKey(Point.BASE.toBytes()))).toBe(true);
    expect(isUsableKey(asKey(Point.BASE.multiply(1_234_567n).toBytes()))).toBe(true);
  });

  it('may have a component of small order, on which all implementations agree', () => {
    expect(isUsableKey(asKey(Point.BASE.add(defined(TORSION[1], 'eight points')).toBytes()))).toBe(true);
  });

  it('is not one of the eight points of small order', () => {
    const encodings = TORSION.map((point) => asKey(point.toBytes()));
    expect(new Set(encodings).size).toBe(8);
    expect(encodings.filter(isUsableKey)).toEqual([]);
  });

  it('is not an encoding that no encoder writes', () => {
    expect(NON_CANONICAL.length).toBeGreaterThanOrEqual(6);
    expect(NON_CANONICAL.map(asKey).filter(isUsableKey)).toEqual([]);
  });

  it('is not an unreduced encoding of a point of large order', () => {
    const reduced = [...Array(19).keys()].map(BigInt).filter((y) => isUsableKey(asKey(littleEndian(y))));
    expect(reduced.length).toBeGreaterThan(0);
    expect(reduced.filter((y) => isUsableKey(asKey(littleEndian(P + y))))).toEqual([]);
  });

  it('is not off the curve', () => {
    const offCurve = [...Array(40).keys()]
      .map((y) => asKey(littleEndian(BigInt(y))))
      .filter((key) => !isUsableKey(key));
    expect(offCurve.length).toBeGreaterThan(10);
    expect(isUsableKey(asKey(new Uint8Array(32).fill(0xff)))).toBe(false);
  });
});
