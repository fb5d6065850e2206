import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Mirror } from '../../../../src/api/mirror/mirror.ts';
import { placeInFile } from '../../../../src/api/mirror/place.ts';
import type { MirrorBlock, MirrorGraph, MirrorSource } from '../../../../src/api/mirror/source.ts';
import type { MirrorStore } from '../../../../src/api/mirror/store.ts';
import { err, ok } from '../../../../src/lib/result.ts';
import { until } from '../../../cluster/support/until.ts';

const GRAPHS = 6;

function block(height: number): MirrorBlock {
  const named = (graph: string) => ({ graph, document: `<${graph}> <urn:of> "${height}" <${graph}> .\n` });
  return {
    height,
    graphs: Array.from({ length: GRAPHS }, (_, index) => named(`tx/${height}-${index}`)),
    own: named(`block/${height}`),
  };
}

/** Blocks of an index, which tests let grow and begin anew. */
class Blocks implements MirrorSource {
  extent: { readonly from: number; readonly to: number } | null = { from: 0, to: 9 };

  heights() {
    return this.extent;
  }

  nameOf(height: number): string {
    return `block/${height}`;
  }

  blocksFrom(height: number): readonly MirrorBlock[] {
    const { from, to } = this.extent ?? { from: 0, to: -1 };
    const all = Array.from({ length: to - from + 1 }, (_, index) => block(from + index));
    return all.filter((one) => one.height >= height).slice(0, 3);
  }
}

/** A store in memory that can be out of order. */
class Shelf implements MirrorStore {
  readonly graphs = new Map<string, string>();
  /** Names of what it was given, in order. */
  readonly taken: string[] = [];
  fault: string | undefined;
  refusesGraphs = false;
  isClosed = false;

  async take(graphs: readonly MirrorGraph[]) {
    for (const { graph, document } of graphs) {
      this.taken.push(graph);
      await new Promise(setImmediate);
      const reason = this.fault ?? (this.refusesGraphs ? 'it answers 401' : undefined);
      if (reason !== undefined) return err({ kind: 'unreachable', reason } as const);
      this.graphs.set(graph, document);
    }
    return ok(true as const);
  }

  has(graph: string) {
    const { fault } = this;
    return Promise.resolve(
      fault === undefined ? ok(this.graphs.has(graph)) : err({ kind: 'unreachable', reason: fault } as const),
    );
  }

  close(): void {
    this.isClosed = true;
  }
}

let directory: string;
let source: Blocks;
let shelf: Shelf;
let mirror: Mirror;
let logged: string[];
let lags: number[];
/** How long the mirror rests each time; a test's clock jumps there at once. */
let rests: number[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-mirror-'));
  source = new Blocks();
  shelf = new Shelf();
  logged = [];
  lags = [];
  rests = [];
  mirror = mirrorOf();
});

afterEach(async () => {
  await mirror.close();
  rmSync(directory, { recursive: true });
});

function mirrorOf(what = { graph: 'chain a', store: 'http://store/' }): Mirror {
  const log = (fields: Readonly<Record<string, unknown>>, message: string) => {
    const { afterMs: _, ...told } = fields;
    logged.push(`${message} ${JSON.stringify(told)}`);
  };
  return new Mirror({
    source,
    store: shelf,
    place: placeInFile(join(directory, 'mirror.json'), what),
    head: () => source.extent?.to ?? -1,
    timers: {
      after: (delayMs, callback) => {
        rests.push(delayMs);
        const timer = setImmediate(callback);
        return () => clearImmediate(timer);
      },
    },
    measured: (lag) => void lags.push(lag),
    log: { info: log, warn: log, error: log },
  });
}

async function caughtUp(): Promise<void> {
  await until(() => mirror.height === source.extent?.to && lags.at(-1) === 0, {
    what: 'the mirror',
    deadlineMs: 5_000,
  });
}

async function startAgain(what?: { readonly graph: string; readonly store: string }): Promise<void> {
  await mirror.close();
  shelf.taken.length = 0;
  mirror = mirrorOf(what);
  mirror.start();
  await caughtUp();
}

/** The names of all graphs of these blocks. */
function namesOf(from: number, to: number): readonly string[] {
  const blocks = Array.from({ length: to - from + 1 }, (_, index) => block(from + index));
  return blocks.flatMap(({ graphs, own }) => [...graphs, own].map(({ graph }) => graph)).sort(byCode);
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : 1;
}

