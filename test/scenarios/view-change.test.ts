import { describe, expect, test } from 'vitest';
import { LAN } from '../../src/consensus/timing.ts';
import type { Message } from '../../src/model/message.ts';
import { isVote, Story } from './story.ts';

describe('a sound network', () => {
  test.each([1, 2, 3, 4, 5, 7, 13])('of %i never changes its view, busy or idle', (n) => {
    const story = new Story({ n, window: 2 });
    story.clientSubmits(20);
    expect(story.everythingIsFinal(1_000)).toBeLessThan(300);
    story.passes(10_000);
    expect(new Set(story.views())).toEqual(new Set([0]));
  });

  test('with heartbeats makes empty blocks and keeps its view', () => {
    const story = new Story({ n: 4, blockIntervalMs: 500 });
    story.passes(5_200);
    expect(Math.min(...story.heights())).toBeGreaterThanOrEqual(9);
    expect(new Set(story.views())).toEqual(new Set([0]));
  });

  test('rotates its primary on schedule: the view grows by one every third block', () => {
    const story = new Story({ n: 4, rotationInterval: 3 });
    for (let block = 1; block <= 9; block += 1) story.clientSubmits().everythingIsFinal(1_000);
    story.passes(100);
    expect(story.heights()).toEqual([9, 9, 9, 9]);
    expect(story.views()).toEqual([3, 3, 3, 3]);
  });
});

/** Building and executing a block take longer together than a local network is patient with an idle machine. */
const SLOW = { n: 4, executionMs: 300 };

describe('machines that take long to execute a block', () => {
  test('keep their view while a long queue drains', () => {
    const story = new Story(SLOW);
    story.clientSubmits(40);
    expect(story.everythingIsFinal(15_000)).toBeGreaterThan(10 * LAN.progressMs);
    expect(story.views()).toEqual([0, 0, 0, 0]);
  });

  test('replace a dead primary all the same, within the cap on timeouts', () => {
    const story = new Story(SLOW);
    story.clientSubmits(8).everythingIsFinal(5_000);
    expect(story.node(1).replica.blockMs).toBeGreaterThan(0);
    story.crashes(0);
    story.clientSubmits();
    expect(story.everythingIsFinal(10_000, [1, 2, 3])).toBeLessThan(LAN.timeoutMsMax + 2_000);
    expect(story.views().slice(1)).toEqual([1, 1, 1]);
  });

  test('replace it within the cap, however long their blocks took', () => {
    const story = new Story({ ...SLOW, executionMs: 3_000 });
    story.clientSubmits(4).everythingIsFinal(60_000);
    const { view } = story.node(1).replica;
    story.crashes(view % 4);
    story.clientSubmits();
    const begin = story.world.time;
    while (story.world.nodes.every(({ alive, replica }) => !alive || replica.view === view)) story.passes(50);
    expect(story.world.time - begin).toBeLessThan(LAN.timeoutMsMax + 500);
  });
});

describe('a primary that is gone', () => {
  test('is replaced, and what waited becomes final', () => {
    const story = new Story({ n: 4 });
    story.crashes(0);
    story.clientSubmits(3);
    story.everythingIsFinal(2_000, [1, 2, 3]);
    expect(story.views().slice(1)).toEqual([1, 1, 1]);
  });

  test('while idle, is noticed by missing heartbeats', () => {
    const story = new Story({ n: 4, blockIntervalMs: 300 });
    story.passes(1_000);
    const before = story.node(1).chain.height;
    story.crashes(0);
    story.passes(5_000);
    expect(story.node(1).replica.view).toBeGreaterThan(0);
    expect(story.node(1).chain.height).toBeGreaterThan(before + 2);
  });

  test('twice in a row is replaced twice (f = 2)', () => {
    const story = new Story({ n: 7 });
    story.crashes(0, 1);
    story.clientSubmits();
    story.everythingIsFinal(6_000, [2, 3, 4, 5, 6]);
  });
});

