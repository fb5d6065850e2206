import { z } from 'zod';
import { ok, type Result } from '../lib/result.ts';
import type { EventId, TicketId, TierId } from '../model/ids.ts';
import {
  CASE_OUTCOMES,
  DISPUTE_REASONS,
  type Operation,
  REVOCATION_REASONS,
  type Replacement,
  TRANSFER_CHANNELS,
} from '../model/operation.ts';
import { badField } from './exchange.ts';
import {
  data,
  eventId,
  gateId,
  holder,
  name,
  optional,
  price,
  take,
  text,
  ticketId,
  tierId,
  transactionId,
} from './fields.ts';
import type { Asked } from './operations.ts';
import { fail, type Problem } from './problems.ts';

/** Bodies of what befalls a ticket apart from its way to the gate. */

const note = text.default('');

const transferSchema = z.strictObject({
  ticket_id: ticketId,
  holder,
  price: optional(price),
  channel: z.enum(TRANSFER_CHANNELS).default('DIRECT'),
});
const remarkSchema = z.strictObject({ ticket_id: ticketId, note });
const revokeSchema = z.strictObject({ ticket_id: ticketId, reason: z.enum(REVOCATION_REASONS), note });
const caseSchema = z.strictObject({
  ticket_id: ticketId,
  reason: z.enum(DISPUTE_REASONS).default('OTHER'),
  note,
  evidence: optional(transactionId),
});
const replacementSchema = z.strictObject({
  ticket_id: ticketId,
  event_id: optional(eventId),
  tier_id: optional(tierId),
  seat: optional(name),
  gate: optional(gateId),
  data: optional(data),
});
const resolveSchema = z.strictObject({
  ticket_id: ticketId,
  outcome: z.enum(CASE_OUTCOMES),
  note,
  replacement: optional(replacementSchema),
});

function about(operation: Operation & { readonly ticket: TicketId }): Result<Asked, Problem> {
  return ok({ operation, tickets: [operation.ticket], isBatch: false });
}

/** `{ticket_id, holder, price?, channel?}`. */
export function parseTransfer(body: unknown): Result<Asked, Problem> {
  const parsed = take(transferSchema, body);
  if (!parsed.ok) return parsed;
  const { ticket_id: ticket, ...rest } = parsed.value;
  return rest.channel === 'RESALE' && rest.price === null
    ? badField('price', 'is missing: a resale names what was paid, in the smallest unit of the currency')
    : about({ kind: 'transfer', ticket, ...rest });
}

/** `{ticket_id, note?}`. */
export function parseRemark(kind: 'hold' | 'release', body: unknown): Result<Asked, Problem> {
  const parsed = take(remarkSchema, body);
  return parsed.ok ? about({ kind, ticket: parsed.value.ticket_id, note: parsed.value.note }) : parsed;
}

/** `{ticket_id, reason, note?}`. */
export function parseRevoke(body: unknown): Result<Asked, Problem> {
  const parsed = take(revokeSchema, body);
  if (!parsed.ok) return parsed;
  const { ticket_id: ticket, ...rest } = parsed.value;
  return about({ kind: 'revoke', ticket, ...rest });
}

/** `{ticket_id, reason?, note?, evidence?}`. */
export function parseCase(body: unknown): Result<Asked, Problem> {
  const parsed = take(caseSchema, body);
  if (!parsed.ok) return parsed;
  const { ticket_id: ticket, ...rest } = parsed.value;
  return about({ kind: 'case.open', ticket, ...rest });
}

/** Where a ticket admits. */
export interface TicketPlace {
  readonly event: EventId;
  readonly tier: TierId;
}

/**
 * `{ticket_id, outcome, note?, replacement?: {ticket_id, event_id?, tier_id?, seat?, gate?, data?}}`; a replacement is
 * for the event and the tier of the ticket, which `placeOf` finds, unless it says otherwise.
 */
export function parseResolve(
  body: unknown,
  placeOf: (ticket: TicketId) => TicketPlace | undefined,
): Result<Asked, Problem> {
  const parsed = take(resolveSchema, body);
  if (!parsed.ok) return parsed;
  const { ticket_id: ticket, outcome, note: said, replacement: wanted } = parsed.value;
  if ((outcome === 'REISSUED') !== (wanted !== null)) {
    return badField('replacement', 'goes with the outcome REISSUED, and with no other');
  }
  if (wanted === null) return about({ kind: 'resolve', ticket, outcome, note: said, replacement: null });
  const replacement = replacementOf(wanted, placeOf(ticket));
  if (replacement === undefined) {
    return fail(
      'UNKNOWN_TICKET',
      `no ticket ${ticket} on this chain as far as this node has it; ids are case-sensitive`,
    );
  }
  const operation = { kind: 'resolve', ticket, outcome, note: said, replacement } as const;
  return ok({ operation, tickets: [ticket, replacement.ticket], isBatch: false });
}

function replacementOf(
  wanted: z.output<typeof replacementSchema>,
  place: TicketPlace | undefined,
): Replacement | undefined {
  const event = wanted.event_id ?? place?.event;
  const tier = wanted.tier_id ?? place?.tier;
  if (event === undefined || tier === undefined) return undefined;
  const { ticket_id: ticket, seat, gate, data: bytes } = wanted;
  return { event, tier, ticket, seat, gate, data: bytes ?? new Uint8Array() };
}
