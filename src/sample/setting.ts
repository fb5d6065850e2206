import type { TicketId } from '../model/ids.ts';
import type { Operation } from '../model/operation.ts';
import type { Iris } from '../provenance/iris.ts';
import type { Iri } from '../provenance/terms.ts';
import type { Setting } from './answers.ts';
import { SAMPLE_CAPACITY, SAMPLE_EVENT, SAMPLE_RESALE_PERCENT, SAMPLE_SHARES, SAMPLE_TIERS } from './tickets.ts';

/** What the answers say of the sample's tiers. */
export function sampleTierTerms(iris: Iris): Setting['tiers'] {
  return new Map(
    SAMPLE_TIERS.map(({ tier, priceCents, share }) => [
      iris.tier(SAMPLE_EVENT, tier),
      {
        price: priceCents,
        capacity: (SAMPLE_CAPACITY * share) / SAMPLE_SHARES,
        capPercent: SAMPLE_RESALE_PERCENT,
      },
    ]),
  );
}

/** The tickets that an operation makes when it is accepted, with the tier of each. */
export function tiersOfNew(operation: Operation, iris: Iris): readonly (readonly [TicketId, Iri])[] {
  if (operation.kind === 'issue') {
    return operation.tickets.map(({ ticket }) => [ticket, iris.tier(operation.event, operation.tier)]);
  }
  if (operation.kind !== 'resolve' || operation.replacement === null) return [];
  const { ticket, event, tier } = operation.replacement;
  return [[ticket, iris.tier(event, tier)]];
}
