import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../src/consensus/record.ts';
import { defined } from '../../src/lib/assert.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { signersAt } from './support/chain-audit.ts';
import { type Cluster, statusOf } from './support/cluster.ts';
import { readJournal } from './support/journal-audit.ts';
import { LinkedCluster } from './support/linked-cluster.ts';
import type { NodeProcess } from './support/node-process.ts';
import type { Links } from './support/proxy.ts';
import { IS_LONG, pause, tell } from './support/until.ts';

const PATIENCE_MS = IS_LONG ? 300_000 : 60_000;
const TORN_MS = IS_LONG ? 30_000 : 5_000;
const TEAR_EVERY_MS = 1_000;
const TORN_SHARE = 0.3;
const SEEDS = IS_LONG ? [1, 2, 3, 4, 5, 6] : [1];
const DELAY_MS = 200;
/** An answer then takes longer than the 400 ms after which a peer counts as silent. */
const FAR_MS = 300;
const SLOW_MS = IS_LONG ? 40_000 : 4_000;
/** The first blocks may be late by the measures of before. */
const VIEWS_MAX = 4;
/** What waits fits into one block, which takes a while. */
const BLOCK_TRANSACTIONS = 4;
/** A block at 500 ms each way takes a second and a half, and the one before it as long. */
const SLOW_WAIT_MS = 10_000;
const BLOCKS_MISSED = IS_LONG ? 1_000 : 60;

let linked: LinkedCluster;
let cluster: Cluster;
let links: Links;

// Small blocks: a short load makes a long chain.
beforeAll(async () => {
  linked = await LinkedCluster.start({ parameters: { blockTransactionsMax: BLOCK_TRANSACTIONS } });
  ({ cluster, links } = linked);
});

afterEach(async () => {
  await linked.rest();
});

afterAll(async () => {
  await linked?.close();
});

describe('connections that are torn under load', () => {
  it.each(SEEDS)('nearly every third of them every second: work goes on (seed %i)', async (seed) => {
    await linked.startLoad();
    const prng = createPrng(seed);
    const before = await linked.views();
    const { acknowledged } = linked.load;
    const count = acknowledged.length;
    const startedAt = Date.now();
    let torn = 0;
    while (Date.now() - startedAt < TORN_MS) {
      torn += links.tear(prng, TORN_SHARE);
      await pause(TEAR_EVERY_MS);
    }
    const during = acknowledged.length - count;
    const views = (await linked.views()).map((view, seat) => view - (before[seat] ?? 0));
    const calmAt = Date.now();
    const finalMs = await linked.finalAgainMs(calmAt);
    const connectedMs = await linked.untilConnectedMs(calmAt);
    tell(
      `${torn} connections torn in ${TORN_MS} ms: ${during} writes final meanwhile (longest gap ${longestGapMs(acknowledged, startedAt)} ms), views +${views.join('/')}; then final ${finalMs} ms, all connected ${connectedMs} ms after the last`,
    );
    expect(torn).toBeGreaterThan(0);
    expect(during, 'writes that became final meanwhile').toBeGreaterThan(0);
    await linked.endLoad();
  });
});

/** The longest time without an acknowledged write. */
function longestGapMs(acknowledged: readonly { readonly knownAt: number }[], since: number): number {
  const times = [since, ...acknowledged.map(({ knownAt }) => knownAt).filter((at) => at > since), Date.now()];
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)));
}

/** What happens over slow links, on a network that is well: views that it went through meanwhile, in the order of seats. */
async function endure(network: LinkedCluster, conditions: Parameters<Links['slow']>[0]): Promise<readonly number[]> {
  await network.startLoad({ lanes: BLOCK_TRANSACTIONS, waitMs: SLOW_WAIT_MS });
  const before = await network.views();
  const { acknowledged } = network.load;
  network.links.slow(conditions);
  const slowAt = Date.now();
  const finalMs = await network.finalAgainMs(slowAt);
  const count = acknowledged.length;
  await pause(SLOW_MS);
  const during = acknowledged.length - count;
  const views = (await network.views()).map((view, seat) => view - (before[seat] ?? 0));
  tell(
    `${JSON.stringify(conditions)}: final ${finalMs} ms, ${during} writes in ${SLOW_MS} ms, views +${views.join('/')}`,
  );
  expect(during, 'writes that became final meanwhile').toBeGreaterThan(0);
  return views;
}

/** Milliseconds until a write is final when nothing is slow any more. */
async function mend(network: LinkedCluster): Promise<void> {
  network.links.heal();
  tell(`final ${await network.finalAgainMs(Date.now())} ms after healing`);
  await network.endLoad();
}

