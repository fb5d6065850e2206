import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import { toHex } from '../../src/lib/bytes.ts';
import { openGraph } from '../../src/store/graph-directory.ts';
import type { KeyValue, KeyValueReads } from '../../src/store/key-value.ts';
import { MemoryKeyValue } from '../../src/store/memory.ts';
import { GRAPH_TABLES } from '../../src/store/quad-keys.ts';
import { QuadIndex } from '../../src/store/quads.ts';
import { GRAPH_IRI_BASE, graphBlock } from '../support/graph-blocks.ts';

const CHILD = join(ROOT, 'test/cluster/graph-child.mjs');
const BLOCKS = Array.from({ length: 400 }, (_, index) => graphBlock(index + 1, 8));
const IDENTITY = { source: 'crash', iriBase: GRAPH_IRI_BASE };
const ROUNDS = 8;

let directory: string;
let running: ChildProcess | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-graph-crash-'));
  writeFileSync(join(directory, 'blocks.json'), JSON.stringify({ iriBase: GRAPH_IRI_BASE, blocks: BLOCKS }));
});

afterEach(() => {
  running?.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** Lets a process index until it has said `lines` lines, kills it at once. @returns all that it said */
async function killAfter(lines: number): Promise<readonly string[]> {
  const args = [CHILD, join(directory, 'graph'), join(directory, 'blocks.json'), IDENTITY.source];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running = child;
  const said: string[] = [];
  createInterface(child.stdout).on('line', (line) => {
    said.push(line);
    if (said.length >= lines) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.on('close', resolve));
  return said;
}

function rowsOf(reads: KeyValueReads): readonly string[] {
  const { meta: _, ...tables } = GRAPH_TABLES;
  return Object.values(tables).flatMap((table) =>
    [...reads.range(table, {})].map(({ key, value }) => `${table} ${toHex(key)} ${toHex(value)}`),
  );
}

/** The rows of an index of so many blocks that nobody disturbed. */
async function undisturbed(to: number): Promise<readonly string[]> {
  const store = new MemoryKeyValue({ tables: Object.values(GRAPH_TABLES), schedule: setImmediate });
  await new QuadIndex(store, IDENTITY).add(BLOCKS.slice(0, to));
  return rowsOf(store);
}

function closed(store: KeyValue): Promise<unknown> {
  return new Promise((resolve) => store.close(resolve));
}

it('an index is whole whenever its process is killed, and the next one goes on', async () => {
  let last = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const said = await killAfter(2 + ((round * 7) % 11));
    expect(said[0]).toBe('opened null');
    const { store, index, dropped } = await openGraph(join(directory, 'graph'), IDENTITY);
    expect(dropped).toBe(null);
    const to = index.extent.heights?.to ?? 0;
    expect(to).toBeGreaterThanOrEqual(Number(said.at(-1)?.split(' ')[1] ?? last));
    expect(to).toBeGreaterThan(last);
    expect(to).toBeLessThan(BLOCKS.length);
    expect(rowsOf(store)).toEqual(await undisturbed(to));
    last = to;
    await closed(store);
  }
  const said = await killAfter(1_000);
  expect(said.at(-1)).toBe('done');
  const { store, index } = await openGraph(join(directory, 'graph'), IDENTITY);
  expect(index.extent.heights).toEqual({ from: 1, to: BLOCKS.length });
  expect(rowsOf(store)).toEqual(await undisturbed(BLOCKS.length));
  await closed(store);
});
