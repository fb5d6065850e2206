import type { EventId, OrganisationId } from '../model/ids.ts';
import type { Operation, OperationKind, Role } from '../model/transaction.ts';
import { roleKey } from './records.ts';
import type { Overlay } from './state.ts';

/** Who may do what: any one of these roles is enough. */
export const ROLES_FOR: Readonly<Record<OperationKind, readonly Role[]>> = {
  'event.create': ['organiser'],
  'tier.create': ['organiser'],
  'role.grant': ['organiser'],
  'role.revoke': ['organiser'],
  issue: ['issuer'],
  validate: ['issuer', 'organiser'],
  consume: ['gate'],
  admit: ['gate'],
  dispute: ['issuer', 'venue', 'organiser'],
};

/** Whether genesis lets an organisation be given one of these roles at all. */
export function isEligible(state: Overlay, organisation: OrganisationId, roles: readonly Role[]): boolean {
  return state.organisations.get(organisation)?.roles.some((role) => roles.includes(role)) ?? false;
}

/** Whether an organisation holds one of these roles at an event. */
export function holdsRole(
  state: Overlay,
  event: EventId,
  organisation: OrganisationId,
  roles: readonly Role[],
): boolean {
  return roles.some((role) => state.roles.get(roleKey(event, organisation, role))?.held ?? false);
}

/**
 * Whether an organisation may ask for an operation, whatever becomes of it. Where the event does not exist or the
 * ticket is unknown, eligibility is enough: that a forged ticket was presented is evidence, and belongs on the chain.
 */
export function isPermitted(state: Overlay, organisation: OrganisationId, operation: Operation): boolean {
  const roles = ROLES_FOR[operation.kind];
  const atEvent = (event: EventId | undefined): boolean =>
    event === undefined || state.events.get(event) === undefined
      ? isEligible(state, organisation, roles)
      : holdsRole(state, event, organisation, roles);
  switch (operation.kind) {
    case 'event.create':
      return isEligible(state, organisation, roles);
    case 'tier.create':
    case 'role.grant':
    case 'role.revoke':
    case 'issue':
      return atEvent(operation.event);
    case 'validate':
      return eventsOf(state, operation.tickets).every(atEvent);
    case 'consume':
    case 'admit':
    case 'dispute':
      return atEvent(state.tickets.get(operation.ticket)?.event);
  }
}

/** The distinct events of some tickets; undefined stands for tickets that do not exist. */
function eventsOf(
  state: Overlay,
  tickets: (Operation & { readonly kind: 'validate' })['tickets'],
): readonly (EventId | undefined)[] {
  return [...new Set(tickets.map((ticket) => state.tickets.get(ticket)?.event))];
}
