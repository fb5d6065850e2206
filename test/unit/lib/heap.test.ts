import { expect, test } from 'vitest';
import { createHeap } from '../../../src/lib/heap.ts';

test('items come out least first, whatever the order they went in', () => {
  const heap = createHeap<number>((a, b) => a - b);
  const items = Array.from({ length: 500 }, (_, index) => (index * 7_919) % 503);
  for (const item of items) heap.push(item);
  expect(heap.size).toBe(500);
  const out = Array.from({ length: 500 }, () => heap.pop());
  expect(out).toEqual([...items].sort((a, b) => a - b));
  expect(heap.pop()).toBeUndefined();
});

test('pushes and pops may take turns', () => {
  const heap = createHeap<number>((a, b) => a - b);
  heap.push(3);
  heap.push(1);
  expect(heap.pop()).toBe(1);
  heap.push(2);
  heap.push(0);
  expect([heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([0, 2, 3, undefined]);
});
