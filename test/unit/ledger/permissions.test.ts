import { describe, expect, it } from 'vitest';
import { holdsRole, isEligible, isPermitted, ROLES_FOR } from '../../../src/ledger/permissions.ts';
import { roleKey } from '../../../src/ledger/records.ts';
import type { Overlay } from '../../../src/ledger/state.ts';
import { EventId, Height, OrganisationId, TicketId, TierId, Timestamp } from '../../../src/model/ids.ts';
import { type Operation, type OperationKind, ROLES, type Role } from '../../../src/model/operation.ts';
import {
  ARENA,
  applyAll,
  BOX_OFFICE,
  CITY,
  CUP,
  createCup,
  createStand,
  dispute,
  FEDERATION,
  grant,
  hold,
  issue,
  MARKET,
  openCase,
  openedState,
  PROMOTER,
  resolve,
  revoke,
  scan,
  spare,
  transfer,
  validate,
  withdraw,
} from './fixture.ts';

/** At the cup, with ticket `t`. */
const AT_THE_CUP: readonly Operation[] = [
  createStand,
  grant(PROMOTER, 'gate'),
  revoke(ARENA, 'gate'),
  issue('u'),
  validate('t'),
  scan('consume', 't'),
  scan('admit', 't'),
  dispute('t'),
  transfer('t'),
  hold('t'),
  hold('t', 'release'),
  withdraw('t'),
  openCase('t'),
  resolve('t', 'UPHELD'),
  resolve('t', 'REISSUED', spare('u')),
];

/** At an event, tier and ticket that do not exist. */
const NOWHERE = EventId('no-such-event');
const UNKNOWN: readonly Operation[] = [
  { ...createStand, event: NOWHERE },
  { kind: 'role.grant', event: NOWHERE, organisation: PROMOTER, role: 'gate' },
  { kind: 'role.revoke', event: NOWHERE, organisation: PROMOTER, role: 'gate' },
  { ...issue('u'), event: NOWHERE, tier: TierId('none') },
  validate('forged'),
  scan('consume', 'forged'),
  scan('admit', 'forged'),
  dispute('forged'),
  transfer('forged'),
  hold('forged'),
  hold('forged', 'release'),
  withdraw('forged'),
  openCase('forged'),
  resolve('forged', 'UPHELD'),
  resolve('forged', 'REISSUED', spare('u', { event: NOWHERE })),
];

/** The design's table of who may do what, written out again. */
const MAY: Readonly<Record<OperationKind, readonly Role[]>> = {
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

function cupWithTicket(): Overlay {
  const state = openedState();
  applyAll(state, [{ by: BOX_OFFICE, operation: issue('t') }]);
  return state;
}

function give(state: Overlay, organisation: OrganisationId, role: Role): void {
  const record = { event: CUP, organisation, role, held: true, since: Height(1) };
  state.roles.put(roleKey(CUP, organisation, role), record);
}

describe('who may do what', () => {
  it('is the table of the design', () => {
    expect(ROLES_FOR).toEqual(MAY);
  });

  const cells = AT_THE_CUP.flatMap((operation) => ROLES.map((role) => ({ kind: operation.kind, role, operation })));
  it.each(cells)('$kind by the one role $role at the event', ({ role, operation }) => {
    const state = cupWithTicket();
    expect(isPermitted(state, MARKET, operation)).toBe(false);
    give(state, MARKET, role);
    expect(isPermitted(state, MARKET, operation)).toBe(MAY[operation.kind].includes(role));
  });

  it.each(UNKNOWN.map((operation) => ({ kind: operation.kind, operation })))(
    '$kind of what does not exist needs eligibility for the role',
    ({ operation }) => {
      const state = cupWithTicket();
      for (const { id, roles } of eligibilities()) {
        const isEligibleForIt = roles.some((role) => MAY[operation.kind].includes(role));
        expect(isPermitted(state, id, operation), id).toBe(isEligibleForIt);
      }
    },
  );

  it('lets only organisations that may organise create events', () => {
    const state = cupWithTicket();
    const allowed = eligibilities().filter(({ id }) => isPermitted(state, id, createCup));
    expect(allowed.map(({ id }) => id)).toEqual([FEDERATION, PROMOTER]);
  });

  it('does not take eligibility for a role at an event that exists', () => {
    const state = cupWithTicket();
    for (const operation of AT_THE_CUP) expect(isPermitted(state, PROMOTER, operation), operation.kind).toBe(false);
  });

  it('forgets a role that was revoked', () => {
    const state = cupWithTicket();
    expect(holdsRole(state, CUP, ARENA, ['gate'])).toBe(true);
    applyAll(state, [{ by: FEDERATION, operation: revoke(ARENA, 'gate') }]);
    expect(holdsRole(state, CUP, ARENA, ['gate'])).toBe(false);
    expect(holdsRole(state, CUP, ARENA, ['gate', 'venue'])).toBe(true);
    expect(isPermitted(state, ARENA, scan('consume', 't'))).toBe(false);
  });

  it('asks for every ticket of a batch', () => {
    const state = cupWithTicket();
    const other = EventId('other');
    const first = state.tickets.get(TicketId('t'));
    if (first === undefined) throw new Error('the ticket exists');
    state.events.put(other, {
      event: other,
      title: 'Other',
      organisation: PROMOTER,
      startsAt: Timestamp(0),
      capacity: 1,
      issued: 1,
      organisers: 1,
    });
    state.tickets.put('foreign', { ...first, ticket: TicketId('foreign'), event: other });
    expect(isPermitted(state, BOX_OFFICE, validate('t'))).toBe(true);
    expect(isPermitted(state, BOX_OFFICE, validate('t', 'foreign'))).toBe(false);
    expect(isPermitted(state, BOX_OFFICE, validate('t', 'forged'))).toBe(true);
    expect(isPermitted(state, FEDERATION, validate('t', 'forged'))).toBe(true);
    expect(isPermitted(state, CITY, validate('forged'))).toBe(false);
  });

  it('gives an organisation that nobody knows nothing', () => {
    const state = cupWithTicket();
    for (const operation of [createCup, ...AT_THE_CUP, ...UNKNOWN]) {
      expect(isPermitted(state, OrganisationId('stranger'), operation)).toBe(false);
    }
    expect(isEligible(state, MARKET, ROLES)).toBe(false);
  });
});

function eligibilities(): readonly { readonly id: OrganisationId; readonly roles: readonly Role[] }[] {
  return [
    { id: FEDERATION, roles: ['organiser', 'arbiter'] },
    { id: BOX_OFFICE, roles: ['issuer'] },
    { id: ARENA, roles: ['venue', 'gate'] },
    { id: CITY, roles: ['arbiter'] },
    { id: MARKET, roles: [] },
    { id: PROMOTER, roles: ROLES },
  ];
}
