import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlockAnswer } from '../../src/client/answers.ts';
import { defined } from '../../src/lib/assert.ts';
import { ACTIVITIES } from '../../src/provenance/vocabulary.ts';
import { auditChain, value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { documentOf, graphRootOf, IRI_BASE, indexed, isOfFinalization, wholeGraphOf } from './support/graph-client.ts';
import { Load } from './support/load.ts';
import { playNightMatch } from './support/night-match.ts';
import type { NodeProcess } from './support/node-process.ts';

/** No block without transactions: what the nodes hold stays as it is while it is looked at. */
const QUIET = { blockIntervalMs: 3_600_000 };
const KILLS = 3;
const START_MS_MAX = 120_000;

let cluster: Cluster;
let early: NodeProcess;
let late: NodeProcess;

beforeAll(async () => {
  cluster = await Cluster.create({ followers: 2, parameters: QUIET });
  early = defined(cluster.followers[0], 'one follows from the beginning');
  late = defined(cluster.followers[1], 'one comes later');
  await cluster.startAll();
  await early.start();
  await playNightMatch(cluster.genesis.chainId, cluster.nodes);
}, START_MS_MAX);

afterAll(async () => {
  await cluster?.close();
});

/** Every block, with the index of each of these nodes at the head. */
async function settledChain(nodes: readonly NodeProcess[]): Promise<readonly BlockAnswer[]> {
  const height = await cluster.settled(nodes);
  for (const node of nodes) await indexed(node);
  return await auditChain(nodes, cluster.genesis, height);
}

/** The whole graph, less what depends on who asked for signatures when. */
async function commonGraphOf(node: NodeProcess): Promise<string> {
  return (await wholeGraphOf(node)).filter((line) => !isOfFinalization(line)).join('');
}

async function expectOneGraph(nodes: readonly NodeProcess[]): Promise<void> {
  const blocks = await settledChain(nodes);
  const [first = '', ...others] = await Promise.all(nodes.map(commonGraphOf));
  for (const { transactions } of blocks) {
    for (const { id } of transactions) expect(first).toContain(`<${IRI_BASE}tx/${id}>`);
  }
  for (const [index, graph] of others.entries()) {
    expect(graph === first, `${nodes[index + 1]?.name} has the graph of ${nodes[0]?.name}`).toBe(true);
  }
}

describe('four authorities and followers, after everything that can happen to a ticket', () => {
  it('saw every kind of operation, repetitions and refusals', async () => {
    const blocks = await settledChain([cluster.node(0)]);
    const all = blocks.flatMap(({ transactions }) => transactions);
    expect(new Set(all.map(({ type }) => type))).toEqual(new Set(Object.keys(ACTIVITIES)));
    expect(all.filter(({ receipt }) => receipt.replay_of !== undefined)).toHaveLength(1);
    expect(new Set(all.map(({ receipt }) => receipt.code ?? '')).size).toBeGreaterThan(7);
  });

  it('hold one graph, byte for byte', async () => {
    await expectOneGraph([...cluster.nodes, early]);
  });

  it('give of every transaction the document that the header of its block commits to', async () => {
    for (const node of [...cluster.nodes, early]) {
      const blocks = await settledChain([node]);
      for (const block of blocks) {
        const at = `${node.name}, block ${block.header.height}`;
        expect(await graphRootOf(node, block), at).toBe(block.header.graph_root);
      }
    }
  });

  it('give one document whatever the size of the pages', async () => {
    const [block] = (await settledChain([early])).filter(({ transactions }) => transactions[0]?.type === 'issue');
    const graph = `${IRI_BASE}tx/${block?.transactions[0]?.id}`;
    const whole = await documentOf(early, graph);
    expect(whole.split('\n').length).toBeGreaterThan(50);
    expect(await documentOf(early, graph, 7)).toBe(whole);
  });

  it('a follower that joins afterwards derives the same from genesis on', async () => {
    await late.start();
    await expectOneGraph([cluster.node(0), late]);
    for (const block of await settledChain([late])) {
      expect(await graphRootOf(late, block)).toBe(block.header.graph_root);
    }
  });

  it('a node that is killed while it indexes ends with the same graph, and so does one that lost its index', async () => {
    await cluster.seed();
    const node = cluster.node(3);
    const load = new Load({ chainId: cluster.genesis.chainId, nodes: [cluster.node(0), early], lanes: 2 });
    for (let kills = 0; kills < KILLS; kills += 1) {
      const from = (await statusOf(node)).head.height;
      await cluster.until(
        'it to take in some blocks',
        30_000,
        async () => (await statusOf(node)).head.height > from + 5,
      );
      await node.kill();
      await node.start();
    }
    await early.stop();
    rmSync(join(early.home, 'data', 'graph'), { recursive: true });
    await early.start();
    await load.stop();
    await expectOneGraph([cluster.node(0), node, early, late]);
    const [last] = value(await node.client.blocks({ limit: 1 })).blocks;
    expect(last?.header.transaction_count).toBeGreaterThan(0);
  });
});
