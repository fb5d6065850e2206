/**
 * The sample: an event with everything that happens to its tickets, the same bytes on every machine.
 *
 * There is no state behind its chances: each number follows from the names of what it is for, so that another draw
 * somewhere changes no other one.
 */
import { utf8 } from '../lib/bytes.ts';
import { sha256 } from '../model/hash.ts';
import { type Hash, hashOfBytes } from '../model/ids.ts';

/** Names every number of the sample. */
export const SAMPLE_SEED = 'harbour-cup-2026';

/** What a number is for. */
export type DrawKey = readonly (string | number)[];

function digest(...key: DrawKey): Uint8Array {
  return sha256(utf8([SAMPLE_SEED, ...key].join('\x1f')));
}

export function drawHash(...key: DrawKey): Hash {
  return hashOfBytes(digest(...key));
}

/** At least 0 and below 1, in steps of 2^-48. */
export function draw(...key: DrawKey): number {
  return digest(...key)
    .subarray(0, 6)
    .reduce((fraction, byte, index) => fraction + byte / 256 ** (index + 1), 0);
}

/** A whole number from 0 to `bound` - 1. */
export function below(bound: number, ...key: DrawKey): number {
  return Math.floor(draw(...key) * bound);
}

export function chance(probability: number, ...key: DrawKey): boolean {
  return draw(...key) < probability;
}

/** Waiting times: many short ones, few long ones. */
export function exponential(mean: number, ...key: DrawKey): number {
  return -mean * Math.log(1 - draw(...key));
}

/** By Box and Muller. */
export function normal(mean: number, deviation: number, ...key: DrawKey): number {
  const radius = Math.sqrt(-2 * Math.log(1 - draw(...key, 'radius')));
  return mean + deviation * radius * Math.cos(2 * Math.PI * draw(...key, 'angle'));
}

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

/** 20 characters of Crockford's base 32, which has no letters that are mistaken for digits. */
export function drawName(...key: DrawKey): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of digest(...key)) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += CROCKFORD[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return text.slice(0, 20);
}
