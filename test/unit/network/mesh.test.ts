import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { Height } from '../../../src/model/ids.ts';
import { ListenError } from '../../../src/network/listener.ts';
import {
  CHAIN,
  Cleanup,
  connectedPair,
  createAuthority,
  createIdentities,
  createPair,
  freePorts,
  Node,
  until,
} from './harness.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('a session', () => {
  test.each(['lower', 'higher'] as const)(
    'comes up when the %s id dials, and carries frames both ways',
    async (dials) => {
      const { lower, higher } = await connectedPair(cleanup, dials);
      expect(lower.mesh.send(higher.mesh.self, utf8('down'), 'consensus')).toBe(true);
      expect(higher.mesh.send(lower.mesh.self, utf8('up'), 'transactions')).toBe(true);
      await until(() => lower.of('frame').length === 1 && higher.of('frame').length === 1, 'both frames arrive');
      expect(higher.of('frame')).toEqual([{ type: 'frame', peer: lower.mesh.self, frame: utf8('down') }]);
      expect(lower.of('frame')).toEqual([{ type: 'frame', peer: higher.mesh.self, frame: utf8('up') }]);
      expect(lower.mesh.peers()).toMatchObject([
        {
          id: higher.mesh.self,
          role: 'authority',
          authorityKey: higher.authority?.publicKey,
          authorityIndex: 1,
          direction: dials === 'lower' ? 'outbound' : 'inbound',
          listenAddress: higher.address,
          version: '0.1.0',
          head: { height: 0 },
        },
      ]);
    },
  );

  test('measures its round trip', async () => {
    const { lower, higher } = await connectedPair(cleanup);
    const latencies = () => [lower, higher].map(({ mesh }) => mesh.peers()[0]?.latencyMs);
    await until(() => latencies().every((latency) => latency !== undefined && latency > 0), 'both have an answer');
  });

  test('carries frames of the largest size, and counts nothing as silence meanwhile', async () => {
    const { lower, higher } = await connectedPair(cleanup, 'higher', { heartbeatIntervalMs: 200 });
    const frame = new Uint8Array(4 * 1_048_576).map((_, index) => index * 31);
    for (const [from, to] of [
      [lower, higher],
      [higher, lower],
    ] as const) {
      expect([1, 2, 3].map(() => from.mesh.send(to.mesh.self, frame, 'sync'))).toEqual([true, true, true]);
      await until(() => to.of('frame').length === 3, 'all arrive');
      for (const event of to.of('frame')) expect(Buffer.compare(event.frame, frame)).toBe(0);
    }
    expect([...lower.downs, ...higher.downs]).toEqual([]);
  });

  test('tells the head of the moment at which it came up', async () => {
    let height = 4;
    const head = () => ({ height: Height(height), hash: CHAIN });
    const { lower, higher } = await createPair(cleanup, 'none', { head });
    height = 5;
    higher.mesh.setAuthorities([lower.contact(), higher.contact()]);
    await until(() => lower.isConnectedTo(higher), 'the pair connects');
    expect(lower.of('up')[0]?.peer.head).toEqual({ height: 5, hash: CHAIN });
  });

  test('to nobody sends nothing', async () => {
    const { lower, higher } = await createPair(cleanup, 'none');
    expect(lower.mesh.send(higher.mesh.self, utf8('x'), 'consensus')).toBe(false);
    expect(lower.mesh.waiting(higher.mesh.self)).toEqual({ frames: 0, bytes: 0 });
  });
});

