import { describe, expect, test } from 'vitest';
import { backedOff, failuresCounted, LAN, lateMsMax, WAN } from '../../../src/consensus/timing.ts';

describe('timeouts', () => {
  test('double with every failed view up to the cap', () => {
    expect([0, 1, 2, 3, 30].map((failures) => backedOff(LAN.progressMs, failures, LAN))).toEqual([
      500, 1_000, 2_000, 4_000, 4_000,
    ]);
    expect(backedOff(WAN.newViewMs, 30, WAN)).toBe(60_000);
  });

  test('a cap below the base never shortens it', () => {
    expect(backedOff(9_000, 3, LAN)).toBe(9_000);
  });

  test('failures count only as far as they still lengthen something', () => {
    const counted = failuresCounted(1_000, LAN);
    expect(counted).toBe(3);
    expect(backedOff(LAN.progressMs, counted, LAN)).toBe(LAN.timeoutMsMax);
  });

  test('what counts as late grows with failures (PBTS), so that a bound set too small heals', () => {
    expect(lateMsMax(LAN, 0)).toBe(LAN.messageDelayMs + LAN.precisionMs);
    expect(lateMsMax(LAN, 3)).toBeGreaterThan(lateMsMax(LAN, 2));
  });
});
