import { afterAll, beforeAll, expect, it } from 'vitest';
import { TicketId } from '../../../src/model/ids.ts';
import { openWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  world.node.issue('t-1');
  world.node.issue('t-2');
  world.node.keptFrom = 2;
  const versions = world.node.versions.get(TicketId('t-1'));
  if (versions !== undefined) world.node.versions.set(TicketId('t-1'), versions.slice(1));
});
afterAll(() => world.api.close());

async function get(path: string) {
  const response = await world.ask(path);
  return { status: response.status, body: (await response.json()) as { code?: string; detail?: string } };
}

it('what is not kept any more is gone, and not unknown', async () => {
  for (const path of ['/api/v1/blocks/1', '/api/v1/blocks/1/certificate', '/api/v1/tickets/t-1/history']) {
    const { status, body } = await get(path);
    expect([path, status, body.code]).toEqual([path, 410, 'PRUNED']);
    expect(body.detail).toContain('ask an archive');
  }
  expect((await get('/api/v1/blocks/2')).status).toBe(200);
  expect((await get('/api/v1/blocks/99')).status).toBe(404);
  expect((await get('/api/v1/tickets/t-2/history')).status).toBe(200);
  expect((await get('/api/v1/tickets/t-1')).status).toBe(200);
});
