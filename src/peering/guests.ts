/** A session that the other side opened, and that no authority's key has proven to be of the network. */
export interface Guest {
  readonly id: string;
  /** What one operator can easily have all of: see `originOf`. On loopback each has a group of its own. */
  readonly group: string;
  /** Milliseconds of one clock at which the session came up. */
  readonly since: number;
  /** Round trip in milliseconds, when it is known. */
  readonly latencyMs?: number | undefined;
}

export interface GuestPlaces {
  readonly placesMax: number;
  readonly perGroupMax: number;
}

/** Whether there is a place: as it is, not at all, or when somebody leaves for it. */
export type Seat = 'free' | 'none' | { readonly leaves: string };

/**
 * A place for one more guest. When all are taken, the most crowded group gives one to a group that stays smaller even so:
 * whoever fills the places from few addresses loses them one by one, and nobody can be pushed out in turn for ever.
 */
export function seatFor(group: string, guests: readonly Guest[], { placesMax, perGroupMax }: GuestPlaces): Seat {
  const counts = countGroups(guests);
  const own = counts.get(group) ?? 0;
  if (own >= perGroupMax) return 'none';
  if (guests.length < placesMax) return 'free';
  const most = Math.max(0, ...counts.values());
  if (most <= own + 1) return 'none';
  const leaves = leastProven(guests.filter((guest) => counts.get(guest.group) === most));
  return leaves === undefined ? 'none' : { leaves: leaves.id };
}

/** How many of them each group has. */
export function countGroups(guests: readonly Pick<Guest, 'group'>[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { group } of guests) counts.set(group, (counts.get(group) ?? 0) + 1);
  return counts;
}

/**
 * Who has stayed for long is kept, since that is dear to imitate; among the younger half the slowest goes, since nearness
 * is, too. One that has answered no ping yet counts as slow.
 */
function leastProven(guests: readonly Guest[]): Guest | undefined {
  const younger = [...guests].sort((a, b) => b.since - a.since).slice(0, Math.ceil(guests.length / 2));
  return younger.reduce<Guest | undefined>(
    (worst, guest) => (worst === undefined || slowness(guest) > slowness(worst) ? guest : worst),
    undefined,
  );
}

function slowness({ latencyMs }: Guest): number {
  return latencyMs ?? Number.POSITIVE_INFINITY;
}
