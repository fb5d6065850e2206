import { beforeEach, expect, it } from 'vitest';
import { ok } from '../../../src/lib/result.ts';
import { GRAPH_RESTART_MS_MAX, GRAPH_RESTART_MS_MIN, GRAPH_STOP_MS_MAX } from '../../../src/model/graph-limits.ts';
import type { IndexOrder } from '../../../src/node/index-messages.ts';
import type { IndexWorkerEvents } from '../../../src/node/index-worker.ts';
import { Indexer } from '../../../src/node/indexer.ts';
import { MemoryKeyValue } from '../../../src/store/memory.ts';
import { GRAPH_TABLES } from '../../../src/store/quad-keys.ts';
import { GraphReader } from '../../../src/store/quad-view.ts';
import { QuadIndex } from '../../../src/store/quads.ts';
import { GRAPH_IRI_BASE, graphBlock } from '../../support/graph-blocks.ts';

const IDENTITY = { source: 'test', iriBase: GRAPH_IRI_BASE };

interface Started {
  readonly events: IndexWorkerEvents;
  readonly orders: IndexOrder[];
  isTerminated: boolean;
}

let threads: Started[];
let timers: { readonly delayMs: number; readonly run: () => void; isCancelled: boolean }[];
let logged: string[];
let measured: Record<string, number>;
let head: number;
let graph: MemoryKeyValue;
let openings: number;
let closings: number;

beforeEach(() => {
  [threads, timers, logged, measured, head, openings, closings] = [[], [], [], {}, 7, 0, 0];
  graph = new MemoryKeyValue({ tables: Object.values(GRAPH_TABLES), schedule: setImmediate });
});

function indexer(): Indexer {
  const log = (fields: Readonly<Record<string, unknown>>, message: string) =>
    void logged.push(`${message}: ${Object.values(fields).join(' ')}`);
  return new Indexer({
    startWorker: (events) => {
      const started: Started = { events, orders: [], isTerminated: false };
      threads.push(started);
      return {
        send: (order) => void started.orders.push(order),
        terminate: () => {
          started.isTerminated = true;
        },
      };
    },
    openReads: () => {
      openings += 1;
      return {
        snapshot: () => graph.snapshot(),
        sizeBytes: () => graph.sizeBytes(),
        close: (done) => {
          closings += 1;
          done(ok(undefined));
        },
      };
    },
    createReader: () => new GraphReader(IDENTITY),
    head: () => head,
    timers: {
      after: (delayMs, run) => {
        const timer = { delayMs, run, isCancelled: false };
        timers.push(timer);
        return () => {
          timer.isCancelled = true;
        };
      },
    },
    metrics: {
      provenanceLag: (lag) => {
        measured = { ...measured, lag };
      },
      provenanceSize: (size) => {
        measured = { ...measured, ...size };
      },
    },
    log: { info: log, warn: log, error: log },
  });
}

function last<T>(list: readonly T[]): T {
  const found = list.at(-1);
  if (found === undefined) throw new Error('there is none');
  return found;
}

function status(indexedTo: number | null) {
  return { indexedFrom: indexedTo === null ? null : 0, indexedTo, quads: 10 * (indexedTo ?? 0), bytes: 4_096 };
}

it('passes on heights, and tells how far the index is', () => {
  const one = indexer();
  expect(one.lag()).toBe(8);
  one.start();
  head = 9;
  one.newHead(9);
  expect(last(threads).orders).toEqual([
    { kind: 'head', height: 7 },
    { kind: 'head', height: 9 },
  ]);
  last(threads).events.report({ kind: 'opened', status: status(null), dropped: null });
  expect(measured).toEqual({ lag: 10, quads: 0, bytes: 4_096 });
  last(threads).events.report({ kind: 'indexed', status: status(8) });
  expect([one.lag(), one.status()]).toEqual([1, status(8)]);
  expect(measured).toEqual({ lag: 1, quads: 80, bytes: 4_096 });
  expect(logged).toEqual([]);
});

it('reads what is indexed, moment by moment', async () => {
  const index = new QuadIndex(graph, IDENTITY);
  const one = indexer();
  one.start();
  expect(one.moment()).toBe(undefined);
  last(threads).events.report({ kind: 'opened', status: status(null), dropped: 'its layout is 0' });
  expect(logged).toEqual(['the graph index was removed: it is put together again from the chain: its layout is 0']);
  const before = one.moment();
  await index.add([graphBlock(1, 2)]);
  const after = one.moment();
  expect(before?.view.extent.quads).toBe(0);
  expect(after?.view.extent).toEqual(index.extent);
  before?.close();
  after?.close();
});

it('starts a thread again that has ended, later each time, until it indexes something', async () => {
  const one = indexer();
  one.start();
  last(threads).events.report({ kind: 'opened', status: status(3), dropped: null });
  const held = one.moment();
  const delays: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    last(threads).events.ended('out of memory');
    one.newHead(8);
    delays.push(last(timers).delayMs);
    last(timers).run();
    last(threads).events.report({ kind: 'opened', status: status(3), dropped: null });
  }
  expect(threads).toHaveLength(10);
  expect(delays.slice(0, 3)).toEqual([1, 2, 4].map((times) => times * GRAPH_RESTART_MS_MIN));
  expect(delays.at(-1)).toBe(GRAPH_RESTART_MS_MAX);
  expect(logged[0]).toBe('the thread that indexes the graph has ended: out of memory 500');
  // What somebody still reads is closed when they have done.
  expect([openings, closings]).toEqual([10, 8]);
  held?.close();
  expect(closings).toBe(9);
  last(threads).events.report({ kind: 'indexed', status: status(4) });
  last(threads).events.ended(null);
  expect(last(timers).delayMs).toBe(GRAPH_RESTART_MS_MIN);
});

it('stops the thread, and ends one that does not stop', async () => {
  const one = indexer();
  one.start();
  last(threads).events.report({ kind: 'opened', status: status(3), dropped: null });
  const closing = one.close();
  expect(one.close()).toBe(closing);
  expect(last(threads).orders.at(-1)).toEqual({ kind: 'stop' });
  expect(last(timers).delayMs).toBe(GRAPH_STOP_MS_MAX);
  last(timers).run();
  expect(last(threads).isTerminated).toBe(true);
  last(threads).events.ended('exit code 1');
  await closing;
  expect([threads.length, logged]).toEqual([1, []]);
  expect(one.moment()).toBe(undefined);
});

it('starts nothing after it was closed', async () => {
  const one = indexer();
  one.start();
  last(threads).events.ended('out of memory');
  await one.close();
  expect(last(timers).isCancelled).toBe(true);
  await indexer().close();
});
