import { defined } from '../lib/assert.ts';
import { EventId, type Hash, TicketId, TierId } from '../model/ids.ts';
import type { NewTicket } from '../model/operation.ts';
import { drawHash, drawName } from './draw.ts';

interface SampleTier {
  readonly tier: TierId;
  readonly title: string;
  readonly priceCents: number;
  /** Of every twenty tickets. */
  readonly share: number;
}

export const SAMPLE_EVENT = EventId('harbour-cup-final');
export const SAMPLE_TIERS: readonly SampleTier[] = [
  { tier: TierId('cat1'), title: 'Category 1', priceCents: 18_000, share: 3 },
  { tier: TierId('cat2'), title: 'Category 2', priceCents: 9_500, share: 7 },
  { tier: TierId('cat3'), title: 'Category 3', priceCents: 4_500, share: 10 },
];
/** What the shares of the tiers add up to. */
export const SAMPLE_SHARES = 20;
/** The stadium: as many as the largest sample has. */
export const SAMPLE_CAPACITY = 60_000;
/** What may be asked at most for a ticket that is sold on. */
export const SAMPLE_RESALE_PERCENT = 110;

export interface SampleTicket extends NewTicket {
  readonly tier: TierId;
}

/** Tickets 0 to `count` - 1: each is the same in every sample that has it. */
export function sampleTickets(count: number): readonly SampleTicket[] {
  return Array.from({ length: count }, (_, index) => sampleTicket(index));
}

export function sampleTicket(index: number): SampleTicket {
  return {
    tier: sampleTierOf(index).tier,
    ticket: sampleTicketId(index),
    seat: seatOf(index),
    gate: null,
    holder: sampleHolder(index, 0),
    data: new Uint8Array(),
  };
}

export function sampleTicketId(index: number): TicketId {
  return TicketId(drawName('ticket', index));
}

/** The commitment to whoever holds a ticket after so many transfers. */
export function sampleHolder(index: number, transfers: number): Hash {
  return transfers === 0 ? drawHash('holder', index) : drawHash('holder', index, transfers);
}

/** Every twenty tickets in a row have the tiers' shares exactly. */
export function sampleTierOf(index: number): SampleTier {
  let place = index % SAMPLE_SHARES;
  for (const tier of SAMPLE_TIERS) {
    if (place < tier.share) return tier;
    place -= tier.share;
  }
  return defined(SAMPLE_TIERS.at(-1), 'the sample has tiers');
}

const SEATS_PER_ROW = 40;
const ROWS_PER_SECTION = 30;

function seatOf(index: number): string {
  const row = Math.floor(index / SEATS_PER_ROW);
  const section = Math.floor(row / ROWS_PER_SECTION) + 1;
  return `S${section}-R${(row % ROWS_PER_SECTION) + 1}-${(index % SEATS_PER_ROW) + 1}`;
}
