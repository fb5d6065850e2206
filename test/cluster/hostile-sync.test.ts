import { afterAll, beforeAll, expect, it } from 'vitest';
import { defined } from '../../src/lib/assert.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { FalseFollower, LIES } from './support/false-follower.ts';
import { Load } from './support/load.ts';

/** More than one answer holds. */
const BLOCKS = 80;

let cluster: Cluster;
const liars: FalseFollower[] = [];

beforeAll(async () => {
  cluster = await Cluster.started({ followers: 1 });
  const load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes, lanes: 1 });
  await cluster.until('blocks to be made', 120_000, async () => {
    return (await statusOf(cluster.node(0))).head.height >= BLOCKS;
  });
  await load.stop();
  await cluster.settled();
}, 180_000);

afterAll(async () => {
  await Promise.all(liars.map((liar) => liar.close()));
  await cluster?.close();
});

it('a follower among liars who show a true certificate reaches the head, and no authority is charged', async () => {
  const node = defined(cluster.followers[0], 'there is a follower');
  for (const lie of Object.values(LIES)) liars.push(await FalseFollower.start(cluster.genesis, lie));
  for (const liar of liars) liar.dial(`127.0.0.1:${cluster.node(0).peerPort}`);
  await cluster.until('the liars to have something to show', 20_000, () => liars.every(({ isArmed }) => isArmed));
  // Whoever has nobody else is asked: the authorities come back when the liars are there.
  await Promise.all(cluster.nodes.map((authority) => authority.stop()));
  await node.start();
  for (const liar of liars) liar.dial(`127.0.0.1:${node.peerPort}`);
  await cluster.until('a liar to be asked', 20_000, () => liars.some(({ asked }) => asked.length > 0));
  expect((await statusOf(node)).head.height).toBe(0);
  await Promise.all(cluster.nodes.map((authority) => authority.start()));
  const { head } = await cluster.until('it to reach the head', 60_000, async () => {
    const [own, other] = [await statusOf(node), await statusOf(cluster.node(0))];
    return own.head.height >= BLOCKS && own.head.hash === other.head.hash && own;
  });
  expect(head.height).toBeGreaterThanOrEqual(BLOCKS);
  const charged = node
    .log()
    .split('\n')
    .filter((line) => line.includes('a peer breaks the rules'));
  const authorities = cluster.nodes.map(({ name }) => name);
  expect(charged.filter((line) => authorities.some((name) => line.includes(name)))).toEqual([]);
  expect(charged.every((line) => liars.some(({ id }) => line.includes(id)))).toBe(true);
});
