import { afterEach, describe, expect, it } from 'vitest';
import { QUESTIONS } from '../../../src/provenance/questions.ts';
import { jsonOf, openWorld, type World } from './world.ts';

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
});