describe('links that are slow', () => {
  it.each(IS_LONG ? [DELAY_MS, 500] : [DELAY_MS])(
    '%i ms each way, with timers made for one building: work goes on',
    async (delayMs) => {
      const views = await endure(linked, { delayMs });
      expect(Math.max(...views), 'views of which each would be a failure').toBeLessThanOrEqual(VIEWS_MAX);
      await mend(linked);
    },
  );

  it(`${FAR_MS} ms each way: connections that were torn come back, although an answer takes longer than two pings`, async () => {
    links.slow({ delayMs: FAR_MS });
    links.tear(createPrng(1), 1);
    await cluster.until('the connections to be gone', PATIENCE_MS, async () =>
      (await cluster.statuses()).every(({ connected }) => connected < cluster.nodes.length),
    );
    tell(`connected over ${FAR_MS} ms each way after ${await linked.untilConnectedMs(Date.now())} ms`);
  });

  it.runIf(IS_LONG)('64 KiB a second: work goes on', async () => {
    await endure(linked, { bytesPerSecond: 65_536 });
    await mend(linked);
  });

  it.runIf(IS_LONG)('between continents, with timers made for it: work goes on in one view', async () => {
    const far = await LinkedCluster.start({ config: new Map([['consensus.profile', 'wan']]) });
    try {
      expect(await endure(far, { delayMs: DELAY_MS })).toEqual([0, 0, 0, 0]);
      far.links.tear(createPrng(1), 1);
      tell(`wan: connected again after ${await far.untilConnectedMs(Date.now())} ms`);
      await mend(far);
      await far.rest();
      await far.expectAgreement();
    } finally {
      await far.rest();
      await far.close();
    }
  });
});

describe('an authority that was down', () => {
  it(
    `for ${BLOCKS_MISSED} blocks catches up, answers readers, and votes for nothing that it missed`,
    async () => {
      const absent = cluster.node(3);
      const others = cluster.others(absent);
      await absent.stop();
      const left = await lastVoted(absent);
      const from = (await headOf(others)) ?? 0;
      const downAt = Date.now();
      await linked.startLoad({ nodes: others });
      const target = await cluster.until(`${BLOCKS_MISSED} blocks`, PATIENCE_MS, async () => {
        const height = await headOf(others);
        return height >= from + BLOCKS_MISSED && height;
      });
      const madeMs = Date.now() - downAt;
      await absent.start();
      const readyAt = Date.now();
      const watched = await watch(absent, others, target);
      const caughtUpMs = Date.now() - readyAt;
      await cluster.until(`${absent.name} to sign again`, PATIENCE_MS, async () => {
        const height = await headOf(others);
        return (await signersAt(defined(others[0], 'three are left'), height)).includes(absent.seat);
      });
      tell(
        `${target - from} blocks made in ${madeMs} ms without one, caught up in ${caughtUpMs} ms with ${watched.reads} reads answered meanwhile; ${watched.unsigned} newer blocks seen final without it, signs again after ${Date.now() - readyAt} ms`,
      );
      expect(watched.failed).toEqual([]);
      expect(watched.reads).toBeGreaterThan(0);
      await linked.endLoad();
      await absent.stop();
      const heights = (await votesOf(absent)).filter((height) => height > left && height <= target);
      expect(heights, 'heights of votes for blocks that were final before it was back').toEqual([]);
      await absent.start();
      await linked.untilConnectedMs(Date.now());
    },
    2 * PATIENCE_MS + 60_000,
  );
});

async function headOf(nodes: readonly NodeProcess[]): Promise<number> {
  return Math.max(...(await cluster.statuses(nodes)).map(({ head }) => head.height));
}

interface Watched {
  readonly reads: number;
  readonly failed: readonly string[];
  /** Blocks that became final while it could not have executed their parents, and had no vote of it. */
  readonly unsigned: number;
}

/** Reads from a node that catches up without a pause, and looks at who signs, until it is at that height. */
async function watch(node: NodeProcess, others: readonly NodeProcess[], target: number): Promise<Watched> {
  const asked = defined(others[0], 'three are left');
  const failed: string[] = [];
  let [reads, unsigned] = [0, 0];
  for (const giveUpAt = Date.now() + PATIENCE_MS; Date.now() < giveUpAt; ) {
    const newest = (await statusOf(asked)).head.height;
    const signers = await signersAt(asked, newest);
    const { client } = node;
    const answers = [await client.tickets({ limit: 50 }), await client.block(1), await client.status()];
    for (const answer of answers) if (!answer.ok) failed.push(answer.error.code);
    reads += answers.filter(({ ok }) => ok).length;
    const { height } = (await statusOf(node)).head;
    if (height >= target) break;
    // It is read after the block was final: what it has not now it had not then.
    if (height + cluster.genesis.parameters.windowMax >= newest) continue;
    expect(signers, `signers of block ${newest}, when ${node.name} was at ${height}`).not.toContain(node.seat);
    unsigned += 1;
  }
  return { reads, failed, unsigned };
}

/** Heights of all PREPAREs and COMMITs in the journal of a node that does not run. */
async function votesOf(node: NodeProcess): Promise<readonly number[]> {
  const records = await readJournal(node, cluster.genesis);
  const votes = records.flatMap((record: JournalRecord) =>
    record.kind === 'vote' ? [record.vote] : record.kind === 'snapshot' ? record.votes : [],
  );
  return votes.map(({ height }) => height);
}

async function lastVoted(node: NodeProcess): Promise<number> {
  return Math.max(0, ...(await votesOf(node)));
}

describe('after all of it', () => {
  it(
    'every acknowledged write is there, on one chain, and nobody voted twice',
    async () => {
      await linked.expectAgreement();
    },
    PATIENCE_MS + 60_000,
  );
});
