import { assert } from '../lib/assert.ts';
import { type BoundedMap, createBoundedMap } from '../lib/bounded.ts';
import { SEEN_IDS_EXACT_MAX } from '../model/limits.ts';

/** Bits for each id, and places of it: of two thousand ids one looks known that is not. The comparison of what waits repairs that. */
const BITS_PER_ID = 16;
const PLACES = 6;
/** Hexadecimal digits of one 32-bit word. */
const WORD_DIGITS = 8;

/** Ids that were met: the newest exactly, ten times as many roughly, the oldest no more. */
export interface SeenIds {
  readonly idsMax: number;
  readonly salt: readonly number[];
  readonly newest: BoundedMap<string, true>;
  /** Bloom filters: the one that is filled, and the one that was full before it. */
  filters: readonly [Uint32Array, Uint32Array];
  /** Ids in the filter that is filled. */
  count: number;
}

/**
 * @param idsMax ids that are remembered at least
 * @param salt 32 bytes that nobody else knows
 */
export function createSeenIds(idsMax: number, salt: Uint8Array): SeenIds {
  assert(idsMax >= 1 && salt.length === 32, 'a filter has room and a salt of 32 bytes');
  const view = new DataView(salt.buffer, salt.byteOffset, salt.byteLength);
  return {
    idsMax,
    salt: Array.from({ length: PLACES }, (_, index) => view.getUint32(4 * index)),
    newest: createBoundedMap(Math.min(idsMax, SEEN_IDS_EXACT_MAX)),
    filters: [emptyFilter(idsMax), emptyFilter(idsMax)],
    count: 0,
  };
}

/** Ids in the filters at most; those that came twice count once. */
export function seenCount({ count, idsMax, filters }: SeenIds): number {
  return count + (filters[1].some((word) => word !== 0) ? idsMax : 0);
}

/**
 * Whether an id was met before; it is from now on.
 *
 * @param id 64 hexadecimal digits
 */
export function sawBefore(seen: SeenIds, id: string): boolean {
  if (seen.newest.get(id) !== undefined) return true;
  const places = placesOf(seen, id);
  const isKnown = seen.filters.some((filter) => places.every((place) => has(filter, place)));
  seen.newest.set(id, true);
  if (isKnown) return true;
  if (seen.count >= seen.idsMax) {
    seen.filters = [emptyFilter(seen.idsMax), seen.filters[0]];
    seen.count = 0;
  }
  const [current] = seen.filters;
  for (const place of places) current[place >>> 5] = (current[place >>> 5] ?? 0) | (1 << (place & 31));
  seen.count += 1;
  return false;
}

function emptyFilter(idsMax: number): Uint32Array {
  return new Uint32Array(Math.ceil((idsMax * BITS_PER_ID) / 32));
}

/** An id is a hash, so its words are as good as hashes of it; with the salt nobody can foresee the places. */
function placesOf({ salt, filters }: SeenIds, id: string): readonly number[] {
  const bits = filters[0].length * 32;
  return salt.map((word, index) => {
    const digits = id.slice(WORD_DIGITS * index, WORD_DIGITS * (index + 1));
    const mixed = Math.imul((Number.parseInt(digits, 16) ^ word) | 0, 0x9e37_79b1);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % bits;
  });
}

function has(filter: Uint32Array, place: number): boolean {
  return (((filter[place >>> 5] ?? 0) >>> (place & 31)) & 1) === 1;
}
