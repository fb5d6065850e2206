import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { auditChain, signersAt, value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { Load } from './support/load.ts';
import type { NodeProcess } from './support/node-process.ts';

const BLOCKS_WATCHED = 8;

let cluster: Cluster | undefined;
let load: Load | undefined;

afterEach(async () => {
  await load?.stop();
  await cluster?.close();
});

/** The bytes of every file of a directory. */
function copyOf(directory: string): ReadonlyMap<string, Uint8Array> {
  return new Map(
    readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [name, readFileSync(join(directory, name))]),
  );
}

/** Into the very same files, as a snapshot of the file system is: no inode changes. Newer files go. */
function putBack(directory: string, copy: ReadonlyMap<string, Uint8Array>): void {
  for (const name of readdirSync(directory)) if (!copy.has(name)) rmSync(join(directory, name), { recursive: true });
  for (const [name, bytes] of copy) {
    truncateSync(join(directory, name));
    writeFileSync(join(directory, name), bytes, { flag: 'r+' });
  }
}

async function grow(of: Cluster, blocks: number): Promise<number> {
  const from = (await statusOf(of.node(0))).head.height;
  return await of.until(`${blocks} more blocks`, 30_000, async () => {
    const { height } = (await statusOf(of.node(0))).head;
    return height >= from + blocks && height;
  });
}

async function expectObserver(of: Cluster, node: NodeProcess): Promise<void> {
  const reason = /its journal does not know/;
  await of.until(`${node.name} to find out`, 20_000, async () => (await statusOf(node)).role === 'observer');
  const { observer_reason } = await statusOf(node);
  expect(observer_reason).toMatch(reason);
  const from = await grow(of, 1);
  const to = await grow(of, BLOCKS_WATCHED);
  for (let height = from; height <= to; height += 1) {
    expect(await signersAt(of.node(0), height), `signers of block ${height}`).not.toContain(node.seat);
  }
  await of.until(`${node.name} to explain it`, 20_000, async () => {
    const { code, reason: said } = value(await node.client.explain());
    return code === 'OBSERVER' && reason.test(said);
  });
}

describe('an authority that finds an older past in its files', () => {
  it.each([
    ['data and journal', false],
    ['the journal, while the data is gone', true],
  ])('%s: observes for good, and never contradicted itself', async (_, isDataGone) => {
    cluster = await Cluster.started({ parameters: { checkpointInterval: 20 } });
    load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes.slice(0, 3), lanes: 3, pauseMs: 100 });
    const victim = cluster.node(3);
    await grow(cluster, BLOCKS_WATCHED);
    await victim.stop();
    const directories = [join(victim.home, 'data'), join(victim.home, 'journal')];
    const copies = directories.map(copyOf);
    await victim.start();
    const voted = await grow(cluster, 2);
    const running = cluster;
    await cluster.until('the victim to sign again', 20_000, async () => {
      const { height } = (await statusOf(running.node(0))).head;
      return height > voted && (await signersAt(running.node(0), height)).includes(victim.seat);
    });
    await victim.kill();
    for (const [index, directory] of directories.entries()) putBack(directory, copies[index] ?? new Map());
    if (isDataGone) rmSync(join(victim.home, 'data'), { recursive: true });
    await victim.start();
    await expectObserver(cluster, victim);
    // Remembered, also by a process that nobody tells.
    await victim.stop();
    await victim.start();
    expect(await statusOf(victim)).toMatchObject({ role: 'observer' });
    await expectObserver(cluster, victim);
    await load.stop();
    const height = await cluster.settled();
    await auditChain(cluster.nodes, cluster.genesis, height);
    for (const { client, name } of cluster.nodes) expect(value(await client.evidence()).evidence, name).toEqual([]);
  });
});