describe('a mirror', () => {
  it('gives every graph once, those of a block before the block', async () => {
    mirror.start();
    await caughtUp();
    expect(shelf.taken.toSorted(byCode)).toEqual(namesOf(0, 9));
    for (let height = 0; height <= 9; height += 1) {
      const at = shelf.taken.indexOf(`block/${height}`);
      for (const { graph } of block(height).graphs) expect(shelf.taken.indexOf(graph)).toBeLessThan(at);
    }
    source.extent = { from: 0, to: 14 };
    mirror.measure();
    expect(lags.at(-1)).toBe(5);
    await caughtUp();
    expect(shelf.taken.toSorted(byCode)).toEqual(namesOf(0, 14));
    expect(logged).toEqual([]);
  });

  it('goes on where it was, and notes a block only when the store has all of it', async () => {
    mirror.start();
    await caughtUp();
    source.extent = { from: 0, to: 10 };
    await startAgain();
    expect(shelf.taken.toSorted(byCode)).toEqual(namesOf(10, 10));
    shelf.fault = 'nobody there';
    source.extent = { from: 0, to: 11 };
    await until(() => rests.includes(60_000), { what: 'an outage' });
    expect(readFileSync(join(directory, 'mirror.json'), 'utf8')).toContain('"to":10');
    expect(mirror.height).toBe(10);
    expect(readdirSync(directory)).toEqual(['mirror.json']);
  });

  it('tries again, ever more rarely, and says so once', async () => {
    shelf.fault = 'nobody there';
    mirror.start();
    await until(() => rests.filter((ms) => ms === 60_000).length > 1, { what: 'the longest rest' });
    expect(rests.slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    shelf.fault = undefined;
    await caughtUp();
    await until(() => logged.length > 1, { what: 'the end of the outage' });
    expect(logged.map((line) => line.replace(/"height":\d+/, '"height":some'))).toEqual([
      'the mirror takes no graphs: it is tried again and again {"reason":"nobody there","height":-1}',
      'the mirror takes graphs again {"height":some}',
    ]);
    expect([...shelf.graphs.keys()].sort(byCode)).toEqual(namesOf(0, 9));
  });

  it('is in one outage while a store answers questions and refuses graphs', async () => {
    mirror.start();
    await caughtUp();
    rests.length = 0;
    shelf.refusesGraphs = true;
    source.extent = { from: 0, to: 12 };
    await until(() => rests.includes(8_000), { what: 'some attempts' });
    expect(logged.length).toBe(1);
    expect(logged[0]).toContain('it answers 401');
  });

  it('gives everything again to a store that has lost what it took', async () => {
    mirror.start();
    await caughtUp();
    shelf.graphs.clear();
    await startAgain();
    expect(shelf.taken.toSorted(byCode)).toEqual(namesOf(0, 9));
    expect(logged).toEqual(['the mirror has lost the last block that it took: it gets all of them again {"height":9}']);
  });

  it.each([
    ['another store', { graph: 'chain a', store: 'http://other/' }],
    ['another graph', { graph: 'chain b', store: 'http://store/' }],
  ])('begins anew for %s', async (_, what) => {
    mirror.start();
    await caughtUp();
    await startAgain(what);
    expect(shelf.taken.toSorted(byCode)).toEqual(namesOf(0, 9));
  });

  it.each(['', '{"graph":"chain a","store":"http://store/","from":0,"to":', '[]', '{"to":-1}'])(
    'begins anew when its file holds %j',
    async (text) => {
      writeFileSync(join(directory, 'mirror.json'), text);
      mirror.start();
      await caughtUp();
      expect(shelf.taken.toSorted(byCode)).toEqual(namesOf(0, 9));
    },
  );

  it('waits for an index that is put together again, and goes on above what the store has', async () => {
    mirror.start();
    await caughtUp();
    shelf.taken.length = 0;
    source.extent = null;
    rests.length = 0;
    await until(() => rests.length > 2, { what: 'some looks' });
    source.extent = { from: 0, to: 4 };
    await until(() => rests.length > 5, { what: 'some more looks' });
    source.extent = { from: 0, to: 11 };
    await caughtUp();
    expect(shelf.taken.toSorted(byCode)).toEqual(namesOf(10, 11));
    expect(logged).toEqual([]);
  });

  it('says which blocks it lacks when the index begins above them, and takes no history below', async () => {
    mirror.start();
    await caughtUp();
    source.extent = { from: 20, to: 22 };
    await caughtUp();
    expect(logged).toEqual(['the mirror lacks blocks that this node does not keep {"from":10,"to":19}']);
    shelf.taken.length = 0;
    source.extent = { from: 15, to: 23 };
    await caughtUp();
    expect(shelf.taken.toSorted(byCode)).toEqual(namesOf(23, 23));
    expect(JSON.parse(readFileSync(join(directory, 'mirror.json'), 'utf8'))).toMatchObject({ from: 20, to: 23 });
  });

  it('outlives an index that cannot be read', async () => {
    const { blocksFrom } = source;
    source.blocksFrom = () => {
      throw new Error('a row is missing');
    };
    mirror.start();
    await until(() => logged.length > 0, { what: 'a line of the log' });
    expect(logged[0]).toContain('a row is missing');
    source.blocksFrom = blocksFrom;
    await caughtUp();
    expect([...shelf.graphs.keys()].sort(byCode)).toEqual(namesOf(0, 9));
  });

  it('ends when it is told to, whatever it waits for', async () => {
    shelf.fault = 'nobody there';
    mirror.start();
    await until(() => rests.length > 0, { what: 'an outage' });
    await mirror.close();
    await mirror.close();
    expect(shelf.isClosed).toBe(true);
  });
});
