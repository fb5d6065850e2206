import type { Act } from './outcome.ts';
import { accepted, refused } from './outcome.ts';
import { type Outcome, roleKey, tierKey } from './records.ts';

/** The creator becomes the event's first organiser. */
export function applyEventCreate({ state, operation, transaction, block }: Act<'event.create'>): Outcome {
  const { event, title, startsAt, capacity } = operation;
  if (state.events.get(event) !== undefined) return refused('DUPLICATE_ID', event);
  const { organisation } = transaction.body;
  state.events.put(event, { event, title, organisation, startsAt, capacity, issued: 0, organisers: 1 });
  state.roles.put(roleKey(event, organisation, 'organiser'), {
    event,
    organisation,
    role: 'organiser',
    held: true,
    since: block.height,
  });
  return accepted(event);
}

export function applyTierCreate({ state, operation }: Act<'tier.create'>): Outcome {
  const { event, tier, title, price, currency, capacity, validFrom, validThrough, transfer } = operation;
  if (state.events.get(event) === undefined) return refused('UNKNOWN_EVENT', event);
  const key = tierKey(event, tier);
  if (state.tiers.get(key) !== undefined) return refused('DUPLICATE_ID', tier);
  state.tiers.put(key, {
    event,
    tier,
    title,
    price,
    currency,
    capacity,
    validFrom,
    validThrough,
    transfer,
    issued: 0,
    validated: 0,
    consumed: 0,
    disputed: 0,
  });
  return accepted(tier);
}

export function applyRoleGrant({ state, operation, block }: Act<'role.grant'>): Outcome {
  const { event, organisation, role } = operation;
  const record = state.events.get(event);
  if (record === undefined) return refused('UNKNOWN_EVENT', event);
  const grantee = state.organisations.get(organisation);
  if (grantee === undefined) return refused('UNKNOWN_ORGANISATION', organisation);
  if (!grantee.roles.includes(role)) return refused('ROLE_NOT_ALLOWED', organisation);
  const key = roleKey(event, organisation, role);
  if (state.roles.get(key)?.held) return refused('ROLE_ALREADY_HELD', organisation);
  state.roles.put(key, { event, organisation, role, held: true, since: block.height });
  if (role === 'organiser') state.events.put(event, { ...record, organisers: record.organisers + 1 });
  return accepted(organisation);
}

/** The last organiser stays: an event without one could never be run again. */
export function applyRoleRevoke({ state, operation, block }: Act<'role.revoke'>): Outcome {
  const { event, organisation, role } = operation;
  const record = state.events.get(event);
  if (record === undefined) return refused('UNKNOWN_EVENT', event);
  if (state.organisations.get(organisation) === undefined) return refused('UNKNOWN_ORGANISATION', organisation);
  const key = roleKey(event, organisation, role);
  if (!state.roles.get(key)?.held) return refused('ROLE_NOT_HELD', organisation);
  if (role === 'organiser' && record.organisers === 1) return refused('LAST_ORGANISER', organisation);
  state.roles.put(key, { event, organisation, role, held: false, since: block.height });
  if (role === 'organiser') state.events.put(event, { ...record, organisers: record.organisers - 1 });
  return accepted(organisation);
}
