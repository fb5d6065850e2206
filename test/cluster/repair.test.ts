import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../src/lib/assert.ts';
import { beginArrival, storePastBlocks } from '../../src/store/arriving.ts';
import { readBlock, readHeadHeight } from '../../src/store/blocks.ts';
import type { KeyValue, KeyValueChange } from '../../src/store/key-value.ts';
import { openLmdb } from '../../src/store/lmdb.ts';
import { heightKey, TABLES } from '../../src/store/schema.ts';
import { written } from '../../src/store/written.ts';
import { ALL_TABLES } from '../support/stores.ts';
import { signersAt, value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import type { NodeProcess } from './support/node-process.ts';

const PAGE_BYTES = 4_096;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.started({ parameters: { checkpointInterval: 20, blockIntervalMs: 300 } });
});
afterAll(() => cluster?.close());

function victim(): NodeProcess {
  return cluster.node(3);
}

/** Puts other rows into the store of a node that is down. */
async function damage(node: NodeProcess, changes: (store: KeyValue) => readonly KeyValueChange[]): Promise<void> {
  const store = openLmdb(join(node.home, 'data'), ALL_TABLES);
  await written(store, changes(store));
  await new Promise((resolve) => store.close(resolve));
}

async function stopped(): Promise<number> {
  const { height } = (await statusOf(victim())).head;
  await victim().stop();
  return height;
}

/** The node holds what the others hold, and its authority votes as before: the journal was not touched. */
async function expectWhole(): Promise<void> {
  const { height } = (await statusOf(cluster.node(0))).head;
  await cluster.until(
    'the damaged node to catch up',
    30_000,
    async () => (await statusOf(victim())).head.height > height,
  );
  const [own, other] = [victim(), cluster.node(0)];
  for (let at = 1; at <= height; at += 1) {
    const [here, there] = [value(await own.client.block(`${at}`)), value(await other.client.block(`${at}`))];
    expect(here.hash).toBe(there.hash);
    expect(here.header.state_root).toBe(there.header.state_root);
  }
  expect((await statusOf(own)).observer_reason).toBeNull();
  await cluster.until('the damaged node to sign again', 20_000, async () => {
    const { height: newest } = (await statusOf(other)).head;
    return (await signersAt(other, newest)).includes(own.seat);
  });
}

describe('a node whose data is damaged', () => {
  it('keeps the blocks below the damage, says so, and gets the others from its peers', async () => {
    const height = await stopped();
    const key = heightKey(height - 2);
    await damage(victim(), (store) => {
      const bytes = store.get(TABLES.blocks, key) ?? new Uint8Array();
      return [{ table: TABLES.blocks, key, value: bytes.with(40, (bytes[40] ?? 0) ^ 1) }];
    });
    await victim().start();
    expect(victim().log()).toMatch(/damaged/);
    await expectWhole();
    expect(existsSync(join(victim().home, 'data', 'damaged.mdb'))).toBe(true);
    expect(existsSync(join(victim().home, 'data', 'replacement'))).toBe(false);
  });

  it('rebuilds the state when that is what is damaged', async () => {
    await stopped();
    await damage(victim(), (store) =>
      [...store.range(TABLES.pages, { limit: 1 })].map(({ key }) => ({ table: TABLES.pages, key, value: undefined })),
    );
    await victim().start();
    await expectWhole();
  });

  it('rebuilds it also where a snapshot was being put together', async () => {
    await stopped();
    await damage(victim(), (store) =>
      [...store.range(TABLES.pages, { limit: 1 })].map(({ key }) => ({ table: TABLES.pages, key, value: undefined })),
    );
    await beginSnapshot(victim());
    await victim().start();
    expect(victim().log()).toMatch(/damaged/);
    await expectWhole();
  });

  it('goes on when the file itself is cut short or full of noise, however little is left of it', async () => {
    const file = join(victim().home, 'data', 'data.mdb');
    await stopped();
    truncateSync(file, 2 * PAGE_BYTES + 100);
    await startUntilUp();
    await expectWhole();
    await stopped();
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 2 * PAGE_BYTES);
    writeFileSync(file, bytes);
    await startUntilUp();
    await expectWhole();
  });

  it.each([2, 16, 25])('runs after one start when page %i of the file is zeros', async (page) => {
    const file = join(victim().home, 'data', 'data.mdb');
    await stopped();
    const bytes = readFileSync(file);
    bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    writeFileSync(file, bytes);
    await victim().start();
    expect(existsSync(join(victim().home, 'data', 'opening'))).toBe(false);
    await expectWhole();
  });
});

/** Leaves a node as a fetch of a snapshot leaves it that ends before all of it is there: with the newest blocks. */
async function beginSnapshot({ home }: NodeProcess): Promise<void> {
  const store = openLmdb(join(home, 'data'), ALL_TABLES);
  const into = openLmdb(join(home, 'data', 'replacement'), ALL_TABLES);
  const block = defined(readBlock(store, defined(readHeadHeight(store), 'it has blocks')), 'the newest is there');
  const { header, body, receipts, hash, certificate: held, certifiedHeight } = block;
  const certificate = defined(held, 'the newest is final');
  await beginArrival(into, { header, hash, certificate });
  const link = { height: header.height, previous: header.previous };
  await storePastBlocks(into, [{ block: { header, body }, receipts, certificate, certifiedHeight }], link);
  for (const one of [store, into]) await new Promise((resolve) => one.close(resolve));
}

/** LMDB may end the process that reads such a file; a supervisor would start it again. */
async function startUntilUp(): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      await victim().start();
      return;
    } catch (error) {
      if (attempt === 2) throw error;
    }
  }
}
