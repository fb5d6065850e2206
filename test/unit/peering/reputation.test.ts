import { describe, expect, it } from 'vitest';
import {
  BAN_GROWTH,
  BAN_MS_MAX,
  BAN_MS_MIN,
  BAN_POINTS,
  BANS_MAX,
  FORWARD_BATCH_MAX,
  PEER_MESSAGE_RATES,
  POINTS_HALF_LIFE_MS,
} from '../../../src/model/limits.ts';
import type { PeerMessageKind } from '../../../src/model/peer-message.ts';
import type { Transaction } from '../../../src/model/transaction.ts';
import {
  ban,
  bansInForce,
  charge,
  createReputation,
  isBanned,
  OFFENCES,
  type Offence,
  pointsOf,
  sweepBans,
  takeBanChanges,
  unban,
} from '../../../src/peering/reputation.ts';
import { createAllowance, isAllowed, weightOf } from '../../../src/peering/traffic.ts';

const PEER = { id: 'aa', role: 'follower' } as const;

describe('reputation', () => {
  it('bans at once for a certificate that is none', () => {
    const reputation = createReputation();
    expect(charge(reputation, PEER, 'BAD_CERTIFICATE', 0)).toMatchObject({ reason: 'BAD_CERTIFICATE', times: 1 });
    expect(isBanned(reputation, 'aa', BAN_MS_MIN - 1)).toBe(true);
    expect(isBanned(reputation, 'aa', BAN_MS_MIN)).toBe(false);
  });

  it.each(Object.keys(OFFENCES) as Offence[])('%s repeated at once bans, unless it may be the line', (offence) => {
    const reputation = createReputation();
    for (let turn = 0; turn < 1_000; turn += 1) charge(reputation, PEER, offence, turn);
    expect(isBanned(reputation, 'aa', 1_000)).toBe(offence !== 'STALLED');
  });

  it('never bans for silence, also not on top of something else that is none of a bad line', () => {
    const reputation = createReputation();
    charge(reputation, PEER, 'BAD_SIGNATURE', 0);
    for (let turn = 0; turn < 1_000; turn += 1) charge(reputation, PEER, 'STALLED', 0);
    expect(pointsOf(reputation, 'aa', 0)).toBe(BAN_POINTS / 2);
    expect(isBanned(reputation, 'aa', 0)).toBe(false);
  });

  it('forgives by halves', () => {
    const reputation = createReputation();
    charge(reputation, PEER, 'BAD_SIGNATURE', 0);
    expect(pointsOf(reputation, 'aa', POINTS_HALF_LIFE_MS)).toBe(BAN_POINTS / 4);
    expect(pointsOf(reputation, 'aa', -1)).toBe(BAN_POINTS / 2);
    expect(charge(reputation, PEER, 'BAD_SIGNATURE', POINTS_HALF_LIFE_MS)).toBeUndefined();
    expect(charge(reputation, PEER, 'BAD_SIGNATURE', POINTS_HALF_LIFE_MS)).toBeDefined();
  });

  it('bans for longer each time, up to a limit, and forgets how often after as long', () => {
    const reputation = createReputation();
    let now = 0;
    const lengths: number[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      const entry = charge(reputation, PEER, 'BAD_BLOCK', now);
      if (entry === undefined) throw new Error('it is banned');
      lengths.push(entry.until - entry.since);
      now = entry.until;
    }
    expect(lengths.slice(0, 3)).toEqual([BAN_MS_MIN, BAN_GROWTH * BAN_MS_MIN, BAN_GROWTH ** 2 * BAN_MS_MIN]);
    expect(lengths.at(-1)).toBe(BAN_MS_MAX);
    sweepBans(reputation, now + BAN_MS_MAX + 1);
    expect(charge(reputation, PEER, 'BAD_BLOCK', now + BAN_MS_MAX + 1)?.times).toBe(1);
  });

  it('never bans an authority by itself, and shows its points', () => {
    const reputation = createReputation();
    const authority = { id: 'bb', role: 'authority' } as const;
    for (let turn = 0; turn < 10; turn += 1) expect(charge(reputation, authority, 'BAD_BLOCK', 0)).toBeUndefined();
    expect(pointsOf(reputation, 'bb', 0)).toBeGreaterThanOrEqual(BAN_POINTS);
  });

  it('lifts a ban with all points, and says what must be written', () => {
    const reputation = createReputation();
    ban(reputation, 'aa', 0, 1_000);
    charge(reputation, { id: 'bb', role: 'follower' }, 'WRONG_CHAIN', 0);
    expect(bansInForce(reputation, 0).map(({ id, reason }) => [id, reason])).toEqual([
      ['bb', 'WRONG_CHAIN'],
      ['aa', 'OPERATOR'],
    ]);
    const { kept } = takeBanChanges(reputation);
    expect(createReputation(kept).bans).toEqual(reputation.bans);
    expect(unban(reputation, 'aa', 1)).toBe(true);
    expect(unban(reputation, 'aa', 1)).toBe(false);
    expect(takeBanChanges(reputation)).toEqual({ kept: [], lifted: ['aa'] });
    expect(bansInForce(reputation, 1).map(({ id }) => id)).toEqual(['bb']);
  });

  it('holds a bounded number of bans, and those of the operator longest', () => {
    const reputation = createReputation();
    ban(reputation, 'operator', 0, 1_000_000);
    for (let index = 0; index < 2 * BANS_MAX; index += 1) {
      charge(reputation, { id: `free ${index}`, role: 'follower' }, 'BAD_BLOCK', index);
    }
    expect(reputation.bans.size).toBeLessThanOrEqual(BANS_MAX);
    expect(isBanned(reputation, 'operator', 1)).toBe(true);
    expect(isBanned(reputation, `free ${2 * BANS_MAX - 1}`, 2 * BANS_MAX)).toBe(true);
  });
});

describe('traffic', () => {
  it.each(Object.keys(PEER_MESSAGE_RATES) as PeerMessageKind[])('%s has a rate of its own', (kind) => {
    const allowance = createAllowance();
    const { burst, perSecond } = PEER_MESSAGE_RATES[kind];
    for (let index = 0; index < burst; index += 1) expect(isAllowed(allowance, kind, 0)).toBe(true);
    expect(isAllowed(allowance, kind, 0)).toBe(false);
    for (const other of Object.keys(PEER_MESSAGE_RATES) as PeerMessageKind[]) {
      if (other !== kind) expect(isAllowed(allowance, other, 0)).toBe(true);
    }
    for (let index = 0; index < perSecond; index += 1) expect(isAllowed(allowance, kind, 1_000)).toBe(true);
    expect(isAllowed(allowance, kind, 1_000)).toBe(false);
  });

  it('transactions count one by one, however they are put together', () => {
    const { burst } = PEER_MESSAGE_RATES.transactions;
    const transactions = Array.from({ length: FORWARD_BATCH_MAX }, () => ({}) as Transaction);
    const weight = weightOf({ kind: 'transactions', transactions, hops: 1 });
    expect(weight).toBe(FORWARD_BATCH_MAX);
    expect(weightOf({ kind: 'transactions', transactions: [], hops: 1 })).toBe(1);
    const allowance = createAllowance();
    let allowed = 0;
    while (isAllowed(allowance, 'transactions', 0, weight)) allowed += 1;
    expect(allowed).toBe(burst / FORWARD_BATCH_MAX);
  });
});
