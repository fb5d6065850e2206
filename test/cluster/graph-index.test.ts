import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GRAPH_STOP_MS_MAX, GRAPH_THREAD_NICE } from '../../src/model/graph-limits.ts';
import { systemTimers } from '../../src/node/clock.ts';
import { indexWorkerOf } from '../../src/node/index-worker.ts';
import { Indexer } from '../../src/node/indexer.ts';
import { createMetrics } from '../../src/node/metrics.ts';
import { readBlock } from '../../src/store/blocks.ts';
import type { KeyValue } from '../../src/store/key-value.ts';
import { openLmdb, openLmdbForReading } from '../../src/store/lmdb.ts';
import { GRAPH_TABLES } from '../../src/store/quad-keys.ts';
import { GraphReader } from '../../src/store/quad-view.ts';
import { noteDamage } from '../../src/store/replacement.ts';
import { ChainGenerator } from '../support/chain-generator.ts';
import { describePlainly } from '../support/plain-describer.mjs';
import { ALL_TABLES } from '../support/stores.ts';
import { until } from './support/until.ts';

const IDENTITY = { source: 'test', iriBase: 'http://localhost/id/' };

let dataDir: string;
let store: KeyValue;
let chain: ChainGenerator;
let indexer: Indexer;
let logged: string[];

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'counterfoil-graph-index-'));
  store = openLmdb(dataDir, ALL_TABLES);
  chain = await ChainGenerator.open(store, { seed: 3, transactions: 4 });
  logged = [];
  indexer = indexerOf();
});

afterEach(async () => {
  await indexer.close();
  await new Promise((resolve) => store.close(resolve));
  rmSync(dataDir, { recursive: true });
});

function indexerOf(): Indexer {
  const graphDir = join(dataDir, 'graph');
  const log = (fields: Readonly<Record<string, unknown>>, message: string) =>
    void logged.push(`${message}: ${Object.values(fields).join(' ')}`);
  return new Indexer({
    startWorker: indexWorkerOf(new URL('graph-worker.mjs', import.meta.url), { dataDir, graphDir, ...IDENTITY }),
    openReads: () => openLmdbForReading(graphDir, Object.values(GRAPH_TABLES)),
    createReader: () => new GraphReader(IDENTITY),
    head: () => chain.chain.visibleHead.header.height,
    timers: systemTimers,
    metrics: createMetrics(),
    log: { info: log, warn: log, error: log },
  });
}

/** Blocks become final one after another while the thread indexes. */
async function grow(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    await chain.grow(1);
    indexer.newHead(chain.chain.visibleHead.header.height);
  }
}

async function caughtUp(): Promise<void> {
  await until(() => indexer.lag() === 0, { what: 'the index', describe: () => logged.join('\n') });
}

function expectWhole(): void {
  const moment = indexer.moment();
  const lines: string[] = [];
  for (let height = 0; height <= chain.chain.visibleHead.header.height; height += 1) {
    const block = readBlock(store, height);
    if (block !== undefined) lines.push(...describePlainly(block).flatMap((document) => document.split(/(?<=\n)/)));
  }
  const dumped = [...(moment?.view.dump() ?? [])].flatMap((document) => document.split(/(?<=\n)/));
  expect(dumped.sort()).toEqual(lines.sort());
  expect(indexer.status()).toMatchObject({ indexedFrom: 0, quads: lines.length });
  moment?.close();
}

it('a thread indexes what becomes final, and what became so while it was away', async () => {
  await chain.grow(40);
  indexer.start();
  await grow(60);
  await caughtUp();
  expectWhole();
  expect(logged).toEqual([]);
  await indexer.close();
  await chain.grow(10);
  indexer = indexerOf();
  indexer.start();
  await caughtUp();
  expectWhole();
  expect(logged).toEqual([]);
});

it('a thread that fails is followed by another one, and a damaged index by a new one', async () => {
  await chain.grow(5);
  writeFileSync(join(dataDir, 'fail'), '20');
  indexer.start();
  await grow(40);
  await caughtUp();
  expectWhole();
  expect(logged).toEqual(['the thread that indexes the graph has ended: cannot describe block 20 500']);
  await indexer.close();
  noteDamage(join(dataDir, 'graph'), 'a row is missing');
  indexer = indexerOf();
  indexer.start();
  await caughtUp();
  expectWhole();
  expect(logged.slice(1)).toEqual([
    'the graph index was removed: it is put together again from the chain: a row is missing',
  ]);
});

it('a thread stops in time, and gives way to the one that started it', async () => {
  await chain.grow(200);
  const own = getPriority();
  indexer.start();
  await until(() => indexer.status().indexedTo !== null, { what: 'the first write' });
  expect(getPriority()).toBe(own);
  if (process.platform === 'linux') expect(nicenesses()).toContain(Math.max(own, GRAPH_THREAD_NICE));
  const before = performance.now();
  await indexer.close();
  expect(performance.now() - before).toBeLessThan(GRAPH_STOP_MS_MAX);
  expect(indexer.moment()).toBe(undefined);
});

/** Of all threads of this process, as the system tells them. */
function nicenesses(): readonly number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    // Behind the name, which is in brackets and may hold anything: the seventeenth of the rest.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}
