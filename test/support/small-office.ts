/** What the clients of a small world ask for. */

import { EventId, GateId, OrganisationId, TicketId, TierId, Timestamp } from '../../src/model/ids.ts';
import type { Operation, Role } from '../../src/model/operation.ts';
import { SmallWorld, type SmallWorldOptions } from './small-world.ts';

const CUP = EventId('cup');
const STAND = TierId('stand');
const NORTH = GateId('north');

export const createCup: Operation = {
  kind: 'event.create',
  event: CUP,
  title: 'Cup',
  startsAt: Timestamp(Date.UTC(2026, 5, 13)),
  capacity: 100_000,
};

export const createStand: Operation = {
  kind: 'tier.create',
  event: CUP,
  tier: STAND,
  title: 'Main stand',
  price: 4_500,
  currency: 'EUR',
  capacity: 100_000,
  validFrom: null,
  validThrough: null,
  transfer: { allowed: true, transfersMax: 2, until: null, resalePercentMax: 110 },
};

export function grant(organisation: string, role: Role): Operation {
  return { kind: 'role.grant', event: CUP, organisation: OrganisationId(organisation), role };
}

export function revoke(organisation: string, role: Role): Operation {
  return { kind: 'role.revoke', event: CUP, organisation: OrganisationId(organisation), role };
}

export function issue(...tickets: string[]): Operation {
  return {
    kind: 'issue',
    event: CUP,
    tier: STAND,
    tickets: tickets.map((ticket) => ({
      ticket: TicketId(ticket),
      seat: null,
      gate: null,
      holder: null,
      data: new Uint8Array(),
    })),
  };
}

export function validate(...tickets: string[]): Operation {
  return { kind: 'validate', tickets: tickets.map((ticket) => TicketId(ticket)) };
}

export function admit(ticket: string): Operation {
  return { kind: 'admit', ticket: TicketId(ticket), gate: NORTH };
}

/** The event, its tier, and who may issue and admit: what every test of tickets begins with. */
const FOUNDING: readonly (readonly [string, Operation])[] = [
  ['federation', createCup],
  ['federation', createStand],
  ['federation', grant('boxoffice', 'issuer')],
  ['federation', grant('venue', 'gate')],
];

/** A running world with an event, and tickets that wait to be admitted. */
export function openWorld(options: SmallWorldOptions = {}, ...tickets: string[]): SmallWorld {
  const world = SmallWorld.started(options);
  for (const [organisation, operation] of FOUNDING) world.finalise(0, world.transaction(organisation, operation));
  if (tickets.length > 0) {
    world.finalise(0, world.transaction('boxoffice', issue(...tickets)));
    world.finalise(0, world.transaction('boxoffice', validate(...tickets)));
  }
  return world;
}
