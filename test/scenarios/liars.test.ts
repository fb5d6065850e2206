import { describe, expect, test } from 'vitest';
import type { StrategyName } from '../../src/simulator/adversary.ts';
import { Story } from './story.ts';

const LIES: readonly StrategyName[] = [
  'silent',
  'equivocate',
  'propose-twice',
  'back-everything',
  'forget-claim',
  'withhold-body',
  'wrong-state',
  'partial-commit',
  'partial-votes',
  'stale-new-view',
  'double-new-view',
  'ignore-anchor',
  'usurp',
  'future-flood',
  'garbage-signatures',
  'padded-certificates',
  'false-status',
  'slow',
  'drop-some',
  'replay',
];

describe('the first primary lies, and the others go on', () => {
  test.each(LIES)('%s', (strategy) => {
    const story = new Story({ n: 4, window: 2, byzantine: [{ seat: 0, strategies: [strategy] }] });
    story.clientSubmits(8);
    story.passes(400);
    story.clientSubmits(8);
    story.everythingIsFinal(20_000, [1, 2, 3]);
  });
});

describe('evidence', () => {
  test.each(['equivocate', 'propose-twice'] as const)(
    'a primary that does %s is convicted by those who saw both',
    (lie) => {
      const story = new Story({ n: 4, byzantine: [{ seat: 0, strategies: [lie, 'back-everything'] }] });
      story.clientSubmits(4);
      story.passes(3_000);
      const accused = new Set(story.world.evidence.map((evidence) => story.world.offender(evidence)));
      expect(accused).toEqual(new Set([0]));
    },
  );

  test('a voter that forgets what it committed is convicted of amnesia', () => {
    const story = new Story({ n: 4, byzantine: [{ seat: 3, strategies: ['forget-claim'] }] });
    story.clientSubmits(2);
    story.everythingIsFinal(2_000, [0, 1, 2]);
    story.networkLoses(
      (message) => message.kind === 'vote' && message.vote.phase === 'COMMIT' && message.vote.signer !== 3,
    );
    story.clientSubmits(2);
    story.passes(3_000);
    expect(story.world.evidence.some(({ kind }) => kind === 'amnesia')).toBe(true);
  });

  test('a sound network accuses nobody', () => {
    const story = new Story({ n: 4, rotationInterval: 2 });
    story.clientSubmits(20);
    story.everythingIsFinal(5_000);
    expect(story.world.evidence).toEqual([]);
  });
});
