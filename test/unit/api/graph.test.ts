import { describe, expect, it } from 'vitest';
import type { GraphAccess } from '../../../src/api/graph/access.ts';
import { GRAPH_DOCUMENT_QUADS_MAX } from '../../../src/model/graph-limits.ts';
import { MemoryKeyValue } from '../../../src/store/memory.ts';
import { GRAPH_TABLES } from '../../../src/store/quad-keys.ts';
import { GraphReader } from '../../../src/store/quad-view.ts';
import { QuadIndex } from '../../../src/store/quads.ts';
import { graphBlockHash } from '../../support/graph-blocks.ts';
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

const BASE = 'http://localhost/id/';
const ACTED = 'http://www.w3.org/ns/prov#wasAssociatedWith';

/** A graph in which an agent did so many things, and nothing else is said. */
async function graphOfDeeds(count: number): Promise<GraphAccess> {
  const identity = { source: 'test', iriBase: BASE };
  const store = new MemoryKeyValue({ tables: Object.values(GRAPH_TABLES), schedule: setImmediate });
  const documents = Array.from({ length: count }, (_, index) => {
    const name = `${BASE}tx/${String(index).padStart(6, '0')}`;
    return `<${name}> <${ACTED}> <${BASE}agent/busy> <${name}> .\n`;
  });
  await new QuadIndex(store, identity).add([{ height: 1, hash: graphBlockHash(1), documents }]);
  const reader = new GraphReader(identity);
  return { ...UNOPENED, read: (use) => use(reader.at(store)) };
}

describe('a document about something that much refers to', () => {
  it.each([
    ['has all of it while it may', GRAPH_DOCUMENT_QUADS_MAX, null],
    [
      'says where all of it is',
      GRAPH_DOCUMENT_QUADS_MAX + 1,
      `/api/v1/graph?object=${encodeURIComponent(`${BASE}agent/busy`)}`,
    ],
  ])('%s', async (_, count, rest) => {
    const world = await openWorld({ graph: await graphOfDeeds(count) });
    try {
      const data = await world.ask('/doc/agent/busy', { headers: { accept: 'application/n-quads' } });
      expect(data.headers.get('link')).toBe(rest === null ? null : `<${rest}>; rel="related"`);
      expect((await data.text()).trimEnd().split('\n')).toHaveLength(GRAPH_DOCUMENT_QUADS_MAX);
      const page = await (await world.ask('/doc/agent/busy', { headers: { accept: 'text/html' } })).text();
      expect(/href="(\/api\/[^"]*)"/.exec(page)?.[1] ?? null).toBe(rest);
      const first = await world.ask(`${rest ?? '/api/v1/graph?predicate=prov:wasAssociatedWith'}&limit=500`);
      expect(first.headers.get('link')).toMatch(/rel="next"$/);
    } finally {
      await world.api.close();
    }
  });
});
