import { unreachable } from '../lib/assert.ts';
import {
  ASK_MS_IDLE,
  ASK_MS_MAX,
  ASK_MS_MIN,
  ASKING_GUESTS_DIVISOR,
  BUSY_PEER_MS,
  FOREIGN_PEER_MS,
  LISTED_PEERS_MAX,
  OWN_ADDRESSES_MAX,
  PROBES_WAITING_MAX,
  REDIAL_MS_MIN,
  SHORT_SESSION_MS_MAX,
} from '../model/limits.ts';
import type { ListedPeer } from '../model/peer-message.ts';
import { failed, hear, isListable, postpone, reached, sweep } from './address-book.ts';
import { isTellable, originOf } from './address-group.ts';
import { bootstrapFailed, plan } from './discovery-plan.ts';
import {
  type Discovery,
  type DiscoveryEffect,
  type DiscoverySession,
  type MetPeer,
  type Moment,
  sample,
} from './discovery-state.ts';
import { countGroups } from './guests.ts';

/** What became of a dial. `reached`: the node with that id lives there, whether or not a session came of it. */
export type DialOutcome =
  | { readonly type: 'reached'; readonly id: string }
  /** It has no room, or has this node already. */
  | { readonly type: 'busy' }
  /** Of another chain or protocol, or it wants nothing to do with this node. */
  | { readonly type: 'foreign' }
  | { readonly type: 'self' }
  | { readonly type: 'failed' };

export type DiscoveryEvent =
  | { readonly type: 'up'; readonly peer: MetPeer }
  | { readonly type: 'down'; readonly id: string }
  /** Answers each `dial`, once; after the `up` of its session, if one came of it. */
  | { readonly type: 'dialled'; readonly address: string; readonly outcome: DialOutcome }
  | { readonly type: 'asked'; readonly from: string }
  | { readonly type: 'listed'; readonly from: string; readonly peers: readonly ListedPeer[] }
  /** What another way of looking for peers has brought; hearsay as well. */
  | { readonly type: 'found'; readonly from: string; readonly peers: readonly ListedPeer[] }
  /** An operator wants a session with whoever lives there. */
  | { readonly type: 'connect'; readonly address: string }
  /** An operator has ended the session with a peer: it is not dialled again for a while. */
  | { readonly type: 'cut'; readonly id: string }
  | { readonly type: 'tick' };

/** Takes what happened, and answers what to do about it, in order. */
export function stepDiscovery(discovery: Discovery, event: DiscoveryEvent, moment: Moment): DiscoveryEffect[] {
  const effects = react(discovery, event, moment);
  if (event.type !== 'asked') effects.push(...plan(discovery, moment));
  for (const effect of effects) if (effect.type === 'dial') discovery.dials.set(effect.address, effect.purpose);
  return effects;
}

function react(discovery: Discovery, event: DiscoveryEvent, moment: Moment): DiscoveryEffect[] {
  switch (event.type) {
    case 'up':
      onUp(discovery, event.peer, moment);
      return [];
    case 'down':
      onDown(discovery, event.id, moment);
      return [];
    case 'dialled':
      onDialled(discovery, event.address, event.outcome, moment);
      return [];
    case 'asked':
      return onAsked(discovery, event.from, moment);
    case 'listed':
      return onListed(discovery, event.from, event.peers, moment);
    case 'found':
      learn(discovery, event.from, event.peers, moment);
      return [];
    case 'connect':
      return discovery.dials.has(event.address) ? [] : [{ type: 'dial', address: event.address, purpose: 'session' }];
    case 'cut':
      onCut(discovery, event.id, moment);
      return [];
    case 'tick':
      sweep(discovery.book, moment.now);
      return [...ask(discovery, moment), ...leave(discovery, moment)];
    default:
      return unreachable(event);
  }
}

