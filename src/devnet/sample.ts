import { defined } from '../lib/assert.ts';
import { utf8 } from '../lib/bytes.ts';
import { sha256 } from '../model/hash.ts';
import { EventId, type Hash, hashOfBytes, OrganisationId, TicketId, TierId, Timestamp } from '../model/ids.ts';
import { TICKETS_PER_TRANSACTION_MAX } from '../model/limits.ts';
import type { NewTicket, Operation } from '../model/transaction.ts';
import { DEVNET_ORGANISATIONS, devnetRoles } from './plan.ts';

/** Names every number of the sample: two machines make the same tickets. */
export const SAMPLE_SEED = 'harbour-cup-2026';
export const SAMPLE_EVENT = EventId('harbour-cup-final');
/** What a devnet begins with. */
export const SAMPLE_TICKETS = 500;
/** The stadium: as many as the largest sample has. */
export const SAMPLE_CAPACITY = 60_000;
const EVENT_STARTS_AFTER_MS = 7 * 24 * 3_600_000;
/** Who creates the event, and who sells. */
const ORGANISER = 'federation';
const ISSUER = 'boxoffice';

interface SampleTier {
  readonly tier: TierId;
  readonly title: string;
  readonly priceCents: number;
  /** Of every twenty tickets. */
  readonly share: number;
}

const TIERS: readonly SampleTier[] = [
  { tier: TierId('cat1'), title: 'Category 1', priceCents: 18_000, share: 3 },
  { tier: TierId('cat2'), title: 'Category 2', priceCents: 9_500, share: 7 },
  { tier: TierId('cat3'), title: 'Category 3', priceCents: 4_500, share: 10 },
];
const SHARES = 20;

/** One transaction of the sample: who signs it, under which idempotency key. */
export interface SampleStep {
  readonly organisation: OrganisationId;
  readonly idempotencyKey: string;
  readonly operation: Operation;
}

function step(organisation: string, name: string, operation: Operation): SampleStep {
  return { organisation: OrganisationId(organisation), idempotencyKey: `sample/${name}`, operation };
}

/** The event, to be final before the rest. */
export function sampleEvent(genesisTime: Timestamp): SampleStep {
  return step(ORGANISER, 'event', {
    kind: 'event.create',
    event: SAMPLE_EVENT,
    title: 'Harbour Cup Final',
    startsAt: Timestamp(genesisTime + EVENT_STARTS_AFTER_MS),
    capacity: SAMPLE_CAPACITY,
  });
}

/** Its tiers, and what each organisation may do there. */
export function sampleCatalogue(): readonly SampleStep[] {
  const tiers = TIERS.map(({ tier, title, priceCents, share }) =>
    step(ORGANISER, `tier/${tier}`, {
      kind: 'tier.create',
      event: SAMPLE_EVENT,
      tier,
      title,
      price: priceCents,
      currency: 'EUR',
      capacity: (SAMPLE_CAPACITY * share) / SHARES,
      validFrom: null,
      validThrough: null,
    }),
  );
  const grants = DEVNET_ORGANISATIONS.flatMap((organisation) =>
    devnetRoles(organisation)
      // Whoever creates an event is its organiser already.
      .filter((role) => role !== 'organiser')
      .map((role) =>
        step(ORGANISER, `role/${organisation}/${role}`, {
          kind: 'role.grant',
          event: SAMPLE_EVENT,
          organisation: OrganisationId(organisation),
          role,
        }),
      ),
  );
  return [...tiers, ...grants];
}

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
  let place = index % SHARES;
  for (const { tier, share } of TIERS) {
    if (place < share) return tier;
    place -= share;
  }
  return defined(TIERS.at(-1), 'the sample has tiers').tier;
}

const SEATS_PER_ROW = 40;
const ROWS_PER_SECTION = 30;

function seatOf(index: number): string {
  const row = Math.floor(index / SEATS_PER_ROW);
  const section = Math.floor(row / ROWS_PER_SECTION) + 1;
  return `S${section}-R${(row % ROWS_PER_SECTION) + 1}-${(index % SEATS_PER_ROW) + 1}`;
}

/** The issues of some sample tickets, each within one tier and one transaction. */
export function sampleIssues(tickets: readonly SampleTicket[]): readonly SampleStep[] {
  return TIERS.flatMap(({ tier }) => {
    const ofTier = tickets.filter((ticket) => ticket.tier === tier);
    return batches(ofTier, TICKETS_PER_TRANSACTION_MAX).map((batch) => {
      const first = defined(batch[0], 'a batch is not empty').ticket;
      const issued = batch.map(({ tier: _, ...ticket }) => ticket);
      return step(ISSUER, `issue/${first}/${batch.length}`, {
        kind: 'issue',
        event: SAMPLE_EVENT,
        tier,
        tickets: issued,
      });
    });
  });
}

function batches<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const found: (readonly T[])[] = [];
  for (let from = 0; from < items.length; from += size) found.push(items.slice(from, from + size));
  return found;
}
