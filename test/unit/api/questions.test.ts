import { afterEach, describe, expect, it } from 'vitest';
import type { SparqlRequest, SparqlService } from '../../../src/api/sparql/ask.ts';
import { ok } from '../../../src/lib/result.ts';
import { QUESTIONS } from '../../../src/provenance/questions.ts';
import { jsonOf, openWorld, type World } from './world.ts';

/** Remembers what it was asked. */
function echo(): { readonly service: SparqlService; readonly asked: readonly SparqlRequest[] } {
  const asked: SparqlRequest[] = [];
  const ask: SparqlService['ask'] = (request) => {
    asked.push(request);
    return Promise.resolve(ok({ mediaType: request.rowFormat?.mediaType ?? '', bytes: new Uint8Array(), height: 7 }));
  };
  const limits = { deadlineMs: 1, quadsMax: 1 };
  return { service: { limits, pid: undefined, ask, close: () => undefined }, asked };
}

let world: World | undefined;
afterEach(async () => {
  await world?.api.close();
  world = undefined;
});

describe('the questions of a node', () => {
  it('are listed with what they are for and take, and the whole of their text', async () => {
    world = await openWorld();
    const answer = await world.ask('/api/v1/questions');
    expect(answer.status).toBe(200);
    const { questions } = await jsonOf(answer);
    expect(questions.map(({ name }: { readonly name: string }) => name)).toEqual(QUESTIONS.map(({ name }) => name));
    expect(questions[0]).toMatchObject({ parameters: [{ name: 'ticket', kind: 'ticket' }] });
    expect(questions[0].sparql).toMatch(/^PREFIX cf: <[^>]*>\n/);
  });

  it('are answered with their parameters in place', async () => {
    const { service, asked } = echo();
    world = await openWorld({ sparql: service });
    const answer = await world.ask('/api/v1/questions/history?ticket=A-1', { headers: { accept: 'text/csv' } });
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('counterfoil-height')]).toEqual([
      ...[200, 'text/csv; charset=utf-8', '7'],
    ]);
    expect(asked[0]?.query).toContain('prov:specializationOf <http://localhost/id/ticket/A-1> ;');
    const plain = await world.ask('/api/v1/questions/double-admissions?pretty');
    expect(plain.headers.get('content-type')).toBe('application/sparql-results+json');
  });

  it.each([
    ['no-such-question', 404, 'UNKNOWN_QUESTION', 'there are history'],
    ['history', 400, 'BAD_REQUEST', 'ticket: is missing: the id'],
    ['history?ticket=a%20b', 400, 'BAD_REQUEST', 'ticket: it is the id'],
    ['history?ticket=a&at=2026-06-12T00:00:00Z', 400, 'BAD_REQUEST', 'at: history takes ticket'],
    ['history?ticket=a&when=now', 400, 'BAD_REQUEST', 'when: is no parameter'],
  ])('refuse %s', async (path, status, code, detail) => {
    const { service, asked } = echo();
    world = await openWorld({ sparql: service });
    const answer = await world.ask(`/api/v1/questions/${path}`);
    const problem = await jsonOf(answer);
    expect([answer.status, problem.code]).toEqual([status, code]);
    expect(problem.detail).toContain(detail);
    expect(asked).toEqual([]);
  });

  it('are answered by a node that answers queries', async () => {
    world = await openWorld();
    const answer = await world.ask('/api/v1/questions/history?ticket=A-1');
    expect([answer.status, (await jsonOf(answer)).code]).toEqual([501, 'PROVENANCE_OFF']);
  });
});
