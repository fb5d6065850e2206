import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAN } from '../../src/consensus/timing.ts';
import { defined } from '../../src/lib/assert.ts';
import { TRANSACTION_FANOUT_MIN } from '../../src/model/limits.ts';
import { value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { Load, unexpectedRefusals } from './support/load.ts';
import type { NodeProcess } from './support/node-process.ts';
import { issueOf, signed } from './support/transactions.ts';
import { IS_LONG, tell } from './support/until.ts';

const FOLLOWERS = IS_LONG ? 12 : 3;
const WAIT_MS = 10_000;
/** Blocks that a follower misses while it is down. */
const MISSED = IS_LONG ? 300 : 60;
const LOAD_MS_MAX = 600_000;

/** On two cores a process of sixteen is silent for longer than two pings of an authority on a machine of its own. */
const CONFIG = new Map(IS_LONG ? [['network.heartbeat_interval', '2s']] : []);
const START_MS_MAX = 120_000;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.started({ followers: FOLLOWERS, config: CONFIG });
  await Promise.all(cluster.followers.map((node) => node.start()));
  await cluster.settled(undefined, START_MS_MAX);
}, 2 * START_MS_MAX);

afterAll(async () => {
  await cluster?.close();
});

function all(): readonly NodeProcess[] {
  return [...cluster.nodes, ...cluster.followers];
}

function follower(index: number): NodeProcess {
  return defined(cluster.followers[index], 'there are followers');
}

