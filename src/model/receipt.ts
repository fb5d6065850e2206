import { type Codec, encode, flag, list, nullable, oneOf, struct, textWhere } from './codec.ts';
import { type GateId, type Hash, type Height, isName, type OrganisationId, type Timestamp } from './ids.ts';
import { gateIdLayout, hashLayout, heightLayout, organisationIdLayout, timestampLayout } from './layouts.ts';
import { NAME_CHARS_MAX, TICKETS_PER_TRANSACTION_MAX } from './limits.ts';
import { type TicketChange, ticketChangeLayout } from './ticket.ts';

/** Why a final transaction changed nothing. Stable names, appended to only: their order is part of the byte form. */
export const REFUSALS = [
  'UNKNOWN_TICKET',
  'UNKNOWN_EVENT',
  'UNKNOWN_TIER',
  'UNKNOWN_ORGANISATION',
  'NOT_VALIDATED',
  'ALREADY_VALIDATED',
  'ALREADY_CONSUMED',
  'TICKET_DISPUTED',
  'OUTSIDE_VALIDITY',
  'WRONG_GATE',
  'INVALID_TRANSITION',
  'CAPACITY_EXCEEDED',
  'SEAT_TAKEN',
  'DUPLICATE_ID',
  'ROLE_NOT_ALLOWED',
  'ROLE_ALREADY_HELD',
  'ROLE_NOT_HELD',
  'IDEMPOTENCY_KEY_REUSED',
  'LAST_ORGANISER',
  'TICKET_HELD',
  'TICKET_REVOKED',
  'NOT_HELD',
  'TRANSFER_NOT_ALLOWED',
  'PRICE_ABOVE_CAP',
  'CASE_ALREADY_OPEN',
  'NO_OPEN_CASE',
  'SELF_ARBITRATION',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** The first admission of a ticket, as every later refusal repeats it. */
export interface FirstScan {
  readonly at: Timestamp;
  readonly height: Height;
  readonly gate: GateId;
  readonly organisation: OrganisationId;
  readonly transaction: Hash;
}

/** What a final transaction did. */
export interface Receipt {
  readonly transaction: Hash;
  readonly accepted: boolean;
  /** Null exactly when accepted. */
  readonly code: Refusal | null;
  /** Of a batch, the first name that made it fail; otherwise the name it is about, if it exists. */
  readonly subject: string | null;
  readonly firstScan: FirstScan | null;
  /** The earlier transaction of this organisation with the same idempotency key, whose outcome this repeats. */
  readonly replayOf: Hash | null;
  /** The versions that it gave to tickets, in their order; none when it was refused or is a replay. */
  readonly changes: readonly TicketChange[];
}

/** A batch moves each ticket once; only operations on one ticket make two versions. */
const CHANGES_PER_TRANSACTION_MAX = TICKETS_PER_TRANSACTION_MAX;

export const firstScanLayout: Codec<FirstScan> = struct<FirstScan>({
  at: timestampLayout,
  height: heightLayout,
  gate: gateIdLayout,
  organisation: organisationIdLayout,
  transaction: hashLayout,
});

export const receiptLayout: Codec<Receipt> = struct<Receipt>({
  transaction: hashLayout,
  accepted: flag,
  code: nullable(oneOf(REFUSALS)),
  subject: nullable(textWhere(NAME_CHARS_MAX, isName)),
  firstScan: nullable(firstScanLayout),
  replayOf: nullable(hashLayout),
  changes: list(ticketChangeLayout, CHANGES_PER_TRANSACTION_MAX),
});

export function receiptBytes(receipt: Receipt): Uint8Array {
  return encode(receiptLayout, receipt);
}
