import { createSeenIds, type SeenIds, sawBefore } from './seen-ids.ts';

/** What is passed on in how many directions. */
export interface GossipSettings {
  /** Peers that news goes to at least; more when many are connected. */
  readonly fanoutMin: number;
  /** Hops that news of this node may take. */
  readonly hopsMax: number;
  /** Ids that are remembered. */
  readonly idsMax: number;
  /** Drawn anew by every run: whoever could foresee what two ids share in the filter could make one look known. */
  readonly salt: Uint8Array;
}

/** What this node has passed on, so that it passes nothing on twice. */
export interface Gossip {
  readonly settings: GossipSettings;
  readonly seen: SeenIds;
}

export function createGossip(settings: GossipSettings): Gossip {
  return { settings, seen: createSeenIds(settings.idsMax, settings.salt) };
}

/** A peer that news may go to. */
export interface Neighbour {
  readonly id: string;
  readonly isAuthority: boolean;
}

/** Whether this is the first time that an id is met here. */
export function isNews({ seen }: Gossip, id: string): boolean {
  return !sawBefore(seen, id);
}

/** Peers that get each piece of news: at least the floor, and the square root of all, so that epidemics reach everybody. */
export function fanoutOf({ settings }: Pick<Gossip, 'settings'>, peers: number): number {
  return Math.min(peers, Math.max(settings.fanoutMin, Math.ceil(Math.sqrt(peers))));
}

/** Who could be told something. */
export interface Audience {
  readonly neighbours: readonly Neighbour[];
  /** Who told this node: it is not told again. */
  readonly from: string | null;
  /** Others that this node tells anyway: they count as told. */
  readonly toldAnyway: number;
}

/**
 * Whom to tell.
 *
 * @param random numbers in [0, 1)
 * @returns ids, one at least when there is anybody; an authority among them when one is connected, because what becomes
 * final passes through those
 */
export function listeners(
  gossip: Pick<Gossip, 'settings'>,
  { neighbours, from, toldAnyway }: Audience,
  random: () => number,
): readonly string[] {
  const rest = neighbours.filter(({ id }) => id !== from);
  const count = Math.min(rest.length, Math.max(1, fanoutOf(gossip, rest.length + toldAnyway) - toldAnyway));
  const chosen: Neighbour[] = [];
  const authorities = rest.filter(({ isAuthority }) => isAuthority);
  take(authorities, chosen, random);
  const others = rest.filter((one) => !chosen.includes(one));
  while (chosen.length < count) take(others, chosen, random);
  return chosen.map(({ id }) => id);
}

/** Moves one of `from`, each as likely, to `to`. */
function take(from: Neighbour[], to: Neighbour[], random: () => number): void {
  const index = Math.floor(random() * from.length);
  for (const one of from.splice(index, 1)) to.push(one);
}

/** Hops that are left for those who get it from here; undefined when it goes no further. */
export function nextHops({ settings }: Pick<Gossip, 'settings'>, hops: number): number | undefined {
  return hops <= 0 ? undefined : Math.min(hops, settings.hopsMax) - 1;
}
