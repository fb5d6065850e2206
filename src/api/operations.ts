import { z } from 'zod';
import { ok, type Result } from '../lib/result.ts';
import type { EventId, GateId, TicketId, TierId } from '../model/ids.ts';
import { TICKETS_PER_TRANSACTION_MAX } from '../model/limits.ts';
import { DISPUTE_REASONS, type NewTicket, type Operation } from '../model/operation.ts';
import { badField } from './exchange.ts';
import { data, eventId, gateId, holder, name, optional, take, text, ticketId, tierId } from './fields.ts';
import type { Problem } from './problems.ts';

const newTicketFields = {
  ticket_id: ticketId,
  seat: optional(name),
  gate: optional(gateId),
  holder: optional(holder),
  data: optional(data),
};
const issueFields = { event_id: eventId, tier_id: tierId };
const newTicketSchema = z.strictObject(newTicketFields);

function several<T extends z.ZodType>(schema: T) {
  return z.array(schema).min(1, 'names at least one ticket').max(TICKETS_PER_TRANSACTION_MAX);
}

const issueOneSchema = z.strictObject({ ...issueFields, ...newTicketFields });
const issueSeveralSchema = z.strictObject({ ...issueFields, tickets: several(newTicketSchema) });
const validateOneSchema = z.strictObject({ ticket_id: ticketId });
const validateSeveralSchema = z.strictObject({ tickets: several(ticketId) });
const scanSchema = z.strictObject({ ticket_id: ticketId, gate: optional(gateId) });
const disputeSchema = z.strictObject({
  ticket_id: ticketId,
  reason: z.enum(DISPUTE_REASONS).default('OTHER'),
  note: text.default(''),
  gate: optional(gateId),
});

/** An operation that a body asks for, and the tickets that its answer shows. */
export interface Asked {
  readonly operation: Operation;
  readonly tickets: readonly TicketId[];
  readonly isBatch: boolean;
}

/** Whether a body is about several tickets; one that is about a single one besides is neither. */
function isBatch(value: unknown): Result<boolean, Problem> {
  if (typeof value !== 'object' || value === null || !('tickets' in value)) return ok(false);
  return 'ticket_id' in value
    ? badField('ticket_id', 'is for a single ticket and "tickets" for several: send one of the two')
    : ok(true);
}

/** The ledger refuses a ticket that is listed twice; said here, it costs no block and names the list. */
function distinctTickets(tickets: readonly TicketId[]): Result<readonly TicketId[], Problem> {
  const seen = new Set<TicketId>();
  for (const ticket of tickets) {
    if (seen.has(ticket)) return badField('tickets', `lists ${ticket} twice: send each ticket once`);
    seen.add(ticket);
  }
  return ok(tickets);
}

function newTicket(ticket: z.output<typeof newTicketSchema>): NewTicket {
  const { ticket_id, seat, gate, holder, data } = ticket;
  return { ticket: ticket_id, seat, gate, holder, data: data ?? new Uint8Array() };
}

/** `{event_id, tier_id, ticket_id, seat?, gate?, holder?, data?}`, or `{event_id, tier_id, tickets: [{...}]}`. */
export function parseIssue(body: unknown): Result<Asked, Problem> {
  const isSeveral = isBatch(body);
  if (!isSeveral.ok) return isSeveral;
  if (isSeveral.value) {
    const parsed = take(issueSeveralSchema, body);
    if (!parsed.ok) return parsed;
    const { event_id, tier_id, tickets } = parsed.value;
    const distinct = distinctTickets(tickets.map(({ ticket_id }) => ticket_id));
    if (!distinct.ok) return distinct;
    return ok(issueOf(event_id, tier_id, tickets.map(newTicket), true));
  }
  const parsed = take(issueOneSchema, body);
  if (!parsed.ok) return parsed;
  const { event_id, tier_id, ...ticket } = parsed.value;
  return ok(issueOf(event_id, tier_id, [newTicket(ticket)], false));
}

function issueOf(event: EventId, tier: TierId, tickets: readonly NewTicket[], isBatch: boolean): Asked {
  return { operation: { kind: 'issue', event, tier, tickets }, tickets: tickets.map(({ ticket }) => ticket), isBatch };
}

/** `{ticket_id}` or `{tickets: [id, ...]}`. */
export function parseValidate(body: unknown): Result<Asked, Problem> {
  const isSeveral = isBatch(body);
  if (!isSeveral.ok) return isSeveral;
  const parsed = isSeveral.value ? take(validateSeveralSchema, body) : take(validateOneSchema, body);
  if (!parsed.ok) return parsed;
  const tickets = distinctTickets('tickets' in parsed.value ? parsed.value.tickets : [parsed.value.ticket_id]);
  if (!tickets.ok) return tickets;
  const operation: Operation = { kind: 'validate', tickets: tickets.value };
  return ok({ operation, tickets: tickets.value, isBatch: isSeveral.value });
}

/** `{ticket_id, gate?}`; `gateOf` finds the gate of a scan that names none. */
export function parseScan(
  kind: 'consume' | 'admit',
  body: unknown,
  gateOf: (ticket: TicketId) => GateId,
): Result<Asked, Problem> {
  const parsed = take(scanSchema, body);
  if (!parsed.ok) return parsed;
  const { ticket_id: ticket, gate } = parsed.value;
  return ok({ operation: { kind, ticket, gate: gate ?? gateOf(ticket) }, tickets: [ticket], isBatch: false });
}

/** `{ticket_id, reason?, note?, gate?}`. */
export function parseDispute(body: unknown): Result<Asked, Problem> {
  const parsed = take(disputeSchema, body);
  if (!parsed.ok) return parsed;
  const { ticket_id: ticket, reason, note, gate } = parsed.value;
  return ok({ operation: { kind: 'dispute', ticket, reason, note, gate }, tickets: [ticket], isBatch: false });
}
