/** Every operation, and everything that an auditor asks about, in a dozen blocks. */

import { defined } from '../../src/lib/assert.ts';
import type { Hash, OrganisationId } from '../../src/model/ids.ts';
import { GateId, TicketId, TierId, Timestamp } from '../../src/model/ids.ts';
import type { Operation } from '../../src/model/operation.ts';
import {
  ARENA,
  BOX_OFFICE,
  CITY,
  CREATED,
  CUP,
  createCup,
  createStand,
  FEDERATION,
  GATE_A,
  GATE_B,
  grant,
  issue,
  MARKET,
  newTicket,
  revoke,
  STAND,
  scan,
  validate,
  type Wish,
} from '../unit/ledger/fixture.ts';
import { hashOf } from '../unit/ledger/samples.ts';
import { BASE, type Described, DescribedLedger } from './described-ledger.ts';

const BOX = TierId('box');
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const by = (organisation: OrganisationId, operation: Operation, more: Partial<Wish> = {}): Wish => ({
  by: organisation,
  operation,
  ...more,
});

const stand: Operation = {
  ...createStand,
  validFrom: CREATED,
  validThrough: Timestamp(CREATED + DAY_MS),
  transfer: { allowed: true, transfersMax: 2, until: Timestamp(CREATED + DAY_MS / 2), resalePercentMax: 110 },
};

const TICKETS = ['t-1', 't-2', 't-3', 't-4', 't-5', 't-6', 't-7', 't-8'];

const sale: Operation = issue(
  newTicket('t-1', { seat: 'A-12', gate: null, holder: hashOf(0x31) }),
  newTicket('t-2', { seat: 'A-13', gate: GATE_A, holder: hashOf(0x32) }),
  ...TICKETS.slice(2),
);

/** What the box office says of what it sells. */
const SOLD_STATEMENTS = [
  `<${BASE}ticket/t-1> <http://schema.org/description> "row A, \\"Harbour\\" side"@en .\n`,
  `<${BASE}ticket/t-1> <http://schema.org/sameAs> <https://boxoffice.example/order/7731> .\n`,
].join('');

function opening(ledger: DescribedLedger): void {
  ledger.block([
    by(FEDERATION, createCup),
    by(FEDERATION, stand),
    by(FEDERATION, { ...createStand, tier: BOX, title: 'Box "1"', price: 18_000, capacity: 1 }),
    by(FEDERATION, grant(BOX_OFFICE, 'issuer')),
    by(FEDERATION, grant(ARENA, 'venue')),
    by(FEDERATION, grant(ARENA, 'gate')),
    by(FEDERATION, grant(CITY, 'arbiter')),
    by(FEDERATION, grant(FEDERATION, 'arbiter')),
    by(FEDERATION, grant(MARKET, 'marketplace')),
  ]);
  ledger.block([by(BOX_OFFICE, sale, { key: 'order-7731', statements: SOLD_STATEMENTS })]);
  ledger.block([
    by(BOX_OFFICE, sale, { key: 'order-7731', statements: SOLD_STATEMENTS }),
    by(BOX_OFFICE, issue('t-9'), { key: 'order-7731' }),
    by(BOX_OFFICE, { ...issue('t-10', 't-11'), tier: BOX }),
  ]);
}

function usage(ledger: DescribedLedger): void {
  ledger.block([
    by(BOX_OFFICE, validate('t-1', 't-2', 't-3', 't-4', 't-5')),
    by(BOX_OFFICE, { kind: 'hold', ticket: TicketId('t-6'), note: 'payment unclear' }),
  ]);
  ledger.block([
    by(ARENA, scan('consume', 't-1', GATE_A), { key: 'lane-4/17' }),
    by(ARENA, scan('admit', 't-7', GATE_A)),
    by(ARENA, scan('admit', 't-6', GATE_A)),
    by(BOX_OFFICE, { kind: 'release', ticket: TicketId('t-6'), note: '' }),
  ]);
  ledger.pass(7 * MINUTE_MS);
  ledger.block(
    [
      by(ARENA, scan('admit', 't-1', GATE_B)),
      by(ARENA, scan('consume', 'forged', GATE_B)),
      by(ARENA, scan('consume', 't-8', GATE_B)),
      by(ARENA, scan('admit', 't-6', GATE_B)),
    ],
    [0, 1, 2, 3],
  );
  ledger.block([
    by(BOX_OFFICE, {
      kind: 'transfer',
      ticket: TicketId('t-2'),
      holder: hashOf(0x42),
      price: null,
      channel: 'DIRECT',
    }),
    by(MARKET, { kind: 'transfer', ticket: TicketId('t-3'), holder: hashOf(0x43), price: 4_900, channel: 'RESALE' }),
    by(MARKET, { kind: 'transfer', ticket: TicketId('t-3'), holder: hashOf(0x44), price: 7_200, channel: 'RESALE' }),
  ]);
  ledger.block([by(BOX_OFFICE, { kind: 'revoke', ticket: TicketId('t-4'), reason: 'CHARGEBACK', note: 'card 4711' })]);
  ledger.block([by(ARENA, scan('consume', 't-4', GATE_B))]);
}

function cases(ledger: DescribedLedger): void {
  const evidence = idOf(ledger, 'ALREADY_CONSUMED');
  ledger.block([
    by(BOX_OFFICE, { kind: 'dispute', ticket: TicketId('t-2'), reason: 'FRAUD', note: 'sold twice', gate: GATE_A }),
    by(FEDERATION, { kind: 'dispute', ticket: TicketId('t-5'), reason: 'STOLEN', note: '', gate: null }),
    by(ARENA, { kind: 'case.open', ticket: TicketId('t-1'), reason: 'DOUBLE_ADMISSION', note: 'two people', evidence }),
  ]);
  ledger.block([
    by(CITY, {
      kind: 'resolve',
      ticket: TicketId('t-2'),
      outcome: 'REISSUED',
      note: 'a new one',
      replacement: {
        event: CUP,
        tier: STAND,
        ticket: TicketId('t-20'),
        seat: 'A-14',
        gate: GateId('gate-b'),
        data: new Uint8Array(),
      },
    }),
    by(FEDERATION, { kind: 'resolve', ticket: TicketId('t-5'), outcome: 'UPHELD', note: '', replacement: null }),
    by(CITY, { kind: 'resolve', ticket: TicketId('t-1'), outcome: 'REJECTED', note: '', replacement: null }),
  ]);
  ledger.block([by(FEDERATION, revoke(ARENA, 'gate'))]);
  ledger.block([]);
}

function idOf(ledger: DescribedLedger, code: string): Hash {
  return defined(
    ledger.all.find(({ receipt }) => receipt.code === code),
    `something was refused as ${code}`,
  ).transaction.id;
}

/** The ledger after all of it. */
export function toldStory(): DescribedLedger {
  const ledger = new DescribedLedger();
  opening(ledger);
  usage(ledger);
  cases(ledger);
  return ledger;
}

/** The first of each kind: accepted operations by their kind, refusals by their code, one repetition. */
export function firstOfEach(ledger: DescribedLedger): ReadonlyMap<string, Described> {
  const found = new Map<string, Described>();
  for (const one of ledger.all) {
    const { kind } = one.transaction.body.operation;
    const { receipt } = one;
    const name = receipt.replayOf !== null ? 'repetition' : (receipt.code ?? kind);
    if (!found.has(name)) found.set(name, one);
  }
  return found;
}
