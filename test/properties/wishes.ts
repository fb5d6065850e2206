/** Histories of a small event: whatever anybody may ask for, mostly about tickets that are there. */
import fc from 'fast-check';
import { OrganisationId, TicketId } from '../../src/model/ids.ts';
import { CASE_OUTCOMES, type Operation, ROLES } from '../../src/model/operation.ts';
import {
  ARENA,
  BOX_OFFICE,
  CITY,
  dispute,
  FEDERATION,
  GATE_A,
  GATE_B,
  grant,
  hold,
  issue,
  MARKET,
  newTicket,
  openCase,
  PROMOTER,
  resolve,
  revoke,
  spare,
  transfer,
  validate,
  type Wish,
  withdraw,
} from '../unit/ledger/fixture.ts';

export const IDS = Array.from({ length: 8 }, (_, index) => TicketId(`t-${index}`));
const ORGANISATIONS = [FEDERATION, BOX_OFFICE, ARENA, CITY, MARKET, PROMOTER];

/** The first half is sold before anything else happens, and meant more often. */
const SOLD = IDS.slice(0, 4);
const ticketId = fc.constantFrom(...SOLD, ...SOLD, ...IDS);
const gate = fc.constantFrom(GATE_A, GATE_B);
const organisation = fc.constantFrom(...ORGANISATIONS, OrganisationId('nobody'));
const role = fc.constantFrom(...ROLES);
const scanKind = fc.constantFrom('consume' as const, 'admit' as const);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.array(seatedTicket(), { minLength: 1, maxLength: 4 }).map((list) => issue(...list)) },
  {
    weight: 4,
    arbitrary: fc
      .array(ticketId, { minLength: 1, maxLength: 4 })
      .map((tickets): Operation => ({ kind: 'validate', tickets })),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: scanKind, ticket: ticketId, gate }).map((scan): Operation => scan),
  },
  {
    weight: 3,
    arbitrary: ticketId.map(
      (ticket): Operation => ({ kind: 'dispute', ticket, reason: 'OTHER', note: '', gate: null }),
    ),
  },
  { weight: 3, arbitrary: transfers() },
  { weight: 2, arbitrary: ticketId.map((ticket) => hold(ticket)) },
  { weight: 2, arbitrary: ticketId.map((ticket) => hold(ticket, 'release')) },
  { weight: 1, arbitrary: ticketId.map((ticket) => withdraw(ticket)) },
  { weight: 2, arbitrary: ticketId.map((ticket) => openCase(ticket)) },
  { weight: 3, arbitrary: resolutions() },
  { weight: 1, arbitrary: fc.tuple(organisation, role).map(([to, given]) => grant(to, given)) },
  { weight: 1, arbitrary: fc.tuple(organisation, role).map(([from, taken]) => revoke(from, taken)) },
);

function seatedTicket() {
  const seat = fc.constantFrom(null, 'A-1', 'A-2', 'A-3', 'A-4');
  const bound = fc.constantFrom(null, null, GATE_A);
  return fc.record({ ticket: ticketId, seat, gate: bound }).map(({ ticket, ...more }) => newTicket(ticket, more));
}

function transfers(): fc.Arbitrary<Operation> {
  const price = fc.constantFrom(null, 4_500, 4_951);
  return fc.record({ ticket: ticketId, price }).map(({ ticket, price: asked }) => transfer(ticket, { price: asked }));
}

function resolutions(): fc.Arbitrary<Operation> {
  const outcome = fc.constantFrom(...CASE_OUTCOMES, 'REISSUED' as const);
  const replacement = fc.record({ ticket: fc.constantFrom(...IDS), seat: fc.constantFrom(null, 'A-1', 'A-2') });
  return fc
    .record({ ticket: ticketId, outcome, replacement })
    .map(({ ticket, outcome: end, replacement: { ticket: by, seat } }) =>
      resolve(ticket, end, end === 'REISSUED' ? spare(by, { seat }) : null),
    );
}

/** Mostly who has the right to it, sometimes anybody. */
const maker = fc.oneof(
  { weight: 5, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(...ORGANISATIONS) },
);

function usualMaker(wanted: Operation): OrganisationId {
  switch (wanted.kind) {
    case 'consume':
    case 'admit':
    case 'dispute':
      return ARENA;
    case 'resolve':
      return CITY;
    case 'event.create':
    case 'tier.create':
    case 'role.grant':
    case 'role.revoke':
      return FEDERATION;
    default:
      return BOX_OFFICE;
  }
}

const idempotency = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom('k-1', 'k-2', 'k-3') },
);

const wishes: fc.Arbitrary<Wish> = fc
  .record({ operation, maker, key: idempotency })
  .map(({ operation: wanted, maker: by, key }) => ({
    by: by ?? usualMaker(wanted),
    operation: wanted,
    ...(key === undefined ? {} : { key }),
  }));

const SALE: readonly Wish[] = [
  { by: BOX_OFFICE, operation: issue(...SOLD) },
  { by: BOX_OFFICE, operation: validate(...SOLD.slice(0, 3)) },
  { by: ARENA, operation: dispute(IDS[2] ?? '') },
];

export const blocks = fc
  .array(fc.array(wishes, { maxLength: 10, size: 'max' }), { minLength: 1, maxLength: 6, size: 'max' })
  .map((rest) => [SALE, ...rest]);
