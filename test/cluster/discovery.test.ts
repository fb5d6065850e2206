import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../src/client/http.ts';
import { peerAddress } from '../../src/devnet/plan.ts';
import { defined } from '../../src/lib/assert.ts';
import type { RawValue } from '../../src/node/config/values.ts';
import { value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import type { NodeProcess } from './support/node-process.ts';
import { IS_LONG, tell } from './support/until.ts';

const FOLLOWERS = IS_LONG ? 12 : 3;
const WAIT_MS = 20_000;
/** What a node seeks itself, when there are as many others. */
const SOUGHT = Math.min(8, 3 + FOLLOWERS);

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.create({
    followers: 1 + FOLLOWERS,
    configOf: (place, plan) => {
      const [first] = plan.followers;
      const isGuide = place === plan.nodes.length;
      if (isGuide) return new Map<string, RawValue>([['network.discovery_only', true]]);
      if (place < plan.nodes.length || first === undefined) return new Map();
      return new Map<string, RawValue>([['network.bootstrap_peers', [peerAddress(first.peerPort)]]]);
    },
  });
  await cluster.startAll();
  await guide().start();
}, 60_000);

afterAll(async () => {
  await cluster?.close();
});

/** A node that only knows peers: it was given one authority, and is what the followers are given. */
function guide(): NodeProcess {
  return defined(cluster.followers[0], 'there is a guide');
}

function followers(): readonly NodeProcess[] {
  return cluster.followers.slice(1);
}

function follower(place: number): NodeProcess {
  return defined(followers()[place], 'there are followers');
}

function settled(): Promise<number> {
  return cluster.settled([...cluster.nodes, ...followers()]);
}

/** A client that may say whom the node is to talk with. */
function operatorOf({ url, home }: NodeProcess): Client {
  const operatorToken = readFileSync(join(home, 'keys', 'operator.token'), 'utf8').trim();
  return createClient({ url, tries: 1, operatorToken });
}

async function peersOf({ client }: NodeProcess) {
  return value(await client.peers()).peers;
}

async function idOf(node: NodeProcess): Promise<string> {
  return (await statusOf(node)).node_id;
}

async function isConnected(node: NodeProcess, id: string): Promise<boolean> {
  return (await peersOf(node)).some((peer) => peer.id === id);
}

describe(`${FOLLOWERS} followers that are given the address of a node without a chain`, () => {
  it('find everybody else, an authority or two among them, within seconds', async () => {
    const begun = performance.now();
    await Promise.all(followers().map((node) => node.start()));
    for (const node of followers()) {
      await cluster.until(`${node.name} to have peers`, WAIT_MS, async () => (await peersOf(node)).length >= SOUGHT);
      const peers = await peersOf(node);
      expect(peers.filter(({ role }) => role === 'authority').length).toBeGreaterThanOrEqual(2);
      expect(peers.some(({ role }) => role === 'follower')).toBe(true);
      expect(new Set(peers.map(({ id }) => id)).size).toBe(peers.length);
      expect(peers.map(({ id }) => id)).not.toContain(await idOf(node));
    }
    tell(`${FOLLOWERS} followers had found ${SOUGHT} peers each after ${Math.round(performance.now() - begun)} ms`);
    await settled();
  });

  it('show the heads, latencies and scores of their peers', async () => {
    await cluster.seed();
    const height = await settled();
    const node = follower(0);
    await cluster.until('its peers to have told their heads and answered its pings', WAIT_MS, async () => {
      const told = (await peersOf(node)).filter(
        ({ head, latency_ms }) => head.height === height && latency_ms !== null,
      );
      return told.length >= 2;
    });
    for (const { score } of await peersOf(node)) expect(score).toBe(0);
  });

  it('need that address no more once they know others', async () => {
    const node = follower(0);
    await node.stop();
    await guide().stop();
    await node.start();
    await cluster.until(`${node.name} to find the others again`, WAIT_MS, async () => {
      const peers = await peersOf(node);
      return peers.length >= SOUGHT && peers.some(({ role }) => role === 'authority');
    });
    await settled();
  });
});

describe('a node that its operator bans', () => {
  it('is cut off, turned away after a restart as well, and let in again', async () => {
    const [node, other] = [follower(0), follower(1)];
    const id = await idOf(other);
    await cluster.until('them to be connected', WAIT_MS, () => isConnected(node, id));
    const without = await node.client.banPeer(id);
    expect(!without.ok && without.error.code).toBe('UNAUTHORIZED');
    expect(value(await operatorOf(node).banPeer(id, 600))).toMatchObject({ id, reason: 'OPERATOR', times: 1 });
    expect(await isConnected(node, id)).toBe(false);
    await node.kill();
    await node.start();
    await cluster.until(`${node.name} to have other peers`, WAIT_MS, async () => (await peersOf(node)).length > 2);
    // It asks to be let in by its own operator, and is not.
    value(await other.client.connectPeer(`127.0.0.1:${node.peerPort}`));
    await cluster.until('it to be told why', WAIT_MS, () =>
      /"reason":"BANNED","by":"them"/.test(readFileSync(other.logFile, 'utf8')),
    );
    expect(await isConnected(node, id)).toBe(false);
    expect(value(await node.client.bannedPeers()).banned.map((ban) => ban.id)).toEqual([id]);
    value(await operatorOf(node).unbanPeer(id));
    value(await other.client.connectPeer(`127.0.0.1:${node.peerPort}`));
    await cluster.until('them to be connected again', WAIT_MS, () => isConnected(node, id));
  });

  it('is never an authority', async () => {
    const banned = await operatorOf(follower(0)).banPeer('venue');
    expect(!banned.ok && banned.error.code).toBe('PEER_IS_AUTHORITY');
  });
});
