import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Timestamp } from '../../src/model/ids.ts';
import { MEMPOOL_PER_SIGNER_MAX } from '../../src/model/limits.ts';
import type { Transaction } from '../../src/model/transaction.ts';
import { auditChain, ticketsOf, value } from './support/chain-audit.ts';
import { Cluster } from './support/cluster.ts';
import type { NodeProcess } from './support/node-process.ts';
import { Rogue } from './support/rogue.ts';
import { issueOf, signed } from './support/transactions.ts';
import { tell } from './support/until.ts';

const MIB = 1_048_576;
const GROWTH_BYTES_MAX = 250 * MIB;
/** So many refusals are enough to see how they are; so many writes bring them about on any machine. */
const REFUSED = 500;
const SENT_MAX = 4 * MEMPOOL_PER_SIGNER_MAX;
const SENDERS = 64;
/** Refusals that are timed, one after another: among many at once each would wait for this process to sign the others. */
const TIMED = 100;
const REFUSED_MS_PROMISED = 50;
const REFUSED_MS_MAX = 5_000;
const LIFE_MS = 9 * 60_000;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.started();
});

afterAll(async () => {
  await cluster?.close();
});

interface Sent {
  readonly ticket: string;
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  readonly answerMs: number;
}

async function send(node: NodeProcess, ticket: string, transaction: Transaction): Promise<Sent> {
  const sentAt = performance.now();
  const answered = await node.client.submit(transaction);
  return {
    ticket,
    code: answered.ok ? answered.value.state : answered.error.code,
    retryAfterMs: answered.ok ? undefined : answered.error.retryAfterMs,
    answerMs: performance.now() - sentAt,
  };
}

function issue(organisation: string, ticket: string): Transaction {
  const expiresAt = Timestamp(Date.now() + LIFE_MS);
  return signed(cluster.genesis.chainId, organisation, issueOf(ticket), { expiresAt });
}

/** Sends new tickets as fast as it goes, through these nodes, waiting for nothing, until enough of them were refused. */
async function flood(nodes: readonly NodeProcess[], organisation: string): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  let next = 0;
  let refused = 0;
  const lane = async (): Promise<void> => {
    for (let index = next; refused < REFUSED && index < SENT_MAX; index = next) {
      next += 1;
      const ticket = `${organisation}-${index}`;
      const node = nodes[index % nodes.length];
      if (node === undefined) return;
      const one = await send(node, ticket, issue(organisation, ticket));
      if (one.code === 'OVERLOADED') refused += 1;
      sent.push(one);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, lane));
  return sent;
}

/** How long refusals of a full node take, in milliseconds, the shortest first. */
async function timeRefusals(node: NodeProcess, organisation: string): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < TIMED; index += 1) {
    const ticket = `${organisation}-timed-${index}`;
    const { code, answerMs } = await send(node, ticket, issue(organisation, ticket));
    if (code === 'OVERLOADED') times.push(answerMs);
  }
  return times.sort((a, b) => a - b);
}

