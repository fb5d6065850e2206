import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SYNC_LAG_BLOCKS } from '../../src/model/limits.ts';
import { storedChain } from '../support/stored-chain.ts';
import { value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { readJournal } from './support/journal-audit.ts';
import { Load } from './support/load.ts';
import type { NodeProcess } from './support/node-process.ts';
import { IS_LONG, tell } from './support/until.ts';

/** The chain of the tests of snapshots: it is made once. */
const BLOCKS = 1_300;
const DEADLINE_MS = 180_000;
const LONG_MS = 900_000;

let cluster: Cluster | undefined;

afterEach(async () => {
  await cluster?.close();
});

/** Starts a node, and reads from it until it is at a height. */
async function catchUp(running: Cluster, node: NodeProcess, height: number): Promise<void> {
  const startedMs = performance.now();
  const from = node.log().length;
  await node.start();
  let answered = 0;
  await running.until('it to catch up', DEADLINE_MS, async () => {
    const { head, sync } = await statusOf(node);
    if (sync !== null && head.height > 0) {
      expect((await node.client.block(`${head.height}`)).ok).toBe(true);
      answered += 1;
    }
    return head.height >= height;
  });
  tell(`an authority at height ${height} again after ${Math.round(performance.now() - startedMs)} ms`);
  expect(answered).toBeGreaterThan(0);
  expect(node.log().slice(from)).toContain('catching up');
  const [own, other] = await Promise.all([node, running.node(0)].map(({ client }) => client.block(`${height}`)));
  expect(own?.ok && own.value.header.state_root).toBe(other?.ok && other.value.header.state_root);
}

/** Heights that the authority of a node that does not run has voted on. */
async function votedHeights(running: Cluster, node: NodeProcess): Promise<readonly number[]> {
  const records = await readJournal(node, running.genesis);
  return records.flatMap((record) => (record.kind === 'vote' ? [record.vote.height] : []));
}

describe('an authority that lags by more than it would fetch from those it votes with', () => {
  it(
    'fetches as a follower does, answers reads meanwhile, and votes on nothing of it',
    async () => {
      expect(BLOCKS).toBeGreaterThan(SYNC_LAG_BLOCKS);
      const chain = await storedChain({ seed: 77, transactions: 4, blocks: BLOCKS, blocksPerCertificateMax: 1 });
      cluster = await Cluster.create({ document: readFileSync(chain.genesisFile) });
      const holders = cluster.nodes.slice(0, 3);
      for (const { home } of holders) {
        mkdirSync(join(home, 'data'));
        cpSync(join(chain.dataDir, 'data.mdb'), join(home, 'data', 'data.mdb'));
      }
      await Promise.all(holders.map((node) => node.start()));
      const node = cluster.node(3);
      await catchUp(cluster, node, BLOCKS);
      await node.kill();
      expect((await votedHeights(cluster, node)).filter((height) => height <= BLOCKS)).toEqual([]);
    },
    DEADLINE_MS,
  );

  it.runIf(IS_LONG)(
    'votes again once it is there',
    async () => {
      cluster = await Cluster.started();
      const running = cluster;
      const node = running.node(3);
      await node.kill();
      const { height: from } = (await statusOf(running.node(0))).head;
      const missed = from + SYNC_LAG_BLOCKS + 50;
      const load = new Load({ chainId: running.genesis.chainId, nodes: running.nodes.slice(0, 3), lanes: 1 });
      await running.until('blocks to be made without it', LONG_MS, async () => {
        return (await statusOf(running.node(0))).head.height >= missed;
      });
      await catchUp(running, node, missed);
      await running.until('it to vote', DEADLINE_MS, async () => {
        const { authorities } = value(await running.node(0).client.authorities());
        const voted = authorities.find(({ id }) => id === node.name)?.last_vote_height ?? 0;
        return (voted ?? 0) > missed;
      });
      await load.stop();
      await node.kill();
      const voted = await votedHeights(running, node);
      expect(voted.filter((height) => height > from + 16 && height <= missed)).toEqual([]);
      expect(voted.filter((height) => height > missed)).not.toEqual([]);
    },
    LONG_MS,
  );
});