function onUp({ sessions, claims, book, bootstrap }: Discovery, peer: MetPeer, { now }: Moment): void {
  const { id, direction, address, role, listenAddress } = peer;
  const origin = originOf(address) ?? { group: address, scope: 'public' };
  sessions.set(id, { ...peer, since: now, origin, askedAt: null, askMs: ASK_MS_MIN, isAnswerDue: false, listed: 0 });
  if (direction === 'outbound') {
    const first = bootstrap.get(address);
    if (first !== undefined) first.failures = 0;
    reached(book, { id, address, role }, now);
    return;
  }
  const claimed = listenAddress === undefined ? undefined : originOf(listenAddress);
  if (listenAddress === undefined || claimed === undefined || claims.size >= PROBES_WAITING_MAX) return;
  // Nobody has this node knock at doors of its own site by saying that he lives there.
  if (!isTellable(claimed, origin)) return;
  const known = book.records.get(listenAddress);
  const isProven = known?.id === id && isListable(known, now) && known.reachedAt !== null;
  if (!isProven) claims.set(listenAddress, id);
}

/** One that ends at once counts as a dial in vain, so that nobody is dialled in circles. */
function onDown({ sessions, book, bootstrap }: Discovery, id: string, { now, random }: Moment): void {
  const session = sessions.get(id);
  if (session === undefined) return;
  sessions.delete(id);
  // Whoever ended it had a reason, or is about to come back.
  for (const record of book.records.values()) if (record.id === id) postpone(book, record.address, now + REDIAL_MS_MIN);
  const first = bootstrap.get(session.address);
  // It is there to be asked now and then, not to be held.
  if (first !== undefined && session.role === 'bootstrap' && sessions.size > 0) first.retryAt = now + ASK_MS_MAX;
  if (session.direction === 'inbound' || now - session.since >= SHORT_SESSION_MS_MAX) return;
  const heldUntil = book.records.get(session.address)?.retryAt ?? now;
  failed(book, session.address, now, random());
  // Whom an operator has cut off is not sought sooner because the session was short.
  postpone(book, session.address, heldUntil);
  bootstrapFailed(bootstrap, session.address, { now, random });
}

function onDialled(discovery: Discovery, address: string, outcome: DialOutcome, moment: Moment): void {
  const { book, dials, bootstrap, own, sessions, claims } = discovery;
  const { now, random } = moment;
  dials.delete(address);
  switch (outcome.type) {
    case 'reached': {
      const { id } = outcome;
      const known = book.records.get(address);
      const role = sessions.get(id)?.role ?? (known?.id === id && known.reachedAt !== null ? known.role : undefined);
      // A look proves who is there, and not that it is of this chain: that a session has to show.
      if (role === undefined) failed(book, address, now, random());
      else reached(book, { id, address, role }, now);
      break;
    }
    case 'self':
      if (own.size < OWN_ADDRESSES_MAX) own.add(address);
      bootstrap.delete(address);
      claims.delete(address);
      // Any number of names may lead here: those that are too many to be remembered are not dialled again soon either.
      postpone(book, address, now + FOREIGN_PEER_MS);
      return;
    case 'busy':
      postpone(book, address, now + BUSY_PEER_MS * (0.5 + random() / 2));
      break;
    case 'foreign':
      failed(book, address, now, random());
      postpone(book, address, now + FOREIGN_PEER_MS);
      break;
    case 'failed':
      failed(book, address, now, random());
  }
  bootstrapFailed(bootstrap, address, moment);
}

/** Asking often is answered seldom: what is known does not change as fast. */
function onAsked({ sessions, book, settings }: Discovery, from: string, moment: Moment): DiscoveryEffect[] {
  const session = sessions.get(from);
  if (session === undefined) return [];
  session.listed += 1;
  const peers = [...book.records.values()].filter((record) => {
    if (record.id === from || record.id === settings.self || settings.isShunned(record.id)) return false;
    return isTellable(record.origin, session.origin) && isListable(record, moment.now);
  });
  return [
    {
      type: 'list',
      to: from,
      peers: sample(peers, LISTED_PEERS_MAX, moment).map(({ id, address, role }) => ({ id, address, role })),
    },
  ];
}

