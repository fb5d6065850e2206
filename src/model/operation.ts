import {
  bytes,
  type Codec,
  flag,
  list,
  nullable,
  oneOf,
  struct,
  text,
  textWhere,
  u8,
  u32,
  u53,
  union,
} from './codec.ts';
import {
  type EventId,
  type GateId,
  type Hash,
  isName,
  type OrganisationId,
  type TicketId,
  type TierId,
  type Timestamp,
} from './ids.ts';
import {
  eventIdLayout,
  gateIdLayout,
  hashLayout,
  organisationIdLayout,
  ticketIdLayout,
  tierIdLayout,
  timestampLayout,
} from './layouts.ts';
import { NAME_CHARS_MAX, TEXT_BYTES_MAX, TICKET_DATA_BYTES_MAX, TICKETS_PER_TRANSACTION_MAX } from './limits.ts';

/** What an organisation may be trusted with, per event. Appended to only. */
export const ROLES = ['organiser', 'issuer', 'venue', 'gate', 'arbiter', 'marketplace'] as const;
export type Role = (typeof ROLES)[number];

/** Why a ticket is contested. Appended to only. */
export const DISPUTE_REASONS = ['FRAUD', 'CHARGEBACK', 'DOUBLE_SALE', 'DOUBLE_ADMISSION', 'STOLEN', 'OTHER'] as const;
export type DisputeReason = (typeof DISPUTE_REASONS)[number];

/** Why a ticket is taken back for good. Appended to only. */
export const REVOCATION_REASONS = ['REFUND', 'CHARGEBACK', 'FRAUD', 'EVENT_CANCELLED'] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** How a ticket changes hands. Appended to only. */
export const TRANSFER_CHANNELS = ['DIRECT', 'RESALE'] as const;
export type TransferChannel = (typeof TRANSFER_CHANNELS)[number];

/** How a case ends. Appended to only. */
export const CASE_OUTCOMES = ['UPHELD', 'REJECTED', 'REISSUED', 'REFUNDED'] as const;
export type CaseOutcome = (typeof CASE_OUTCOMES)[number];

/** Whether and how the tickets of a tier may change hands. */
export interface TransferPolicy {
  readonly allowed: boolean;
  /** Of one ticket. */
  readonly transfersMax: number;
  /** The last moment; null is without bound. */
  readonly until: Timestamp | null;
  /** What may be asked at most, in percent of the price of the tier. */
  readonly resalePercentMax: number;
}

/** Of tickets that stay with whoever they were issued to. */
export const NO_TRANSFERS: TransferPolicy = { allowed: false, transfersMax: 0, until: null, resalePercentMax: 0 };

/** One ticket of an issue. */
export interface NewTicket {
  readonly ticket: TicketId;
  /** Unique within the event when given. */
  readonly seat: string | null;
  /** The only gate that may admit it when given. */
  readonly gate: GateId | null;
  /** Salted commitment to the holder: no personal data is ever recorded. */
  readonly holder: Hash | null;
  /** Opaque to the ledger. */
  readonly data: Uint8Array;
}

export type Operation =
  | {
      readonly kind: 'event.create';
      readonly event: EventId;
      readonly title: string;
      readonly startsAt: Timestamp;
      readonly capacity: number;
    }
  | {
      readonly kind: 'tier.create';
      readonly event: EventId;
      readonly tier: TierId;
      readonly title: string;
      /** In the smallest unit of the currency. */
      readonly price: number;
      /** ISO 4217. */
      readonly currency: string;
      readonly capacity: number;
      /** When its tickets admit; null is without bound. */
      readonly validFrom: Timestamp | null;
      readonly validThrough: Timestamp | null;
      readonly transfer: TransferPolicy;
    }
  | RoleChange<'role.grant'>
  | RoleChange<'role.revoke'>
  | {
      readonly kind: 'issue';
      readonly event: EventId;
      readonly tier: TierId;
      readonly tickets: readonly NewTicket[];
    }
  | { readonly kind: 'validate'; readonly tickets: readonly TicketId[] }
  | Scan<'consume'>
  | Scan<'admit'>
  | {
      readonly kind: 'dispute';
      readonly ticket: TicketId;
      readonly reason: DisputeReason;
      readonly note: string;
      readonly gate: GateId | null;
    }
  | {
      readonly kind: 'transfer';
      readonly ticket: TicketId;
      /** Commitment to the new holder. */
      readonly holder: Hash;
      /** What was paid, in the smallest unit of the tier's currency; null when nothing was asked. */
      readonly price: number | null;
      readonly channel: TransferChannel;
    }
  | Remark<'hold'>
  | Remark<'release'>
  | {
      readonly kind: 'revoke';
      readonly ticket: TicketId;
      readonly reason: RevocationReason;
      readonly note: string;
    }
  | {
      readonly kind: 'case.open';
      readonly ticket: TicketId;
      readonly reason: DisputeReason;
      readonly note: string;
      /** A transaction that speaks for the case. */
      readonly evidence: Hash | null;
    }
  | {
      readonly kind: 'resolve';
      readonly ticket: TicketId;
      readonly outcome: CaseOutcome;
      readonly note: string;
      /** Given exactly when the outcome is REISSUED. */
      readonly replacement: Replacement | null;
    };

