import { expect, it } from 'vitest';
import { counted } from '../../../src/lib/words.ts';

it('counts in words: one has no plural', () => {
  expect([0, 1, 2].map((count) => counted(count, 'block'))).toEqual(['0 blocks', '1 block', '2 blocks']);
  expect(counted(2, 'process', 'processes')).toBe('2 processes');
});
