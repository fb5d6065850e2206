import { defined } from '../lib/assert.ts';
import { type TicketId, ZERO_HASH } from '../model/ids.ts';
import type { FirstScan } from '../model/receipt.ts';
import type { NewTicket } from '../model/transaction.ts';
import { advance, count, decide, type Step } from './lifecycle.ts';
import { type Act, accepted, refused } from './outcome.ts';
import {
  type DisputeRecord,
  type Outcome,
  seatKey,
  type TicketRecord,
  type TicketState,
  type TierRecord,
  tierKey,
} from './records.ts';
import type { Overlay } from './state.ts';

/** All of the tickets or none. */
export function applyIssue(act: Act<'issue'>): Outcome {
  const { state, operation, block } = act;
  const { event, tier, tickets } = operation;
  const eventRecord = state.events.get(event);
  if (eventRecord === undefined) return refused('UNKNOWN_EVENT', event);
  const key = tierKey(event, tier);
  const tierRecord = state.tiers.get(key);
  if (tierRecord === undefined) return refused('UNKNOWN_TIER', tier);
  const { validThrough } = tierRecord;
  if (validThrough !== null && block.timestamp > validThrough) return refused('OUTSIDE_VALIDITY', tier);
  const clash = firstClash(act);
  if (clash !== undefined) return clash;
  const fits = (room: { readonly issued: number; readonly capacity: number }): boolean =>
    room.issued + tickets.length <= room.capacity;
  if (!fits(tierRecord)) return refused('CAPACITY_EXCEEDED', tier);
  if (!fits(eventRecord)) return refused('CAPACITY_EXCEEDED', event);
  for (const ticket of tickets) putTicket(act, ticket);
  state.tiers.put(key, { ...tierRecord, issued: tierRecord.issued + tickets.length });
  state.events.put(event, { ...eventRecord, issued: eventRecord.issued + tickets.length });
  return accepted(null);
}

/** The first ticket whose id or seat is taken, in the state or earlier in the batch. */
function firstClash({ state, operation }: Act<'issue'>): Outcome | undefined {
  const ids = new Set<string>();
  const seats = new Set<string>();
  for (const { ticket, seat } of operation.tickets) {
    if (ids.has(ticket) || state.tickets.get(ticket) !== undefined) return refused('DUPLICATE_ID', ticket);
    ids.add(ticket);
    if (seat === null) continue;
    if (seats.has(seat) || state.seats.get(seatKey(operation.event, seat)) !== undefined) {
      return refused('SEAT_TAKEN', ticket);
    }
    seats.add(seat);
  }
  return undefined;
}

function putTicket({ state, operation, block }: Act<'issue'>, issued: NewTicket): void {
  const { ticket, seat, gate, holder, data } = issued;
  const { event, tier } = operation;
  state.tickets.put(ticket, {
    ticket,
    event,
    tier,
    seat,
    gate,
    state: 'ISSUED',
    standing: 'GOOD',
    holder,
    data,
    version: 1,
    since: block.height,
    previous: ZERO_HASH,
    firstScan: null,
    dispute: null,
  });
  if (seat !== null) state.seats.put(seatKey(event, seat), { ticket });
}

/** All of the tickets or none. */
export function applyValidate(act: Act<'validate'>): Outcome {
  const { state, operation, block } = act;
  const seen = new Set<TicketId>();
  for (const id of operation.tickets) {
    if (seen.has(id)) return refused('DUPLICATE_ID', id);
    seen.add(id);
    const ticket = state.tickets.get(id);
    if (ticket === undefined) return refused('UNKNOWN_TICKET', id);
    const verdict = decide('validate', ticket, { tier: tierOf(state, ticket), at: block.timestamp, gate: null });
    if (typeof verdict === 'string') return refused(verdict, id, ticket.firstScan);
  }
  for (const id of operation.tickets) move(act, id, ['VALIDATED']);
  return accepted(null);
}

export function applyScan(act: Act<'consume' | 'admit'>): Outcome {
  const { state, operation, transaction, block } = act;
  const { kind, ticket: id, gate } = operation;
  const ticket = state.tickets.get(id);
  if (ticket === undefined) return refused('UNKNOWN_TICKET', id);
  const verdict = decide(kind, ticket, { tier: tierOf(state, ticket), at: block.timestamp, gate });
  if (typeof verdict === 'string') return refused(verdict, id, ticket.firstScan);
  const firstScan: FirstScan = {
    at: block.timestamp,
    height: block.height,
    gate,
    organisation: transaction.body.organisation,
    transaction: transaction.id,
  };
  move(act, id, verdict, { firstScan });
  return accepted(id);
}

export function applyDispute(act: Act<'dispute'>): Outcome {
  const { state, operation, transaction, block } = act;
  const { ticket: id, reason, note, gate } = operation;
  const ticket = state.tickets.get(id);
  if (ticket === undefined) return refused('UNKNOWN_TICKET', id);
  const verdict = decide('dispute', ticket, { tier: tierOf(state, ticket), at: block.timestamp, gate });
  if (typeof verdict === 'string') return refused(verdict, id, ticket.firstScan);
  const dispute: DisputeRecord = {
    reason,
    note,
    gate,
    organisation: transaction.body.organisation,
    at: block.timestamp,
    height: block.height,
    transaction: transaction.id,
  };
  move(act, id, verdict, { dispute });
  return accepted(id);
}

/** Takes a ticket along its edges, one version each; what the move records belongs to the last one. */
function move(
  { state, block }: Pick<Act, 'state' | 'block'>,
  id: TicketId,
  path: readonly TicketState[],
  recorded: Pick<Step, 'firstScan' | 'dispute'> = {},
): void {
  path.forEach((to, index) => {
    const ticket = defined(state.tickets.get(id), 'a ticket that is moved exists');
    const details = index === path.length - 1 ? recorded : {};
    state.tickets.put(id, advance(ticket, { ...details, to, height: block.height, previous: state.tickets.hash(id) }));
    state.tiers.put(tierKey(ticket.event, ticket.tier), count(tierOf(state, ticket), ticket.state, to));
  });
}

function tierOf(state: Overlay, ticket: TicketRecord): TierRecord {
  return defined(state.tiers.get(tierKey(ticket.event, ticket.tier)), `ticket ${ticket.ticket} has a tier`);
}
