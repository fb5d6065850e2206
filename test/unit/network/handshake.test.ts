import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../../src/lib/bytes.ts';
import { PublicKey, Signature } from '../../../src/model/ids.ts';
import type { NodeIdentity } from '../../../src/network/identity.ts';
import { decodeFrame, decodeHello, encodeMessage, encodePing, type Hello } from '../../../src/network/wire.ts';
import {
  type AuthorityKey,
  Cleanup,
  connectedPair,
  createAuthority,
  createIdentities,
  createPair,
  type Node,
  type NodeOptions,
  OTHER_CHAIN,
  until,
} from './harness.ts';
import { dialRaw, hostAndPort, listenRaw, RawPeer } from './raw-peer.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

function createOneIdentity(): NodeIdentity {
  const [identity] = createIdentities(1);
  if (identity === undefined) throw new Error('no identity');
  return identity;
}

/** A node that listens, and the key of another authority that it would let in. */
async function listeningNode(options: Partial<NodeOptions> = {}): Promise<{ node: Node; friend: AuthorityKey }> {
  const node = await cleanup.node({ identity: createOneIdentity(), authority: createAuthority(), ...options });
  const friend = createAuthority();
  node.mesh.setAuthorities([node.contact(), { publicKey: friend.publicKey }]);
  return { node, friend };
}

async function dial(node: Node, identity = createOneIdentity()): Promise<RawPeer> {
  return cleanup.add(await dialRaw(node.address, identity), ({ ws }) => ws.terminate());
}

describe('whoever dials', () => {
  test('is let in with a good hello, and not answered before it', async () => {
    const { node, friend } = await listeningNode();
    const peer = await dial(node);
    expect(peer.payloads).toEqual([]);
    await peer.introduce(friend);
    await until(() => node.of('up').length === 1, 'the session comes up');
    expect(node.mesh.peers()[0]).toMatchObject({
      authorityKey: friend.publicKey,
      head: { height: 7 },
      version: '9.9.9',
    });
    expect(node.mesh.peers()[0]).not.toHaveProperty('listenAddress');
    expect(node.mesh.pendingConnections).toBe(0);
  });

  const changed: [string, Partial<Hello>, string][] = [
    ['another network', { networkId: 'another' }, 'WRONG_NETWORK'],
    ['another genesis', { genesisHash: OTHER_CHAIN }, 'WRONG_GENESIS'],
    ['another protocol', { protocolMajor: 1 }, 'PROTOCOL_MISMATCH'],
    ['no proof', { authorityProof: null }, 'MALFORMED_HELLO'],
    ['no proof, as an observer', { authorityProof: null, role: 'observer' }, 'MALFORMED_HELLO'],
    ['no proof, as a follower', { authorityProof: null, role: 'follower' }, 'NOT_AN_AUTHORITY'],
  ];
  test.each(changed)('is told why it is refused: %s', async (_, changes, refusal) => {
    const { node, friend } = await listeningNode();
    const peer = await dial(node);
    peer.ws.send(peer.hello(friend, changes));
    await peer.closed();
    expect(peer.refusals).toEqual([refusal]);
    expect(peer.frames.map(({ kind }) => kind)).toEqual(['error']);
    expect(node.refusals).toEqual([`${refusal} by us`]);
    expect(node.of('up')).toEqual([]);
  });

  test('is refused with the proof of a stranger key, and with a signature of another key', async () => {
    const { node, friend } = await listeningNode();
    const stranger = createAuthority();
    const honest = await dial(node);
    honest.ws.send(honest.hello(stranger));
    await honest.closed();
    expect(honest.refusals).toEqual(['NOT_AN_AUTHORITY']);
    const liar = await dial(node);
    liar.ws.send(liar.hello({ ...friend, sign: stranger.sign }));
    await liar.closed();
    expect(liar.refusals).toEqual(['NOT_AN_AUTHORITY']);
  });

  test('is refused with a proof that it made on another channel of the same node key', async () => {
    const { node, friend } = await listeningNode();
    const identity = createOneIdentity();
    const first = await dial(node, identity);
    const second = await dial(node, identity);
    second.ws.send(first.hello(friend));
    await second.closed();
    expect(second.refusals).toEqual(['NOT_AN_AUTHORITY']);
    await first.introduce(friend);
  });

  test('is refused with the key of the node itself', async () => {
    const { node } = await listeningNode();
    const peer = await dial(node);
    if (node.authority === undefined) throw new Error('no authority');
    peer.ws.send(peer.hello(node.authority));
    await peer.closed();
    expect(peer.refusals).toEqual(['SELF']);
  });

  test('cannot pass on the hello of an authority that dialled it', async () => {
    const { node, friend } = await listeningNode();
    const mallory = createOneIdentity();
    const outcome: { refusals?: string[]; relayed?: Hello } = {};
    const trap = await listenRaw(mallory.tls, (ws) => {
      const relay = async (hello: Uint8Array): Promise<void> => {
        const decoded = decodeHello(hello.subarray(1));
        if (decoded.ok) outcome.relayed = decoded.value;
        const peer = await dial(node, mallory);
        peer.ws.send(hello);
        await peer.closed();
        outcome.refusals = peer.refusals;
      };
      ws.once('message', (hello: Uint8Array) => void relay(hello));
    });
    cleanup.add(trap, ({ close }) => close());
    const victim = await cleanup.node({ identity: createOneIdentity(), authority: friend });
    victim.mesh.setAuthorities([{ ...node.contact(), address: trap.address }, victim.contact()]);
    await until(() => outcome.refusals !== undefined, 'the relay is judged');
    expect(outcome.refusals).toEqual(['NOT_AN_AUTHORITY']);
    expect(outcome.relayed?.authorityProof?.publicKey).toBe(friend.publicKey);
    expect(node.of('up')).toEqual([]);
  });
});

