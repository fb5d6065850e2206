import { describe, expect, test } from 'vitest';
import { isVote, Story } from './story.ts';

describe('restart', () => {
  test('after a view change restores the new view', () => {
    const story = new Story({ n: 4 });
    story.crashes(0);
    story.clientSubmits();
    story.everythingIsFinal(3_000, [1, 2, 3]);
    story.crashes(2);
    story.restarts(2);
    expect(story.node(2).replica.view).toBe(1);
    expect(story.node(2).replica.mode).toBe('active');
    story.clientSubmits();
    story.everythingIsFinal(3_000, [1, 2, 3]);
  });

  test('of everybody at once, in the middle of a block, goes on where it was (bugs 5, 6, 8, 20)', () => {
    for (let ms = 1; ms <= 20; ms += 1) {
      const story = new Story({ n: 4, seed: ms });
      story.clientSubmits();
      story.passes(ms);
      story.crashes(0, 1, 2, 3);
      story.restarts(0, 1, 2, 3);
      story.everythingIsFinal(10_000);
    }
  });

  test('of a single authority goes on alone', () => {
    const story = new Story({ n: 1 });
    story.clientSubmits(2);
    story.everythingIsFinal(1_000);
    story.crashes(0).restarts(0);
    story.clientSubmits(2);
    story.everythingIsFinal(1_000);
    expect(story.node(0).chain.height).toBeGreaterThanOrEqual(2);
  });

  test('without the store, but with the journal: catches up first and then votes again', () => {
    const story = new Story({ n: 4, wiped: [3], checkpointInterval: 2 });
    for (let block = 1; block <= 6; block += 1) story.clientSubmits().everythingIsFinal(1_000);
    story.passes(100);
    expect(story.node(3).replica.truncatedAt).toBeGreaterThan(0);
    story.crashes(3).restarts(3);
    expect(story.node(3).chain.height).toBe(0);
    expect(story.node(3).replica.voteFloor).toBeGreaterThan(0);
    story.everythingIsFinal(3_000);
    story.crashes(2);
    story.clientSubmits();
    story.everythingIsFinal(3_000, [0, 1, 3]);
  });
});

describe('catching up', () => {
  test('a node that missed forty blocks gets them and takes part again', () => {
    const story = new Story({ n: 4 });
    story.crashes(3);
    for (let block = 1; block <= 40; block += 1) story.clientSubmits().everythingIsFinal(1_000, [0, 1, 2]);
    story.restarts(3);
    story.everythingIsFinal(5_000);
    story.crashes(2);
    story.clientSubmits();
    story.everythingIsFinal(3_000, [0, 1, 3]);
  });

  test('while commits arrive, no block is committed twice (bug 4)', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const story = new Story({ n: 4, window: 2, seed });
      story.networkLoses((_message, from, to) => from === 3 || to === 3);
      story.clientSubmits(12);
      story.passes(40);
      story.networkHeals();
      story.clientSubmits(12);
      story.everythingIsFinal(5_000);
    }
  });

  test('a peer that lies about its height does not keep anybody busy for ever (bug 33)', () => {
    const story = new Story({ n: 4, byzantine: [{ seat: 3, strategies: ['false-status'] }] });
    story.clientSubmits(5);
    story.everythingIsFinal(3_000, [0, 1, 2]);
    story.passes(5_000);
    const before = story.world.messages;
    story.passes(5_000);
    expect(story.world.messages - before).toBeLessThan(400);
    expect(story.node(0).replica.sync).toBeNull();
  });

  test('a dead key follows and signs nothing', () => {
    const story = new Story({ n: 4, dead: [3] });
    let signed = 0;
    story.lies(3, (_to, message) => {
      if (message.kind !== 'status' && !message.kind.endsWith('-request')) signed += 1;
      return [message];
    });
    story.clientSubmits(5);
    story.everythingIsFinal(5_000);
    expect(signed).toBe(0);
  });
});

describe('links', () => {
  test('a permanently one-way link stops nobody (bug 30)', () => {
    const story = new Story({ n: 4 });
    story.networkLoses((_message, from, to) => from === 0 && to === 2);
    story.clientSubmits(10);
    story.everythingIsFinal(10_000);
  });

  test('a primary whom nobody hears but who hears all is left behind, and comes back', () => {
    const story = new Story({ n: 4 });
    story.networkLoses((_message, from) => from === 0);
    story.clientSubmits(3);
    story.everythingIsFinal(5_000, [1, 2, 3]);
    story.networkHeals();
    story.everythingIsFinal(5_000);
  });

  test('decide and abort at the same time: COMMITs and VIEW-CHANGEs cross (bugs 11, 14, 26)', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const story = new Story({ n: 4, seed, delayMs: 40, haste: 0.1 });
      story.networkLoses((message, _from, to) => isVote(message, 'COMMIT') && (to + seed) % 2 === 0);
      story.clientSubmits(4);
      story.passes(200);
      story.networkHeals();
      story.everythingIsFinal(10_000);
    }
  });
});
