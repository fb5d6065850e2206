import { afterEach, describe, expect, it } from 'vitest';
import { MemoryPeers } from './memory-peers.ts';
import { jsonOf, openWorld, TOKEN, type World, type WorldOptions } from './world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.api.close();
  world = undefined;
});

async function open(options: WorldOptions = {}): Promise<World> {
  world = await openWorld(options);
  return world;
}

const ID = MemoryPeers.FOLLOWER;

describe('the peers of a node', () => {
  it('are connected and disconnected by its operator', async () => {
    const { post, node } = await open();
    const connected = await post('/api/v1/peers/connect', { address: '10.0.0.7:7281' });
    expect([connected.status, await jsonOf(connected)]).toEqual([202, { address: '10.0.0.7:7281' }]);
    expect(node.peers.dialled).toEqual(['10.0.0.7:7281']);
    const gone = await post('/api/v1/peers/disconnect', { id: ID });
    expect([gone.status, await jsonOf(gone)]).toEqual([200, { id: ID }]);
    const again = await post('/api/v1/peers/disconnect', { id: ID });
    expect([again.status, (await jsonOf(again)).code]).toEqual([404, 'UNKNOWN_PEER']);
  });

  it('are banned for a day unless told otherwise, listed, and let in again', async () => {
    const { post, ask } = await open();
    const banned = await jsonOf(await post('/api/v1/peers/ban', { id: ID }));
    const since = '2026-05-28T20:26:40.000Z';
    expect(banned).toEqual({ id: ID, reason: 'OPERATOR', since, until: '2026-05-29T20:26:40.000Z', times: 1 });
    const shorter = await jsonOf(await post('/api/v1/peers/ban', { id: ID, seconds: 60 }));
    expect(shorter).toMatchObject({ until: '2026-05-28T20:27:40.000Z', times: 2 });
    expect(await jsonOf(await ask('/api/v1/peers/banned'))).toEqual({ banned: [shorter] });
    expect((await post('/api/v1/peers/unban', { id: ID })).status).toBe(200);
    expect((await jsonOf(await post('/api/v1/peers/unban', { id: ID }))).code).toBe('UNKNOWN_PEER');
    expect(await jsonOf(await ask('/api/v1/peers/banned'))).toEqual({ banned: [] });
  });

  it('that are authorities are never banned, and a name alone names no stranger', async () => {
    const { post } = await open();
    const authority = await post('/api/v1/peers/ban', { id: MemoryPeers.AUTHORITY });
    expect([authority.status, (await jsonOf(authority)).code]).toEqual([409, 'PEER_IS_AUTHORITY']);
    const stranger = await post('/api/v1/peers/ban', { id: 'nobody' });
    expect([stranger.status, (await jsonOf(stranger)).code]).toEqual([404, 'UNKNOWN_PEER']);
  });

  it.each([
    ['connect', {}],
    ['connect', { address: 'nonsense' }],
    ['connect', { address: '127.0.0.1:0' }],
    ['connect', { address: '127.0.0.1:1', id: ID }],
    ['disconnect', { id: '' }],
    ['ban', { id: ID, seconds: 0 }],
    ['ban', { id: ID, seconds: 1.5 }],
    ['ban', { id: ID, seconds: 400 * 86_400 }],
    ['unban', { id: 'two words' }],
  ])('%s does not take %j', async (name, body) => {
    const { post } = await open();
    const answer = await post(`/api/v1/peers/${name}`, body);
    expect([answer.status, (await jsonOf(answer)).code]).toEqual([400, 'BAD_REQUEST']);
  });

  it.each(['connect', 'disconnect', 'ban', 'unban'])('%s takes the operator token', async (name) => {
    const { post } = await open();
    const answer = await post(`/api/v1/peers/${name}`, { id: ID }, { authorization: 'Bearer wrong' });
    expect(answer.status).toBe(401);
  });

  it.each(['ban', 'unban'])('%s takes it on a devnet as well', async (name) => {
    const { post } = await open({ devnet: true });
    const open_ = await post('/api/v1/peers/connect', { address: '127.0.0.1:9' }, { authorization: '' });
    expect(open_.status).toBe(202);
    const without = await post(`/api/v1/peers/${name}`, { id: ID }, { authorization: '' });
    expect(without.status).toBe(401);
    const with_ = await post(`/api/v1/peers/${name}`, { id: ID }, { authorization: `Bearer ${TOKEN}` });
    expect(with_.status).not.toBe(401);
  });
});
