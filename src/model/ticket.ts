import { type Codec, nullable, oneOf, struct, u32 } from './codec.ts';
import type { Hash, TicketId } from './ids.ts';
import { hashLayout, ticketIdLayout } from './layouts.ts';

/** Where a ticket stands in its life. Appended to only. */
export const TICKET_STATES = ['ISSUED', 'VALIDATED', 'CONSUMED', 'DISPUTED'] as const;
export type TicketState = (typeof TICKET_STATES)[number];

/** Whether a ticket is in order, apart from its state. Appended to only. */
export const STANDINGS = ['GOOD', 'HELD', 'REVOKED'] as const;
export type Standing = (typeof STANDINGS)[number];

/** A version that a transaction gave a ticket: what of it the graph and a proof of its history say. */
export interface TicketChange {
  readonly ticket: TicketId;
  /** 1 when issued, one more with every change. */
  readonly version: number;
  readonly state: TicketState;
  readonly standing: Standing;
  /** Of the token: one more with every change that makes the old barcode worthless. */
  readonly epoch: number;
  /** Salted commitment to the holder. */
  readonly holder: Hash | null;
}

export const ticketChangeLayout: Codec<TicketChange> = struct<TicketChange>({
  ticket: ticketIdLayout,
  version: u32,
  state: oneOf(TICKET_STATES),
  standing: oneOf(STANDINGS),
  epoch: u32,
  holder: nullable(hashLayout),
});
