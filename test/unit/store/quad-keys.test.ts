import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareBytes } from '../../../src/lib/bytes.ts';
import {
  NUMBER_END,
  NumberReader,
  numberKey,
  type Order,
  patternPrefix,
  quadKey,
  quadOfKey,
} from '../../../src/store/quad-keys.ts';

const EDGES = [0, 1, 127, 128, 16_383, 16_384, 2 ** 21 - 1, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 31, NUMBER_END - 1];
const number = fc.oneof(fc.constantFrom(...EDGES), fc.integer({ min: 0, max: NUMBER_END - 1 }));
const quad = fc.tuple(number, number, number, number);
const orders: readonly Order[] = ['spog', 'posg', 'ospg'];

it('numbers read as they were written, and their bytes are in their order', () => {
  expect(EDGES.map((edge) => numberKey(edge).length)).toEqual([1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5]);
  fc.assert(
    fc.property(fc.array(number), fc.array(number), (some, others) => {
      const reader = new NumberReader(numberKey(...some));
      expect(some.map(() => reader.next())).toEqual(some);
      expect(reader.isAtEnd).toBe(true);
      expect(reader.next()).toBeNaN();
      const place = some.findIndex((one, index) => one !== others[index]);
      const byNumbers =
        place < 0 ? Math.sign(some.length - others.length) : Math.sign((some[place] ?? 0) - (others[place] ?? -1));
      expect(Math.sign(compareBytes(numberKey(...some), numberKey(...others)))).toBe(byNumbers);
    }),
  );
});

it('bytes that are no number read as none, to the end', () => {
  for (const bytes of [[0x80], [0xf0, 1, 2, 3], [0xf8, 1, 2, 3, 4, 5], [0xff]]) {
    const reader = new NumberReader(Uint8Array.from(bytes));
    expect(reader.next()).toBeNaN();
    expect(reader.isAtEnd).toBe(true);
  }
  expect(() => numberKey(NUMBER_END)).toThrow('fits into five bytes');
});

it('a key is its quad in every order, and begins with what is bound', () => {
  fc.assert(
    fc.property(quad, fc.constantFrom(...orders), (numbers, order) => {
      const key = quadKey(order, numbers);
      expect(quadOfKey(order, key)).toEqual(numbers);
      for (let mask = 0; mask < 16; mask += 1) {
        const bound = numbers.map((one, place) => ((mask & (1 << place)) === 0 ? undefined : one));
        const prefix = patternPrefix(order, bound);
        expect(key.subarray(0, prefix.length)).toEqual(prefix);
      }
    }),
  );
  expect(quadOfKey('spog', numberKey(1, 2, 3, 4, 5)).some(Number.isNaN)).toBe(true);
  expect(quadOfKey('posg', numberKey(1, 2, 3)).some(Number.isNaN)).toBe(true);
});
