import type { CaseOutcome, DisputeReason, RevocationReason } from '../model/operation.ts';
import { below, chance, draw, exponential } from './draw.ts';
import { MINUTE } from './timeline.ts';

/** How a case ends: undecided, as an arbiter says, or with an arbiter who may not judge it and tries to. */
export type CaseEnd = CaseOutcome | 'OPEN' | 'SELF_JUDGED';

/** What will happen to a ticket that is not simply bought and used. */
export interface Fate {
  readonly revoked: {
    readonly reason: RevocationReason;
    readonly isLate: boolean;
    readonly isPresented: boolean;
  } | null;
  /** Until it is released, or until its holder stands at the gate. */
  readonly held: 'released' | 'held' | null;
  readonly disputed: {
    readonly opener: string;
    readonly reason: DisputeReason;
    readonly end: CaseEnd;
    readonly isPresented: boolean;
  } | null;
  /** In order; the price in percent of the tier's for those that are sold on. */
  readonly transfers: readonly (number | null)[];
  readonly isAbsent: boolean;
  /** A copy that is shown at another gate afterwards. */
  readonly clone: { readonly delayMs: number; readonly contested: CaseEnd | null } | null;
  /** The gate did not hear the answer, and asks again. */
  readonly isResent: boolean;
}

const ORDINARY: Fate = {
  revoked: null,
  held: null,
  disputed: null,
  transfers: [],
  isAbsent: false,
  clone: null,
  isResent: false,
};

const CLONE_AT_ONCE = { delayMs: MINUTE, contested: null } as const;

/** Tickets with a story of their own at every size, so that each question has something to tell. */
const CAST: readonly Fate[] = [
  { ...ORDINARY, clone: { delayMs: MINUTE, contested: 'UPHELD' } },
  { ...ORDINARY, disputed: { opener: 'boxoffice', reason: 'FRAUD', end: 'REJECTED', isPresented: true } },
  { ...ORDINARY, disputed: { opener: 'city', reason: 'STOLEN', end: 'SELF_JUDGED', isPresented: true } },
  { ...ORDINARY, disputed: { opener: 'venue', reason: 'DOUBLE_SALE', end: 'OPEN', isPresented: true } },
  { ...ORDINARY, revoked: { reason: 'CHARGEBACK', isLate: true, isPresented: true } },
  { ...ORDINARY, transfers: [null, 160] },
  { ...ORDINARY, clone: CLONE_AT_ONCE },
  { ...ORDINARY, isAbsent: true },
  ORDINARY,
  { ...ORDINARY, isResent: true },
];

export const CAST_SIZE = CAST.length;

export function fateOf(index: number): Fate {
  const scripted = CAST[index];
  if (scripted !== undefined) return scripted;
  const lot = draw('fate', index);
  if (lot < 0.012) return { ...ORDINARY, revoked: revocationOf(index) };
  if (lot < 0.017) return { ...ORDINARY, held: chance(0.8, 'released', index) ? 'released' : 'held' };
  const isAbsent = chance(0.07, 'absent', index);
  const transfers = transfersOf(index);
  if (lot < 0.02) return { ...ORDINARY, transfers, disputed: disputeOf(index) };
  const isCloned = !isAbsent && chance(0.01, 'clone', index);
  return {
    ...ORDINARY,
    transfers,
    isAbsent,
    clone: isCloned ? cloneOf(index) : null,
    isResent: !isAbsent && chance(0.01, 'resent', index),
  };
}

function revocationOf(index: number): Fate['revoked'] {
  const reasons: readonly RevocationReason[] = ['REFUND', 'REFUND', 'CHARGEBACK', 'FRAUD'];
  return {
    reason: pick(reasons, 'REFUND', below(reasons.length, 'revocation', index)),
    isLate: chance(0.4, 'revoked late', index),
    isPresented: chance(0.3, 'revoked presented', index),
  };
}

function disputeOf(index: number): Fate['disputed'] {
  const reasons: readonly DisputeReason[] = ['FRAUD', 'DOUBLE_SALE', 'STOLEN', 'OTHER'];
  const openers = ['boxoffice', 'boxoffice', 'venue', 'venue', 'city'];
  const opener = pick(openers, 'venue', below(openers.length, 'opener', index));
  const end = endOf('dispute', index);
  return {
    opener,
    reason: pick(reasons, 'OTHER', below(reasons.length, 'dispute', index)),
    // The city is the only arbiter, and nobody decides what he has opened himself.
    end: opener === 'city' && end !== 'OPEN' ? 'SELF_JUDGED' : end,
    isPresented: chance(0.7, 'disputed presented', index),
  };
}

function endOf(kind: string, index: number): CaseEnd {
  const outcomes: readonly CaseOutcome[] = ['UPHELD', 'REJECTED', 'REFUNDED', 'REISSUED'];
  if (!chance(0.7, kind, 'decided', index)) return 'OPEN';
  return pick(outcomes, 'REJECTED', below(outcomes.length, kind, 'outcome', index));
}

/** Three of ten change hands, one of ten of those twice, one of five on the market. */
function transfersOf(index: number): Fate['transfers'] {
  if (!chance(0.3, 'transferred', index)) return [];
  const count = chance(0.1, 'transferred twice', index) ? 2 : 1;
  return Array.from({ length: count }, (_, turn) =>
    chance(0.2, 'resale', index, turn) ? 80 + below(36, 'resale percent', index, turn) : null,
  );
}

function cloneOf(index: number): Fate['clone'] {
  return {
    delayMs: Math.round(Math.min(20 * MINUTE, MINUTE / 12 + exponential(10 * MINUTE, 'clone delay', index))),
    contested: chance(0.3, 'clone contested', index) ? endOf('clone', index) : null,
  };
}

function pick<T>(items: readonly T[], otherwise: T, index: number): T {
  return items[index] ?? otherwise;
}
