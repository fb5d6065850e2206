import { expect, it } from 'vitest';
import type { Quad } from '../../../src/provenance/terms.ts';
import type { KeyValue, KeyValueChange } from '../../../src/store/key-value.ts';
import { MemoryKeyValue } from '../../../src/store/memory.ts';
import { GRAPH_TABLES } from '../../../src/store/quad-keys.ts';
import { GraphReader, type QuadView } from '../../../src/store/quad-view.ts';
import { QuadIndex } from '../../../src/store/quads.ts';
import { written } from '../../../src/store/written.ts';
import { GRAPH_IRI_BASE, graphBlock } from '../../support/graph-blocks.ts';
import { graphsOf, IDENTITY, lineOf } from '../../support/quad-model.ts';

function memoryStore(): MemoryKeyValue {
  return new MemoryKeyValue({ tables: Object.values(GRAPH_TABLES), schedule: setImmediate });
}

async function indexed(...blocks: readonly (readonly Quad[])[]): Promise<{ store: KeyValue; view: QuadView }> {
  const store = memoryStore();
  await new QuadIndex(store, IDENTITY).add(blocks.map((quads, height) => graphsOf(height, quads)));
  return { store, view: new GraphReader(IDENTITY).at(store) };
}

function quad(subject: string, object: string, graph: string): Quad {
  return { subject, predicate: 'urn:p', object: { kind: 'iri', value: object }, graph };
}

function rowsOf(store: KeyValue): readonly KeyValueChange[] {
  return Object.values(GRAPH_TABLES).flatMap((table) => [...store.range(table, {})].map((row) => ({ table, ...row })));
}

it('a union gives a triple once, however many graphs have it, page by page', async () => {
  const graphs = Array.from({ length: 50 }, (_, index) => `urn:g${index}`);
  const { view } = await indexed(
    graphs.flatMap((graph) => [quad('urn:a', 'urn:x', graph), quad('urn:b', 'urn:x', graph)]),
    [quad('urn:c', 'urn:x', 'urn:g7')],
  );
  for (const pattern of [{}, { predicate: 'urn:p' }, { object: { kind: 'iri', value: 'urn:x' } as const }]) {
    expect([...view.each(pattern, true)].map(({ subject }) => subject)).toEqual(['urn:a', 'urn:b', 'urn:c']);
    const first = view.match(pattern, { limit: 1, isUnion: true });
    const next = first.ok ? (first.value.next ?? '') : '';
    const second = view.match(pattern, { limit: 9, isUnion: true, after: next });
    expect(second.ok && second.value.quads.map(({ subject }) => subject)).toEqual(['urn:b', 'urn:c']);
    expect(second.ok && second.value.next).toBe(null);
  }
  expect(view.graphsOf('urn:a', 3)).toEqual(['urn:g0', 'urn:g1', 'urn:g2']);
  expect(view.graphsOf('urn:c', 3)).toEqual(['urn:g7']);
  expect(view.graphsOf('urn:never', 3)).toEqual([]);
});

it('a quad that a later block says again is no other quad', async () => {
  const quads = ['urn:a', 'urn:b', 'urn:c'].map((subject) => quad(subject, 'urn:x', 'urn:g'));
  const store = memoryStore();
  const index = new QuadIndex(store, IDENTITY);
  for (const blocks of [
    [graphsOf(3, quads.slice(0, 2))],
    [graphsOf(4, quads), graphsOf(5, quads)],
    [graphsOf(2, quads)],
  ]) {
    await index.add(blocks);
  }
  const view = new GraphReader(IDENTITY).at(store);
  expect(index.extent.quads).toBe(3);
  expect([...view.each({ graph: 'urn:g' })]).toEqual(quads);
  expect([...view.dump()].join('')).toBe(quads.map(lineOf).join(''));
});

it('a cursor is good for its pattern and its index only', async () => {
  const quads = ['urn:a', 'urn:b', 'urn:c'].map((subject) => quad(subject, 'urn:x', 'urn:g'));
  const { view } = await indexed(quads);
  const again = (await indexed(quads)).view;
  const first = view.match({ subject: 'urn:a' }, { limit: 1 });
  expect(first.ok && first.value.next).toBe(null);
  for (const pattern of [{ predicate: 'urn:p' }, { graph: 'urn:g' }]) {
    const page = view.match(pattern, { limit: 1 });
    const after = page.ok ? (page.value.next ?? '') : '';
    expect(after).toMatch(/^[\w-]+$/);
    expect(view.match(pattern, { limit: 9, after })).toMatchObject({ ok: true, value: { quads: quads.slice(1) } });
    const refused = { ok: false, error: { code: 'BAD_CURSOR' } };
    expect(view.match({ subject: 'urn:a' }, { limit: 9, after })).toEqual(refused);
    expect(view.match({ subject: 'urn:never' }, { limit: 9, after })).toEqual(refused);
    expect(again.match(pattern, { limit: 9, after })).toEqual(refused);
    for (const made of ['', 'x', `${after}A`, `${after}=`, after.slice(1)]) {
      expect(view.match(pattern, { limit: 9, after: made })).toEqual(refused);
    }
  }
});