/** The ticket that takes the place of one whose case was decided so. Its holder is that of the ticket it replaces. */
export interface Replacement extends Omit<NewTicket, 'holder'> {
  readonly event: EventId;
  readonly tier: TierId;
}

interface Remark<Kind extends string> {
  readonly kind: Kind;
  readonly ticket: TicketId;
  readonly note: string;
}

interface RoleChange<Kind extends string> {
  readonly kind: Kind;
  readonly event: EventId;
  readonly organisation: OrganisationId;
  readonly role: Role;
}

interface Scan<Kind extends string> {
  readonly kind: Kind;
  readonly ticket: TicketId;
  readonly gate: GateId;
}

export type OperationKind = Operation['kind'];

const newTicketLayout: Codec<NewTicket> = struct<NewTicket>({
  ticket: ticketIdLayout,
  seat: nullable(textWhere(NAME_CHARS_MAX, isName)),
  gate: nullable(gateIdLayout),
  holder: nullable(hashLayout),
  data: bytes(TICKET_DATA_BYTES_MAX),
});

const roleChangeLayout = struct<Omit<RoleChange<string>, 'kind'>>({
  event: eventIdLayout,
  organisation: organisationIdLayout,
  role: oneOf(ROLES),
});

const scanLayout = struct<Omit<Scan<string>, 'kind'>>({ ticket: ticketIdLayout, gate: gateIdLayout });

const remarkLayout = struct<Omit<Remark<string>, 'kind'>>({ ticket: ticketIdLayout, note: text(TEXT_BYTES_MAX) });

export const transferPolicyLayout: Codec<TransferPolicy> = struct<TransferPolicy>({
  allowed: flag,
  transfersMax: u8,
  until: nullable(timestampLayout),
  resalePercentMax: u32,
});

const replacementLayout: Codec<Replacement> = struct<Replacement>({
  event: eventIdLayout,
  tier: tierIdLayout,
  ticket: ticketIdLayout,
  seat: nullable(textWhere(NAME_CHARS_MAX, isName)),
  gate: nullable(gateIdLayout),
  data: bytes(TICKET_DATA_BYTES_MAX),
});

const isCurrency = (value: string): boolean => /^[A-Z]{3}$/.test(value);

/** Tags 1 to 31 are for the operations of tickets, in the order in which they came; never reused. */
export const operationLayout: Codec<Operation> = union<Operation>({
  'event.create': [
    1,
    struct({ event: eventIdLayout, title: text(TEXT_BYTES_MAX), startsAt: timestampLayout, capacity: u32 }),
  ],
  'tier.create': [
    2,
    struct({
      event: eventIdLayout,
      tier: tierIdLayout,
      title: text(TEXT_BYTES_MAX),
      price: u53,
      currency: textWhere<string>(3, isCurrency),
      capacity: u32,
      validFrom: nullable(timestampLayout),
      validThrough: nullable(timestampLayout),
      transfer: transferPolicyLayout,
    }),
  ],
  'role.grant': [3, roleChangeLayout],
  'role.revoke': [4, roleChangeLayout],
  issue: [
    5,
    struct({
      event: eventIdLayout,
      tier: tierIdLayout,
      tickets: list(newTicketLayout, TICKETS_PER_TRANSACTION_MAX),
    }),
  ],
  validate: [6, struct({ tickets: list(ticketIdLayout, TICKETS_PER_TRANSACTION_MAX) })],
  consume: [7, scanLayout],
  admit: [8, scanLayout],
  dispute: [
    9,
    struct({
      ticket: ticketIdLayout,
      reason: oneOf(DISPUTE_REASONS),
      note: text(TEXT_BYTES_MAX),
      gate: nullable(gateIdLayout),
    }),
  ],
  transfer: [
    10,
    struct({
      ticket: ticketIdLayout,
      holder: hashLayout,
      price: nullable(u53),
      channel: oneOf(TRANSFER_CHANNELS),
    }),
  ],
  hold: [11, remarkLayout],
  release: [12, remarkLayout],
  revoke: [13, struct({ ticket: ticketIdLayout, reason: oneOf(REVOCATION_REASONS), note: text(TEXT_BYTES_MAX) })],
  'case.open': [
    14,
    struct({
      ticket: ticketIdLayout,
      reason: oneOf(DISPUTE_REASONS),
      note: text(TEXT_BYTES_MAX),
      evidence: nullable(hashLayout),
    }),
  ],
  resolve: [
    15,
    struct({
      ticket: ticketIdLayout,
      outcome: oneOf(CASE_OUTCOMES),
      note: text(TEXT_BYTES_MAX),
      replacement: nullable(replacementLayout),
    }),
  ],
});

/** The tickets that an operation names, in its order. */
export function ticketsNamed(operation: Operation): readonly TicketId[] {
  switch (operation.kind) {
    case 'event.create':
    case 'tier.create':
    case 'role.grant':
    case 'role.revoke':
      return [];
    case 'issue':
      return operation.tickets.map(({ ticket }) => ticket);
    case 'validate':
      return operation.tickets;
    case 'resolve':
      return operation.replacement === null ? [operation.ticket] : [operation.ticket, operation.replacement.ticket];
    default:
      return [operation.ticket];
  }
}