function onListed(discovery: Discovery, from: string, peers: readonly ListedPeer[], moment: Moment): DiscoveryEffect[] {
  const { sessions, book } = discovery;
  const session = sessions.get(from);
  if (session === undefined) return [];
  if (!session.isAnswerDue) return [{ type: 'unsolicited', id: from }];
  session.isAnswerDue = false;
  const known = book.records.size;
  learn(discovery, from, peers, moment);
  session.askMs = book.records.size > known ? ASK_MS_MIN : Math.min(ASK_MS_MAX, ASK_GROWTH * session.askMs);
  return [];
}

function learn(
  { sessions, book, own, settings }: Discovery,
  from: string,
  peers: readonly ListedPeer[],
  { now }: Moment,
): void {
  const session = sessions.get(from);
  if (session === undefined) return;
  for (const peer of peers) {
    if (peer.id !== settings.self && !own.has(peer.address)) hear(book, peer, session.origin, now);
  }
}

/** Wherever it lives, as far as that is known: also when it is one that the configuration names. */
function onCut({ sessions, book, bootstrap }: Discovery, id: string, { now }: Moment): void {
  const session = sessions.get(id);
  const places = new Set([session?.address, session?.listenAddress]);
  for (const record of book.records.values()) {
    if (record.id !== id && !places.has(record.address)) continue;
    places.add(record.address);
    postpone(book, record.address, now + BUSY_PEER_MS);
  }
  for (const [address, first] of bootstrap) {
    if (places.has(address)) first.retryAt = Math.max(first.retryAt, now + BUSY_PEER_MS);
  }
}

/** Asks those who were asked longest ago, a few at a time. */
function ask({ sessions }: Discovery, { now, random }: Moment): DiscoveryEffect[] {
  const due = [...sessions.values()].filter(
    ({ askedAt, askMs }) => askedAt === null || now - askedAt >= askMs * (0.75 + random() / 2),
  );
  return due.slice(0, ASKED_AT_ONCE_MAX).map((session) => {
    session.askedAt = now;
    session.isAnswerDue = true;
    return { type: 'ask', to: session.id };
  });
}

const ASKED_AT_ONCE_MAX = 4;
const ASK_GROWTH = 1.5;

/** A node that only knows peers is left once it has told them; and it lets go of those it told, to have room for others. */
function leave(discovery: Discovery, moment: Moment): DiscoveryEffect[] {
  const { sessions, settings } = discovery;
  const all = [...sessions.values()];
  if (settings.keepsChain) {
    if (all.every(({ role }) => role === 'bootstrap')) return [];
    const full = makeRoom(discovery, moment);
    return full !== undefined
      ? [full]
      : all.flatMap(({ id, role, direction, askMs, isAnswerDue }) =>
          role === 'bootstrap' && direction === 'outbound' && askMs >= ASK_MS_IDLE && !isAnswerDue
            ? [{ type: 'drop', id }]
            : [],
        );
  }
  if (4 * all.length < 3 * settings.peersMax) return [];
  const oldest = all.find(({ direction, listed }) => direction === 'inbound' && listed > 0);
  return oldest === undefined ? [] : [{ type: 'drop', id: oldest.id }];
}

/**
 * A node with all places taken would be the end of the way for whoever knows no other. So the last ones are for those who
 * come to ask: who was told goes again, of the most crowded group the newest, and finds the others. Honest nodes ask as
 * soon as they are connected, so whoever does not goes first.
 */
function makeRoom({ sessions, settings }: Discovery, { now }: Moment): DiscoveryEffect | undefined {
  const places = settings.peersMax - settings.outboundMin;
  const guests = [...sessions.values()].filter(
    ({ direction, role }) => direction === 'inbound' && role !== 'authority',
  );
  if (guests.length <= places - Math.ceil(places / ASKING_GUESTS_DIVISOR)) return undefined;
  const counts = countGroups(guests.map(({ origin }) => origin));
  const crowd = ({ origin }: DiscoverySession): number => counts.get(origin.group) ?? 0;
  // Sorting keeps the order of those that are equal.
  const newestFirst = guests.reverse().sort((a, b) => crowd(b) - crowd(a));
  const leaves =
    newestFirst.find(({ listed, since }) => listed === 0 && now - since >= SHORT_SESSION_MS_MAX) ??
    newestFirst.find(({ listed }) => listed > 0);
  return leaves && { type: 'drop', id: leaves.id };
}
