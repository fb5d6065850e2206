import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Height, hexBytes, ZERO_HASH } from '../../src/model/ids.ts';
import { createIdentity } from '../../src/network/identity.ts';
import { Mesh } from '../../src/network/mesh.ts';
import { createSigner } from '../../src/node/keys/key-pair.ts';
import { strangeCertificate } from '../unit/network/raw-peer.ts';
import { value } from './support/chain-audit.ts';
import { Cluster } from './support/cluster.ts';
import { Load, unexpectedRefusals } from './support/load.ts';
import type { NodeProcess } from './support/node-process.ts';
import { tell, until } from './support/until.ts';

const MIB = 1_048_576;
/** The load itself makes a heap grow by half of that before it is collected. */
const GROWTH_BYTES_MAX = 256 * MIB;
const CONNECTIONS = 200;
/** A connection that says nothing, or nothing of use, is cut within this and some patience. */
const CUT_MS_MAX = 15_000;

let cluster: Cluster;
let load: Load;
let rssBefore: readonly number[];

beforeAll(async () => {
  cluster = await Cluster.started();
  rssBefore = cluster.nodes.map((node) => node.rssBytes());
  load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes, lanes: 4, pauseMs: 20 });
});

afterAll(async () => {
  await load?.stop();
  await cluster?.close();
});

/** The chain goes on while something is done to its nodes' peer ports, and all are connected and alive afterwards. */
async function whileFinalising(work: (target: NodeProcess) => Promise<void>): Promise<void> {
  const before = load.acknowledged.length;
  const pids = cluster.nodes.map(({ pid }) => pid);
  await Promise.all(cluster.nodes.map(work));
  await cluster.until('writes to be final', 20_000, () => load.acknowledged.length >= before + 10);
  await cluster.until('all four to be connected', 20_000, async () => {
    return (await cluster.statuses()).every(({ connected }) => connected === 4);
  });
  expect(cluster.nodes.map(({ pid }) => pid)).toEqual(pids);
}

async function peersOf({ url }: NodeProcess): Promise<readonly { readonly id: string; readonly role: string }[]> {
  const response = await fetch(`${url}/api/v1/peers`);
  const { peers } = (await response.json()) as { peers: readonly { id: string; role: string }[] };
  return peers;
}

/** Resolves when the other side has ended the connection, however it did. */
function cut(socket: Socket | TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setDeadline(() => reject(new Error(`a connection lives for ${CUT_MS_MAX} ms`)));
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('close', () => {
      timer();
      resolve();
    });
  });
}

/** @returns what calls it off */
function setDeadline(passed: () => void): () => void {
  const signal = AbortSignal.timeout(CUT_MS_MAX);
  signal.addEventListener('abort', passed);
  return () => signal.removeEventListener('abort', passed);
}

function open({ peerPort }: NodeProcess): Socket {
  return connect(peerPort, '127.0.0.1');
}

describe('the peer port, met by strangers while the chain is at work', () => {
  it('takes no bytes that are no TLS', async () => {
    await whileFinalising(async (node) => {
      const sockets = Array.from({ length: 20 }, () => open(node));
      for (const socket of sockets) socket.write(randomBytes(5_000));
      await Promise.all(sockets.map(cut));
    });
  });

  it('cuts connections that say nothing', async () => {
    await whileFinalising(async (node) => {
      const sockets = Array.from({ length: 20 }, () => open(node));
      const halves = Array.from({ length: 20 }, () => open(node));
      // The first bytes of a TLS record, and then nothing.
      for (const socket of halves) socket.write(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
      await Promise.all([...sockets, ...halves].map(cut));
    });
  });

  it('takes no TLS without a certificate, or with one that is no node key', async () => {
    const options = { minVersion: 'TLSv1.3', rejectUnauthorized: false, host: '127.0.0.1' } as const;
    await whileFinalising(async ({ peerPort: port }) => {
      const certificates = [{}, strangeCertificate('rsa'), strangeCertificate('ec'), {}];
      const sockets = certificates.map((own) => connectTls({ ...options, ...own, port }));
      await Promise.all(sockets.map(cut));
    });
  });

  it('takes no WebSocket of a stranger, whatever it says first', async () => {
    await whileFinalising(async ({ peerPort: port }) => {
      const { tls } = createIdentity(randomBytes(32));
      const sockets = Array.from({ length: 10 }, () =>
        connectTls({ ...tls, host: '127.0.0.1', port, rejectUnauthorized: false }),
      );
      for (const [index, socket] of sockets.entries()) {
        socket.write(
          index % 2 === 0 ? randomBytes(6_000) : `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(10_000)}\r\n\r\n`,
        );
      }
      await Promise.all(sockets.map(cut));
    });
  });

  it('knows an authority by its key: a stranger who claims the role is a follower like any other', async () => {
    const [target] = cluster.nodes;
    const signer = createSigner(randomBytes(32));
    let claimed = 0;
    const stranger = new Mesh({
      identity: createIdentity(randomBytes(32)),
      networkId: cluster.genesis.networkId,
      chainId: cluster.genesis.chainId,
      version: '0.0.0',
      authority: { publicKey: signer.publicKey, sign: (message) => hexBytes(signer.sign(message)), votes: () => true },
      checkSignature: () => true,
      head: () => ({ height: Height(0), hash: ZERO_HASH }),
      random: Math.random,
      heartbeatIntervalMs: 200,
    });
    const [first] = cluster.genesis.authorities;
    if (target === undefined || first === undefined) throw new Error('there is an authority');
    stranger.setAuthorities([{ publicKey: first.publicKey, address: `127.0.0.1:${target.peerPort}` }]);
    await stranger.start((event) => {
      if (event.type === 'up') claimed += 1;
    });
    await until(() => claimed > 0, { what: 'the stranger to be let in', deadlineMs: 20_000 });
    const peers = await peersOf(target);
    await stranger.close();
    expect(peers.find(({ id }) => id === stranger.self)).toMatchObject({ role: 'follower' });
    expect(peers.filter(({ role }) => role === 'authority')).toHaveLength(3);
  });

  it('is not filled by connections, and opens again when they are gone', async () => {
    await whileFinalising(async (node) => {
      const sockets = Array.from({ length: CONNECTIONS }, () => open(node));
      await Promise.all(sockets.map(cut));
    });
    // Any authority can come back through a port that was full a moment ago.
    const node = cluster.node(2);
    await node.kill();
    await node.start();
    await cluster.until('it to be connected again', 20_000, async () => {
      return (await cluster.statuses()).every(({ connected }) => connected === 4);
    });
  });

  it('costs its node no memory that is not given back', async () => {
    await load.stop();
    expect(unexpectedRefusals(load)).toEqual([]);
    await cluster.settled();
    for (const [index, node] of cluster.nodes.entries()) {
      const growth = node.rssBytes() - (rssBefore[index] ?? 0);
      tell(`${node.name} has grown by ${Math.round(growth / MIB)} MiB`);
      expect(growth, `growth of ${node.name} in bytes`).toBeLessThan(GROWTH_BYTES_MAX);
      expect(value(await node.client.evidence()).evidence).toEqual([]);
      // Strangers cannot fill the log: refusals are counted, not told one by one.
      expect(node.log().match(/connection refused/g)?.length ?? 0).toBeLessThan(100);
    }
  });
});