describe('one session is left', () => {
  test('when many pairs dial each other at once: the one that the lower id dialled', async () => {
    const ports = await freePorts(6);
    const identities = createIdentities(6);
    const nodes = identities.map((identity, index) =>
      cleanup.add(new Node({ identity, authority: createAuthority(), listen: { port: ports[index] ?? 0 } }), (node) =>
        node.mesh.close(),
      ),
    );
    const contacts = nodes.map((node, index) => node.contact(`127.0.0.1:${ports[index]}`));
    for (const { mesh } of nodes) mesh.setAuthorities(contacts);
    await Promise.all(nodes.map((node) => node.start()));
    await until(() => nodes.every(({ mesh }) => mesh.peers().length === 5), 'the mesh is full');
    await until(() => nodes.every(({ mesh }) => mesh.pendingConnections === 0), 'nothing is left over');
    for (const [index, { mesh }] of nodes.entries()) {
      expect(mesh.peers().map(({ authorityIndex }) => authorityIndex)).toEqual(
        nodes.map((_, other) => other).filter((other) => other !== index),
      );
      for (const peer of mesh.peers()) {
        const other = nodes.find((node) => node.mesh.self === peer.id);
        expect(other?.mesh.peers().find(({ id }) => id === mesh.self)?.direction).toBe(
          peer.direction === 'inbound' ? 'outbound' : 'inbound',
        );
      }
    }
    for (const { mesh } of nodes) for (const { id } of mesh.peers()) mesh.send(id, utf8('hello'), 'consensus');
    await until(() => nodes.every((node) => node.of('frame').length === 5), 'every pair can talk');
    expect(nodes.flatMap(({ downs }) => downs)).toEqual([]);
  });

  test('when a node comes back before its old session is noticed to be dead', async () => {
    const { lower, higher } = await connectedPair(cleanup);
    higher.mesh.setAuthorities([{ publicKey: lower.contact().publicKey }, higher.contact()]);
    const again = await cleanup.node({
      identity: higher.identity,
      ...(higher.authority === undefined ? {} : { authority: higher.authority }),
    });
    again.mesh.setAuthorities([lower.contact(), { publicKey: higher.contact().publicKey }]);
    await until(() => lower.of('up').length === 2, 'the newer one comes up');
    expect(lower.mesh.peers().length).toBe(1);
    expect(lower.downs).toEqual(['DUPLICATE_SESSION by us']);
    lower.mesh.send(again.mesh.self, utf8('to the living'), 'consensus');
    await until(() => again.of('frame').length === 1, 'frames reach the newer one');
  });

  test('when one authority key answers for two nodes: the newer', async () => {
    const { lower, higher } = await connectedPair(cleanup);
    higher.mesh.setAuthorities([{ publicKey: lower.contact().publicKey }, higher.contact()]);
    const [identity] = createIdentities(1);
    if (identity === undefined || higher.authority === undefined) throw new Error('no identity');
    const second = await cleanup.node({ identity, authority: higher.authority });
    second.mesh.setAuthorities([lower.contact(), { publicKey: higher.authority.publicKey }]);
    await until(() => lower.isConnectedTo(second), 'the second comes up');
    expect(lower.isConnectedTo(higher)).toBe(false);
  });
});

describe('a session ends', () => {
  test('at once when the other side stops, and comes back with it', async () => {
    const [port = 0] = await freePorts(1);
    const { lower, higher } = await createPair(cleanup, 'none');
    await lower.mesh.close();
    const revive = async (): Promise<Node> => {
      const node = await cleanup.node({
        identity: lower.identity,
        listen: { port },
        ...(lower.authority === undefined ? {} : { authority: lower.authority }),
      });
      node.mesh.setAuthorities([node.contact(), { publicKey: higher.contact().publicKey }]);
      return node;
    };
    const first = await revive();
    higher.mesh.setAuthorities([first.contact(), higher.contact()]);
    await until(() => higher.isConnectedTo(first), 'the first comes up');
    await first.mesh.close();
    await until(() => higher.of('down').length === 1, 'the end is noticed');
    expect(higher.downs).toEqual(['STOPPING by them']);
    expect(first.downs).toEqual(['STOPPING by us']);
    await until(() => higher.refusals.includes('UNREACHABLE by them'), 'it dials in vain');
    const second = await revive();
    await until(() => higher.isConnectedTo(second) && second.isConnectedTo(higher), 'it comes back');
  });

  test('when the node disconnects a peer: no frame of it arrives any more', async () => {
    const { lower, higher } = await connectedPair(cleanup);
    higher.mesh.setAuthorities([{ publicKey: lower.contact().publicKey }, higher.contact()]);
    higher.mesh.send(lower.mesh.self, utf8('on its way'), 'consensus');
    lower.mesh.disconnect(higher.mesh.self, 'DISCONNECTED');
    expect(lower.downs).toEqual(['DISCONNECTED by us']);
    expect(lower.mesh.peers()).toEqual([]);
    await until(() => higher.of('down').length === 1, 'the other side hears of it');
    expect(higher.downs).toEqual(['DISCONNECTED by them']);
    expect(lower.of('frame')).toEqual([]);
  });

  test('with an authority that leaves the set, and not with one that stays at another place', async () => {
    const { lower, higher } = await connectedPair(cleanup);
    const newcomer = { publicKey: createAuthority().publicKey };
    lower.mesh.setAuthorities([newcomer, higher.contact(), lower.contact()]);
    expect(lower.mesh.peers()[0]?.authorityIndex).toBe(1);
    lower.mesh.setAuthorities([newcomer, lower.contact()]);
    expect(lower.downs).toEqual(['NOT_AN_AUTHORITY by us']);
    await until(() => higher.refusals.includes('NOT_AN_AUTHORITY by them'), 'the other dials in vain');
    lower.mesh.setAuthorities([lower.contact(), higher.contact()]);
    await until(() => lower.isConnectedTo(higher), 'it is let in again');
  });
});