describe('whoever is dialled', () => {
  /** A node that dials a listener which answers the hello with what `answer` makes of it. */
  async function dialled(
    answer: (peer: RawPeer, hello: Uint8Array) => Uint8Array,
    key = createAuthority(),
  ): Promise<Node> {
    const identity = createOneIdentity();
    const trap = await listenRaw(identity.tls, (ws, socket) => {
      const peer = new RawPeer(ws, socket, identity, 'inbound');
      ws.once('message', (hello: Uint8Array) => ws.send(answer(peer, hello)));
    });
    cleanup.add(trap, ({ close }) => close());
    const node = await cleanup.node({ identity: createOneIdentity(), authority: createAuthority() });
    node.mesh.setAuthorities([node.contact(), { publicKey: key.publicKey, address: trap.address }]);
    await until(() => node.refusals.length > 0 || node.of('up').length > 0, 'the answer is judged');
    return node;
  }

  test('is accepted with a good hello', async () => {
    const friend = createAuthority();
    const node = await dialled((peer) => peer.hello(friend), friend);
    expect(node.refusals).toEqual([]);
    expect(node.mesh.peers()).toMatchObject([{ authorityKey: friend.publicKey, direction: 'outbound' }]);
  });

  test('cannot reflect the proof, nor the whole hello', async () => {
    const whole = await dialled((_, hello) => hello);
    expect(whole.refusals[0]).toBe('NOT_AN_AUTHORITY by us');
    const friend = createAuthority();
    const proofOnly = await dialled((peer, hello) => {
      const decoded = decodeHello(hello.subarray(1));
      if (!decoded.ok || decoded.value.authorityProof === null) throw new Error('no hello');
      const { signature } = decoded.value.authorityProof;
      return peer.hello(friend, { authorityProof: { publicKey: friend.publicKey, signature } });
    }, friend);
    expect(proofOnly.refusals[0]).toBe('NOT_AN_AUTHORITY by us');
    expect(proofOnly.of('up')).toEqual([]);
  });

  test('must be the authority whose address it is, not another of the set', async () => {
    const { lower, higher } = await createPair(cleanup, 'none');
    const awaited = createAuthority();
    const { publicKey } = lower.contact();
    higher.mesh.setAuthorities([
      { publicKey: awaited.publicKey, address: lower.address },
      higher.contact(),
      { publicKey },
    ]);
    await until(() => higher.refusals.length > 0, 'the answer is judged');
    expect(higher.refusals[0]).toBe('NOT_AN_AUTHORITY by us');
    expect(higher.mesh.peers()).toEqual([]);
  });

  test('does not lose its session to a wrong address that leads to it', async () => {
    const { lower, higher } = await connectedPair(cleanup);
    const awaited = { publicKey: createAuthority().publicKey, address: lower.address };
    higher.mesh.setAuthorities([awaited, higher.contact(), lower.contact()]);
    await until(() => higher.refusals.length > 0, 'the address is judged');
    expect(higher.refusals[0]).toBe('DUPLICATE_SESSION by us');
    await until(() => lower.refusals.length > 0, 'the other side hears of it');
    expect([...higher.downs, ...lower.downs]).toEqual([]);
  });

  test('must hold the node key, where that is known', async () => {
    const { lower, higher } = await connectedPair(cleanup, 'lower');
    const [stranger] = createIdentities(1);
    if (stranger === undefined) throw new Error('no identity');
    lower.mesh.setAuthorities([lower.contact(), { ...higher.contact(), id: stranger.id }]);
    lower.mesh.disconnect(higher.mesh.self, 'DISCONNECTED');
    await until(() => lower.refusals.length > 0, 'the dial is judged');
    expect(lower.refusals[0]).toBe('NOT_AN_AUTHORITY by us');
    expect(lower.mesh.peers()).toEqual([]);
  });
});

