import { type EventId, type TierId, ZERO_HASH } from '../model/ids.ts';
import type { NewTicket } from '../model/operation.ts';
import { type Act, accepted, refused, type Scene } from './outcome.ts';
import { type Outcome, seatKey, tierKey } from './records.ts';
import type { TicketRecord } from './ticket-record.ts';
import { putVersion } from './versions.ts';

/** Tickets about to come into being. */
interface Issue {
  readonly event: EventId;
  readonly tier: TierId;
  readonly tickets: readonly NewTicket[];
  /** The one that a single ticket takes the place of. */
  readonly replaces: TicketRecord | null;
}

/** All of the tickets or none. */
export function applyIssue(act: Act<'issue'>): Outcome {
  const { event, tier, tickets } = act.operation;
  return issue(act, { event, tier, tickets, replaces: null }) ?? accepted(null);
}

/** The ticket that replaces another one, held by whoever held that. */
export function applyReplacement(act: Act<'resolve'>, replaces: TicketRecord): Outcome | undefined {
  const { replacement } = act.operation;
  if (replacement === null) return undefined;
  const { event, tier, ...rest } = replacement;
  return issue(act, { event, tier, tickets: [{ ...rest, holder: replaces.holder }], replaces });
}

/** Why nothing was issued; undefined when all was. */
function issue(act: Scene, wanted: Issue): Outcome | undefined {
  const { state, block } = act;
  const { event, tier, tickets } = wanted;
  const eventRecord = state.events.get(event);
  if (eventRecord === undefined) return refused('UNKNOWN_EVENT', event);
  const key = tierKey(event, tier);
  const tierRecord = state.tiers.get(key);
  if (tierRecord === undefined) return refused('UNKNOWN_TIER', tier);
  const { validThrough } = tierRecord;
  if (validThrough !== null && block.timestamp > validThrough) return refused('OUTSIDE_VALIDITY', tier);
  const clash = firstClash(act, wanted);
  if (clash !== undefined) return clash;
  const fits = (room: { readonly issued: number; readonly capacity: number }): boolean =>
    room.issued + tickets.length <= room.capacity;
  if (!fits(tierRecord)) return refused('CAPACITY_EXCEEDED', tier);
  if (!fits(eventRecord)) return refused('CAPACITY_EXCEEDED', event);
  for (const ticket of tickets) putTicket(act, wanted, ticket);
  state.tiers.put(key, { ...tierRecord, issued: tierRecord.issued + tickets.length });
  state.events.put(event, { ...eventRecord, issued: eventRecord.issued + tickets.length });
  return undefined;
}

/** The first ticket whose id or seat is taken, in the state or earlier in the batch. */
function firstClash({ state }: Scene, { event, tickets, replaces }: Issue): Outcome | undefined {
  // Nobody is ever admitted with a ticket in dispute: its seat is free for the one that takes its place.
  const left = replaces?.state === 'DISPUTED' ? replaces.ticket : undefined;
  const ids = new Set<string>();
  const seats = new Set<string>();
  for (const { ticket, seat } of tickets) {
    if (ids.has(ticket) || state.tickets.get(ticket) !== undefined) return refused('DUPLICATE_ID', ticket);
    ids.add(ticket);
    if (seat === null) continue;
    const owner = state.seats.get(seatKey(event, seat))?.ticket;
    const isTaken = owner !== undefined && owner !== left;
    if (seats.has(seat) || isTaken) return refused('SEAT_TAKEN', ticket);
    seats.add(seat);
  }
  return undefined;
}

function putTicket(act: Scene, { event, tier, replaces }: Issue, issued: NewTicket): void {
  const { ticket, seat, gate, holder, data } = issued;
  putVersion(act, {
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
    epoch: 0,
    transfers: 0,
    since: act.block.height,
    previous: ZERO_HASH,
    firstScan: null,
    case: null,
    replaces: replaces?.ticket ?? null,
    replacedBy: null,
  });
  if (seat !== null) act.state.seats.put(seatKey(event, seat), { ticket });
}
