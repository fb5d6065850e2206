import { concat } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import {
  bytes,
  type Codec,
  decode,
  encode,
  list,
  type Malformed,
  nullable,
  oneOf,
  struct,
  text,
  textWhere,
  u32,
  u53,
  union,
} from './codec.ts';
import { domain, taggedHash } from './hash.ts';
import {
  type EventId,
  type GateId,
  type Hash,
  isName,
  type OrganisationId,
  type PublicKey,
  type Signature,
  type TicketId,
  type TierId,
  type Timestamp,
} from './ids.ts';
import {
  eventIdLayout,
  gateIdLayout,
  hashLayout,
  organisationIdLayout,
  publicKeyLayout,
  signatureLayout,
  ticketIdLayout,
  tierIdLayout,
  timestampLayout,
} from './layouts.ts';
import {
  IDEMPOTENCY_KEY_BYTES_MAX,
  NAME_CHARS_MAX,
  TEXT_BYTES_MAX,
  TICKET_DATA_BYTES_MAX,
  TICKETS_PER_TRANSACTION_MAX,
  TRANSACTION_BYTES_MAX,
} from './limits.ts';

/** What an organisation may be trusted with, per event. Appended to only. */
export const ROLES = ['organiser', 'issuer', 'venue', 'gate', 'arbiter'] as const;
export type Role = (typeof ROLES)[number];

/** Why a ticket is contested. Appended to only. */
export const DISPUTE_REASONS = ['FRAUD', 'CHARGEBACK', 'DOUBLE_SALE', 'DOUBLE_ADMISSION', 'STOLEN', 'OTHER'] as const;
export type DisputeReason = (typeof DISPUTE_REASONS)[number];

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
    };

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

/** What a client signs. */
export interface TransactionBody {
  readonly chainId: Hash;
  readonly organisation: OrganisationId;
  readonly signer: PublicKey;
  /** No block whose time is later takes it. */
  readonly expiresAt: Timestamp;
  /** Tells apart transactions that are otherwise alike. */
  readonly nonce: number;
  /** Within the organisation: the same key and operation is done once, however often it is sent. */
  readonly idempotencyKey: string | null;
  readonly operation: Operation;
}

/** A transaction with its id and its one byte form. Made by `parseTransaction` and `sealTransaction` only. */
export interface Transaction {
  /** Hash of the signed bytes: does not depend on the signature's bytes. */
  readonly id: Hash;
  readonly body: TransactionBody;
  readonly signature: Signature;
  readonly bytes: Uint8Array;
}

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
});

const bodyLayout: Codec<TransactionBody> = struct<TransactionBody>({
  chainId: hashLayout,
  organisation: organisationIdLayout,
  signer: publicKeyLayout,
  expiresAt: timestampLayout,
  nonce: u53,
  idempotencyKey: nullable(text(IDEMPOTENCY_KEY_BYTES_MAX)),
  operation: operationLayout,
});

const envelopeLayout = struct<{ readonly body: TransactionBody; readonly signature: Signature }>({
  body: bodyLayout,
  signature: signatureLayout,
});

const SIGNATURE_BYTES = 64;
const TX = domain('TX');
const OPERATION = domain('OPERATION');

/** The bytes that a client signs. */
export function transactionSigningBytes(body: TransactionBody): Uint8Array {
  return concat(TX, encode(bodyLayout, body));
}

/** The same bytes, of a transaction that has its byte form: nothing is encoded again. */
export function signedBytesOf(transaction: Transaction): Uint8Array {
  return concat(TX, bodyBytes(transaction.bytes));
}

/** An envelope without the signature at its end. */
function bodyBytes(envelope: Uint8Array): Uint8Array {
  return envelope.subarray(0, envelope.length - SIGNATURE_BYTES);
}

/** What idempotency compares: who sends it again, when and with which nonce does not matter. */
export function operationHash(operation: Operation): Hash {
  return taggedHash(OPERATION, encode(operationLayout, operation));
}

export function sealTransaction(body: TransactionBody, signature: Signature): Transaction {
  const bytes = encode(envelopeLayout, { body, signature });
  return { id: taggedHash(TX, bodyBytes(bytes)), body, signature, bytes };
}

/** Reads a transaction's canonical bytes. Says nothing about its signature, its signer's rights or its guards. */
export function parseTransaction(source: Uint8Array): Result<Transaction, Malformed> {
  if (source.length > TRANSACTION_BYTES_MAX) {
    return err({
      code: 'MALFORMED',
      reason: `a transaction of ${source.length} bytes, at most ${TRANSACTION_BYTES_MAX}`,
    });
  }
  const envelope = decode(envelopeLayout, source);
  if (!envelope.ok) return envelope;
  const { body, signature } = envelope.value;
  return ok({ id: taggedHash(TX, bodyBytes(source)), body, signature, bytes: source });
}
