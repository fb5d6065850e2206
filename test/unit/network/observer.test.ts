import { afterEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import type { NodeIdentity } from '../../../src/network/identity.ts';
import { type AuthorityKey, Cleanup, createAuthority, createIdentities, type Node, until } from './harness.ts';
import { dialRaw } from './raw-peer.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface Keys {
  readonly identity: NodeIdentity;
  readonly authority: AuthorityKey;
}

/** A node that waits for an authority, whose node id is the lower or the higher of the two. */
async function waiting(whose: 'lower' | 'higher'): Promise<{ readonly node: Node; readonly keys: Keys }> {
  const [low, high] = createIdentities(2);
  if (low === undefined || high === undefined) throw new Error('no identities');
  const [theirs, own] = whose === 'lower' ? [low, high] : [high, low];
  const keys = { identity: theirs, authority: createAuthority() };
  const node = await cleanup.node({ identity: own, authority: createAuthority() });
  node.mesh.setAuthorities([node.contact(), { publicKey: keys.authority.publicKey }]);
  return { node, keys };
}

/** Somebody who holds these keys and dials the node. */
async function run({ identity, authority }: Keys, votes: boolean, dialled: Node): Promise<Node> {
  const node = await cleanup.node({ identity, authority: { ...authority, votes: () => votes } });
  node.mesh.setAuthorities([dialled.contact(), { publicKey: authority.publicKey }]);
  return node;
}

describe.each(['lower', 'higher'] as const)('of an authority with the %s id', (whose) => {
  test('an observer with its keys does not displace it', async () => {
    const { node, keys } = await waiting(whose);
    const voter = await run(keys, true, node);
    await until(() => node.isConnectedTo(voter), 'the voter is connected');
    const copy = await run(keys, false, node);
    await until(() => copy.refusals.filter((reason) => reason === 'SEAT_TAKEN by them').length >= 2, 'two refusals');
    expect([...node.downs, ...voter.downs]).toEqual([]);
    expect(copy.of('up')).toEqual([]);
    node.mesh.send(voter.mesh.self, utf8('to the voter'), 'consensus');
    await until(() => voter.of('frame').length === 1, 'frames reach the voter');
  });

  test('an observer with its authority key and another node key does not displace it', async () => {
    const { node, keys } = await waiting(whose);
    const voter = await run(keys, true, node);
    await until(() => node.isConnectedTo(voter), 'the voter is connected');
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('no identity');
    const copy = await run({ ...keys, identity }, false, node);
    await until(() => copy.refusals.includes('SEAT_TAKEN by them'), 'a refusal');
    expect([...node.downs, ...voter.downs]).toEqual([]);
  });

  test('an observer with its keys makes room for it, and has the place when it is gone', async () => {
    const { node, keys } = await waiting(whose);
    const copy = await run(keys, false, node);
    await until(() => node.isConnectedTo(copy), 'the copy is connected');
    const voter = await run(keys, true, node);
    await until(() => voter.isConnectedTo(node), 'the voter comes up');
    expect(node.downs).toEqual(['DUPLICATE_SESSION by us']);
    await until(() => copy.downs.length === 1, 'the copy is told');
    await voter.mesh.close();
    await until(() => copy.of('up').length === 2, 'the copy comes back');
    expect(voter.downs).toEqual(['STOPPING by us']);
  });

  test('an observer with its keys that dialled makes room for it when it is dialled', async () => {
    const { node, keys } = await waiting(whose);
    const voter = await cleanup.node(keys);
    voter.mesh.setAuthorities([{ publicKey: node.contact().publicKey }, voter.contact()]);
    const copy = await run(keys, false, node);
    await until(() => node.isConnectedTo(copy), 'the copy is connected');
    node.mesh.setAuthorities([node.contact(), { publicKey: createAuthority().publicKey }]);
    await until(() => copy.downs.length === 1, 'it is let go');
    node.mesh.setAuthorities([node.contact(), voter.contact()]);
    await until(() => voter.isConnectedTo(node), 'the voter comes up');
    await until(() => copy.refusals.includes('SEAT_TAKEN by them'), 'the copy is refused');
    expect(voter.downs).toEqual([]);
  });

  test('an observer comes back before its old session is noticed to be dead', async () => {
    const { node, keys } = await waiting(whose);
    const first = await run(keys, false, node);
    await until(() => node.isConnectedTo(first) && first.isConnectedTo(node), 'the first is connected');
    first.mesh.setAuthorities([{ publicKey: node.contact().publicKey }]);
    const again = await run(keys, false, node);
    await until(() => node.of('up').length === 2, 'the newer one comes up');
    expect(again.refusals).toEqual([]);
    expect(node.downs).toEqual(['DUPLICATE_SESSION by us']);
  });
});

test('a voter displaces the half-open session of its former life', async () => {
  const { node, keys } = await waiting('lower');
  const dead = cleanup.add(await dialRaw(node.address, keys.identity), ({ ws }) => ws.terminate());
  await dead.introduce(keys.authority);
  await until(() => node.of('up').length === 1, 'the first is connected');
  const again = await run(keys, true, node);
  await until(() => again.isConnectedTo(node), 'the second comes up');
  expect(node.downs).toEqual(['DUPLICATE_SESSION by us']);
});
