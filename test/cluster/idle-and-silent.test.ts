import { afterEach, describe, expect, it } from 'vitest';
import { auditChain, signersAt, value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { SignedVotes } from './support/journal-audit.ts';
import { type Acknowledged, Load, unexpectedRefusals } from './support/load.ts';
import { issueOf, signed } from './support/transactions.ts';
import { IS_LONG, pause, tell } from './support/until.ts';

const PATIENCE_MS = 10_000;
const STOP_MS_PROMISED = 5_000;
const STOP_MS_MAX = 10_000;

let cluster: Cluster;
let load: Load | undefined;

afterEach(async () => {
  await load?.stop();
  load = undefined;
  await cluster?.close();
});

describe('a network with nothing to do', () => {
  it('adds heartbeats and nothing else, and the next write is final at once', async () => {
    const interval = 1_000;
    cluster = await Cluster.started({ parameters: { blockIntervalMs: interval } });
    const before = await cluster.settled();
    const idleMs = IS_LONG ? 30_000 : 5_500;
    await pause(idleMs);
    const statuses = await cluster.statuses();
    const after = await cluster.settled();
    for (let height = before + 1; height <= after; height += 1) {
      expect(value(await cluster.node(0).client.block(height)).transactions).toEqual([]);
    }
    expect(after - before).toBeGreaterThanOrEqual(2);
    expect(after - before).toBeLessThanOrEqual(Math.ceil((Date.now() - Date.parse(await timeOf(before))) / interval));
    expect(statuses.map(({ view }) => view)).toEqual([0, 0, 0, 0]);
    const sentAt = Date.now();
    const submitted = signed(cluster.genesis.chainId, 'boxoffice', issueOf('after-the-rest'));
    value(await cluster.node(2).client.submit(submitted, { waitMs: PATIENCE_MS }));
    tell(`${after - before} heartbeats in ${idleMs} ms; the write after them was final in ${Date.now() - sentAt} ms`);
    expect((await statusOf(cluster.node(2))).view).toBe(0);
  });

  it('adds nothing at all where heartbeats are off, and is no worse for it', async () => {
    cluster = await Cluster.started({ parameters: { blockIntervalMs: 0 } });
    const before = await cluster.settled();
    await pause(IS_LONG ? 30_000 : 3_000);
    for (const { head, view } of await cluster.statuses()) expect([head.height, view]).toEqual([before, 0]);
    const submitted = signed(cluster.genesis.chainId, 'boxoffice', issueOf('after-the-rest'));
    value(await cluster.node(1).client.submit(submitted, { waitMs: PATIENCE_MS }));
    expect(await cluster.settled()).toBe(before + 1);
  });
});

async function timeOf(height: number): Promise<string> {
  return value(await cluster.node(0).client.block(height)).header.timestamp;
}

describe('a primary that is alive and silent', () => {
  it('is replaced under load, and takes part again when it speaks', async () => {
    cluster = await Cluster.started({ parameters: { checkpointInterval: 10_000 } });
    const votes = new SignedVotes();
    const acknowledged: Acknowledged[] = [];
    for (let round = 0; round < (IS_LONG ? 5 : 1); round += 1) {
      const silent = await cluster.primary();
      const [asked = silent, ...others] = cluster.others(silent);
      // A write that is sent to one who says nothing waits for long: nobody asks it.
      load = new Load({ chainId: cluster.genesis.chainId, nodes: [asked, ...others], lanes: 6 });
      const running = load;
      await cluster.until('the load to run', 20_000, () => running.acknowledged.length >= 30);
      silent.signal('SIGSTOP');
      const stoppedAt = Date.now();
      const next = await cluster.until('a write sent after it fell silent to be final', PATIENCE_MS, () =>
        running.acknowledgedSince(stoppedAt),
      );
      tell(`final again ${next.knownAt - stoppedAt} ms after the primary fell silent`);
      const count = running.acknowledged.length;
      await cluster.until('more writes without it', 20_000, () => running.acknowledged.length >= count + 30);
      silent.signal('SIGCONT');
      await cluster.until(`${silent.name} to sign again`, 20_000, async () => {
        const { height } = (await statusOf(asked)).head;
        return (await signersAt(asked, height)).includes(silent.seat);
      });
      await running.stop();
      expect(unexpectedRefusals(running)).toEqual([]);
      acknowledged.push(...running.acknowledged);
    }
    const height = await cluster.settled();
    const blocks = await auditChain(cluster.nodes, cluster.genesis, height);
    const ids = new Set(blocks.flatMap(({ transactions }) => transactions.map(({ id }) => id)));
    expect(acknowledged.filter(({ id }) => !ids.has(id))).toEqual([]);
    for (const node of cluster.nodes) {
      expect(value(await node.client.evidence()).evidence).toEqual([]);
      await node.kill();
      await votes.addJournal(node, cluster.genesis);
    }
    expect(votes.contradictions).toEqual([]);
  });
});

describe('SIGTERM under load', () => {
  it('ends a node with exit code 0, in time, with its writes answered', async () => {
    cluster = await Cluster.started();
    load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes, lanes: 6 });
    const running = load;
    for (const node of [await cluster.primary(), cluster.node(3)]) {
      await cluster.until('the load to run', 20_000, () => running.acknowledged.length >= 20);
      const askedAt = Date.now();
      expect(await node.stop()).toEqual({ code: 0, signal: null });
      const endedMs = Date.now() - askedAt;
      tell(`${node.name} ended ${endedMs} ms after SIGTERM; promised: ${STOP_MS_PROMISED} ms`);
      expect(endedMs).toBeLessThan(STOP_MS_MAX);
      await node.start();
    }
    await running.stop();
    expect(unexpectedRefusals(running)).toEqual([]);
    const height = await cluster.settled();
    const blocks = await auditChain(cluster.nodes, cluster.genesis, height);
    const ids = new Set(blocks.flatMap(({ transactions }) => transactions.map(({ id }) => id)));
    expect(running.acknowledged.filter(({ id }) => !ids.has(id))).toEqual([]);
  });
});
