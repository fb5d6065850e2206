import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../../src/node/config/units.ts';

describe('times', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['0s', 0],
  ])('%s is %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each(['5', '5 s', '-5s', '1.5s', 's', '5S', '5d', '', '5s5ms'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('come back as they were written, whatever their length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });
});

describe('sizes', () => {
  it.each([
    ['512B', 512],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['2GiB', 2_147_483_648],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
    expect(formatSize(bytes)).toBe(text);
  });

  it.each(['1', '1MB', '1mib', '1.5MiB', '-1B', ''])('%j is none', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});
