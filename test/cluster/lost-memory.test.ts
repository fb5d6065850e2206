import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditChain, signersAt, value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { SignedVotes } from './support/journal-audit.ts';
import { Load, unexpectedRefusals } from './support/load.ts';
import { NodeProcess } from './support/node-process.ts';
import { IS_LONG } from './support/until.ts';

/** How much of the chain must pass by without a vote of a key that has lost its memory. */
const BLOCKS_WATCHED = IS_LONG ? 40 : 8;

let cluster: Cluster;
let load: Load;
let twin: NodeProcess | undefined;
/** All that the victim ever signed. */
const votes = new SignedVotes();

beforeAll(async () => {
  cluster = await Cluster.started({ parameters: { checkpointInterval: 20 } });
  load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes.slice(0, 3), lanes: 3, pauseMs: 100 });
  await grow(BLOCKS_WATCHED);
});

afterAll(async () => {
  await load?.stop();
  await twin?.kill();
  await cluster?.close();
});

/** The authority whose memory is lost; the load goes through the three others. */
function victim(): NodeProcess {
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

async function expectSigning(node: NodeProcess): Promise<void> {
  await cluster.until(`${node.name} to sign again`, 20_000, async () => {
    const { height } = (await statusOf(cluster.node(0))).head;
    return (await signersAt(cluster.node(0), height)).includes(node.seat);
  });
}

/** The node says what has become of its key, follows the chain, and none of the next blocks has its vote. */
async function expectObserver(node: NodeProcess, reason: RegExp): Promise<void> {
  const from = await cluster.until(`${node.name} to catch up`, 20_000, async () => {
    const [own, other] = [await statusOf(node), await statusOf(cluster.node(0))];
    return own.head.height >= other.head.height - 3 && other.head.height;
  });
  const status = await statusOf(node);
  expect(status).toMatchObject({ role: 'observer', observer_reason: expect.stringMatching(reason) });
  // A graver cause, such as a block that is late on a busy machine, is told first.
  await cluster.until(`${node.name} to explain that it observes`, 20_000, async () => {
    const { code, reason: said } = value(await node.client.explain());
    return code === 'OBSERVER' && reason.test(said);
  });
  const to = await grow(BLOCKS_WATCHED);
  for (const asked of cluster.nodes.slice(0, 3)) {
    for (let height = from + 1; height <= to; height += 1) {
      expect(await signersAt(asked, height), `signers of block ${height} on ${asked.name}`).not.toContain(node.seat);
    }
  }
}

/** How often one of the three ended a session with the victim's keys because another one came up. */
function displacements(): number {
  const logs = cluster.others(victim()).map((node) => node.log());
  return logs
    .join('')
    .split('\n')
    .filter((line) => line.includes('"DUPLICATE_SESSION"') && line.includes('peer gone')).length;
}

/** The node says that it observes, and that whoever votes with its key is connected in its place. */
async function expectOutside(node: NodeProcess): Promise<void> {
  await cluster.until(`${node.name} to explain why it is alone`, 20_000, async () => {
    const { code, reason } = value(await node.client.explain());
    return code === 'OBSERVER' && /copy.* Another node votes with its key/.test(reason);
  });
}

/** Ends the process and takes note of its votes. */
async function end(how: 'kill' | 'stop'): Promise<void> {
  await victim()[how]();
  await votes.addJournal(victim(), cluster.genesis);
}

// One authority, one network: each case begins with a key that votes, until the one that takes its memory for good.
describe('an authority of a network under load', () => {
  it('without its data comes back from its peers and votes again', async () => {
    await end('kill');
    rmSync(join(victim().home, 'data'), { recursive: true });
    await grow(BLOCKS_WATCHED);
    await victim().start();
    await expectSigning(victim());
    expect(await statusOf(victim())).toMatchObject({ role: 'authority', observer_reason: null });
  });

  it('whose home is a copy observes, and votes again from the home that was not copied', async () => {
    await end('stop');
    const { home } = victim();
    cpSync(home, `${home}.copy`, { recursive: true });
    await victim().start();
    await expectSigning(victim());
    await end('kill');
    renameSync(home, `${home}.own`);
    renameSync(`${home}.copy`, home);
    await victim().start();
    await expectObserver(victim(), /restored from a copy/);
    await victim().stop();
    rmSync(home, { recursive: true });
    renameSync(`${home}.own`, home);
    await victim().start();
    await expectSigning(victim());
  });

  it('whose home was copied to a second machine does not vote there, and is not kept from voting here', async () => {
    const { home, seat, httpPort, peerPort } = victim();
    await end('stop');
    execFileSync('cp', ['-r', home, `${home}.twin`]);
    await victim().start();
    await expectSigning(victim());
    const ports = { httpPort: httpPort + 20, peerPort: peerPort + 20 };
    twin = new NodeProcess({
      ...{ name: 'city-twin', seat, home: `${home}.twin`, ...ports },
      args: ['--api-port', String(ports.httpPort), '--listen-port', String(ports.peerPort)],
    });
    const displaced = displacements();
    await twin.start();
    expect(await statusOf(twin)).toMatchObject({
      role: 'observer',
      observer_reason: expect.stringMatching(/restored from a copy/),
    });
    await expectOutside(twin);
    await grow(BLOCKS_WATCHED);
    await expectSigning(victim());
    expect(displacements()).toBe(displaced);

    // Its place is free while the first machine is away; that one gets it back at once.
    await end('kill');
    await cluster.until('the copy to have the place', 20_000, async () => {
      return twin !== undefined && (await statusOf(twin)).connected === 3;
    });
    await victim().start();
    await expectSigning(victim());
    await expectOutside(twin);
    expect(displacements()).toBeGreaterThan(displaced);
    await twin.stop();
  });

  it('whose older journal was written over the newer files observes', async () => {
    await end('stop');
    const journal = join(victim().home, 'journal');
    const before = readdirSync(journal).map((name) => [name, readFileSync(join(journal, name))] as const);
    await victim().start();
    await expectSigning(victim());
    await grow(2);
    await end('kill');
    for (const name of readdirSync(journal)) {
      if (!before.some(([kept]) => kept === name)) rmSync(join(journal, name));
    }
    for (const [name, bytes] of before) writeFileSync(join(journal, name), bytes);
    await victim().start();
    await expectObserver(victim(), /older copy was put back|restored from a copy/);
    await victim().stop();
  });

  it('without its journal observes, and makes no new one for the old key', async () => {
    rmSync(join(victim().home, 'journal'), { recursive: true });
    await victim().start();
    await expectObserver(victim(), /journal of the authority key is gone/);
    await victim().stop();
    await victim().start();
    await expectObserver(victim(), /journal of the authority key is gone/);
  });

  it('without journal and data observes from genesis on', async () => {
    await victim().kill();
    for (const name of ['data', 'journal']) rmSync(join(victim().home, name), { recursive: true });
    await victim().start();
    await expectObserver(victim(), /journal of the authority key is gone/);
  });

  it('never contradicted itself, and there is one chain', async () => {
    await load.stop();
    expect(unexpectedRefusals(load)).toEqual([]);
    const height = await cluster.settled();
    await auditChain(cluster.nodes, cluster.genesis, height);
    for (const { client, name } of cluster.nodes) expect(value(await client.evidence()).evidence, name).toEqual([]);
    expect(votes.size).toBeGreaterThan(10);
    expect(votes.contradictions).toEqual([]);
  });
});
