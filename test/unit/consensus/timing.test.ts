import { describe, expect, test } from 'vitest';
import {
  failuresCounted,
  LAN,
  lateMsMax,
  PACE_MARGIN,
  type Pace,
  remembered,
  timeoutMs,
  WAN,
} from '../../../src/consensus/timing.ts';

function pace(changes: Partial<Pace>): Pace {
  return { timing: LAN, failures: 0, windowMs: 0, ...changes };
}

describe('timeouts', () => {
  test('double with every failed view up to the cap', () => {
    expect([0, 1, 2, 3, 30].map((failures) => timeoutMs(LAN.progressMs, pace({ failures })))).toEqual([
      500, 1_000, 2_000, 4_000, 4_000,
    ]);
    expect(timeoutMs(WAN.newViewMs, pace({ timing: WAN, failures: 30 }))).toBe(60_000);
  });

  test('a cap below the base never shortens it', () => {
    expect(timeoutMs(9_000, pace({ failures: 3 }))).toBe(9_000);
  });

  test('leave a machine time for what its blocks take by measure, up to the cap', () => {
    expect(timeoutMs(LAN.progressMs, pace({ windowMs: 10 }))).toBe(LAN.progressMs);
    expect(timeoutMs(LAN.progressMs, pace({ windowMs: 200 }))).toBe(PACE_MARGIN * 200);
    expect(timeoutMs(LAN.progressMs, pace({ windowMs: 200, failures: 1 }))).toBe(2 * PACE_MARGIN * 200);
    expect(timeoutMs(LAN.progressMs, pace({ windowMs: 60_000, failures: 3 }))).toBe(LAN.timeoutMsMax);
  });

  test('remember the longest block of late, and forget it again', () => {
    const long = remembered(0, 800, LAN);
    expect(remembered(long, 10, LAN)).toBeGreaterThan(600);
    expect(Array.from({ length: 40 }).reduce((ms: number) => remembered(ms, 10, LAN), long)).toBe(10);
    expect(remembered(0, 3_600_000, LAN)).toBe(LAN.timeoutMsMax);
  });

  test('failures count only as far as they still lengthen something', () => {
    const counted = failuresCounted(1_000, LAN);
    expect(counted).toBe(3);
    expect(timeoutMs(LAN.progressMs, pace({ failures: counted }))).toBe(LAN.timeoutMsMax);
  });

  test('what counts as late grows with failures (PBTS), so that a bound set too small heals', () => {
    expect(lateMsMax(LAN, 0)).toBe(LAN.messageDelayMs + LAN.precisionMs);
    expect(lateMsMax(LAN, 3)).toBeGreaterThan(lateMsMax(LAN, 2));
  });
});
