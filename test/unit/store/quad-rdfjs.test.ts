import { DataFactory, Store as N3Store, Writer } from 'n3';
import { expect, it } from 'vitest';
import type { Quad } from '../../../src/provenance/terms.ts';
import { MemoryKeyValue } from '../../../src/store/memory.ts';
import { GRAPH_TABLES } from '../../../src/store/quad-keys.ts';
import { termOf } from '../../../src/store/quad-lines.ts';
import { rdfSource } from '../../../src/store/quad-rdfjs.ts';
import { GraphReader } from '../../../src/store/quad-view.ts';
import { QuadIndex } from '../../../src/store/quads.ts';
import { graphsOf, IDENTITY, lineOf } from '../../support/quad-model.ts';

const { namedNode, literal, variable, blankNode, defaultGraph } = DataFactory;
const quads: readonly Quad[] = ['<urn:o>', '"text"', '"1"^^<urn:d>', '"hallo \\"du\\""@de'].flatMap((token) =>
  ['urn:g', 'urn:h'].map((graph) => ({ subject: 'urn:s', predicate: 'urn:p', object: termOf(token), graph })),
);

async function source(isUnion = true) {
  const store = new MemoryKeyValue({ tables: Object.values(GRAPH_TABLES), schedule: setImmediate });
  await new QuadIndex(store, IDENTITY).add([graphsOf(0, quads)]);
  return rdfSource(new GraphReader(IDENTITY).at(store), { isUnion });
}

it('gives streams that another library reads', async () => {
  const other = new N3Store();
  const stream = (await source()).match();
  await new Promise((resolve, reject) => other.import(stream).on('end', resolve).on('error', reject));
  const text = await new Promise<string>((resolve, reject) => {
    const writer = new Writer({ format: 'application/n-quads' });
    writer.addQuads(other.getQuads(null, null, null, null));
    writer.end((error: Error | null, result: string) => (error === null ? resolve(result) : reject(error)));
  });
  expect(text.split(/(?<=\n)/).sort()).toEqual(quads.map(lineOf).sort());
});

it('takes terms of another library, and its terms equal them', async () => {
  const { match } = await source();
  const object = literal('hallo "du"', 'de');
  const found = await match(variable('s'), namedNode('urn:p'), object, namedNode('urn:h')).toArray();
  expect(found).toHaveLength(1);
  const theirs = DataFactory.quad(namedNode('urn:s'), namedNode('urn:p'), object, namedNode('urn:h'));
  expect([found[0].equals(theirs), theirs.equals(found[0])]).toEqual([true, true]);
  const typed = DataFactory.quad(namedNode('urn:s'), namedNode('urn:p'), literal('1', namedNode('urn:d')));
  expect([found[0].equals(typed), typed.object.equals(found[0].object), found[0].equals(null)]).toEqual([
    false,
    false,
    false,
  ]);
  expect(await match(null, null, literal('1', namedNode('urn:d'))).toArray()).toHaveLength(2);
  expect(await match(null, null, literal('1')).toArray()).toEqual([]);
  expect(await match(blankNode('a')).toArray()).toEqual([]);
  expect(await match(null, null, null, literal('text')).toArray()).toEqual([]);
});

it('has all graphs together as the default graph, if it is told so', async () => {
  const union = await (await source()).match(null, null, null, defaultGraph()).toArray();
  expect(union).toHaveLength(4);
  expect(union.every((quad) => quad.graph.equals(defaultGraph()) && defaultGraph().equals(quad.graph))).toBe(true);
  expect(await (await source(false)).match(null, null, null, defaultGraph()).toArray()).toEqual([]);
  let count = 0;
  for await (const quad of (await source(false)).match(null, null, null, null))
    count += quad.termType === 'Quad' ? 1 : 0;
  expect(count).toBe(8);
});
