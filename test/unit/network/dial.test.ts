import { afterEach, describe, expect, it } from 'vitest';
import type { MeshOptions } from '../../../src/network/mesh.ts';
import { Cleanup, createAuthority, createIdentities, freePorts, type Node, OTHER_CHAIN, until } from './harness.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** Nodes without a vote, by ascending id. */
async function followers(count: number, options: Partial<MeshOptions> = {}): Promise<Node[]> {
  const nodes: Node[] = [];
  for (const identity of createIdentities(count)) {
    nodes.push(await cleanup.node({ identity, acceptFollowers: true, ...options }));
  }
  return nodes;
}

async function pair(options: Partial<MeshOptions> = {}): Promise<[Node, Node]> {
  const [lower, higher] = await followers(2, options);
  if (lower === undefined || higher === undefined) throw new Error('two nodes');
  return [lower, higher];
}

async function dialled(node: Node, count = 1): Promise<unknown[]> {
  await until(() => node.of('dialled').length >= count, 'the dial is answered');
  return node.of('dialled').map(({ outcome }) => outcome);
}

describe('a dial by address', () => {
  it('makes a session with whoever lives there', async () => {
    const [one, other] = await pair();
    one.mesh.dial(other.address, 'session');
    expect(await dialled(one)).toEqual([{ reached: true, id: other.mesh.self }]);
    expect(one.events.map(({ type }) => type)).toEqual(['up', 'dialled']);
    expect(one.mesh.peers()).toMatchObject([{ id: other.mesh.self, direction: 'outbound', address: other.address }]);
    await until(() => other.isConnectedTo(one), 'the other knows');
    expect(other.mesh.peers()).toMatchObject([{ role: 'follower', direction: 'inbound', listenAddress: one.address }]);
  });

  it('only looks who is there, without a session on either side', async () => {
    const [one, other] = await pair();
    one.mesh.dial(other.address, 'probe');
    expect(await dialled(one)).toEqual([{ reached: true, id: other.mesh.self }]);
    await until(() => other.of('refused').length > 0, 'the other hears of it');
    expect(other.refusals).toEqual(['PROBED by them']);
    expect([one.of('up'), other.of('up'), one.of('refused')]).toEqual([[], [], []]);
  });

  it('of a node that is connected already leaves the session as it is', async () => {
    const [one, other] = await pair();
    one.mesh.dial(other.address, 'session');
    await dialled(one);
    one.mesh.dial(other.address, 'session');
    one.mesh.dial(other.address, 'probe');
    const reached = { reached: true, id: other.mesh.self };
    expect(await dialled(one, 3)).toEqual([reached, reached, reached]);
    expect([one.of('up').length, one.downs]).toEqual([1, []]);
  });

  it.each(['session', 'probe'] as const)('to itself (%s) is told as such', async (purpose) => {
    const [one] = await pair();
    one.mesh.dial(one.address, purpose);
    expect(await dialled(one)).toEqual([{ reached: false, reason: 'SELF', by: 'us' }]);
    expect(one.mesh.peers()).toEqual([]);
  });

  it('fails where nobody listens, and for what is no address', async () => {
    const [one] = await pair();
    const [port] = await freePorts(1);
    one.mesh.dial(`127.0.0.1:${port}`, 'session');
    one.mesh.dial('nonsense', 'session');
    const outcomes = await dialled(one, 2);
    expect(outcomes).toContainEqual({ reached: false, reason: 'UNREACHABLE', by: 'them' });
    expect(outcomes).toContainEqual({ reached: false, reason: 'UNREACHABLE', by: 'us' });
  });

  it('into another chain says so', async () => {
    const [one] = await followers(1);
    const [stranger] = await followers(1, { chainId: OTHER_CHAIN });
    if (one === undefined || stranger === undefined) throw new Error('two nodes');
    one.mesh.dial(stranger.address, 'session');
    expect(await dialled(one)).toEqual([{ reached: false, reason: 'WRONG_GENESIS', by: 'them' }]);
  });

  it('of each other at once ends in one session', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const [one, other] = await pair();
      one.mesh.dial(other.address, 'session');
      other.mesh.dial(one.address, 'session');
      await Promise.all([dialled(one), dialled(other)]);
      await until(() => one.mesh.peers().length === 1 && other.mesh.peers().length === 1, 'one session each');
      const [here] = one.mesh.peers();
      const [there] = other.mesh.peers();
      expect(here?.direction).not.toBe(there?.direction);
    }
  });

  it('is not answered by a node that has stopped', async () => {
    const [one, other] = await pair();
    one.mesh.dial(other.address, 'session');
    await one.mesh.close();
    expect(one.of('dialled')).toEqual([]);
    expect(other.mesh.peers()).toEqual([]);
  });
});

