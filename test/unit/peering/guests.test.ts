import { describe, expect, it } from 'vitest';
import { createPrng } from '../../../src/lib/prng.ts';
import { type Guest, seatFor } from '../../../src/peering/guests.ts';

const PLACES = { placesMax: 6, perGroupMax: 4 };

/** Guests in the order in which they came. */
function guests(...groups: readonly string[]): Guest[] {
  return groups.map((group, index) => ({ id: `${group}${index}`, group, since: index, latencyMs: 10 }));
}

describe('a place for a guest', () => {
  it('is free while there are some, up to the bound of its group', () => {
    expect(seatFor('a', guests('a', 'a', 'a', 'b'), PLACES)).toBe('free');
    expect(seatFor('a', guests('a', 'a', 'a', 'a'), PLACES)).toBe('none');
    expect(seatFor('b', guests('a', 'a', 'a', 'a'), PLACES)).toBe('free');
    expect(seatFor('a', [], { ...PLACES, placesMax: 0 })).toBe('none');
  });

  it('is made in the most crowded group, by the newest there', () => {
    expect(seatFor('c', guests('a', 'b', 'a', 'b', 'a', 'a'), PLACES)).toEqual({ leaves: 'a5' });
    expect(seatFor('b', guests('a', 'b', 'a', 'c', 'a', 'a'), PLACES)).toEqual({ leaves: 'a5' });
  });

  it('is not made when the groups would only change their parts', () => {
    expect(seatFor('c', guests('a', 'b', 'd', 'e', 'f', 'g'), PLACES)).toBe('none');
    expect(seatFor('b', guests('a', 'a', 'a', 'b', 'b', 'c'), PLACES)).toBe('none');
  });

  it('is made by the slowest of the younger half: who has stayed for long stays', () => {
    const slow = guests('a', 'a', 'a', 'a', 'b', 'c').map((guest) =>
      guest.id === 'a0' || guest.id === 'a2' ? { ...guest, latencyMs: 500 } : guest,
    );
    expect(seatFor('d', slow, PLACES)).toEqual({ leaves: 'a2' });
    const silent = guests('a', 'a', 'a', 'a', 'b', 'c').map((guest) =>
      guest.id === 'a2' ? { ...guest, latencyMs: undefined } : guest,
    );
    expect(seatFor('d', silent, PLACES)).toEqual({ leaves: 'a2' });
  });

  it('is found by everybody of a group of its own, however one host fills the places', () => {
    const prng = createPrng(3);
    const places = { placesMax: 64, perGroupMax: 16 };
    let here: Guest[] = [];
    const come = (id: string, group: string, since: number): boolean => {
      const seat = seatFor(group, here, places);
      if (seat === 'none') return false;
      if (typeof seat === 'object') here = here.filter((guest) => guest.id !== seat.leaves);
      here.push({ id, group, since, latencyMs: prng.next() * 100 });
      return true;
    };
    // Four hands of an attacker fill everything, and try again after each that comes.
    for (let turn = 0; turn < 1_000; turn += 1) come(`x${turn}`, `attacker ${turn % 4}`, turn);
    expect(here.length).toBe(64);
    for (let honest = 0; honest < 40; honest += 1) {
      expect(come(`honest ${honest}`, `site ${honest}`, 1_000 + honest)).toBe(true);
      for (let hand = 0; hand < 4; hand += 1) come(`y${honest}-${hand}`, `attacker ${hand}`, 1_000 + honest);
    }
    expect(here.filter(({ id }) => id.startsWith('honest')).length).toBe(40);
    expect(here.length).toBe(64);
  });
});
