import { expect, it } from 'vitest';
import { installSha256 } from '../../../src/model/hash.ts';
import { MemoryKeyValue } from '../../../src/store/memory.ts';
import { GRAPH_TABLES } from '../../../src/store/quad-keys.ts';
import { TermReader, TermWriter, termForm } from '../../../src/store/quad-terms.ts';
import { written } from '../../../src/store/written.ts';

const BASE = 'http://localhost/id/';
const XSD = 'http://www.w3.org/2001/XMLSchema#';
const TOKENS = [
  `<${BASE}ticket/a>`,
  `<${BASE}>`,
  `<${BASE.slice(0, -1)}>`,
  '<urn:x>',
  '""',
  '"urn:x"',
  `"2026-06-12T00:00:00Z"^^<${XSD}dateTime>`,
  `"1"^^<${XSD}integer>`,
  `"1"^^<${XSD}decimal>`,
  `"\\"^^<${XSD}integer>"`,
  '"1"^^<urn:d>',
  '"hallo"@de',
  '"\\\\"',
  '"😀"',
];

it('terms are told apart whose hashes begin alike', async () => {
  // Three hashes for all there is.
  installSha256((bytes) => new Uint8Array(32).fill(bytes.length % 3));
  const store = new MemoryKeyValue({ tables: Object.values(GRAPH_TABLES), schedule: setImmediate });
  const form = termForm(BASE);
  const first = new TermWriter(store, form, 1);
  const half = TOKENS.slice(0, 7).map((token) => first.number(token));
  expect(half).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(TOKENS.slice(0, 7).map((token) => first.number(token))).toEqual(half);
  await written(store, first.takeRows());
  expect(first.takeRows()).toEqual([]);
  const second = new TermWriter(store, form, first.next);
  const numbers = TOKENS.map((token) => second.number(token));
  expect(numbers).toEqual(TOKENS.map((_, index) => index + 1));
  await written(store, second.takeRows());
  const reader = new TermReader(form);
  expect(TOKENS.map((token) => reader.number(store, token))).toEqual(numbers);
  expect(numbers.map((number) => reader.token(store, number))).toEqual(TOKENS);
  expect(reader.number(store, '<urn:never>')).toBe(undefined);
  expect(() => reader.token(store, 99)).toThrow('term 99 of the graph is damaged');
});

it('terms are stored without what they share, and read as they were', () => {
  const form = termForm(BASE);
  expect(TOKENS.map((token) => form.tokenOf(form.bytesOf(token)))).toEqual(TOKENS);
  expect(form.bytesOf(`<${BASE}ticket/a>`)).toHaveLength(9);
  expect(form.bytesOf(`"1"^^<${XSD}integer>`)).toHaveLength(2);
  for (const bytes of [[], [5], [99, 65], [1, 0xff]]) expect(form.tokenOf(Uint8Array.from(bytes))).toBe(undefined);
});
