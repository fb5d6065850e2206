import {
  BOOTSTRAP_REDIAL_MS_MAX,
  BOOTSTRAP_REDIAL_MS_MIN,
  DIALS_IN_FLIGHT_MAX,
  FEELER_MS,
  OUTBOUND_AUTHORITIES_MIN,
  OUTBOUND_GROUP_DIVISOR,
  PROBES_IN_FLIGHT_MAX,
} from '../model/limits.ts';
import type { PlacedAddress } from './address-book.ts';
import { originOf } from './address-group.ts';
import {
  type BootstrapAddress,
  type DialPurpose,
  type Discovery,
  type DiscoveryEffect,
  type Moment,
  outboundSessions,
  sample,
} from './discovery-state.ts';

type Dial = Extract<DiscoveryEffect, { type: 'dial' }>;

/** Whom to dial now: for sessions that are missing, and to look whether addresses are what they are said to be. */
export function plan(discovery: Discovery, moment: Moment): Dial[] {
  const sessions = planSessions(discovery, moment).filter(() => discovery.dialRate.take(1, moment.now));
  return [...sessions, ...planProbes(discovery, moment)];
}

/** One dial of a configured address came to nothing; the next one waits longer. */
export function bootstrapFailed(bootstrap: Map<string, BootstrapAddress>, address: string, moment: Moment): void {
  const first = bootstrap.get(address);
  if (first === undefined) return;
  const ceiling = Math.min(BOOTSTRAP_REDIAL_MS_MAX, BOOTSTRAP_REDIAL_MS_MIN * 2 ** Math.min(first.failures, 30));
  first.failures += 1;
  // Whom an operator has cut off is not sought sooner for it.
  first.retryAt = Math.max(first.retryAt, moment.now + ceiling * (0.5 + moment.random() / 2));
}

function inFlight({ dials }: Discovery, purpose: DialPurpose): number {
  let count = 0;
  for (const one of dials.values()) if (one === purpose) count += 1;
  return count;
}

function planSessions(discovery: Discovery, moment: Moment): Dial[] {
  const { settings } = discovery;
  const missing = settings.outboundMin - outboundSessions(discovery).length - inFlight(discovery, 'session');
  const room = Math.min(missing, DIALS_IN_FLIGHT_MAX - inFlight(discovery, 'session'));
  const chosen = room > 0 ? chooseSessions(discovery, room, moment) : [];
  const dials = chosen.map((address): Dial => ({ type: 'dial', address, purpose: 'session' }));
  const isLost = chosen.length < room || isWithoutAuthority(discovery);
  const guides = isLost ? planBootstrap(discovery, moment) : [];
  return [...guides, ...dials.filter(({ address }) => !guides.some((guide) => guide.address === address))];
}

/** However many peers there are: nobody of them has proven anything, and all that they tell may be one hand's. */
function isWithoutAuthority({ sessions }: Discovery): boolean {
  return [...sessions.values()].every(({ role }) => role !== 'authority');
}

/** The configured addresses are for those who know nobody better, and are asked again while peers are missing. */
function planBootstrap({ bootstrap, sessions, dials, own }: Discovery, { now }: Moment): Dial[] {
  const connected = new Set(
    [...sessions.values()].flatMap(({ address, listenAddress = address }) => [address, listenAddress]),
  );
  return [...bootstrap].flatMap(([address, { retryAt }]) => {
    if (retryAt > now || connected.has(address) || dials.has(address) || own.has(address)) return [];
    return [{ type: 'dial', address, purpose: 'session' }];
  });
}

/** How many of the sessions that this node opens lie in each group, those under way included. */
function countGroups(discovery: Discovery): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { origin } of outboundSessions(discovery)) add(counts, origin.group);
  for (const [address, purpose] of discovery.dials) {
    if (purpose === 'session') add(counts, originOf(address)?.group ?? address);
  }
  return counts;
}

function add(counts: Map<string, number>, group: string): void {
  counts.set(group, (counts.get(group) ?? 0) + 1);
}

function chooseSessions(discovery: Discovery, count: number, moment: Moment): readonly string[] {
  const candidates = new Set(candidatesOf(discovery, moment.now));
  const counts = countGroups(discovery);
  const groupMax = Math.ceil(discovery.settings.outboundMin / OUTBOUND_GROUP_DIVISOR);
  let authorities = authoritiesMissing(discovery);
  const chosen: string[] = [];
  while (chosen.length < count) {
    const open = [...candidates].filter(
      ({ origin: { scope, group } }) => scope !== 'public' || (counts.get(group) ?? 0) < groupMax,
    );
    const next = chooseOne(open, { counts, wantsAuthority: authorities > 0 }, moment);
    if (next === undefined) break;
    candidates.delete(next);
    add(counts, next.origin.group);
    if (next.role === 'authority') authorities -= 1;
    chosen.push(next.address);
  }
  return chosen;
}

