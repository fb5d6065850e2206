import { defined } from '../lib/assert.ts';
import { EventId, OrganisationId, Timestamp } from '../model/ids.ts';
import { TICKETS_PER_TRANSACTION_MAX } from '../model/limits.ts';
import type { Operation } from '../model/operation.ts';
import { devnetRoles } from './genesis.ts';
import { DEVNET_ORGANISATIONS } from './plan.ts';
import { SAMPLE_SHARES, SAMPLE_TIERS, type SampleTicket } from './sample-tickets.ts';

export const SAMPLE_EVENT = EventId('harbour-cup-final');
/** What a devnet begins with. */
export const SAMPLE_TICKETS = 500;
/** The stadium: as many as the largest sample has. */
export const SAMPLE_CAPACITY = 60_000;
const EVENT_STARTS_AFTER_MS = 7 * 24 * 3_600_000;
/** Who creates the event, and who sells. */
const ORGANISER = 'federation';
const ISSUER = 'boxoffice';

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
  const tiers = SAMPLE_TIERS.map(({ tier, title, priceCents, share }) =>
    step(ORGANISER, `tier/${tier}`, {
      kind: 'tier.create',
      event: SAMPLE_EVENT,
      tier,
      title,
      price: priceCents,
      currency: 'EUR',
      capacity: (SAMPLE_CAPACITY * share) / SAMPLE_SHARES,
      validFrom: null,
      validThrough: null,
      transfer: { allowed: true, transfersMax: 5, until: null, resalePercentMax: 110 },
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

/** The issues of some sample tickets, each within one tier and one transaction. */
export function sampleIssues(tickets: readonly SampleTicket[]): readonly SampleStep[] {
  return SAMPLE_TIERS.flatMap(({ tier }) => {
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
