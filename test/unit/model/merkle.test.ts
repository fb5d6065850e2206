import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex, utf8 } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/model/hash.ts';
import { Hash, ZERO_HASH } from '../../../src/model/ids.ts';
import { merklePath, merklePathRoot, merkleRoot } from '../../../src/model/merkle.ts';

const items = (count: number): Uint8Array[] => Array.from({ length: count }, (_, index) => utf8(`item ${index}`));

/** The definition of RFC 9162 §2.1.1, word for word. */
function naiveRoot(list: readonly Uint8Array[]): Uint8Array {
  const [only] = list;
  if (only !== undefined && list.length === 1) return sha256(concat(Uint8Array.of(0), only));
  let k = 1;
  while (2 * k < list.length) k *= 2;
  return sha256(concat(Uint8Array.of(1), naiveRoot(list.slice(0, k)), naiveRoot(list.slice(k))));
}

describe('a Merkle root', () => {
  it('is what RFC 9162 defines, for each number of items', () => {
    for (let count = 1; count <= 70; count += 1)
      expect(merkleRoot(items(count)), `${count} items`).toBe(toHex(naiveRoot(items(count))));
  });

  it('is that of the public vectors of certificate transparency', () => {
    const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const root = merkleRoot(leaves.map((hex) => fromHex(hex) ?? new Uint8Array()));
    expect(root).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
  });

  it('of nothing is the zero hash', () => {
    expect(merkleRoot([])).toBe(ZERO_HASH);
  });

  it('tells apart order, count and nesting', () => {
    const [a, b] = [utf8('a'), utf8('b')];
    const inner = fromHex(merkleRoot([a, b])) ?? a;
    const roots = [[a, b], [b, a], [a], [a, b, b], [inner], [a, a]].map(merkleRoot);
    expect(new Set(roots).size).toBe(roots.length);
  });
});

describe('a Merkle path', () => {
  it('leads from each item to the root', () => {
    for (let count = 1; count <= 33; count += 1) {
      const list = items(count);
      const root = merkleRoot(list);
      for (const [index, item] of list.entries()) {
        const path = merklePath(list, index);
        expect(path.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)));
        expect(merklePathRoot(item, { index, count }, path), `${index} of ${count}`).toBe(root);
      }
    }
  });

  it('leads elsewhere from another item or place, and nowhere when it has a wrong length', () => {
    for (let count = 2; count <= 17; count += 1) {
      const list = items(count);
      const root = merkleRoot(list);
      for (const [index, item] of list.entries()) {
        const path = merklePath(list, index);
        expect(merklePathRoot(utf8('forged'), { index, count }, path)).not.toBe(root);
        for (let wrong = 0; wrong < count; wrong += 1)
          if (wrong !== index) expect(merklePathRoot(item, { index: wrong, count }, path), `${wrong}`).not.toBe(root);
        expect(merklePathRoot(item, { index, count }, path.slice(1))).toBeUndefined();
        expect(merklePathRoot(item, { index, count }, path.slice(0, -1))).toBeUndefined();
        expect(merklePathRoot(item, { index, count }, [...path, ZERO_HASH])).toBeUndefined();
        const bent = path.map((hash, step) => (step === 0 ? Hash('f'.repeat(64)) : hash));
        expect(merklePathRoot(item, { index, count }, bent)).not.toBe(root);
      }
    }
  });

  it('is not of a place that does not exist, however large the numbers', () => {
    const path = merklePath(items(4), 2);
    const nowhere: readonly [number, number][] = [
      [4, 4],
      [-1, 4],
      [0, 0],
      [0.5, 4],
      [Number.NaN, 4],
      [2, 4.5],
      [0, Number.POSITIVE_INFINITY],
      [0, 2 ** 60],
    ];
    for (const [index, count] of nowhere) expect(merklePathRoot(utf8('x'), { index, count }, path)).toBeUndefined();
    const last = Number.MAX_SAFE_INTEGER;
    expect(merklePathRoot(utf8('x'), { index: last - 1, count: last }, path)).toBeUndefined();
    expect(merklePath(items(3), 3)).toEqual([]);
    expect(merklePath(items(3), -1)).toEqual([]);
  });
});
