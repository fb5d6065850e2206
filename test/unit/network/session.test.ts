import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  CONSENSUS_LANE_BYTES_MAX,
  CONSENSUS_LANE_FRAMES_MAX,
  FRAME_BYTES_MAX,
  PEER_FRAMES_BURST,
  PENDING_CONNECTIONS_PER_ADDRESS_MAX,
  SEND_BUFFER_BYTES_MAX,
  SYNC_LANE_FRAMES_MAX,
} from '../../../src/model/limits.ts';
import { LANES, type Lane } from '../../../src/network/transport.ts';
import { encodeError, encodeMessage, encodePing } from '../../../src/network/wire.ts';
import {
  Cleanup,
  connectedPair,
  createAuthority,
  createIdentities,
  type Node,
  type NodeOptions,
  until,
} from './harness.ts';
import { dialRaw, hostAndPort, type RawPeer } from './raw-peer.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** A node with one peer that does as the test says. */
async function nodeWithPeer(options: Partial<NodeOptions> = {}): Promise<{ node: Node; peer: RawPeer }> {
  const [own, theirs] = createIdentities(2);
  if (own === undefined || theirs === undefined) throw new Error('no identities');
  const node = await cleanup.node({
    identity: own,
    authority: createAuthority(),
    heartbeatIntervalMs: 60_000,
    ...options,
  });
  const friend = createAuthority();
  node.mesh.setAuthorities([node.contact(), { publicKey: friend.publicKey }]);
  const peer = cleanup.add(await dialRaw(node.address, theirs), ({ ws }) => ws.terminate());
  await peer.introduce(friend);
  await until(() => node.of('up').length === 1, 'the session comes up');
  return { node, peer };
}

/** A frame that says where it stands. */
function numbered(lane: Lane, value: number, length = 8): Uint8Array {
  const frame = new Uint8Array(length);
  frame[0] = LANES.indexOf(lane);
  new DataView(frame.buffer).setUint32(1, value);
  return frame;
}

function laneOf(frame: Uint8Array): Lane | undefined {
  return LANES[frame[0] ?? -1];
}