describe('a node', () => {
  test('names the option when its port is taken', async () => {
    const holder = cleanup.add(createServer(), (server) => server.close());
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('no identity');
    const node = new Node({ identity, listen: { port } });
    const failure = await node.start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ListenError);
    expect(failure).toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining('listen_port') });
    await node.mesh.close();
  });

  test('does not dial itself, under its own key or under another', async () => {
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('no identity');
    const node = await cleanup.node({ identity, authority: createAuthority() });
    node.mesh.setAuthorities([node.contact(), { publicKey: createAuthority().publicKey, address: node.address }]);
    await until(() => node.refusals.length === 2, 'both ends notice');
    expect(node.refusals.toSorted()).toEqual(['SELF by us', 'SELF by us']);
    expect(node.mesh.peers()).toEqual([]);
  });

  test('tells of an address that is none', async () => {
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('no identity');
    const node = await cleanup.node({ identity, authority: createAuthority() });
    node.mesh.setAuthorities([node.contact(), { publicKey: createAuthority().publicKey, address: 'nowhere' }]);
    expect(node.of('refused')).toMatchObject([{ address: 'nowhere', reason: 'UNREACHABLE', by: 'us' }]);
  });

  test('lets followers in when told to, up to its bound, and authorities always', async () => {
    const { lower } = await createPair(cleanup, 'none', { acceptFollowers: true, followersMax: 1 });
    const follow = async (): Promise<Node> => {
      const [identity] = createIdentities(1);
      if (identity === undefined) throw new Error('no identity');
      const follower = await cleanup.node({ identity });
      follower.mesh.setAuthorities([lower.contact()]);
      return follower;
    };
    const first = await follow();
    await until(() => lower.isConnectedTo(first), 'the first follower comes up');
    expect(lower.mesh.peers()).toMatchObject([{ role: 'follower' }]);
    expect(lower.mesh.peers()[0]).not.toHaveProperty('authorityKey');
    const second = await follow();
    await until(() => second.refusals.includes('TOO_MANY_PEERS by them'), 'the second is refused');
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('no identity');
    const authority = await cleanup.node({ identity, authority: createAuthority() });
    lower.mesh.setAuthorities([lower.contact(), authority.contact()]);
    authority.mesh.setAuthorities([lower.contact(), authority.contact()]);
    await until(() => lower.isConnectedTo(authority), 'an authority comes up');
  });

  test('keeps one session with a follower that dials twice, the newer', async () => {
    const { lower } = await createPair(cleanup, 'none', { acceptFollowers: true });
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('no identity');
    const follow = async (): Promise<Node> => {
      const follower = await cleanup.node({ identity });
      follower.mesh.setAuthorities([lower.contact()]);
      await until(() => follower.isConnectedTo(lower), 'it connects');
      return follower;
    };
    const first = await follow();
    first.mesh.setAuthorities([{ publicKey: lower.contact().publicKey }]);
    const second = await follow();
    await until(() => !first.isConnectedTo(lower), 'the older is told');
    expect(lower.downs).toEqual(['DUPLICATE_SESSION by us']);
    expect(first.downs).toEqual(['DUPLICATE_SESSION by them']);
    expect(lower.mesh.peers().length).toBe(1);
    expect(second.downs).toEqual([]);
  });

  test('that only dials has no address and works', async () => {
    const { lower } = await createPair(cleanup, 'none');
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('no identity');
    const authority = createAuthority();
    const node = cleanup.add(new Node({ identity, authority, listen: undefined }), ({ mesh }) => mesh.close());
    expect(node.mesh.listenAddress).toBeUndefined();
    lower.mesh.setAuthorities([lower.contact(), { publicKey: authority.publicKey }]);
    node.mesh.setAuthorities([lower.contact(), { publicKey: authority.publicKey }]);
    await node.start();
    await until(() => lower.isConnectedTo(node), 'it comes up');
  });
});
