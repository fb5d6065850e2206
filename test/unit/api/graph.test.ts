import { describe, expect, it } from 'vitest';
import type { GraphAccess } from '../../../src/api/graph/access.ts';
import { jsonOf, openWorld, type WorldOptions } from './world.ts';

const PATHS = ['/api/v1/graph', '/doc/ticket/t-1', '/api/v1/tickets/t-1/provenance'];

/** Its thread has not opened the index yet. */
const UNOPENED: GraphAccess = {
  iriBase: 'http://localhost/id/',
  read: () => undefined,
  status: () => ({ indexedFrom: null, indexedTo: null, quads: 0, bytes: 0, lagBlocks: 1 }),
  fresh: () => Promise.resolve(),
};

describe('the addresses of the graph', () => {
  it.each<[string, WorldOptions, string, string | null]>([
    ['keeps none', {}, '501 PROVENANCE_OFF', null],
    ['has not opened it yet', { graph: UNOPENED }, '503 NOT_READY', '2'],
  ])('of a node that %s say so', async (_, options, answer, retryAfter) => {
    const world = await openWorld(options);
    try {
      for (const path of PATHS) {
        const response = await world.ask(path);
        expect([path, `${response.status} ${(await jsonOf(response)).code}`]).toEqual([path, answer]);
        expect(response.headers.get('retry-after')).toBe(retryAfter);
      }
    } finally {
      await world.api.close();
    }
  });
});
