/** One value of every kind of state record, every operation and every receipt: what the byte forms are frozen from. */

import { genesisSet } from '../../../src/ledger/genesis.ts';
import type { RecordKind } from '../../../src/ledger/record-kind.ts';
import { AUTHORITIES, EVENT, IDEMPOTENCY, KEY, ORGANISATION, ROLE, SEAT, TIER } from '../../../src/ledger/records.ts';
import { TICKET, type TicketRecord } from '../../../src/ledger/ticket-record.ts';
import { type Codec, decode, encode } from '../../../src/model/codec.ts';
import { type Hash, Height, hashOfBytes, TicketId, Timestamp, ZERO_HASH } from '../../../src/model/ids.ts';
import type { Operation } from '../../../src/model/operation.ts';
import type { FirstScan, Receipt } from '../../../src/model/receipt.ts';
import type { TicketChange } from '../../../src/model/ticket.ts';
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
  GENESIS,
  grant,
  issue,
  keyOf,
  newTicket,
  revoke,
  STAND,
  scan,
  validate,
} from './fixture.ts';

export function hashOf(byte: number): Hash {
  return hashOfBytes(new Uint8Array(32).fill(byte));
}

const FIRST_SCAN: FirstScan = {
  at: Timestamp(CREATED + 5_000),
  height: Height(5),
  gate: GATE_A,
  organisation: ARENA,
  transaction: hashOf(0x22),
};

const issued: TicketRecord = {
  ticket: TicketId('t-1'),
  event: CUP,
  tier: STAND,
  seat: null,
  gate: null,
  state: 'ISSUED',
  standing: 'GOOD',
  holder: null,
  data: new Uint8Array(),
  version: 1,
  epoch: 0,
  transfers: 0,
  since: Height(3),
  previous: ZERO_HASH,
  firstScan: null,
  case: null,
  replaces: null,
  replacedBy: null,
};

const consumed: TicketRecord = {
  ...issued,
  seat: 'A-12',
  gate: GATE_A,
  state: 'CONSUMED',
  holder: hashOf(0x33),
  data: Uint8Array.of(1, 2, 3),
  version: 3,
  since: Height(5),
  previous: hashOf(0x44),
  firstScan: FIRST_SCAN,
};

const disputed: TicketRecord = {
  ...issued,
  state: 'DISPUTED',
  version: 3,
  previous: hashOf(0x44),
  case: {
    reason: 'CHARGEBACK',
    note: 'Karte zurückgebucht',
    gate: GATE_A,
    evidence: hashOf(0x99),
    organisation: BOX_OFFICE,
    at: Timestamp(CREATED + 6_000),
    height: Height(6),
    transaction: hashOf(0x55),
    resolution: {
      outcome: 'REISSUED',
      note: 'replaced',
      organisation: CITY,
      at: Timestamp(CREATED + 7_000),
      height: Height(7),
      transaction: hashOf(0x56),
    },
  },
};

export interface Sample {
  readonly name: string;
  readonly layout: Codec<unknown>;
  /** The bytes of the value, and those of the value that was read from them. */
  readonly write: () => { readonly bytes: Uint8Array; readonly again: Uint8Array };
}

function sample<T>(name: string, kind: RecordKind<T>, value: NoInfer<T>): Sample {
  return {
    name,
    layout: { read: kind.layout.read, write: () => undefined },
    write: () => {
      const bytes = encode(kind.layout, value);
      const read = decode(kind.layout, bytes);
      if (!read.ok) throw new Error(read.error.reason);
      return { bytes, again: encode(kind.layout, read.value) };
    },
  };
}

const event = {
  event: CUP,
  title: 'Harbour Cup 2026',
  organisation: FEDERATION,
  startsAt: CREATED,
  capacity: 100,
  issued: 7,
  organisers: 1,
};

const tier = {
  event: CUP,
  tier: STAND,
  title: 'Main stand',
  price: 4_500,
  currency: 'EUR',
  capacity: 50,
  validFrom: CREATED,
  validThrough: null,
  transfer: { allowed: true, transfersMax: 2, until: CREATED, resalePercentMax: 110 },
  issued: 7,
  validated: 2,
  consumed: 3,
  disputed: 1,
};

const organisation = {
  organisation: ARENA,
  title: 'The arena',
  roles: ['venue', 'gate'],
  keys: [keyOf(ARENA)],
  namespace: 'https://arena.example/',
} as const;

const idempotency = {
  operation: hashOf(0x66),
  transaction: hashOf(0x77),
  height: Height(8),
  outcome: { accepted: false, code: 'ALREADY_CONSUMED', subject: 't-1', firstScan: FIRST_SCAN },
} as const;

export const SAMPLES: readonly Sample[] = [
  sample('event', EVENT, event),
  sample('tier', TIER, tier),
  sample('seat', SEAT, { ticket: issued.ticket }),
  sample('ticket issued', TICKET, issued),
  sample('ticket consumed', TICKET, consumed),
  sample('ticket disputed', TICKET, disputed),
  sample('organisation', ORGANISATION, organisation),
  sample('key', KEY, { organisation: ARENA }),
  sample('role', ROLE, { event: CUP, organisation: ARENA, role: 'gate', held: true, since: Height(2) }),
  sample('authorities', AUTHORITIES, genesisSet(GENESIS)),
  sample('idempotency', IDEMPOTENCY, idempotency),
];

export const OPERATIONS: readonly Operation[] = [
  createCup,
  { ...createStand, validFrom: CREATED, validThrough: Timestamp(CREATED + 1) },
  grant(BOX_OFFICE, 'issuer'),
  revoke(BOX_OFFICE, 'issuer'),
  issue('t-0', newTicket('t-1', { seat: 'A-12', gate: GATE_A, holder: hashOf(0x33), data: Uint8Array.of(1, 2, 3) })),
  validate('t-0', 't-1'),
  scan('consume', 't-0'),
  scan('admit', 't-1'),
  { kind: 'dispute', ticket: TicketId('t-1'), reason: 'CHARGEBACK', note: 'Karte zurückgebucht', gate: GATE_A },
  { kind: 'transfer', ticket: TicketId('t-1'), holder: hashOf(0x34), price: 4_900, channel: 'RESALE' },
  { kind: 'hold', ticket: TicketId('t-1'), note: 'payment unclear' },
  { kind: 'release', ticket: TicketId('t-1'), note: '' },
  { kind: 'revoke', ticket: TicketId('t-1'), reason: 'REFUND', note: '' },
  { kind: 'case.open', ticket: TicketId('t-1'), reason: 'FRAUD', note: 'forged', evidence: hashOf(0x55) },
  {
    kind: 'resolve',
    ticket: TicketId('t-1'),
    outcome: 'REISSUED',
    note: '',
    replacement: { event: CUP, tier: STAND, ticket: TicketId('t-9'), seat: null, gate: null, data: new Uint8Array() },
  },
];

const CHANGE: TicketChange = {
  ticket: TicketId('t-1'),
  version: 3,
  state: 'CONSUMED',
  standing: 'GOOD',
  epoch: 1,
  holder: hashOf(0x33),
};

export const RECEIPTS: readonly Receipt[] = [
  {
    transaction: hashOf(0x88),
    accepted: true,
    code: null,
    subject: null,
    firstScan: null,
    replayOf: null,
    changes: [CHANGE],
  },
  {
    transaction: hashOf(0x88),
    accepted: false,
    code: 'ALREADY_CONSUMED',
    subject: 't-1',
    firstScan: FIRST_SCAN,
    replayOf: hashOf(0x77),
    changes: [],
  },
];
