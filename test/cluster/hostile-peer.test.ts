import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from '../../src/model/codec.ts';
import { type Evidence, evidenceLayout, isEvidenceValid, offenderOf } from '../../src/model/evidence.ts';
import { Epoch, Hash, Height, Timestamp, View, ZERO_HASH } from '../../src/model/ids.ts';
import { FRAME_BYTES_MAX } from '../../src/model/limits.ts';
import { auditChain, jurisdictionOf, value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { Load, unexpectedRefusals } from './support/load.ts';
import type { NodeProcess } from './support/node-process.ts';
import { counterfoil } from './support/program.ts';
import { Rogue } from './support/rogue.ts';
import { IS_LONG, pause, tell } from './support/until.ts';

const MIB = 1_048_576;
/** What an honest node may grow by over all attacks: its bounds per peer are tens of MiB, with room for the collector. */
const GROWTH_BYTES_MAX = 300 * MIB;
/** How long each attack lasts, and what the chain must have taken in meanwhile and right after. */
const ATTACK_MS = IS_LONG ? 8_000 : 800;
const WRITES_MIN = 10;

let cluster: Cluster;
let offender: NodeProcess;
let honest: readonly NodeProcess[];
let rogue: Rogue;
let load: Load;
let rssBefore: readonly number[];
let pidsBefore: readonly (number | undefined)[];

beforeAll(async () => {
  cluster = await Cluster.started();
  const primary = await cluster.primary();
  offender = cluster.others(primary)[0] ?? primary;
  honest = cluster.others(offender);
  await offender.stop();
  rssBefore = honest.map((node) => node.rssBytes());
  pidsBefore = honest.map(({ pid }) => pid);
  rogue = await Rogue.inSeatOf(cluster, offender);
  await connected();
  load = new Load({ chainId: cluster.genesis.chainId, nodes: honest, lanes: 4, pauseMs: 20 });
});

afterAll(async () => {
  await load?.stop();
  await rogue?.close();
  await cluster?.close();
});

async function connected(): Promise<void> {
  await cluster.until('the rogue to be connected with the three', 20_000, () => rogue.peers.length === honest.length);
}

/**
 * Says something again and again for a while; the three go on finalising meanwhile, and are all there afterwards.
 * Answers the writes a second that became final meanwhile.
 */
async function attack(say: (round: number) => void): Promise<number> {
  await connected();
  const before = load.acknowledged.length;
  const end = Date.now() + ATTACK_MS;
  for (let round = 0; Date.now() < end; round += 1) {
    say(round);
    await pause(5);
  }
  const perSecond = Math.round((1_000 * (load.acknowledged.length - before)) / ATTACK_MS);
  await cluster.until('writes to be final under attack', 20_000, () => load.acknowledged.length >= before + WRITES_MIN);
  expect(honest.map(({ pid }) => pid)).toEqual(pidsBefore);
  return perSecond;
}

/** A status that honest nodes sent last: where the chain is. */
function chainNow(): { readonly view: number; readonly height: number; readonly hash: Hash } {
  const statuses = [...rogue.statuses.values()];
  const [best] = statuses.sort((a, b) => b.finalHeight - a.finalHeight);
  return { view: best?.view ?? 0, height: best?.finalHeight ?? 0, hash: best?.finalHash ?? ZERO_HASH };
}

const randomHash = (): Hash => Hash(randomBytes(32).toString('hex'));
const MOST = Number.MAX_SAFE_INTEGER;

describe('three honest authorities and one that holds its true key', () => {
  it('which sends bytes that are no messages', async () => {
    await attack((round) => rogue.shout(randomBytes(1 + ((round * 37) % 4_000))));
    expect([...rogue.farewells.keys()]).toContain('MALFORMED_FRAME');
  });

  it('which repeats what the others said', async () => {
    await cluster.until('messages of the others', 10_000, () => rogue.heard.length > 50);
    await attack((round) => {
      const { message } = rogue.heard[round % rogue.heard.length] ?? {};
      if (message !== undefined && message.kind !== 'transactions') rogue.say(message);
    });
  });

  it('which votes in views and at heights of long ago, and of never', async () => {
    await attack((round) => {
      const { view, height } = chainNow();
      const [far, phase] = [2 ** (round % 53), round % 2 === 0 ? 'PREPARE' : 'COMMIT'] as const;
      rogue.say({
        kind: 'vote',
        vote: rogue.vote({ phase, view: View(0), height: Height(1 + (round % 5)), digest: randomHash() }),
      });
      rogue.say({
        kind: 'vote',
        vote: rogue.vote({ phase, view: View(view + far - 1), height: Height(height + 1), digest: randomHash() }),
      });
      rogue.say({
        kind: 'vote',
        vote: rogue.vote({ phase, view: View(MOST), height: Height(MOST), digest: randomHash() }),
      });
    });
  });

  it('which wants views far ahead, one after another', async () => {
    const views = (await cluster.statuses(honest)).map(({ view }) => view);
    await attack((round) => {
      const newView = round % 2 === 0 ? MOST - round : chainNow().view + 1 + round;
      for (const hash of [ZERO_HASH, randomHash()]) {
        rogue.say({ kind: 'view-change', viewChange: rogue.viewChange(newView, hash), certificate: null });
      }
      rogue.say({ kind: 'new-view-request', epoch: Epoch(0), view: View(MOST) });
    });
    const later = (await cluster.statuses(honest)).map(({ view }) => view);
    for (const [index, view] of later.entries()) expect(view - (views[index] ?? 0)).toBeLessThanOrEqual(4);
  });

  it('which lies about where it is', async () => {
    await attack((round) => {
      const { view } = chainNow();
      const lies = [0, MOST, round];
      const [finalHeight = 0, other = 0] = [lies[round % 3], lies[(round + 1) % 3]];
      rogue.say({
        kind: 'status',
        status: {
          epoch: Epoch(0),
          view: View(other),
          mode: (['active', 'changing', 'observer', 'halted'] as const)[round % 4] ?? 'active',
          finalHeight: Height(finalHeight),
          finalHash: randomHash(),
          highest: { view: View(MOST), height: Height(MOST) },
          suspects: View(view),
          missing: Array.from({ length: 16 }, (_, index) => Height(finalHeight === MOST ? MOST : finalHeight + index)),
          now: Timestamp(Date.now()),
        },
      });
    });
  });

  it('which proposes without being asked, and pushes blocks that nobody wants', async () => {
    await attack((round) => {
      const { view, height, hash } = chainNow();
      const header = rogue.header({ height: Height(height + 1), previous: hash, view: View(view) });
      rogue.say(rogue.proposal(header, view));
      rogue.say(rogue.proposal(header, view + 1));
      rogue.say({
        kind: 'body',
        block: { header: rogue.header({ height: Height(height + 1 + (round % 3)) }), body: [] },
      });
      rogue.say({ kind: 'blocks', blocks: [{ header, body: [] }], certificate: null });
      rogue.say({ kind: 'evidence', evidence: innocent(round) });
    });
  });

  it('which asks for blocks without end', async () => {
    const calm = await attack(() => undefined);
    const flooded = await attack((round) => {
      // Many times what one peer is answered; the writes are made by this process too, and must not want for its time.
      for (let count = 0; count < 10; count += 1) {
        rogue.say({ kind: 'blocks-request', from: Height(1), count: 255 }, 'sync');
        rogue.say({ kind: 'body-request', digest: round % 2 === 0 ? chainNow().hash : randomHash() }, 'sync');
      }
    });
    tell(`${calm} writes a second before it asked, ${flooded} meanwhile`);
  });

  it('which repeats one vote without end', async () => {
    await attack(() => {
      const { view, height } = chainNow();
      const vote = rogue.vote({
        phase: 'COMMIT',
        view: View(view),
        height: Height(height + 1),
        digest: Hash('11'.repeat(32)),
      });
      for (let count = 0; count < 200; count += 1) rogue.say({ kind: 'vote', vote });
    });
  });

  it('which sends frames as large as they may be', async () => {
    await attack((round) => {
      if (round % 20 === 0) rogue.shout(new Uint8Array(FRAME_BYTES_MAX).fill(1), 'sync');
    });
  });

  it('which votes twice: each of the three can prove it, and of nobody else', async () => {
    await load.stop();
    expect(unexpectedRefusals(load)).toEqual([]);
    await cluster.settled(honest);
    await connected();
    await cluster.until('evidence on all three', 20_000, async () => {
      const { view, height } = chainNow();
      for (const digest of ['aa', 'bb']) {
        const ballot = {
          phase: 'COMMIT',
          view: View(view),
          height: Height(height + 1),
          digest: Hash(digest.repeat(32)),
        } as const;
        rogue.say({ kind: 'vote', vote: rogue.vote(ballot) });
      }
      const kinds = await Promise.all(
        honest.map(async (node) => new Set((await evidenceOf(node)).map(({ kind }) => kind))),
      );
      return kinds.every((found) => found.has('double-vote') && found.has('double-view-change'));
    });
    for (const node of honest) await expectConviction(node);
  });
});

/** Two votes that do not contradict each other: no evidence, whoever says so. */
function innocent(round: number): Evidence {
  const vote = rogue.vote({
    phase: 'PREPARE',
    view: View(0),
    height: Height(1 + round),
    digest: Hash('22'.repeat(32)),
  });
  return {
    kind: 'double-vote',
    first: { ...vote, signer: 0 },
    second: { ...vote, signer: 0, digest: Hash('33'.repeat(32)) },
  };
}

async function evidenceOf(node: NodeProcess) {
  return value(await node.client.evidence()).evidence;
}

/** What a node serves convicts the offender by the keys of genesis alone, and nobody else. */
async function expectConviction(node: NodeProcess): Promise<void> {
  const served = await evidenceOf(node);
  expect(new Set(served.map(({ authority }) => authority))).toEqual(new Set([offender.name]));
  const jurisdiction = jurisdictionOf(cluster.genesis);
  for (const { bytes } of served) {
    const evidence = decode(evidenceLayout, new Uint8Array(Buffer.from(bytes, 'base64')));
    if (!evidence.ok) throw new Error(evidence.error.reason);
    expect(isEvidenceValid(evidence.value, jurisdiction)).toBe(true);
    expect(offenderOf(evidence.value, jurisdiction)).toBe(offender.seat);
  }
  const file = join(cluster.root, `evidence-of-${node.name}.json`);
  writeFileSync(file, JSON.stringify({ evidence: served }));
  const verified = await counterfoil(['evidence', 'verify', file, '--genesis', join(node.home, 'genesis.json')]);
  expect(verified, verified.stderr).toMatchObject({ code: 0 });
  expect(verified.stdout).toContain(`${offender.name} is convicted of double-vote`);
}

describe('afterwards', () => {
  it('the evidence survives a restart of those who hold it', async () => {
    for (const [index, node] of honest.entries()) {
      const growth = node.rssBytes() - (rssBefore[index] ?? 0);
      tell(`${node.name} has grown by ${Math.round(growth / MIB)} MiB`);
      expect(growth, `growth of ${node.name} in bytes`).toBeLessThan(GROWTH_BYTES_MAX);
    }
    const before = await Promise.all(honest.map(async (node) => (await evidenceOf(node)).map(({ id }) => id).sort()));
    for (const node of honest) expect(await node.stop()).toEqual({ code: 0, signal: null });
    await rogue.close();
    await Promise.all(honest.map((node) => node.start()));
    const after = await Promise.all(honest.map(async (node) => (await evidenceOf(node)).map(({ id }) => id).sort()));
    expect(after).toEqual(before);
    for (const node of honest) await expectConviction(node);
  });

  it('the seat goes back to its honest owner, and there is one chain', async () => {
    await offender.start();
    await cluster.until('all four to be connected', 20_000, async () => {
      return (await cluster.statuses()).every(({ connected: count }) => count === 4);
    });
    const again = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes, lanes: 4 });
    await cluster.until('writes through all four', 20_000, () => again.acknowledged.length >= 20);
    await again.stop();
    const height = await cluster.settled();
    const blocks = await auditChain(cluster.nodes, cluster.genesis, height);
    const ids = new Set(blocks.flatMap(({ transactions }) => transactions.map(({ id }) => id)));
    expect([...load.acknowledged, ...again.acknowledged].filter(({ id }) => !ids.has(id))).toEqual([]);
    tell(`${load.acknowledged.length} writes final under attack; view ${(await statusOf(offender)).view}`);
  });
});