function authoritiesMissing({ sessions }: Discovery): number {
  let count = 0;
  for (const { role } of sessions.values()) if (role === 'authority') count += 1;
  return OUTBOUND_AUTHORITIES_MIN - count;
}

/** Addresses worth a session now, whoever told of them. */
function candidatesOf(discovery: Discovery, now: number): readonly PlacedAddress[] {
  const { book, sessions, dials, own, settings } = discovery;
  return [...book.records.values()].filter(
    ({ id, address, role, retryAt }) =>
      retryAt <= now &&
      role !== 'bootstrap' &&
      id !== settings.self &&
      !sessions.has(id) &&
      !dials.has(address) &&
      !own.has(address) &&
      !settings.isShunned(id),
  );
}

const SAMPLED = 8;

/**
 * Half of the choices fall on addresses that answered before, and of the others each teller has an equal share, so that
 * lists full of strangers never decide alone. Among a few at random the one in the least used group wins; when
 * authorities are missing, half of the choices are among those who are said to be some.
 */
function chooseOne(
  open: readonly PlacedAddress[],
  { counts, wantsAuthority }: { readonly counts: ReadonlyMap<string, number>; readonly wantsAuthority: boolean },
  moment: Moment,
): PlacedAddress | undefined {
  const isCoin = (): boolean => moment.random() < 0.5;
  const met = open.filter(({ reachedAt }) => reachedAt !== null);
  const pool = met.length > 0 && (met.length === open.length || isCoin()) ? met : toldByOne(open, moment);
  const authorities = wantsAuthority && isCoin() ? pool.filter(({ role }) => role === 'authority') : [];
  const used = ({ origin }: PlacedAddress): number => counts.get(origin.group) ?? 0;
  return sample(authorities.length > 0 ? authorities : pool, SAMPLED, moment).sort((a, b) => used(a) - used(b))[0];
}

/** What one teller, each as likely as the others, has told and nobody has reached. */
function toldByOne(open: readonly PlacedAddress[], moment: Moment): readonly PlacedAddress[] {
  const told = open.filter(({ reachedAt }) => reachedAt === null);
  const tellers = new Set(told.map(({ sources }) => sources[0]));
  const [teller] = sample([...tellers], 1, moment);
  return told.filter(({ sources }) => sources[0] === teller);
}

/** Claims of connected nodes first, then now and then one known address: one whose place is wanted, or long unseen. */
function planProbes(discovery: Discovery, moment: Moment): Dial[] {
  const { claims, dials, dialRate, sessions, own } = discovery;
  let room = PROBES_IN_FLIGHT_MAX - inFlight(discovery, 'probe');
  const probes: Dial[] = [];
  for (const [address, id] of claims) {
    const isIdle = !sessions.has(id) || dials.has(address) || own.has(address);
    if (!isIdle && (room <= 0 || !dialRate.take(1, moment.now))) break;
    claims.delete(address);
    if (isIdle) continue;
    probes.push({ type: 'dial', address, purpose: 'probe' });
    room -= 1;
  }
  if (room <= 0 || moment.now - discovery.feltAt < FEELER_MS) return probes;
  discovery.feltAt = moment.now;
  const felt = feeler(discovery, moment.now);
  return felt === undefined ? probes : [...probes, { type: 'dial', address: felt, purpose: 'probe' }];
}

function feeler({ book, dials, own, settings }: Discovery, now: number): string | undefined {
  const isDue = ({ address, retryAt, id }: PlacedAddress): boolean =>
    retryAt <= now && !dials.has(address) && !own.has(address) && !settings.isShunned(id);
  for (const holder of book.contested.keys()) {
    const record = book.records.get(holder);
    if (record !== undefined && isDue(record)) return holder;
  }
  let longest: PlacedAddress | undefined;
  for (const record of book.records.values()) {
    if (isDue(record) && (longest === undefined || lookedAt(record) < lookedAt(longest))) longest = record;
  }
  return longest?.address;
}

/** What was never looked at comes in the order in which it was heard, among what was looked at then. */
function lookedAt({ triedAt, heardAt }: PlacedAddress): number {
  return triedAt ?? heardAt;
}