describe('what is prepared survives the view change (bugs 1, 7, 12)', () => {
  test.each([1, 2])('every COMMIT is lost, the new primary proposes the same block again: window %i', (window) => {
    const story = new Story({ n: 4, window });
    story.networkLoses((message) => isVote(message, 'COMMIT'));
    story.clientSubmits();
    story.passes(100);
    const prepared = story.node(3).replica.highest;
    expect(prepared?.phase).toBe('PREPARE');
    story.passes(600);
    story.networkHeals();
    story.everythingIsFinal(4_000);
    expect(story.node(3).chain.digestAt(1)).toBe(prepared?.digest);
  });

  test('only one node prepared the rest in a partition, then the partition heals', () => {
    const story = new Story({ n: 4 });
    story.networkLoses((message, _from, to) => isVote(message, 'COMMIT') || (isVote(message, 'PREPARE') && to !== 3));
    story.clientSubmits();
    story.passes(200);
    expect(story.node(3).replica.highest?.height).toBe(1);
    expect(story.node(1).replica.highest).toBeNull();
    const locked = story.node(3).replica.highest?.digest;
    story.networkHeals();
    story.everythingIsFinal(4_000);
    expect(story.node(1).chain.digestAt(1)).toBe(locked);
  });
});

describe('a commit from an earlier view', () => {
  test('still makes its block final for those who left (R4 forbids votes, not learning)', () => {
    const story = new Story({ n: 4 });
    const lost: { readonly from: number; readonly message: Message }[] = [];
    story.networkLoses((message, from, to) => {
      if (to === 3 && isVote(message, 'COMMIT')) lost.push({ from, message });
      return isVote(message, 'COMMIT') || message.kind === 'new-view';
    });
    story.clientSubmits();
    story.passes(1_500);
    expect(story.node(3).replica.view).toBeGreaterThan(0);
    expect(story.heights()).toEqual([0, 0, 0, 0]);
    for (const { from, message } of lost) story.node(3).receive(from, message);
    story.passes(20);
    expect(story.node(3).replica.final.height).toBe(1);
  });
});

describe('views that do not meet (bugs 18, 19, 25, 27, 28)', () => {
  test('33 failed view changes with a quorum alive: final within one capped timeout', () => {
    const story = new Story({ n: 4 });
    story.networkLoses(({ kind }) => kind === 'new-view' || kind === 'pre-prepare' || kind === 'certificate');
    story.clientSubmits();
    while (Math.min(...story.views()) < 33) story.passes(1_000);
    story.networkHeals();
    expect(story.everythingIsFinal(60_000)).toBeLessThan(LAN.timeoutMsMax + LAN.newViewMs);
  });

  test('a quorum absent for two minutes: the view of the survivors grows by at most one', () => {
    const story = new Story({ n: 4 });
    story.crashes(2, 3);
    story.clientSubmits();
    story.passes(120_000);
    expect(Math.max(...story.views())).toBeLessThanOrEqual(1);
    story.restarts(2, 3);
    expect(story.everythingIsFinal(60_000)).toBeLessThan(LAN.timeoutMsMax + LAN.newViewMs);
  });

  test('a laggard follows f+1 others into a higher view', () => {
    const story = new Story({ n: 4 });
    story.networkLoses((_message, from, to) => from === 3 || to === 3);
    story.crashes(0);
    story.clientSubmits();
    story.passes(3_000);
    story.networkHeals();
    story.everythingIsFinal(6_000, [1, 2, 3]);
    expect(story.node(3).replica.view).toBe(story.node(1).replica.view);
  });

  test('one VIEW-CHANGE to a huge view moves nobody', () => {
    const story = new Story({ n: 4, byzantine: [{ seat: 3, strategies: ['future-flood'] }] });
    story.passes(10_000);
    story.clientSubmits();
    story.everythingIsFinal(2_000, [0, 1, 2]);
    expect(story.views().slice(0, 3)).toEqual([0, 0, 0]);
  });
});
