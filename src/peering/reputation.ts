import { type BoundedMap, createBoundedMap } from '../lib/bounded.ts';
import {
  BAN_GROWTH,
  BAN_MS_MAX,
  BAN_MS_MIN,
  BAN_POINTS,
  BANS_MAX,
  POINTS_HALF_LIFE_MS,
  SCORES_KEPT_MAX,
} from '../model/limits.ts';
import type { PeerRole } from '../model/peer-message.ts';

interface Price {
  readonly points: number;
  /** Offences of this kind alone bring nobody above it: what a bad line can look like never leads to a ban. */
  readonly pointsMax: number;
}

const PROVEN: Pick<Price, 'pointsMax'> = { pointsMax: Number.POSITIVE_INFINITY };
const CIRCUMSTANTIAL: Pick<Price, 'pointsMax'> = { pointsMax: BAN_POINTS / 2 };

/** What a peer can do wrong. Those that are provable ban it, at once or when repeated; the others make it a last choice. */
export const OFFENCES = {
  /** A signature that does not verify under the key it names. */
  BAD_SIGNATURE: { points: BAN_POINTS / 2, ...PROVEN },
  /** A certificate without a quorum, of foreign or repeated signers, or of another block. */
  BAD_CERTIFICATE: { points: BAN_POINTS, ...PROVEN },
  /** A block or header that breaks its hash links, or a body that is not that of its header. */
  BAD_BLOCK: { points: BAN_POINTS, ...PROVEN },
  /** A part of a snapshot that is not under the root it was asked for. */
  BAD_SNAPSHOT: { points: BAN_POINTS, ...PROVEN },
  /** Blocks of another chain than the one it introduced itself with. */
  WRONG_CHAIN: { points: BAN_POINTS, ...PROVEN },
  /** A frame that no honest node of this protocol encodes. */
  MALFORMED: { points: BAN_POINTS / 2, ...PROVEN },
  /** More bytes than the limits allow, also after inflating. */
  OVERSIZED: { points: BAN_POINTS / 2, ...PROVEN },
  /** One message above the rate of its kind. */
  FLOOD: { points: BAN_POINTS / 50, ...PROVEN },
  /** An answer to no question. */
  UNSOLICITED: { points: BAN_POINTS / 10, ...PROVEN },
  /** A head without its certificate, or one that it does not serve. */
  LIED_ABOUT_HEIGHT: { points: BAN_POINTS / 4, ...PROVEN },
  /** No answer in time. */
  STALLED: { points: BAN_POINTS / 20, ...CIRCUMSTANTIAL },
} as const satisfies Record<string, Price>;
export type Offence = keyof typeof OFFENCES;

/** Times are milliseconds of one steady clock; those before a restart are below zero. */
export interface Ban {
  /** Node id. */
  readonly id: string;
  readonly reason: Offence | 'OPERATOR';
  readonly since: number;
  readonly until: number;
  /** How often it was banned, this time included. */
  readonly times: number;
}

interface Score {
  readonly points: number;
  readonly at: number;
}

export interface Reputation {
  readonly scores: BoundedMap<string, Score>;
  readonly bans: Map<string, Ban>;
  /** Ids whose ban changed since `takeBanChanges`. */
  readonly changed: Set<string>;
}

export function createReputation(bans: readonly Ban[] = []): Reputation {
  return {
    scores: createBoundedMap(SCORES_KEPT_MAX),
    bans: new Map(bans.map((ban) => [ban.id, ban])),
    changed: new Set(),
  };
}

/** Points of a peer now, from 0; at BAN_POINTS it is banned. */
export function pointsOf({ scores }: Reputation, id: string, now: number): number {
  const score = scores.get(id);
  return score === undefined ? 0 : score.points * 2 ** (-Math.max(0, now - score.at) / POINTS_HALF_LIFE_MS);
}

/**
 * Charges a peer with an offence, and answers the ban that follows from it. A proven authority is never banned by this:
 * what it does wrong is evidence against it, and a quorum may need its votes.
 */
export function charge(
  reputation: Reputation,
  peer: { readonly id: string; readonly role: PeerRole },
  offence: Offence,
  now: number,
): Ban | undefined {
  const { points, pointsMax }: Price = OFFENCES[offence];
  const before = pointsOf(reputation, peer.id, now);
  const after = Math.max(before, Math.min(before + points, pointsMax));
  reputation.scores.set(peer.id, { points: after, at: now });
  if (after < BAN_POINTS || peer.role === 'authority' || isBanned(reputation, peer.id, now)) return undefined;
  const times = (reputation.bans.get(peer.id)?.times ?? 0) + 1;
  const lengthMs = Math.min(BAN_MS_MAX, BAN_MS_MIN * BAN_GROWTH ** (times - 1));
  // It has paid: when the ban is over it begins anew, but for how often it was banned.
  reputation.scores.set(peer.id, { points: 0, at: now });
  return put(reputation, { id: peer.id, reason: offence, since: now, until: now + lengthMs, times });
}

/** A ban that an operator asks for. */
export function ban(reputation: Reputation, id: string, now: number, lengthMs: number): Ban {
  const times = (reputation.bans.get(id)?.times ?? 0) + 1;
  return put(reputation, { id, reason: 'OPERATOR', since: now, until: now + lengthMs, times });
}

/** Lifts a ban and forgets the points; false when there is none. */
export function unban(reputation: Reputation, id: string, now: number): boolean {
  const wasBanned = isBanned(reputation, id, now);
  if (reputation.bans.delete(id)) reputation.changed.add(id);
  reputation.scores.set(id, { points: 0, at: now });
  return wasBanned;
}

export function isBanned({ bans }: Reputation, id: string, now: number): boolean {
  return (bans.get(id)?.until ?? now) > now;
}

/** Bans in force, the latest to end first. */
export function bansInForce({ bans }: Reputation, now: number): readonly Ban[] {
  return [...bans.values()].filter(({ until }) => until > now).sort((a, b) => b.until - a.until);
}

/** Forgets bans that ended long ago: who came back and kept the rules that long is a first offender again. */
export function sweepBans({ bans, changed }: Reputation, now: number): void {
  for (const { id, until } of bans.values()) {
    if (now - until <= BAN_MS_MAX) continue;
    bans.delete(id);
    changed.add(id);
  }
}

/** What must be written to survive a restart. */
export function takeBanChanges({ bans, changed }: Reputation): {
  readonly kept: readonly Ban[];
  readonly lifted: readonly string[];
} {
  const all = [...changed];
  changed.clear();
  return { kept: all.flatMap((id) => bans.get(id) ?? []), lifted: all.filter((id) => !bans.has(id)) };
}

/** Those of the operator stay: nodes that misbehave under ever new ids push out each other's bans only. */
function put({ bans, changed }: Reputation, entry: Ban): Ban {
  bans.delete(entry.id);
  bans.set(entry.id, entry);
  changed.add(entry.id);
  if (bans.size <= BANS_MAX) return entry;
  for (const { id, reason } of bans.values()) {
    if (reason === 'OPERATOR' && id !== entry.id && bans.size < 2 * BANS_MAX) continue;
    bans.delete(id);
    changed.add(id);
    break;
  }
  return entry;
}