it('the document of a graph is its lines in the order of code points', async () => {
  const lines = [
    quad('urn:😀', 'urn:x', 'urn:g'),
    quad('urn:\ufb00', 'urn:x', 'urn:g'),
    quad('urn:Z', 'urn:x', 'urn:g'),
  ];
  const { view } = await indexed(lines.slice(0, 2), lines.slice(2));
  expect(view.document('urn:g')).toBe(lines.toReversed().map(lineOf).join(''));
  expect(view.document('urn:x')).toBe('');
});

it('holds the graphs of a chain in few bytes, and each as it came', async () => {
  const store = memoryStore();
  const index = new QuadIndex(store, { source: 'test', iriBase: GRAPH_IRI_BASE });
  const blocks = Array.from({ length: 20 }, (_, height) => graphBlock(height + 1, 20));
  for (const block of blocks) await index.add([block]);
  const view = new GraphReader({ source: 'test', iriBase: GRAPH_IRI_BASE }).at(store);
  const lines = blocks.flatMap(({ documents }) => documents.flatMap((document) => document.split(/(?<=\n)/)));
  expect(index.extent.quads).toBe(lines.length);
  expect(
    [...view.dump()]
      .join('')
      .split(/(?<=\n)/)
      .sort(),
  ).toEqual(lines.sort());
  for (const document of blocks[3]?.documents ?? []) {
    const graph = document.slice(document.lastIndexOf('<') + 1, document.lastIndexOf('>'));
    expect(view.document(graph)).toBe(document);
  }
  expect(store.sizeBytes() / lines.length).toBeLessThan(60);
});

it('refuses an index of another chain, describer, base or layout', async () => {
  const { store } = await indexed([quad('urn:a', 'urn:x', 'urn:g')]);
  const open = (source: string, iriBase: string) => () => new QuadIndex(store, { source, iriBase });
  expect(open('test', IDENTITY.iriBase)).not.toThrow();
  expect(open('other', IDENTITY.iriBase)).toThrow('it is of test http://localhost/id/, not of other');
  expect(open('test', 'http://other/id/')).toThrow('it is of');
  const [meta] = store.range(GRAPH_TABLES.meta, {});
  if (meta === undefined) throw new Error('it has begun');
  const later = meta.value.slice();
  later[0] = 77;
  await written(store, [{ table: GRAPH_TABLES.meta, key: meta.key, value: later }]);
  expect(open('test', IDENTITY.iriBase)).toThrow('its layout is 77, and this version reads 1');
  await written(store, [{ table: GRAPH_TABLES.meta, key: meta.key, value: Uint8Array.of(1, 0xff) }]);
  expect(open('test', IDENTITY.iriBase)).toThrow('damaged');
});

it('says of damaged rows that they are', async () => {
  const { store } = await indexed([quad('urn:a', 'urn:x', 'urn:g')]);
  const rows = rowsOf(store).filter(({ table }) => table !== GRAPH_TABLES.meta && table !== GRAPH_TABLES.numbers);
  for (const { table, key } of rows) {
    const copy = memoryStore();
    const isKeys = table === GRAPH_TABLES.spog || table === GRAPH_TABLES.posg || table === GRAPH_TABLES.ospg;
    const damaged = isKeys
      ? { table, key: key.slice(0, -1), value: new Uint8Array() }
      : { table, key, value: Uint8Array.of(0xff) };
    await written(copy, [...rowsOf(store), ...(isKeys ? [{ table, key, value: undefined }] : []), damaged]);
    const view = new GraphReader(IDENTITY).at(copy);
    const readAll = () => {
      for (const pattern of [{}, { predicate: 'urn:p' }, { object: { kind: 'iri', value: 'urn:x' } as const }]) {
        if ([...view.each(pattern)].length !== 1) throw new Error('fewer');
      }
      return [...view.dump()];
    };
    expect(readAll).toThrow('damaged');
  }
});

it('takes nothing of a block with a line that is not canonical', async () => {
  const store = memoryStore();
  const index = new QuadIndex(store, IDENTITY);
  const documents = [lineOf(quad('urn:a', 'urn:x', 'urn:g')), '<urn:a> <urn:p> _:b <urn:g> .\n'];
  await expect(index.add([{ ...graphsOf(0, []), documents }])).rejects.toThrow('line 1: not a canonical line: <urn:a>');
  expect(rowsOf(store)).toEqual([]);
});
