import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devnetKeys } from '../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../src/devnet/keys.ts';
import { type Ballot, ballotSigningBytes, type Certificate, type Vote } from '../../src/model/certificate.ts';
import { Epoch, Hash, Height, View } from '../../src/model/ids.ts';
import { createSigner } from '../../src/node/keys/key-pair.ts';
import { signersAt, value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { Load } from './support/load.ts';
import type { NodeProcess } from './support/node-process.ts';
import { Rogue } from './support/rogue.ts';

const BLOCKS_WATCHED = 6;

let cluster: Cluster;
let load: Load | undefined;
let rogue: Rogue | undefined;

beforeAll(async () => {
  cluster = await Cluster.started();
});

afterAll(async () => {
  await load?.stop();
  await rogue?.close();
  await cluster?.close();
});

/** Signed with the key of an authority by somebody who has got hold of it. */
function stolenVote(owner: NodeProcess, ballot: Ballot): Vote {
  const signer = createSigner(devnetKeyPair(devnetKeys(owner.name).authority).secretKey);
  const signature = signer.sign(ballotSigningBytes(cluster.genesis.chainId, ballot));
  return { ...ballot, signer: owner.seat, signature };
}

function certificateOf(owners: readonly NodeProcess[], ballot: Ballot): Certificate {
  const votes = owners.map((owner) => stolenVote(owner, ballot)).sort((a, b) => a.signer - b.signer);
  return {
    ...ballot,
    signers: votes.map(({ signer }) => signer),
    signatures: votes.map(({ signature }) => signature),
  };
}

async function intrude(seat: NodeProcess): Promise<Rogue> {
  await seat.stop();
  const intruder = await Rogue.inSeatOf(cluster, seat);
  rogue = intruder;
  await cluster.until('the rogue to be connected', 20_000, () => intruder.peers.length === 3);
  return intruder;
}

async function restart(node: NodeProcess): Promise<void> {
  await node.stop();
  await node.start();
}

describe('what ends the part of an authority, over a restart', () => {
  it('signatures of its key that it never made: it observes for good', async () => {
    const [victim, place] = [cluster.node(3), cluster.node(1)];
    const intruder = await intrude(place);
    const { head, view } = await statusOf(victim);
    const ballot = { phase: 'COMMIT', epoch: Epoch(0), view: View(view), height: Height(head.height + 1) } as const;
    const vote = (byte: string): Vote => stolenVote(victim, { ...ballot, digest: Hash(byte.repeat(32)) });
    intruder.say({ kind: 'evidence', evidence: { kind: 'double-vote', first: vote('aa'), second: vote('bb') } });
    await cluster.until('the victim to give its seat up', 20_000, async () => {
      return (await statusOf(victim)).role === 'observer';
    });
    await intruder.close();
    await place.start();
    await restart(victim);
    const reason = /another machine signs with this authority's key/;
    expect(await statusOf(victim)).toMatchObject({
      role: 'observer',
      observer_reason: expect.stringMatching(reason),
    });
    load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.others(victim), lanes: 2, pauseMs: 50 });
    const from = (await statusOf(cluster.node(0))).head.height + 1;
    const to = await cluster.until('the chain to grow', 30_000, async () => {
      const { height } = (await statusOf(cluster.node(0))).head;
      return height >= from + BLOCKS_WATCHED && height;
    });
    await load.stop();
    for (let height = from; height <= to; height += 1) {
      expect(await signersAt(cluster.node(0), height), `signers of block ${height}`).not.toContain(victim.seat);
    }
    await cluster.until('the victim to explain it', 20_000, async () => {
      const { code, reason: said } = value(await victim.client.explain());
      return code === 'OBSERVER' && reason.test(said);
    });
  });

  it('a second certificate for a final height: it stays halted, and shows both', async () => {
    const [victim, place] = [cluster.node(2), cluster.node(1)];
    await cluster.settled();
    const intruder = await intrude(place);
    const { head, view } = await statusOf(victim);
    const ballot = { phase: 'COMMIT', epoch: Epoch(0), view: View(view + 1), height: Height(head.height) } as const;
    const rival = certificateOf(cluster.others(victim), { ...ballot, digest: Hash('cc'.repeat(32)) });
    intruder.say({ kind: 'certificate', certificate: rival });
    const expectHalted = async (): Promise<void> => {
      await cluster.until('the victim to explain its halt', 20_000, async () => {
        const { code, reason } = value(await victim.client.explain());
        return code === 'HALTED' && /people must decide/.test(reason);
      });
      const { halt } = value(await victim.client.evidence());
      expect(halt).toMatchObject({ reason: 'SAFETY', checkpoints: [] });
      expect(halt?.certificates.map(({ digest }) => digest)).toEqual([head.hash, rival.digest]);
      expect((await victim.client.ready()).ok).toBe(false);
    };
    await expectHalted();
    await restart(victim);
    await expectHalted();
    expect(victim.log()).toContain('this node has halted earlier and takes no part');
  });
});
