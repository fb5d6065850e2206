import { defined } from '../lib/assert.ts';
import { utf8 } from '../lib/bytes.ts';
import { sha256 } from '../model/hash.ts';
import { type Hash, hashOfBytes, TicketId, TierId } from '../model/ids.ts';
import type { NewTicket } from '../model/operation.ts';

/** Names every number of the sample: two machines make the same tickets. */
const SAMPLE_SEED = 'harbour-cup-2026';
interface SampleTier {
  readonly tier: TierId;
  readonly title: string;
  readonly priceCents: number;
  /** Of every twenty tickets. */
  readonly share: number;
}

export const SAMPLE_TIERS: readonly SampleTier[] = [
  { tier: TierId('cat1'), title: 'Category 1', priceCents: 18_000, share: 3 },
  { tier: TierId('cat2'), title: 'Category 2', priceCents: 9_500, share: 7 },
  { tier: TierId('cat3'), title: 'Category 3', priceCents: 4_500, share: 10 },
];
/** What the shares of the tiers add up to. */
export const SAMPLE_SHARES = 20;

export interface SampleTicket extends NewTicket {
  readonly tier: TierId;
}

/** Tickets 0 to `count` - 1: each is the same in every sample that has it. */
export function sampleTickets(count: number): readonly SampleTicket[] {
  return Array.from({ length: count }, (_, index) => sampleTicket(index));
}

function sampleTicket(index: number): SampleTicket {
  return {
    tier: tierOf(index),
    ticket: sampleTicketId(index),
    seat: seatOf(index),
    gate: null,
    holder: sampleHash('holder', index),
    data: new Uint8Array(),
  };
}

/** 20 characters of Crockford's base 32, which has no letters that are mistaken for digits. */
export function sampleTicketId(index: number): TicketId {
  return TicketId(crockford(digest('ticket', index)).slice(0, 20));
}

function digest(kind: string, index: number): Uint8Array {
  return sha256(utf8(`${SAMPLE_SEED}\x1f${kind}\x1f${index}`));
}

function sampleHash(kind: string, index: number): Hash {
  return hashOfBytes(digest(kind, index));
}

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

function crockford(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += CROCKFORD[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return text;
}

/** Every twenty tickets in a row have the tiers' shares exactly. */
function tierOf(index: number): TierId {
  let place = index % SAMPLE_SHARES;
  for (const { tier, share } of SAMPLE_TIERS) {
    if (place < share) return tier;
    place -= share;
  }
  return defined(SAMPLE_TIERS.at(-1), 'the sample has tiers').tier;
}

const SEATS_PER_ROW = 40;
const ROWS_PER_SECTION = 30;

function seatOf(index: number): string {
  const row = Math.floor(index / SEATS_PER_ROW);
  const section = Math.floor(row / ROWS_PER_SECTION) + 1;
  return `S${section}-R${(row % ROWS_PER_SECTION) + 1}-${(index % SEATS_PER_ROW) + 1}`;
}