/** Every node shows the same block there, with the same state. */
async function expectOneChain(height: number): Promise<void> {
  const shown = await Promise.all(
    all().map(async ({ client }) => {
      const { hash, header } = value(await client.block(`${height}`));
      const { certificate } = value(await client.certificate(`${height}`));
      return { hash, root: header.state_root, signed: certificate.signatures.length >= 3 };
    }),
  );
  expect(new Set(shown.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(shown[0]?.signed).toBe(true);
}

async function counterOf(node: NodeProcess, name: string): Promise<number> {
  const text = value(await node.client.metrics());
  let sum = 0;
  for (const line of text.split('\n'))
    if (line.startsWith(`counterfoil_${name}`)) sum += Number(line.split(' ').at(-1));
  return sum;
}

describe(`four authorities and ${FOLLOWERS} followers`, () => {
  it('hold one chain, and the followers say what they are', async () => {
    const height = await cluster.settled();
    await expectOneChain(height);
    for (const node of cluster.followers) {
      const connected = async () => (await statusOf(node)).connected;
      await cluster.until('it to have found authorities', WAIT_MS, async () => (await connected()) >= 2);
      const status = await statusOf(node);
      expect(status).toMatchObject({ role: 'follower', syncing: false, sync: null });
      expect(value(await node.client.explain()).moving).toBe(true);
    }
  });

  it('a transaction given to any follower becomes final, and the follower waits for it', async () => {
    for (const [index, node] of cluster.followers.entries()) {
      const transaction = signed(cluster.genesis.chainId, 'boxoffice', issueOf(`by-follower-${index}`));
      const answered = value(await node.client.submit(transaction, { waitMs: WAIT_MS }));
      expect(answered.state).toBe('final');
      for (const other of all()) {
        await cluster.until(`${transaction.id} to be final on ${other.name}`, WAIT_MS, async () => {
          const seen = await other.client.transaction(transaction.id);
          return seen.ok && seen.value.state === 'final';
        });
      }
    }
    await expectOneChain(await cluster.settled());
  });

  it('a transaction crosses at most √n + 1 links of each node, and four where that is less', async () => {
    const nodes = all();
    const linksMax = Math.max(TRANSACTION_FANOUT_MIN, Math.floor(Math.sqrt(nodes.length) + 1));
    const sent = () =>
      Promise.all(nodes.map((node) => counterOf(node, 'gossip_messages_sent_total{kind="transactions"}')));
    let used: readonly number[] = [];
    let round = 0;
    await cluster.until('a transaction that is final before anybody passes it on again', 60_000, async () => {
      await cluster.settled();
      const before = await sent();
      const transaction = signed(cluster.genesis.chainId, 'boxoffice', issueOf(`links-${round}`));
      const startedAt = performance.now();
      value(await follower(round % FOLLOWERS).client.submit(transaction, { waitMs: WAIT_MS }));
      const tookMs = performance.now() - startedAt;
      round += 1;
      await cluster.settled();
      const after = await sent();
      used = after.map((count, index) => count - (before[index] ?? 0));
      return tookMs < LAN.forwardMs;
    });
    tell(`links used by each node for one transaction: ${used.join(' ')}`);
    for (const [index, node] of nodes.entries()) expect(used[index], node.name).toBeLessThanOrEqual(linksMax);
    expect(used.filter((links) => links > 0).length).toBeGreaterThan(1);
  });

  it('news of a block comes to a follower without a question for headers', async () => {
    const node = follower(0);
    const before = await counterOf(node, 'network_messages_sent_total{kind="header-request"}');
    const transaction = signed(cluster.genesis.chainId, 'boxoffice', issueOf('news'));
    value(await cluster.node(1).client.submit(transaction, { waitMs: WAIT_MS }));
    await cluster.settled();
    expect(await counterOf(node, 'gossip_messages_received_total{kind="block-announcement"}')).toBeGreaterThan(0);
    expect(await counterOf(node, 'network_messages_sent_total{kind="header-request"}')).toBe(before);
  });

  it(
    'one that was down for many blocks, and is killed while it catches up, ends at the same head',
    async () => {
      const node = follower(FOLLOWERS - 1);
      await node.kill();
      const load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes, lanes: 1 });
      const from = (await statusOf(cluster.node(0))).head.height;
      await cluster.until('blocks to be made without it', LOAD_MS_MAX, async () => {
        return (await statusOf(cluster.node(0))).head.height >= from + MISSED;
      });
      await node.start();
      await cluster.until('it to catch up with some', 30_000, async () => (await statusOf(node)).head.height > from);
      // Somewhere in the middle.
      await node.kill();
      const startedAt = performance.now();
      await node.start();
      const reads = await cluster.until('it to be near the head, and to answer meanwhile', 60_000, async () => {
        const { head, syncing } = await statusOf(node);
        expect((await node.client.block(`${head.height}`)).ok).toBe(true);
        return !syncing && head.height >= from + MISSED;
      });
      expect(reads).toBe(true);
      tell(`a follower that missed ${MISSED} blocks is back after ${Math.round(performance.now() - startedAt)} ms`);
      await load.stop();
      expect(unexpectedRefusals(load)).toEqual([]);
      await expectOneChain(await cluster.settled(undefined, 60_000));
    },
    2 * LOAD_MS_MAX,
  );

  it('load through followers alone reaches the primary, and all of it is final everywhere', async () => {
    const load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.followers, lanes: 4 });
    await cluster.until('writes to be final', 60_000, () => load.acknowledged.length >= 40);
    await load.stop();
    expect(unexpectedRefusals(load)).toEqual([]);
    const height = await cluster.settled();
    await expectOneChain(height);
    const last = defined(load.acknowledged.at(-1), 'some were acknowledged');
    for (const node of all()) expect(value(await node.client.transaction(last.id)).state).toBe('final');
  });

  it('a follower that sees fewer authorities than decide says so once work waits for them', async () => {
    const node = follower(0);
    await cluster.until('it to have found authorities', WAIT_MS, async () => (await statusOf(node)).connected >= 2);
    await cluster.settled();
    await Promise.all([cluster.node(0), cluster.node(1)].map((authority) => authority.kill()));
    await cluster.until('it to miss them', 20_000, async () => (await statusOf(node)).connected <= 2);
    const taken = await node.client.submit(signed(cluster.genesis.chainId, 'boxoffice', issueOf('late')), {
      waitMs: 0,
    });
    expect(taken.ok).toBe(true);
    await cluster.until('it to say so', 20_000, async () => {
      const { code, moving, waiting_for: awaited } = value(await node.client.explain());
      return code === 'NO_QUORUM_SEEN' && !moving && awaited.length >= 2;
    });
  });

  it('a follower that nobody is connected with says so, refuses writes and answers reads', async () => {
    const node = follower(0);
    await Promise.all(cluster.nodes.map((authority) => authority.kill()));
    await Promise.all(cluster.followers.slice(1).map((other) => other.kill()));
    await cluster.until('it to notice', 20_000, async () => value(await node.client.explain()).code === 'NO_PEERS');
    const transaction = signed(cluster.genesis.chainId, 'boxoffice', issueOf('nowhere'));
    const refused = await node.client.submit(transaction, { waitMs: 0 });
    expect(refused.ok ? '' : refused.error.code).toBe('NOT_SYNCED');
    expect((await node.client.block('1')).ok).toBe(true);
    expect((await node.client.ready()).ok).toBe(false);
  });
});
