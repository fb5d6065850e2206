import { describe, expect, it } from 'vitest';
import { createBoundedMap } from '../../../src/lib/bounded.ts';

describe('a bounded map', () => {
  it('holds no more than its bound and forgets what was unused for longest', () => {
    const map = createBoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    expect(map.get('a')).toBe(1);
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
    map.set('a', 9);
    map.set('d', 4);
    expect([map.get('a'), map.get('c'), map.get('d'), map.size]).toEqual([9, undefined, 4, 2]);
  });
});
