import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Quad } from '../../src/provenance/terms.ts';
import type { KeyValue } from '../../src/store/key-value.ts';
import { openLmdb } from '../../src/store/lmdb.ts';
import { MemoryKeyValue } from '../../src/store/memory.ts';
import { GRAPH_TABLES } from '../../src/store/quad-keys.ts';
import {
  GraphReader,
  type MatchOptions,
  type QuadPage,
  type QuadPattern,
  type QuadView,
} from '../../src/store/quad-view.ts';
import { QuadIndex } from '../../src/store/quads.ts';
import {
  anyBlocks,
  anyQuad,
  graphsOf,
  IDENTITY,
  lineOf,
  matching,
  patternsOf,
  tripleOf,
} from '../support/quad-model.ts';

interface Made {
  readonly store: KeyValue;
  readonly dispose: () => Promise<void>;
}

const TABLES = Object.values(GRAPH_TABLES);

function makeLmdb(): Made {
  const path = mkdtempSync(join(tmpdir(), 'counterfoil-graph-'));
  const store = openLmdb(path, TABLES);
  return { store, dispose: () => closed(store).then(() => rmSync(path, { recursive: true })) };
}

function makeMemory(): Made {
  const store = new MemoryKeyValue({ tables: TABLES, schedule: setImmediate });
  return { store, dispose: () => closed(store) };
}

function closed(store: KeyValue): Promise<void> {
  return new Promise((resolve, reject) => store.close((result) => (result.ok ? resolve() : reject(result.error))));
}

function page(view: QuadView, pattern: QuadPattern, options: MatchOptions): QuadPage {
  const found = view.match(pattern, options);
  if (!found.ok) throw new Error(found.error.code);
  return found.value;
}

/** All pages of a pattern, as lines in the order that they come. */
function pages(view: QuadView, pattern: QuadPattern, limit: number, isUnion = false): readonly string[] {
  const lines: string[] = [];
  let after: string | undefined;
  do {
    const { quads, next } = page(view, pattern, { limit, after, isUnion });
    expect(quads.length).toBeLessThanOrEqual(limit);
    if (next !== null) expect(quads).toHaveLength(limit);
    lines.push(...quads.map(lineOf));
    after = next ?? undefined;
  } while (after !== undefined);
  return lines;
}

describe.each([
  ['lmdb', makeLmdb, 6],
  ['memory', makeMemory, 25],
])('the graph index over %s', (_, make, numRuns) => {
  it('gives for every pattern what looking at each quad gives', async () => {
    await fc.assert(
      fc.asyncProperty(anyBlocks, anyQuad, fc.integer({ min: 1, max: 5 }), async (blocks, other, limit) => {
        const { store, dispose } = make();
        const index = new QuadIndex(store, IDENTITY);
        const middle = Math.floor(blocks.length / 2);
        const graphs = blocks.map((quads, height) => graphsOf(height, quads));
        // Upwards from the middle in two writes of several blocks, then downwards.
        await index.add(graphs.slice(middle, middle + 2));
        await index.add(graphs.slice(middle + 2));
        await index.add(graphs.slice(0, middle).reverse());
        const all = blocks.flat();
        const view = new GraphReader(IDENTITY).at(store);
        expect(index.extent.heights).toEqual({ from: 0, to: blocks.length - 1 });
        expect(view.extent).toEqual(index.extent);
        expect(index.extent.quads).toBe(matching(all, {}).length);
        for (const pattern of [...all.slice(0, 3), other].flatMap(patternsOf)) expectPattern(view, all, pattern, limit);
        expect(
          [...view.dump()]
            .join('')
            .split(/(?<=\n)/)
            .filter(Boolean)
            .sort(),
        ).toEqual(matching(all, {}));
        for (const graph of new Set(all.map((quad) => quad.graph))) {
          expect(
            view
              .document(graph)
              .split(/(?<=\n)/)
              .filter(Boolean)
              .sort(),
          ).toEqual(matching(all, { graph }));
        }
        await dispose();
      }),
      { numRuns },
    );
  });

  it('adds a block once, keeps everything when it is opened again, and goes on with the next', async () => {
    const { store, dispose } = make();
    const [first, second, third] = fc.sample(fc.array(anyQuad, { minLength: 8, maxLength: 8 }), {
      numRuns: 3,
      seed: 7,
    });
    if (first === undefined || second === undefined || third === undefined) throw new Error('three blocks');
    const index = new QuadIndex(store, IDENTITY);
    await index.add([graphsOf(5, first), graphsOf(6, second)]);
    const before = index.extent;
    await index.add([graphsOf(5, third), graphsOf(6, third)]);
    expect(index.extent).toEqual(before);
    const again = new QuadIndex(store, IDENTITY);
    expect(again.extent).toEqual(index.extent);
    await again.add([graphsOf(6, third), graphsOf(7, third)]);
    expect(again.extent.heights).toEqual({ from: 5, to: 7 });
    const view = new GraphReader(IDENTITY).at(store);
    expect(pages(view, {}, 100).toSorted()).toEqual(matching([...first, ...second, ...third], {}));
    await expect(again.add([graphsOf(9, first)])).rejects.toThrow('block 9 is next to blocks 5 to 7');
    await dispose();
  });
});

function expectPattern(view: QuadView, all: readonly Quad[], pattern: QuadPattern, limit: number): void {
  const expected = matching(all, pattern);
  const found = pages(view, pattern, limit);
  expect(found.toSorted()).toEqual(expected);
  // The same order, whatever the pages are.
  expect([...view.each(pattern)].map(lineOf)).toEqual(found);
  expect(view.count(pattern, 1_000)).toBe(expected.length);
  expect(view.count(pattern, 2)).toBe(Math.min(2, expected.length));
  const union = pages(view, pattern, limit, true);
  expect(union.map(tripleOf).toSorted()).toEqual([...new Set(expected.map(tripleOf))].sort());
  for (const line of union) expect(expected).toContain(line);
}
