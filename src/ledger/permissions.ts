import type { EventId, OrganisationId } from '../model/ids.ts';
import type { Operation, OperationKind, Role } from '../model/operation.ts';
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
  transfer: ['issuer', 'marketplace'],
  hold: ['issuer', 'organiser'],
  release: ['issuer', 'organiser'],
  revoke: ['issuer', 'organiser'],
  'case.open': ['issuer', 'venue', 'organiser'],
  resolve: ['arbiter'],
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

/** What an organisation would need for an operation and does not have. */
export interface Lack {
  /** Where one of the roles would have to be held; null where genesis would have to allow one of them. */
  readonly event: EventId | null;
  readonly roles: readonly Role[];
}

/**
 * Whether an organisation may ask for an operation, whatever becomes of it. Where the event does not exist or the
 * ticket is unknown, eligibility is enough: that a forged ticket was presented is evidence, and belongs on the chain.
 */
export function isPermitted(state: Overlay, organisation: OrganisationId, operation: Operation): boolean {
  return lackOf(state, organisation, operation) === undefined;
}

/** The first thing that keeps an organisation from asking for an operation; undefined when it may. */
export function lackOf(state: Overlay, organisation: OrganisationId, operation: Operation): Lack | undefined {
  const roles = ROLES_FOR[operation.kind];
  for (const event of eventsOf(state, operation)) {
    const isKnown = event !== undefined && state.events.get(event) !== undefined;
    if (isKnown && !holdsRole(state, event, organisation, roles)) return { event, roles };
    if (!isKnown && !isEligible(state, organisation, roles)) return { event: null, roles };
  }
  return undefined;
}

/** The distinct events that an operation is about; undefined stands for one to come, and for tickets that do not exist. */
function eventsOf(state: Overlay, operation: Operation): readonly (EventId | undefined)[] {
  switch (operation.kind) {
    case 'event.create':
      return [undefined];
    case 'tier.create':
    case 'role.grant':
    case 'role.revoke':
    case 'issue':
      return [operation.event];
    case 'validate':
      return [...new Set(operation.tickets.map((ticket) => state.tickets.get(ticket)?.event))];
    case 'resolve': {
      // Who replaces a ticket at another event decides there too.
      const { ticket, replacement } = operation;
      const own = state.tickets.get(ticket)?.event;
      return replacement === null || replacement.event === own ? [own] : [own, replacement.event];
    }
    default:
      return [state.tickets.get(operation.ticket)?.event];
  }
}