describe('frames leave', () => {
  test('in order within each lane, and consensus first of what one turn produced', async () => {
    const { lower, higher } = await connectedPair(cleanup);
    const count = 200;
    for (let value = 0; value < count; value += 1) {
      for (const lane of LANES.toReversed()) lower.mesh.send(higher.mesh.self, numbered(lane, value), lane);
    }
    await until(() => higher.of('frame').length === 3 * count, 'all arrive');
    const frames = higher.of('frame').map(({ frame }) => frame);
    expect(frames.map(laneOf)).toEqual(LANES.flatMap((lane) => Array<Lane>(count).fill(lane)));
    for (const lane of LANES) {
      expect(
        frames.filter((frame) => laneOf(frame) === lane).map((frame) => new DataView(frame.buffer).getUint32(1)),
      ).toEqual(Array.from({ length: count }, (_, value) => value));
    }
  });

  test('so that a consensus frame overtakes what waits in the other lanes of a slow peer', async () => {
    const { node, peer } = await nodeWithPeer();
    peer.socket.pause();
    const { id } = peer.identity;
    let sent = 0;
    while (node.mesh.waiting(id).frames < 8) {
      node.mesh.send(id, numbered('sync', sent, 1_048_576), 'sync');
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(node.mesh.send(id, numbered('consensus', 0), 'consensus')).toBe(true);
    peer.socket.resume();
    await until(() => peer.messages.length === sent + 1, 'all arrive');
    const position = peer.messages.findIndex((frame) => laneOf(frame) === 'consensus');
    expect(position).toBeGreaterThanOrEqual(0);
    expect(position).toBeLessThanOrEqual(sent - 7);
  });
});

describe('a peer that does not read', () => {
  test('fills its sync lane to the bound, then frames are dropped', async () => {
    const { node, peer } = await nodeWithPeer();
    peer.socket.pause();
    const { id } = peer.identity;
    let isTaken = true;
    for (let count = 0; isTaken && count < 10_000; count += 1) {
      isTaken = node.mesh.send(id, new Uint8Array(60_000), 'sync');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(isTaken).toBe(false);
    expect(node.mesh.waiting(id).frames).toBe(SYNC_LANE_FRAMES_MAX);
    expect(node.mesh.peers().length).toBe(1);
    expect(node.mesh.send(id, new Uint8Array(8), 'transactions')).toBe(true);
  });

  test('shows in what waits for its socket, until it does', async () => {
    const { node, peer } = await nodeWithPeer();
    const { id } = peer.identity;
    expect(node.mesh.backlog(id)).toBe(0);
    peer.socket.pause();
    // More than the operating systems of both ends take at once: what is with the socket counts as waiting, too.
    for (let count = 0; count < 12; count += 1) node.mesh.send(id, new Uint8Array(1_048_576), 'sync');
    await until(() => node.mesh.waiting(id).frames < 12, 'the socket has taken some');
    expect(node.mesh.backlog(id)).toBeGreaterThan(node.mesh.waiting(id).bytes);
    expect(node.mesh.backlog(id)).toBeGreaterThan(SEND_BUFFER_BYTES_MAX);
    expect(node.mesh.backlog()).toBe(node.mesh.backlog(id));
    peer.socket.resume();
    await until(() => node.mesh.backlog() === 0, 'everything is sent');
    expect(node.mesh.backlog(node.mesh.self)).toBe(0);
  });

  test('loses its session when its consensus lane overflows', async () => {
    const { node, peer } = await nodeWithPeer();
    peer.socket.pause();
    const { id } = peer.identity;
    let waitingMax = 0;
    for (let count = 0; node.mesh.peers().length > 0 && count < 10_000; count += 1) {
      node.mesh.send(id, new Uint8Array(1_048_576), 'consensus');
      waitingMax = Math.max(waitingMax, node.mesh.waiting(id).bytes);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(node.downs).toEqual(['SLOW_READER by us']);
    expect(waitingMax).toBeGreaterThan(CONSENSUS_LANE_BYTES_MAX / 2);
    expect(waitingMax).toBeLessThanOrEqual(CONSENSUS_LANE_BYTES_MAX);
    expect(node.mesh.send(id, new Uint8Array(8), 'consensus')).toBe(false);
  });

  test('is bounded in frames too', async () => {
    const { node, peer } = await nodeWithPeer();
    const { id } = peer.identity;
    const taken = Array.from({ length: CONSENSUS_LANE_FRAMES_MAX + 1 }, () =>
      node.mesh.send(id, new Uint8Array(1), 'consensus'),
    );
    expect(taken.indexOf(false)).toBe(CONSENSUS_LANE_FRAMES_MAX);
    expect(node.downs).toEqual(['SLOW_READER by us']);
  });

  test('is silent when it does not speak either', async () => {
    const { node, peer } = await nodeWithPeer({ heartbeatIntervalMs: 100 });
    peer.socket.pause();
    await until(() => node.of('down').length === 1, 'the silence is noticed');
    expect(node.downs).toEqual(['SILENT by them']);
  });

  test('is borne with for longer where one of the two has no vote', async () => {
    const { node, peer } = await nodeWithPeer({ heartbeatIntervalMs: 100, acceptFollowers: true });
    const [stranger] = createIdentities(1);
    if (stranger === undefined) throw new Error('no identity');
    const follower = cleanup.add(await dialRaw(node.address, stranger), ({ ws }) => ws.terminate());
    await follower.introduce();
    await until(() => node.of('up').length === 2, 'the follower is there');
    follower.socket.pause();
    peer.socket.pause();
    await until(() => node.of('down').length > 0, 'the silence of the voter is noticed');
    expect(node.of('down').map(({ peer: { id } }) => id)).toEqual([peer.identity.id]);
    expect(node.mesh.peers().map(({ id }) => id)).toEqual([stranger.id]);
  });

  test('is not silent while it speaks', async () => {
    const { node, peer } = await nodeWithPeer({ heartbeatIntervalMs: 100 });
    peer.socket.pause();
    const timer = cleanup.add(
      setInterval(() => peer.ws.send(encodePing('ping', 0)), 50),
      (interval) => clearInterval(interval),
    );
    const start = performance.now();
    await until(() => performance.now() - start > 500, 'five intervals pass');
    expect(node.downs).toEqual([]);
    clearInterval(timer);
    await until(() => node.of('down').length === 1, 'then the silence is noticed');
    expect(node.downs).toEqual(['SILENT by them']);
  });
});

describe('a peer that is gone', () => {
  test('is down at once when its socket closes', async () => {
    const { node, peer } = await nodeWithPeer({ heartbeatIntervalMs: 60_000 });
    peer.socket.destroy();
    await until(() => node.of('down').length === 1, 'the end is noticed');
    expect(node.downs).toEqual(['LOST by them']);
  });

  test('has said why', async () => {
    const { node, peer } = await nodeWithPeer();
    peer.ws.send(encodeError('FLOOD'));
    peer.ws.send(encodeMessage(new Uint8Array(8)));
    await until(() => node.of('down').length === 1, 'the end is noticed');
    expect(node.downs).toEqual(['FLOOD by them']);
    await peer.closed();
    expect(node.of('frame')).toEqual([]);
  });
});

describe('a peer that misbehaves', () => {
  const ends: [string, (peer: RawPeer) => void, string][] = [
    ['a frame above the limit', ({ ws }) => ws.send(new Uint8Array(FRAME_BYTES_MAX + 2)), 'FRAME_TOO_LARGE'],
    [
      'a frame that only announces such a length',
      ({ socket }) => socket.write(Uint8Array.of(0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4)),
      'FRAME_TOO_LARGE',
    ],
    [
      'thousands of tiny fragments',
      ({ ws }) => {
        for (let count = 0; count < 5_000; count += 1) ws.send(Uint8Array.of(4), { fin: false });
      },
      'FLOOD',
    ],
    [
      'bytes that are no WebSocket frames',
      ({ socket }) => socket.write(new Uint8Array(100).fill(0xff)),
      'MALFORMED_FRAME',
    ],
    ['text', ({ ws }) => ws.send('{"vote":1}'), 'MALFORMED_FRAME'],
    ['a frame of an unknown kind', ({ ws }) => ws.send(Uint8Array.of(99, 1)), 'MALFORMED_FRAME'],
    ['an empty frame', ({ ws }) => ws.send(new Uint8Array(0)), 'MALFORMED_FRAME'],
    ['a second hello', (peer) => peer.ws.send(peer.hello(undefined)), 'MALFORMED_FRAME'],
  ];
  test.each(ends)('loses its session: %s', async (_, misbehave, reason) => {
    const { node, peer } = await nodeWithPeer();
    misbehave(peer);
    await until(() => node.of('down').length === 1, 'the session ends');
    expect(node.downs).toEqual([`${reason} by us`]);
    expect(node.of('frame')).toEqual([]);
    await peer.closed();
  });

  test('a frame of the largest size is none of that', async () => {
    const { node, peer } = await nodeWithPeer();
    peer.ws.send(encodeMessage(new Uint8Array(FRAME_BYTES_MAX)));
    await until(() => node.of('frame').length === 1, 'it arrives');
    expect(node.of('frame')[0]?.frame.length).toBe(FRAME_BYTES_MAX);
  });

  test.each([
    ['frames', (peer: RawPeer) => peer.ws.send(encodeMessage(new Uint8Array(1)))],
    ['pings', (peer: RawPeer) => peer.ws.send(encodePing('ping', 1))],
    ['pings of the WebSocket layer', (peer: RawPeer) => peer.ws.ping()],
  ])('a flood ends its session: %s', async (_, send) => {
    const { node, peer } = await nodeWithPeer();
    for (let turn = 0; node.of('down').length === 0 && turn < 1_000; turn += 1) {
      for (let count = 0; count < 1_000; count += 1) send(peer);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => node.of('down').length === 1, 'the session ends');
    expect(node.downs).toEqual(['FLOOD by us']);
    expect(node.of('frame').length).toBeLessThan(10 * PEER_FRAMES_BURST);
  });

  test('pings without reading make the node hold one pong', async () => {
    const { node, peer } = await nodeWithPeer();
    peer.socket.pause();
    for (let count = 0; count < 5_000; count += 1) peer.ws.send(encodePing('ping', count));
    peer.ws.send(encodeMessage(new Uint8Array(1)));
    await until(() => node.of('frame').length === 1, 'all pings are read');
    expect(node.mesh.waiting(peer.identity.id)).toEqual({ frames: 0, bytes: 0 });
  });
});

describe('strangers', () => {
  test('who speak no TLS are cut, and honest peers are served meanwhile', async () => {
    const { node } = await nodeWithPeer();
    const closed: number[] = [];
    for (let count = 0; count < 20; count += 1) {
      const socket = cleanup.add(connect(hostAndPort(node.address)), (opened) => opened.destroy());
      socket.on('error', () => {});
      socket.once('close', () => closed.push(count));
      socket.resume();
      socket.write(new Uint8Array(2_000).fill(count));
    }
    await until(() => closed.length === 20, 'all are cut');
    await until(() => node.mesh.pendingConnections === 0, 'their places are free');
    expect(node.refusals.every((refusal) => refusal === 'BAD_IDENTITY by us')).toBe(true);
    expect(node.downs).toEqual([]);
  });

  test('who open many sockets get a bounded number, and lose them in time', async () => {
    const { node, peer } = await nodeWithPeer({ connectionTimeoutMs: 1_000 });
    let closed = 0;
    const count = 2 * PENDING_CONNECTIONS_PER_ADDRESS_MAX;
    for (let opened = 0; opened < count; opened += 1) {
      const socket = cleanup.add(connect(hostAndPort(node.address)), (open) => open.destroy());
      socket.on('error', () => {});
      socket.once('close', () => {
        closed += 1;
      });
    }
    let pendingMax = 0;
    await until(() => {
      pendingMax = Math.max(pendingMax, node.mesh.pendingConnections);
      return closed === count;
    }, 'all are cut');
    expect(pendingMax).toBe(PENDING_CONNECTIONS_PER_ADDRESS_MAX);
    expect(node.refusals).toContain('TOO_MANY_PEERS by us');
    expect(node.refusals).toContain('HELLO_TIMEOUT by us');
    expect(node.downs).toEqual([]);
    peer.ws.send(encodeMessage(new Uint8Array(1)));
    await until(() => node.of('frame').length === 1, 'the peer is served');
  });
});

test('a node that stops does so although its peers do not answer', async () => {
  const { node, peer } = await nodeWithPeer();
  peer.socket.pause();
  const stranger = cleanup.add(connect(hostAndPort(node.address)), (socket) => socket.destroy());
  stranger.on('error', () => {});
  await until(() => node.mesh.pendingConnections === 1, 'the stranger is in');
  node.mesh.send(peer.identity.id, new Uint8Array(FRAME_BYTES_MAX), 'sync');
  await node.mesh.close();
  expect(node.downs).toEqual(['STOPPING by us']);
  expect(node.mesh.peers()).toEqual([]);
  expect(node.mesh.send(peer.identity.id, new Uint8Array(1), 'consensus')).toBe(false);
});
