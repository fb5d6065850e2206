import { assert } from '../lib/assert.ts';
import type { GateId, Hash, Height, Timestamp } from '../model/ids.ts';
import type { Refusal } from '../model/receipt.ts';
import type { TicketState } from '../model/ticket.ts';
import type { TierRecord } from './records.ts';
import type { TicketRecord } from './ticket-record.ts';

/** The only edges of a ticket's life. CONSUMED and DISPUTED are final. */
export const EDGES: Readonly<Record<TicketState, readonly TicketState[]>> = {
  ISSUED: ['VALIDATED'],
  VALIDATED: ['CONSUMED', 'DISPUTED'],
  CONSUMED: [],
  DISPUTED: [],
};

/** Operations on a ticket that exists. */
export type Move =
  | 'validate'
  | 'consume'
  | 'admit'
  | 'dispute'
  | 'transfer'
  | 'hold'
  | 'release'
  | 'revoke'
  | 'case.open'
  | 'resolve';

type Path = readonly TicketState[] | Refusal;

/** What changes a ticket that is still to be admitted, and leaves it where it is. */
const BEFORE_ADMISSION: Readonly<Record<TicketState, Path>> = {
  ISSUED: ['ISSUED'],
  VALIDATED: ['VALIDATED'],
  CONSUMED: 'ALREADY_CONSUMED',
  DISPUTED: 'TICKET_DISPUTED',
};

/** For every move and state: the state of each version that the ticket gets, or why it stays. */
export const MOVES: Readonly<Record<Move, Readonly<Record<TicketState, Path>>>> = {
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
  transfer: BEFORE_ADMISSION,
  hold: BEFORE_ADMISSION,
  release: BEFORE_ADMISSION,
  revoke: BEFORE_ADMISSION,
  'case.open': {
    ISSUED: 'INVALID_TRANSITION',
    VALIDATED: 'INVALID_TRANSITION',
    CONSUMED: ['CONSUMED'],
    DISPUTED: 'TICKET_DISPUTED',
  },
  resolve: { ISSUED: 'NO_OPEN_CASE', VALIDATED: 'NO_OPEN_CASE', CONSUMED: ['CONSUMED'], DISPUTED: ['DISPUTED'] },
};

/** Moves that take a ticket only when it is in order. */
const ONLY_GOOD: ReadonlySet<Move> = new Set(['validate', 'consume', 'admit', 'transfer', 'hold']);

/** What a decision about one ticket depends on, apart from the ticket. */
export interface Circumstances {
  readonly tier: TierRecord;
  /** Time of the block. */
  readonly at: Timestamp;
  /** Where it is scanned; null when it is not. */
  readonly gate: GateId | null;
}

/** The states of the versions that a move gives a ticket, or the first reason why it must not. */
export function decide(move: Move, ticket: TicketRecord, now: Circumstances): Path {
  const path = MOVES[move][ticket.state];
  const isOver = EDGES[ticket.state].length === 0;
  if (isOver) return isCaseMove(move) ? (caseProblem(move, ticket) ?? path) : path;
  const standing = standingProblem(move, ticket);
  if (standing !== undefined) return standing;
  if (typeof path === 'string') return path;
  return validityProblem(move, ticket, now) ?? path;
}

function isCaseMove(move: Move): move is 'case.open' | 'resolve' {
  return move === 'case.open' || move === 'resolve';
}

function caseProblem(move: 'case.open' | 'resolve', ticket: TicketRecord): Refusal | undefined {
  const isOpen = ticket.case !== null && ticket.case.resolution === null;
  if (move === 'resolve') return isOpen ? undefined : 'NO_OPEN_CASE';
  return isOpen && ticket.state === 'CONSUMED' ? 'CASE_ALREADY_OPEN' : undefined;
}

function standingProblem(move: Move, { standing }: TicketRecord): Refusal | undefined {
  if (move === 'dispute' || isCaseMove(move)) return undefined;
  if (standing === 'REVOKED') return 'TICKET_REVOKED';
  if (move === 'release') return standing === 'HELD' ? undefined : 'NOT_HELD';
  return standing === 'HELD' && ONLY_GOOD.has(move) ? 'TICKET_HELD' : undefined;
}

/** Whether a ticket may be used at this time and place. */
function validityProblem(move: Move, ticket: TicketRecord, now: Circumstances): Refusal | undefined {
  if (move !== 'validate' && move !== 'consume' && move !== 'admit') return undefined;
  const { validFrom, validThrough } = now.tier;
  if (validThrough !== null && now.at > validThrough) return 'OUTSIDE_VALIDITY';
  if (move === 'validate') return undefined;
  if (validFrom !== null && now.at < validFrom) return 'OUTSIDE_VALIDITY';
  return ticket.gate !== null && ticket.gate !== now.gate ? 'WRONG_GATE' : undefined;
}

/** What a new version of a ticket changes besides its state. */
export type Patch = Partial<
  Pick<TicketRecord, 'firstScan' | 'case' | 'standing' | 'holder' | 'epoch' | 'transfers' | 'replacedBy'>
>;

/** One version further. */
export interface Step {
  readonly to: TicketState;
  readonly height: Height;
  /** Hash of the record that it replaces. */
  readonly previous: Hash;
  readonly patch?: Patch;
}

/** The next version of a ticket: along one edge, or where it is. */
export function advance(ticket: TicketRecord, { to, height, previous, patch }: Step): TicketRecord {
  const isLegal = to === ticket.state || EDGES[ticket.state].includes(to);
  assert(isLegal, `no edge from ${ticket.state} to ${to}`);
  assert(to !== 'CONSUMED' || ticket.standing === 'GOOD', 'only a ticket in order is admitted');
  return { ...ticket, ...patch, state: to, version: ticket.version + 1, since: height, previous };
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