describe('before its hello', () => {
  test.each([
    ['a message', encodeMessage(utf8('vote'))],
    ['a ping', encodePing('ping', 1)],
    ['an empty frame', new Uint8Array(0)],
    ['garbage', new Uint8Array(300).fill(0xa5)],
  ])('nothing else is heard: %s', async (_, payload) => {
    const { node } = await listeningNode();
    const peer = await dial(node);
    peer.ws.send(payload);
    await peer.closed();
    expect(peer.refusals).toEqual(['MALFORMED_HELLO']);
    expect(node.of('frame')).toEqual([]);
  });

  test('text is no frame', async () => {
    const { node, friend } = await listeningNode();
    const peer = await dial(node);
    peer.ws.send(peer.hello(friend), { binary: false });
    await peer.closed();
    expect(peer.refusals).not.toContain('NOT_AN_AUTHORITY');
    expect(node.of('up')).toEqual([]);
  });

  test('a stranger cannot make the node hold more than a hello', async () => {
    const { node } = await listeningNode();
    const peer = await dial(node);
    peer.ws.send(new Uint8Array(3 * 1_048_576), { fin: false });
    await peer.closed();
    expect(node.refusals).toEqual(['MALFORMED_HELLO by us']);
    await until(() => node.mesh.pendingConnections === 0, 'its place is free');
  });

  test('a refused stranger that goes on is cut', async () => {
    const { node } = await listeningNode();
    const peer = await dial(node);
    for (let count = 0; count < 200; count += 1) peer.ws.send(encodeMessage(new Uint8Array(1_000)));
    await peer.closed();
    expect(node.of('frame')).toEqual([]);
    await until(() => node.mesh.pendingConnections === 0, 'its place is free');
  });

  test('a refused stranger that neither reads nor leaves loses its place', async () => {
    const { node, friend } = await listeningNode();
    const peer = await dial(node);
    peer.socket.pause();
    peer.ws.send(peer.hello(friend, { networkId: 'another' }));
    await until(() => node.refusals.length === 1, 'it is refused');
    await until(() => node.mesh.pendingConnections === 0, 'its place is free');
  });

  test('whoever says hello and is gone leaves nothing behind', async () => {
    const { node, friend } = await listeningNode();
    for (let round = 0; round < 20; round += 1) {
      const peer = await dial(node);
      peer.ws.send(peer.hello(friend));
      if (round % 2 === 0) peer.socket.destroy();
      else peer.socket.end();
    }
    await until(() => node.mesh.pendingConnections === 0 && node.mesh.peers().length === 0, 'all are gone');
    expect(node.of('up').length).toBe(node.of('down').length);
    await (await dial(node)).introduce(friend);
  });

  test('silence ends the connection, at every stage', async () => {
    const { node } = await listeningNode({ connectionTimeoutMs: 300 });
    const tcp = connect(hostAndPort(node.address));
    cleanup.add(tcp, (socket) => socket.destroy());
    const ends: string[] = [];
    tcp.once('close', () => ends.push('tcp'));
    tcp.on('error', () => {});
    const silent = await dial(node);
    const slow = await dial(node);
    const hello = encodePing('ping', 0);
    slow.socket.write(hello.subarray(0, 1));
    await Promise.all([silent.closed(), slow.closed(), until(() => ends.length === 1, 'TCP is cut')]);
    expect(silent.refusals).toEqual(['HELLO_TIMEOUT']);
    expect(node.refusals.every((refusal) => refusal === 'HELLO_TIMEOUT by us')).toBe(true);
    expect(node.refusals.length).toBe(3);
    await until(() => node.mesh.pendingConnections === 0, 'the places are free');
  });
});

test('a proof is checked by the function that the node was given, with what the wire says', async () => {
  const seen: [string, string][] = [];
  const { node } = await listeningNode({
    checkSignature: (publicKey, _message, signature) => {
      seen.push([publicKey, toHex(signature)]);
      return false;
    },
  });
  const peer = await dial(node);
  const proof = { publicKey: PublicKey('12'.repeat(32)), signature: Signature('34'.repeat(64)) };
  peer.ws.send(peer.hello(createAuthority(), { authorityProof: proof }));
  await peer.closed();
  expect(seen).toEqual([[proof.publicKey, proof.signature]]);
  expect(decodeFrame(peer.payloads[0] ?? new Uint8Array(0))).toMatchObject({ ok: true, value: { kind: 'error' } });
});