describe('more than the network can take', () => {
  it('is refused quickly, with a time to come back; what was taken is final, and then there is room again', async () => {
    const rss = cluster.nodes.map((node) => node.rssBytes());
    // Two that are there, say that all is well and do not vote: whatever is taken waits.
    const silent = [cluster.node(2), cluster.node(3)];
    const serving = cluster.others(...silent);
    for (const node of silent) await node.stop();
    const rogues = await Promise.all(silent.map((node) => Rogue.inSeatOf(cluster, node)));
    for (const rogue of rogues) rogue.pretend();
    await cluster.until('the silent ones to be connected', 20_000, async () => {
      return (await cluster.statuses(serving)).every(({ connected }) => connected === 4);
    });
    const sent = await flood(serving, 'boxoffice');
    const refused = sent.filter(({ code }) => code === 'OVERLOADED');
    const taken = sent.filter(({ code }) => code === 'pending' || code === 'final');
    // The silent ones live in this busy process and may miss a ping: that is told apart from too much work.
    const turnedAway = sent.filter(({ code }) => code === 'OVERLOADED' || code === 'NO_QUORUM');
    expect(taken.length + turnedAway.length, JSON.stringify([...new Set(sent.map(({ code }) => code))])).toBe(
      sent.length,
    );
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map(({ retryAfterMs }) => retryAfterMs))).toEqual(new Set([1_000]));
    expect(Math.max(...refused.map(({ answerMs }) => answerMs))).toBeLessThan(REFUSED_MS_MAX);
    const times = await timeRefusals(cluster.node(0), 'boxoffice');
    const [median = 0, slow = 0] = [0.5, 0.95].map((share) => times[Math.floor(share * times.length)]);

    // One key that floods leaves room for the others.
    expect(await send(cluster.node(1), 'venue-1', issue('venue', 'venue-1'))).toMatchObject({ code: 'pending' });

    for (const rogue of rogues) await rogue.close();
    const startedAt = Date.now();
    for (const node of silent) await node.start();
    await cluster.until('everything that was taken to be decided', 90_000, async () => {
      return (await cluster.statuses()).every(({ mempool }) => mempool === 0);
    });
    tell(
      `${taken.length} taken, ${refused.length} refused (one at a time half of them within ${median.toFixed(1)} ms, most within ${slow.toFixed(1)} ms; promised: ${REFUSED_MS_PROMISED} ms); the rest decided in ${Date.now() - startedAt} ms`,
    );
    await cluster.settled();
    for (const node of cluster.nodes) {
      const tickets = await ticketsOf(node);
      expect(taken.filter(({ ticket }) => !tickets.has(ticket))).toEqual([]);
      expect(turnedAway.filter(({ ticket }) => tickets.has(ticket))).toEqual([]);
      expect(tickets.has('venue-1')).toBe(true);
      if (serving.includes(node)) expect(node.rssBytes() - (rss[node.seat] ?? 0)).toBeLessThan(GROWTH_BYTES_MAX);
    }
    const again = await cluster.node(2).client.submit(issue('boxoffice', 'after'), { waitMs: 10_000 });
    expect(value(again)).toMatchObject({ state: 'final', receipt: { accepted: true } });
    await auditChain(cluster.nodes, cluster.genesis, await cluster.settled());
  });

  it('of one address is refused with 429, and only for a moment', async () => {
    const node = cluster.node(0);
    const counts = await pipeline(node, 16, 1_500);
    tell(
      `of ${16 * 1_500} requests of one address: ${[...counts].map(([status, count]) => `${count} × ${status}`).join(', ')}`,
    );
    expect(counts.get(429)).toBeGreaterThan(0);
    const limited = await cluster.until('a request to be refused or taken', 10_000, async () => {
      const response = await fetch(`${node.url}/api/v1/status`);
      await response.body?.cancel();
      return response;
    });
    expect([200, 429]).toContain(limited.status);
    expect(limited.headers.get('ratelimit')).toMatch(/^"address";r=\d+;t=\d+$/);
    // Whoever watches over the node is never refused.
    expect(value(await node.client.health())).toEqual({ status: 'alive' });
    await cluster.until('the address to be served again', 10_000, async () => (await node.client.status()).ok);
  });
});

/** Writes so many requests at once into each of some connections; answers how often each status came back. */
async function pipeline(
  { httpPort }: NodeProcess,
  connections: number,
  requests: number,
): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(httpPort, '127.0.0.1');
      const request = 'GET /api/v1/nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n';
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.once('close', () => {
        for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
          counts.set(Number(status), (counts.get(Number(status)) ?? 0) + 1);
        }
        resolve();
      });
      socket.write(request.repeat(requests - 1));
      socket.end(request.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
    });
  await Promise.all(Array.from({ length: connections }, one));
  return counts;
}
