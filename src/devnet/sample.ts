import { defined } from '../lib/assert.ts';
import { Timestamp } from '../model/ids.ts';
import { TICKETS_PER_TRANSACTION_MAX } from '../model/limits.ts';
import { SAMPLE_ISSUER, type SampleStep, sampleCatalogueFor, sampleEventAt, step } from '../sample/catalogue.ts';
import { SAMPLE_EVENT, SAMPLE_TIERS, type SampleTicket } from '../sample/tickets.ts';
import { devnetRoles } from './genesis.ts';
import { DEVNET_ORGANISATIONS } from './plan.ts';

/** What a devnet begins with. */
export const SAMPLE_TICKETS = 500;
const EVENT_STARTS_AFTER_MS = 7 * 24 * 3_600_000;

/** The event, to be final before the rest. */
export function sampleEvent(genesisTime: Timestamp): SampleStep {
  return sampleEventAt(Timestamp(genesisTime + EVENT_STARTS_AFTER_MS));
}

/** Its tiers, and what each organisation may do there. */
export function sampleCatalogue(): readonly SampleStep[] {
  return sampleCatalogueFor(
    DEVNET_ORGANISATIONS.map((organisation) => ({ organisation, roles: devnetRoles(organisation) })),
  );
}

/** The issues of some sample tickets, each within one tier and one transaction. */
export function sampleIssues(tickets: readonly SampleTicket[]): readonly SampleStep[] {
  return SAMPLE_TIERS.flatMap(({ tier }) => {
    const ofTier = tickets.filter((ticket) => ticket.tier === tier);
    return batches(ofTier, TICKETS_PER_TRANSACTION_MAX).map((batch) => {
      const first = defined(batch[0], 'a batch is not empty').ticket;
      const issued = batch.map(({ tier: _, ...ticket }) => ticket);
      return step(SAMPLE_ISSUER, `issue/${first}/${batch.length}`, {
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
