import { assert } from '../lib/assert.ts';
import type { GateId, Hash, Height, Timestamp } from '../model/ids.ts';
import type { FirstScan, Refusal } from '../model/receipt.ts';
import type { DisputeRecord, TicketRecord, TicketState, TierRecord } from './records.ts';

/** The only edges of a ticket's life. CONSUMED and DISPUTED are final. */
export const EDGES: Readonly<Record<TicketState, readonly TicketState[]>> = {
  ISSUED: ['VALIDATED'],
  VALIDATED: ['CONSUMED', 'DISPUTED'],
  CONSUMED: [],
  DISPUTED: [],
};

/** Operations that move a ticket that exists. */
export type Move = 'validate' | 'consume' | 'admit' | 'dispute';

/** For every move and state: the states that the ticket passes through, or why it stays. */
export const MOVES: Readonly<Record<Move, Readonly<Record<TicketState, readonly TicketState[] | Refusal>>>> = {
  validate: {
    ISSUED: ['VALIDATED'],
    VALIDATED: 'ALREADY_VALIDATED',
    CONSUMED: 'ALREADY_CONSUMED',
    DISPUTED: 'TICKET_DISPUTED',
  },
  consume: {
    ISSUED: 'NOT_VALIDATED',
    VALIDATED: ['CONSUMED'],
    CONSUMED: 'ALREADY_CONSUMED',
    DISPUTED: 'TICKET_DISPUTED',
  },
  admit: {
    ISSUED: ['VALIDATED', 'CONSUMED'],
    VALIDATED: ['CONSUMED'],
    CONSUMED: 'ALREADY_CONSUMED',
    DISPUTED: 'TICKET_DISPUTED',
  },
  dispute: {
    ISSUED: 'INVALID_TRANSITION',
    VALIDATED: ['DISPUTED'],
    CONSUMED: 'ALREADY_CONSUMED',
    DISPUTED: 'TICKET_DISPUTED',
  },
};

/** What a decision about one ticket depends on, apart from the ticket. */
export interface Circumstances {
  readonly tier: TierRecord;
  /** Time of the block. */
  readonly at: Timestamp;
  /** Where it is scanned; null when it is not. */
  readonly gate: GateId | null;
}

/** The states that a move takes a ticket through, or the first reason why it must not. */
export function decide(move: Move, ticket: TicketRecord, now: Circumstances): readonly TicketState[] | Refusal {
  const path = MOVES[move][ticket.state];
  if (typeof path === 'string' || move === 'dispute') return path;
  const { validFrom, validThrough } = now.tier;
  if (validThrough !== null && now.at > validThrough) return 'OUTSIDE_VALIDITY';
  if (move === 'validate') return path;
  if (validFrom !== null && now.at < validFrom) return 'OUTSIDE_VALIDITY';
  return ticket.gate !== null && ticket.gate !== now.gate ? 'WRONG_GATE' : path;
}

/** What a new version of a ticket records besides its state. */
export interface Step {
  readonly to: TicketState;
  readonly height: Height;
  /** Hash of the record that it replaces. */
  readonly previous: Hash;
  readonly firstScan?: FirstScan;
  readonly dispute?: DisputeRecord;
}

/** The next version of a ticket, one edge further. */
export function advance(ticket: TicketRecord, step: Step): TicketRecord {
  assert(EDGES[ticket.state].includes(step.to), `no edge from ${ticket.state} to ${step.to}`);
  return {
    ...ticket,
    state: step.to,
    version: ticket.version + 1,
    since: step.height,
    previous: step.previous,
    firstScan: step.firstScan ?? ticket.firstScan,
    dispute: step.dispute ?? ticket.dispute,
  };
}

/** A tier's counters after one of its tickets went along an edge. */
export function count(tier: TierRecord, from: TicketState, to: TicketState): TierRecord {
  const change = (state: TicketState): number => (state === to ? 1 : 0) - (state === from ? 1 : 0);
  return {
    ...tier,
    validated: tier.validated + change('VALIDATED'),
    consumed: tier.consumed + change('CONSUMED'),
    disputed: tier.disputed + change('DISPUTED'),
  };
}
