import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../src/client/call.ts';
import { defined } from '../../src/lib/assert.ts';
import { signersAt, value } from './support/chain-audit.ts';
import { type Cluster, statusOf } from './support/cluster.ts';
import { LinkedCluster } from './support/linked-cluster.ts';
import type { NodeProcess } from './support/node-process.ts';
import type { Links } from './support/proxy.ts';
import { issueOf, signed } from './support/transactions.ts';
import { IS_LONG, pause, tell } from './support/until.ts';

const REFUSED_MS_PROMISED = 500;
const PATIENCE_MS = 30_000;
/** Within what the client of the tests waits for an answer. */
const WAIT_MS = 14_000;
/** That become final while the network is not whole. */
const WRITES = IS_LONG ? 100 : 20;
const AUDIT_MS_MAX = IS_LONG ? 600_000 : 120_000;
/** What a network may try where no view can work. */
const RING_VIEWS_MAX = 20;
const APART_MS = IS_LONG ? 30_000 : 1_000;

let linked: LinkedCluster;
let cluster: Cluster;
let links: Links;

beforeAll(async () => {
  linked = await LinkedCluster.start();
  ({ cluster, links } = linked);
});

afterEach(async () => {
  await linked.rest();
});

afterAll(async () => {
  await linked?.close();
});

/** Why a write through this node failed; nothing when it became final. */
async function attempt(node: NodeProcess): Promise<Failure | undefined> {
  const transaction = signed(cluster.genesis.chainId, 'venue', issueOf(`try-${randomBytes(6).toString('hex')}`));
  const answered = await node.client.submit(transaction, { waitMs: WAIT_MS });
  return answered.ok ? undefined : answered.error;
}

/** Waits until the node says that it misses exactly these; the milliseconds since `cutAt`. */
async function untilMissing(node: NodeProcess, absent: readonly NodeProcess[], cutAt: number): Promise<number> {
  return await cluster.until(`${node.name} to say who is missing`, PATIENCE_MS, async () => {
    const { code, moving, waiting_for: awaited } = value(await node.client.explain());
    const names = awaited.map(({ authority }) => authority).sort();
    const isTold = code === 'NO_QUORUM' && !moving && names.join() === namesOf(absent).join();
    return isTold && Date.now() - cutAt;
  });
}

function namesOf(nodes: readonly NodeProcess[]): readonly string[] {
  return nodes.map(({ name }) => name).sort();
}

async function expectReads(node: NodeProcess): Promise<void> {
  expect(value(await node.client.tickets({ limit: 10 })).tickets).toHaveLength(10);
  expect(value(await node.client.block(1)).header.height).toBe(1);
}

describe('four authorities of which the network parts', () => {
  it('two and two: both halves refuse at once and say why, and go on when they meet', async () => {
    await linked.startLoad();
    const half = [await cluster.primary(), defined(cluster.others(await cluster.primary())[0], 'a backup')];
    const others = cluster.others(...half);
    links.part(half.map(({ seat }) => seat));
    const cutAt = Date.now();
    // Sent before a node can know: it waits for finality, and stands for what takes long.
    let waiting = 0;
    const early = cluster.nodes.map(async (node) => {
      waiting += 1;
      const failure = await attempt(node);
      waiting -= 1;
      return failure?.code;
    });
    const known = await Promise.all(
      cluster.nodes.map((node) => untilMissing(node, half.includes(node) ? others : half, cutAt)),
    );
    const before = await cluster.statuses();
    const refusedMs: number[] = [];
    for (const apartUntil = Date.now() + APART_MS; Date.now() < apartUntil; await pause(200)) {
      const sentAt = Date.now();
      const failures = await Promise.all(cluster.nodes.map(attempt));
      refusedMs.push(Date.now() - sentAt);
      for (const failure of failures) expect(failure).toMatchObject({ code: 'NO_QUORUM', status: 503 });
      if (refusedMs.length > 1) continue;
      expect(waiting, 'writes that still waited when later ones had been refused').toBeGreaterThan(0);
    }
    for (const node of cluster.nodes) await expectReads(node);
    for (const [seat, { head, view }] of (await cluster.statuses()).entries()) {
      // What one of a half had decided before the cut the other one may hear of later.
      expect(head.height - (before[seat]?.head.height ?? 0)).toBeLessThanOrEqual(1);
      expect(view - (before[seat]?.view ?? 0), 'views by which a half went on').toBeLessThanOrEqual(1);
    }

    links.heal();
    const healedAt = Date.now();
    const finalMs = await linked.finalAgainMs(healedAt);
    const connectedMs = await linked.untilConnectedMs(healedAt);
    const outcomes = await Promise.all(early);
    if (finalMs + healedAt - cutAt < WAIT_MS / 2) expect(outcomes).toContain(undefined);
    await linked.endLoad();
    tell(
      `2/2: known ${Math.max(...known)} ms after the cut (${REFUSED_MS_PROMISED}), refused within ${Math.max(...refusedMs)} ms; final ${finalMs} ms, all connected ${connectedMs} ms after healing`,
    );
  });

  it.each(IS_LONG ? ['the primary', 'a backup', 'the next primary'] : ['the primary'])(
    'three and one (%s alone): the three go on, and the one comes back to vote',
    async (which) => {
      const primary = await cluster.primary();
      const step = ['the primary', 'the next primary', 'a backup'].indexOf(which);
      const alone = cluster.node((primary.seat + step) % cluster.nodes.length);
      const three = cluster.others(alone);
      await linked.startLoad();
      links.part([alone.seat]);
      const cutAt = Date.now();
      const goesOnMs = await linked.finalAgainMs(cutAt);
      await untilMissing(alone, three, cutAt);
      const left = await statusOf(alone);
      await linked.untilAcknowledged(WRITES);
      expect(await attempt(alone)).toMatchObject({ code: 'NO_QUORUM' });
      await expectReads(alone);
      expect((await statusOf(alone)).head).toEqual(left.head);

      const [asked] = three;
      const { head } = await statusOf(defined(asked, 'three are left'));
      links.heal();
      const healedAt = Date.now();
      await cluster.until(`${alone.name} to catch up`, PATIENCE_MS, async () => {
        return (await statusOf(alone)).head.height >= head.height;
      });
      const caughtUpMs = Date.now() - healedAt;
      await cluster.until(`${alone.name} to sign again`, PATIENCE_MS, async () => {
        const { height } = (await statusOf(alone)).head;
        return height > head.height && (await signersAt(alone, height)).includes(alone.seat);
      });
      const missed = head.height - left.head.height;
      tell(
        `3/1, ${which}: final ${goesOnMs} ms after the cut; ${missed} blocks caught up ${caughtUpMs} ms, signs again ${Date.now() - healedAt} ms after healing`,
      );
      await linked.untilConnectedMs(healedAt);
      await linked.endLoad();
    },
  );
});