describe('room', () => {
  it('is bounded for those who come, not for those who are chosen, and kept for authorities', async () => {
    const authority = createAuthority();
    const [one, a, b, c] = await followers(4, { followersMax: 1 });
    if (one === undefined || a === undefined || b === undefined || c === undefined) throw new Error('four nodes');
    one.mesh.setAuthorities([{ publicKey: authority.publicKey }]);
    a.mesh.dial(one.address, 'session');
    expect(await dialled(a)).toMatchObject([{ reached: true }]);
    b.mesh.dial(one.address, 'session');
    expect(await dialled(b)).toEqual([{ reached: false, reason: 'TOO_MANY_PEERS', by: 'them' }]);
    one.mesh.dial(c.address, 'session');
    expect(await dialled(one)).toMatchObject([{ reached: true }]);
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('an identity');
    const voter = await cleanup.node({ identity, authority, acceptFollowers: true });
    voter.mesh.dial(one.address, 'session');
    expect(await dialled(voter)).toMatchObject([{ reached: true }]);
    await until(() => one.mesh.peers().length === 3, 'all three are up');
    expect(one.mesh.peers().find(({ id }) => id === identity.id)?.role).toBe('authority');
  });

  it('is bounded for each group of addresses, and made for one that has less of it than another', async () => {
    let group = 'crowd';
    const groups = new Map<string, string>();
    const groupOf = (address: string): string => {
      const known = groups.get(address) ?? group;
      groups.set(address, known);
      return known;
    };
    const guests = { followersMax: 3, followersPerGroupMax: 3, groupOf };
    const [one, a, b, c, d, e] = await followers(6, guests);
    if (!one || !a || !b || !c || !d || !e) throw new Error('six nodes');
    for (const crowding of [a, b, c]) {
      crowding.mesh.dial(one.address, 'session');
      expect(await dialled(crowding)).toMatchObject([{ reached: true }]);
    }
    d.mesh.dial(one.address, 'session');
    expect(await dialled(d)).toEqual([{ reached: false, reason: 'TOO_MANY_PEERS', by: 'them' }]);
    group = 'elsewhere';
    e.mesh.dial(one.address, 'session');
    expect(await dialled(e)).toMatchObject([{ reached: true }]);
    await until(() => one.isConnectedTo(e) && one.mesh.peers().length === 3, 'one of the crowd has left for it');
    expect(one.downs).toEqual(['TOO_MANY_PEERS by us']);
    expect(one.isConnectedTo(a)).toBe(true);
    await until(() => [...b.downs, ...c.downs].length === 1, 'it is told why');
    expect([...b.downs, ...c.downs]).toEqual(['TOO_MANY_PEERS by them']);
  });

  it('is not bounded by group on this machine: a network on it is no attack on itself', async () => {
    const [one, ...others] = await followers(4, { followersPerGroupMax: 1 });
    if (one === undefined) throw new Error('a node');
    for (const other of others) {
      other.mesh.dial(one.address, 'session');
      expect(await dialled(other)).toMatchObject([{ reached: true }]);
    }
    await until(() => one.mesh.peers().length === 3, 'all are up');
  });

  it('is refused for a while to those that were cut off, unless this node dials them itself', async () => {
    const cutOff = new Set<string>();
    const [one, other] = await pair({ isCutOff: (id) => cutOff.has(id) });
    other.mesh.dial(one.address, 'session');
    await until(() => one.isConnectedTo(other), 'they are connected');
    cutOff.add(other.mesh.self);
    one.mesh.disconnect(other.mesh.self, 'DISCONNECTED');
    await until(() => other.downs.includes('DISCONNECTED by them'), 'the other is told');
    other.mesh.dial(one.address, 'session');
    await until(() => other.of('dialled').length === 2, 'it tries again');
    expect(other.of('dialled')[1]?.outcome).toEqual({ reached: false, reason: 'DISCONNECTED', by: 'them' });
    one.mesh.dial(other.address, 'session');
    await until(() => one.isConnectedTo(other), 'the operator connects them');
  });

  it('is refused to banned nodes, whoever dials, and never to authorities', async () => {
    const banned = new Set<string>();
    const authority = createAuthority();
    const [one, other] = await pair({ isBanned: (id) => banned.has(id) });
    one.mesh.setAuthorities([{ publicKey: authority.publicKey }]);
    banned.add(other.mesh.self);
    other.mesh.dial(one.address, 'session');
    expect(await dialled(other)).toEqual([{ reached: false, reason: 'BANNED', by: 'them' }]);
    one.mesh.dial(other.address, 'session');
    expect(await dialled(one)).toEqual([{ reached: false, reason: 'BANNED', by: 'us' }]);
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('an identity');
    banned.add(identity.id);
    const voter = await cleanup.node({ identity, authority, acceptFollowers: true });
    voter.mesh.dial(one.address, 'session');
    expect(await dialled(voter)).toMatchObject([{ reached: true }]);
  });
});

describe('a node that only knows peers', () => {
  it('says so, unless it proves an authority key', async () => {
    const [one] = await followers(1);
    const [first] = await followers(1, { isBootstrap: true });
    if (one === undefined || first === undefined) throw new Error('two nodes');
    one.mesh.dial(first.address, 'session');
    await dialled(one);
    expect(one.mesh.peers()[0]?.role).toBe('bootstrap');
    await until(() => first.mesh.peers()[0]?.role === 'follower', 'it sees a follower');
  });
});
