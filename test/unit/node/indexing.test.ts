import { beforeAll, beforeEach, expect, it } from 'vitest';
import { Height } from '../../../src/model/ids.ts';
import { Indexing, type IndexStatus } from '../../../src/node/indexing.ts';
import { blockChanges, CorruptionError, oldestRow, readBlock } from '../../../src/store/blocks.ts';
import type { KeyValueChange } from '../../../src/store/key-value.ts';
import { MemoryKeyValue } from '../../../src/store/memory.ts';
import { GRAPH_TABLES } from '../../../src/store/quad-keys.ts';
import { GraphReader } from '../../../src/store/quad-view.ts';
import { QuadIndex } from '../../../src/store/quads.ts';
import { heightKey, TABLES } from '../../../src/store/schema.ts';
import { written } from '../../../src/store/written.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { describePlainly } from '../../support/plain-describer.mjs';
import { copyOf, memoryStore } from '../../support/stores.ts';

const IDENTITY = { source: 'test', iriBase: 'http://localhost/id/' };
const BLOCKS = 12;

let generated: MemoryKeyValue;
let chain: MemoryKeyValue;
let graph: { readonly store: MemoryKeyValue; readonly index: QuadIndex };
let told: IndexStatus[];

beforeAll(async () => {
  generated = memoryStore();
  await (await ChainGenerator.open(generated, { seed: 5, transactions: 3 })).grow(BLOCKS);
});

beforeEach(async () => {
  chain = await copyOf(generated);
  const store = new MemoryKeyValue({ tables: Object.values(GRAPH_TABLES), schedule: setImmediate });
  graph = { store, index: new QuadIndex(store, IDENTITY) };
  told = [];
});

function indexing(): Indexing {
  return new Indexing({ chain, graph, describe: describePlainly, told: (status) => told.push(status) });
}

/** What all blocks of these heights say, sorted. */
function said(from: number, to: number): readonly string[] {
  const lines: string[] = [];
  for (let height = from; height <= to; height += 1) {
    const block = readBlock(generated, height);
    if (block !== undefined) lines.push(...describePlainly(block).flatMap((document) => document.split(/(?<=\n)/)));
  }
  return lines.sort();
}

function indexed(): readonly string[] {
  return [...new GraphReader(IDENTITY).at(graph.store).dump()].flatMap((text) => text.split(/(?<=\n)/)).sort();
}

/** As a node is that came by a snapshot, or has removed old blocks. */
async function cutBelow(oldest: number): Promise<void> {
  const gone: KeyValueChange[] = [];
  for (let height = 1; height < oldest; height += 1) {
    for (const table of [TABLES.blocks, TABLES.receipts, TABLES.certificates]) {
      gone.push({ table, key: heightKey(height), value: undefined });
    }
  }
  await written(chain, [...gone, oldestRow(oldest)]);
}

async function cutAbove(head: number): Promise<void> {
  const heights = Array.from({ length: BLOCKS - head }, (_, index) => head + 1 + index);
  await written(
    chain,
    heights.map((height) => ({ table: TABLES.blocks, key: heightKey(height), value: undefined })),
  );
}

it('indexes a chain from genesis on, and nothing twice', async () => {
  const work = indexing();
  await work.advance();
  expect(work.status).toMatchObject({ indexedFrom: 0, indexedTo: BLOCKS, quads: said(0, BLOCKS).length });
  expect(indexed()).toEqual(said(0, BLOCKS));
  expect(told.at(-1)).toEqual(work.status);
  const writes = told.length;
  await work.advance();
  expect(told).toHaveLength(writes);
});

it('goes on where another one was', async () => {
  await cutAbove(4);
  await indexing().advance();
  expect(graph.index.extent.heights).toEqual({ from: 0, to: 4 });
  chain = await copyOf(generated);
  await indexing().advance();
  expect(indexed()).toEqual(said(0, BLOCKS));
});

it('takes in the history below a snapshot as it comes', async () => {
  await cutBelow(8);
  const work = indexing();
  await work.advance();
  expect(work.status).toMatchObject({ indexedFrom: 8, indexedTo: BLOCKS });
  expect(indexed()).toEqual(said(8, BLOCKS));
  for (const oldest of [5, 1]) {
    const rows = [1, 2, 3, 4, 5, 6, 7]
      .filter((height) => height >= oldest)
      .flatMap((height) => {
        const block = readBlock(generated, height);
        return block === undefined ? [] : blockChanges(block);
      });
    await written(chain, [...rows, oldestRow(oldest)]);
    await work.advance();
    expect(work.status.indexedFrom).toBe(oldest === 1 ? 0 : oldest);
  }
  expect(indexed()).toEqual(said(0, BLOCKS));
});

it('keeps what the chain removes, and refuses to leave a gap', async () => {
  await cutAbove(6);
  await indexing().advance();
  chain = await copyOf(generated);
  await cutBelow(5);
  await indexing().advance();
  expect(graph.index.extent.heights).toEqual({ from: 0, to: BLOCKS });
  graph = { store: graph.store, index: new QuadIndex(memory(), IDENTITY) };
  const few = indexing();
  await cutAbove(6);
  await few.advance();
  expect(graph.index.extent.heights).toEqual({ from: 5, to: 6 });
  chain = await copyOf(generated);
  await cutBelow(9);
  await expect(indexing().advance()).rejects.toThrow('it ends with block 6, and the chain begins with block 9');
});

it('does not go on with another chain', async () => {
  await indexing().advance();
  await cutAbove(9);
  await expect(indexing().advance()).rejects.toThrow('it goes up to block 12, and the chain to block 9');
  const other = memoryStore();
  await (await ChainGenerator.open(other, { seed: 6, transactions: 3 })).grow(BLOCKS + 1);
  chain = other;
  await expect(indexing().advance()).rejects.toThrow('it is of another block 12');
});

it('does not blame the index for a chain that cannot be read', async () => {
  await written(chain, [{ table: TABLES.blocks, key: heightKey(Height(3)), value: Uint8Array.of(1) }]);
  const failed = indexing().advance();
  await expect(failed).rejects.toThrow('block 3 cannot be read');
  await expect(failed).rejects.not.toBeInstanceOf(CorruptionError);
});

it('stops after the write that is under way', async () => {
  const work = indexing();
  const running = work.advance();
  work.stop();
  await running;
  expect(told).toHaveLength(1);
  await work.advance();
  expect(told).toHaveLength(1);
});

function memory(): MemoryKeyValue {
  return new MemoryKeyValue({ tables: Object.values(GRAPH_TABLES), schedule: setImmediate });
}