/** Which of two does not hear the other any more, by their distance from the primary. */
const ONE_WAY: readonly (readonly [number, number])[] = IS_LONG
  ? [0, 1, 2, 3].flatMap((from) => [0, 1, 2, 3].filter((to) => to !== from).map((to) => [from, to] as const))
  : [
      [0, 1],
      [2, 0],
    ];

describe('links that pass one way only', () => {
  it.each(ONE_WAY)('from seat +%i to seat +%i nothing comes through: a quorum goes on', async (from, to) => {
    const { seat } = await cluster.primary();
    const seats = [from, to].map((step) => (seat + step) % cluster.nodes.length);
    await goesOn(seats);
  });

  // Of four in a ring no three hear one another, and votes are not passed on: nothing need become final.
  it.runIf(IS_LONG)(
    'two pairs do not hear each other: safe, a view every few seconds, and it goes on after healing',
    async () => {
      await linked.startLoad();
      const before = await linked.views();
      const { seat } = await cluster.primary();
      for (const step of [0, 2]) links.cut((seat + step) % 4, (seat + step + 1) % 4);
      await untilNoticed([0, 1, 2, 3]);
      const count = linked.load.acknowledged.length;
      await pause(APART_MS);
      const views = (await linked.views()).map((view, place) => view - (before[place] ?? 0));
      const during = linked.load.acknowledged.length - count;
      expect(Math.max(...views)).toBeLessThanOrEqual(RING_VIEWS_MAX);
      const missing = await Promise.all(
        cluster.nodes.map(async ({ client }) => value(await client.explain()).waiting_for),
      );
      expect(missing.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
      links.heal();
      const finalMs = await linked.finalAgainMs(Date.now());
      tell(`a ring: ${during} writes in ${APART_MS} ms, views +${views.join('/')}; final ${finalMs} ms after healing`);
      await linked.endLoad();
    },
  );

  /** Either side ends a connection that is silent, so both miss each other. */
  async function untilNoticed(seats: readonly number[]): Promise<void> {
    await cluster.until('both ends to notice', PATIENCE_MS, async () => {
      const statuses = await cluster.statuses(seats.map((seat) => cluster.node(seat)));
      return statuses.every(({ connected }) => connected === cluster.nodes.length - 1);
    });
  }

  async function goesOn(pair: readonly number[]): Promise<void> {
    await linked.startLoad();
    const before = await linked.views();
    const [from = 0, to = 0] = pair;
    links.cut(from, to);
    const cutAt = Date.now();
    await untilNoticed(pair);
    const noticedAt = Date.now();
    const finalMs = await linked.finalAgainMs(noticedAt);
    await linked.untilAcknowledged(WRITES);
    const lastedMs = Date.now() - cutAt;
    const views = (await linked.views()).map((view, seat) => view - (before[seat] ?? 0));
    links.heal();
    const healedAt = Date.now();
    const healedMs = await linked.finalAgainMs(healedAt);
    const connectedMs = await linked.untilConnectedMs(healedAt);
    tell(
      `cut ${pair.join(' > ')}: noticed ${noticedAt - cutAt} ms, a write then final ${finalMs} ms, views +${views.join('/')} in ${lastedMs} ms; healed: final ${healedMs} ms, connected ${connectedMs} ms`,
    );
    await linked.endLoad();
  }
});

describe('after all of it', () => {
  it(
    'every acknowledged write is there, on one chain, and nobody voted twice',
    async () => {
      await linked.expectAgreement();
    },
    AUDIT_MS_MAX,
  );
});
