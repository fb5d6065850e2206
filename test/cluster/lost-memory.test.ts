import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditChain, signersAt, value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { SignedVotes } from './support/journal-audit.ts';
import { Load, unexpectedRefusals } from './support/load.ts';
import { NodeProcess, type NodeProcess as Running } from './support/node-process.ts';
import { tell } from './support/until.ts';

/** How much of the chain must pass by without a vote of a key that has lost its memory. */
const BLOCKS_WATCHED = 25;

let cluster: Cluster;
let load: Load;

beforeEach(async () => {
  cluster = await Cluster.started({ parameters: { checkpointInterval: 20 } });
  load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes.slice(0, 3), lanes: 4 });
  await grow(BLOCKS_WATCHED);
});

afterEach(async () => {
  await load?.stop();
  await twin?.kill();
  twin = undefined;
  await cluster?.close();
});

let twin: NodeProcess | undefined;

/** The authority whose memory is lost; the load goes through the three others. */
function victim(): Running {
  return cluster.node(3);
}

/** Waits for the chain to grow by so many blocks, as the others see it; answers its height. */
async function grow(blocks: number): Promise<number> {
  const from = (await statusOf(cluster.node(0))).head.height;
  return await cluster.until(`${blocks} more blocks`, 30_000, async () => {
    const { height } = (await statusOf(cluster.node(0))).head;
    return height >= from + blocks && height;
  });
}

async function expectSigning(node: Running): Promise<void> {
  await cluster.until(`${node.name} to sign again`, 20_000, async () => {
    const { height } = (await statusOf(cluster.node(0))).head;
    return (await signersAt(cluster.node(0), height)).includes(node.seat);
  });
}

/** The node says what has become of its key, follows the chain, and none of the next blocks has its vote. */
async function expectObserver(node: Running, reason: RegExp): Promise<void> {
  const from = await cluster.until(`${node.name} to catch up`, 20_000, async () => {
    const [own, other] = [await statusOf(node), await statusOf(cluster.node(0))];
    return own.head.height >= other.head.height - 3 && other.head.height;
  });
  const status = await statusOf(node);
  expect(status).toMatchObject({ role: 'observer', observer_reason: expect.stringMatching(reason) });
  const explained = value(await node.client.explain());
  expect(explained).toMatchObject({ code: 'OBSERVER', reason: expect.stringMatching(reason) });
  const to = await grow(BLOCKS_WATCHED);
  for (const asked of cluster.nodes.slice(0, 3)) {
    for (let height = from + 1; height <= to; height += 1) {
      expect(await signersAt(asked, height), `signers of block ${height} on ${asked.name}`).not.toContain(node.seat);
    }
  }
}

async function expectOneChain(): Promise<void> {
  await load.stop();
  expect(unexpectedRefusals(load)).toEqual([]);
  const height = await cluster.settled();
  await auditChain(cluster.nodes, cluster.genesis, height);
  for (const { client, name } of cluster.nodes) expect(value(await client.evidence()).evidence, name).toEqual([]);
}

describe('an authority under load', () => {
  it('without its data comes back from its peers and votes again', async () => {
    const votes = new SignedVotes();
    await victim().kill();
    await votes.addJournal(victim(), cluster.genesis);
    rmSync(join(victim().home, 'data'), { recursive: true });
    await grow(BLOCKS_WATCHED);
    await victim().start();
    await expectSigning(victim());
    await expectOneChain();
    expect(await statusOf(victim())).toMatchObject({ role: 'authority', observer_reason: null });
    await victim().stop();
    await votes.addJournal(victim(), cluster.genesis);
    expect(votes.contradictions).toEqual([]);
  });

  it('without its journal observes and never signs', async () => {
    await victim().kill();
    rmSync(join(victim().home, 'journal'), { recursive: true });
    await victim().start();
    await expectObserver(victim(), /journal of the authority key is gone/);
    // Nor does it make a new journal for the old key: the next start says the same.
    await victim().stop();
    await victim().start();
    await expectObserver(victim(), /journal of the authority key is gone/);
    await expectOneChain();
  });

  it('without journal and data observes from genesis on', async () => {
    await victim().kill();
    for (const name of ['data', 'journal']) rmSync(join(victim().home, name), { recursive: true });
    await victim().start();
    await expectObserver(victim(), /journal of the authority key is gone/);
    await expectOneChain();
  });

  it('whose home was put back from a copy observes', async () => {
    await victim().stop();
    const copy = `${victim().home}.copy`;
    cpSync(victim().home, copy, { recursive: true });
    await victim().start();
    await expectSigning(victim());
    await victim().kill();
    rmSync(victim().home, { recursive: true });
    renameSync(copy, victim().home);
    await victim().start();
    await expectObserver(victim(), /restored from a copy/);
    await expectOneChain();
  });

  it('whose older journal was written over the newer files observes', async () => {
    await victim().stop();
    const journal = join(victim().home, 'journal');
    const before = readdirSync(journal).map((name) => [name, readFileSync(join(journal, name))] as const);
    await victim().start();
    await expectSigning(victim());
    await grow(2);
    await victim().kill();
    for (const name of readdirSync(journal)) {
      if (!before.some(([kept]) => kept === name)) rmSync(join(journal, name));
    }
    for (const [name, bytes] of before) writeFileSync(join(journal, name), bytes);
    await victim().start();
    await expectObserver(victim(), /older copy was put back|restored from a copy/);
    await expectOneChain();
  });

  it('whose whole older home was written over the newer files observes', async () => {
    await victim().stop();
    const copy = `${victim().home}.copy`;
    execFileSync('cp', ['-r', victim().home, copy]);
    await victim().start();
    await expectSigning(victim());
    await grow(2);
    await victim().kill();
    execFileSync('cp', ['-r', `${copy}/.`, victim().home]);
    await victim().start();
    await expectObserver(victim(), /older copy was put back|restored from a copy/);
    await expectOneChain();
  });
});

describe('one authority key on two machines', () => {
  it('signs on the first alone, and the chain goes on', async () => {
    const { home, seat, httpPort, peerPort } = victim();
    await victim().stop();
    execFileSync('cp', ['-r', home, `${home}.twin`]);
    await victim().start();
    await expectSigning(victim());
    const ports = { httpPort: httpPort + 20, peerPort: peerPort + 20 };
    twin = new NodeProcess({
      ...{ name: 'city-twin', seat, home: `${home}.twin`, ...ports },
      args: ['--api-port', String(ports.httpPort), '--listen-port', String(ports.peerPort)],
    });
    await twin.start();
    const from = await grow(BLOCKS_WATCHED);
    expect(await statusOf(twin)).toMatchObject({ role: 'observer' });
    const to = await grow(BLOCKS_WATCHED);
    let signed = 0;
    for (let height = from; height <= to; height += 1) {
      if ((await signersAt(cluster.node(0), height)).includes(seat)) signed += 1;
    }
    tell(`with a twin beside it, the first machine signed ${signed} of ${to - from + 1} blocks`);
    await twin.stop();
    await expectSigning(victim());
    await expectOneChain();
  });
});
