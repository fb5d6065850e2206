import { describe, expect, test } from 'vitest';
import { type FinalisedBlock, type Forwarded, isPassedOver } from '../../../src/consensus/fairness.ts';
import { LAN } from '../../../src/consensus/timing.ts';
import { Timestamp, View } from '../../../src/model/ids.ts';

const WAITING: Forwarded = { firstSeenAt: Timestamp(1_000), forwardedAt: Timestamp(1_100), view: View(3) };
const BLOCK: FinalisedBlock = {
  view: View(3),
  headerArrivedAt: Timestamp(1_300),
  newestFirstSeenAt: null,
  hadRoom: true,
  isNextValid: true,
};
const PACE = { timing: LAN, failures: 0, windowMs: 0 };
const NOW = { view: View(3), pace: PACE, roundTripMs: 10 };

describe('a primary passes a transaction over', () => {
  test('when its block had room for it', () => {
    expect(isPassedOver(WAITING, BLOCK, NOW)).toBe(true);
  });

  test('when its full block holds one that came much later', () => {
    const block = { ...BLOCK, hadRoom: false, newestFirstSeenAt: Timestamp(2_001) };
    expect(isPassedOver(WAITING, block, NOW)).toBe(true);
  });
});

describe('a primary is not to blame', () => {
  test('for a transaction that reached it too late', () => {
    expect(isPassedOver(WAITING, { ...BLOCK, headerArrivedAt: Timestamp(1_219) }, NOW)).toBe(false);
    expect(isPassedOver(WAITING, { ...BLOCK, headerArrivedAt: Timestamp(1_220) }, NOW)).toBe(true);
  });

  test('for a full block in the order of arrival, however deep the queue', () => {
    expect(isPassedOver(WAITING, { ...BLOCK, hadRoom: false, newestFirstSeenAt: Timestamp(2_000) }, NOW)).toBe(false);
    expect(isPassedOver(WAITING, { ...BLOCK, hadRoom: false }, NOW)).toBe(false);
  });

  test('after failed views, until the longer patience is over', () => {
    const block = { ...BLOCK, hadRoom: false, newestFirstSeenAt: Timestamp(2_500) };
    expect(isPassedOver(WAITING, block, { ...NOW, pace: { ...PACE, failures: 1 } })).toBe(false);
  });

  test('for a block of another view, or a transaction given to another primary', () => {
    expect(isPassedOver(WAITING, { ...BLOCK, view: View(2) }, NOW)).toBe(false);
    expect(isPassedOver({ ...WAITING, view: View(2) }, BLOCK, NOW)).toBe(false);
  });

  test('for a transaction that would not be valid next', () => {
    expect(isPassedOver(WAITING, { ...BLOCK, isNextValid: false }, NOW)).toBe(false);
  });
});
