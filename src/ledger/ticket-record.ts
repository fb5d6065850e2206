import { bytes, type Codec, nullable, oneOf, struct, text, textWhere, u8, u32 } from '../model/codec.ts';
import {
  type EventId,
  type GateId,
  type Hash,
  type Height,
  isName,
  type OrganisationId,
  type TicketId,
  type TierId,
  type Timestamp,
} from '../model/ids.ts';
import {
  eventIdLayout,
  gateIdLayout,
  hashLayout,
  heightLayout,
  organisationIdLayout,
  ticketIdLayout,
  tierIdLayout,
  timestampLayout,
} from '../model/layouts.ts';
import { NAME_CHARS_MAX, TEXT_BYTES_MAX, TICKET_DATA_BYTES_MAX } from '../model/limits.ts';
import { CASE_OUTCOMES, type CaseOutcome, DISPUTE_REASONS, type DisputeReason } from '../model/operation.ts';
import { type FirstScan, firstScanLayout } from '../model/receipt.ts';
import { STANDINGS, type Standing, TICKET_STATES, type TicketState } from '../model/ticket.ts';
import { type RecordKind, versioned } from './record-kind.ts';

/** Who did something to a case, when, and by which transaction. */
interface CaseStep {
  readonly note: string;
  readonly organisation: OrganisationId;
  readonly at: Timestamp;
  readonly height: Height;
  readonly transaction: Hash;
}

export interface Resolution extends CaseStep {
  readonly outcome: CaseOutcome;
}

/** What is contested about a ticket: opened by a dispute, or about one that was admitted. */
export interface CaseRecord extends CaseStep {
  readonly reason: DisputeReason;
  readonly gate: GateId | null;
  /** A transaction that speaks for it. */
  readonly evidence: Hash | null;
  /** Null as long as it is open. */
  readonly resolution: Resolution | null;
}

export interface TicketRecord {
  readonly ticket: TicketId;
  readonly event: EventId;
  readonly tier: TierId;
  readonly seat: string | null;
  /** The only gate that may admit it; null is any. */
  readonly gate: GateId | null;
  readonly state: TicketState;
  readonly standing: Standing;
  /** Salted commitment to the holder. */
  readonly holder: Hash | null;
  /** Opaque to the ledger. */
  readonly data: Uint8Array;
  /** 1 when issued, one more with every change. */
  readonly version: number;
  /** Of the token: one more with every change that makes the old barcode worthless. */
  readonly epoch: number;
  readonly transfers: number;
  /** Height of the block that made this version. */
  readonly since: Height;
  /** Hash of the record of the version before; the zero hash for version 1. */
  readonly previous: Hash;
  readonly firstScan: FirstScan | null;
  /** The newest case about it. */
  readonly case: CaseRecord | null;
  readonly replaces: TicketId | null;
  readonly replacedBy: TicketId | null;
}

const resolutionLayout: Codec<Resolution> = struct<Resolution>({
  outcome: oneOf(CASE_OUTCOMES),
  note: text(TEXT_BYTES_MAX),
  organisation: organisationIdLayout,
  at: timestampLayout,
  height: heightLayout,
  transaction: hashLayout,
});

const caseLayout: Codec<CaseRecord> = struct<CaseRecord>({
  reason: oneOf(DISPUTE_REASONS),
  note: text(TEXT_BYTES_MAX),
  gate: nullable(gateIdLayout),
  evidence: nullable(hashLayout),
  organisation: organisationIdLayout,
  at: timestampLayout,
  height: heightLayout,
  transaction: hashLayout,
  resolution: nullable(resolutionLayout),
});

/** Tag 4: see `records` for the others. */
export const TICKET: RecordKind<TicketRecord> = {
  tag: 4,
  layout: versioned(
    2,
    struct<TicketRecord>({
      ticket: ticketIdLayout,
      event: eventIdLayout,
      tier: tierIdLayout,
      seat: nullable(textWhere(NAME_CHARS_MAX, isName)),
      gate: nullable(gateIdLayout),
      state: oneOf(TICKET_STATES),
      standing: oneOf(STANDINGS),
      holder: nullable(hashLayout),
      data: bytes(TICKET_DATA_BYTES_MAX),
      version: u32,
      epoch: u32,
      transfers: u8,
      since: heightLayout,
      previous: hashLayout,
      firstScan: nullable(firstScanLayout),
      case: nullable(caseLayout),
      replaces: nullable(ticketIdLayout),
      replacedBy: nullable(ticketIdLayout),
    }),
  ),
};
