import { describe, expect, test } from 'vitest';
import type { Story as Network } from './story.ts';
import { Story } from './story.ts';

const OFTEN = { checkpointInterval: 2 };

function makesBlocks(story: Network, count: number, seats: readonly number[]): void {
  for (let block = 0; block < count; block += 1) story.clientSubmits().everythingIsFinal(6_000, [...seats]);
  story.passes(100);
}

function modeSeenBy(story: Network, seat: number, other: number): string | undefined {
  return story.node(seat).replica.peers[other]?.status?.mode;
}

describe('a replica whose execution has gone wrong without its noticing', () => {
  test.each([3, 4, 5, 6, 7])('of %i ends its part at the next checkpoint, and the others go on', (n) => {
    const story = new Story({ n, corrupt: [2], ...OFTEN });
    const sound = story.world.nodes.map(({ seat }) => seat).filter((seat) => seat !== 2);
    story.clientSubmits().everythingIsFinal(2_000);
    expect(story.world.halts).toEqual([]);
    makesBlocks(story, 3, sound);
    expect(story.world.halts).toEqual(['2: DIVERGED']);
    makesBlocks(story, 3, sound);
    for (const seat of sound) expect(story.node(seat).replica.mode).toBe('active');
    expect(story.node(2).chain.height).toBeLessThan(story.node(0).chain.height);
  });

  test('is replaced when it is the primary', () => {
    const story = new Story({ n: 4, corrupt: [0], ...OFTEN });
    makesBlocks(story, 6, [1, 2, 3]);
    expect(story.world.halts).toEqual(['0: DIVERGED']);
    expect(story.node(1).replica.view).toBe(1);
  });

  test('notices it as an observer as well, which signs nothing', () => {
    const story = new Story({ n: 4, dead: [3], corrupt: [3], ...OFTEN });
    makesBlocks(story, 3, [0, 1, 2]);
    expect(story.world.halts).toEqual(['3: DIVERGED']);
  });

  test('keeps what contradicts it: statements of so many others that no quorum is left for its own', () => {
    const story = new Story({ n: 7, corrupt: [2], ...OFTEN });
    makesBlocks(story, 3, [0, 1, 3, 4, 5, 6]);
    const { height, checkpoints } = story.world.haltProofs[0] ?? { height: 0, checkpoints: [] };
    expect(height).toBeGreaterThanOrEqual(2);
    expect(new Set(checkpoints.map(({ signer }) => signer)).size).toBe(3);
  });
});

describe('a replica that has halted', () => {
  test('says so to those who are here, and to whoever comes later', () => {
    const story = new Story({ n: 4, corrupt: [2], ...OFTEN });
    makesBlocks(story, 3, [0, 1, 3]);
    for (const seat of [0, 1, 3]) expect(modeSeenBy(story, seat, 2)).toBe('halted');
    story.crashes(1).restarts(1);
    expect(modeSeenBy(story, 1, 2)).toBeUndefined();
    story.passes(100);
    expect(modeSeenBy(story, 1, 2)).toBe('halted');
  });

  test('goes on saying so: what the network lost is told again', () => {
    const story = new Story({ n: 4, corrupt: [2], ...OFTEN });
    story.networkLoses(({ kind }, from, to) => kind === 'status' && from === 2 && to === 1);
    makesBlocks(story, 3, [0, 1, 3]);
    expect(modeSeenBy(story, 1, 2)).not.toBe('halted');
    story.networkHeals();
    story.passes(1_500);
    expect(modeSeenBy(story, 1, 2)).toBe('halted');
  });
});
