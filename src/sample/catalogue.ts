import { OrganisationId, type Timestamp } from '../model/ids.ts';
import type { Operation, Role } from '../model/operation.ts';
import { SAMPLE_CAPACITY, SAMPLE_EVENT, SAMPLE_RESALE_PERCENT, SAMPLE_SHARES, SAMPLE_TIERS } from './tickets.ts';

/** One transaction of the sample: who signs it, under which idempotency key. */
export interface SampleStep {
  readonly organisation: OrganisationId;
  readonly idempotencyKey: string;
  readonly operation: Operation;
}

/** Who creates the event, and who sells. */
const ORGANISER = 'federation';
export const SAMPLE_ISSUER = 'boxoffice';
/** Of one ticket. */
const TRANSFERS_MAX = 5;

export function step(organisation: string, name: string, operation: Operation): SampleStep {
  return { organisation: OrganisationId(organisation), idempotencyKey: `sample/${name}`, operation };
}

/** The event, to be final before the rest. */
export function sampleEventAt(startsAt: Timestamp): SampleStep {
  return step(ORGANISER, 'event', {
    kind: 'event.create',
    event: SAMPLE_EVENT,
    title: 'Harbour Cup Final',
    startsAt,
    capacity: SAMPLE_CAPACITY,
  });
}

/** What an organisation may do at the event. */
export interface SampleGrant {
  readonly organisation: string;
  readonly roles: readonly Role[];
}

/** The event's tiers, and what each organisation may do there. */
export function sampleCatalogueFor(grants: readonly SampleGrant[]): readonly SampleStep[] {
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
      transfer: {
        allowed: true,
        transfersMax: TRANSFERS_MAX,
        until: null,
        resalePercentMax: SAMPLE_RESALE_PERCENT,
      },
    }),
  );
  const granted = grants.flatMap(({ organisation, roles }) =>
    roles
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
  return [...tiers, ...granted];
}
