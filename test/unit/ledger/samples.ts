/** One value of every kind of state record, every operation and every receipt: what the byte forms are frozen from. */
import { genesisSet } from '../../../src/ledger/genesis.ts';
import {
  AUTHORITIES,
  EVENT,
  IDEMPOTENCY,
  KEY,
  ORGANISATION,
  type RecordKind,
  ROLE,
  SEAT,
  TICKET,
  TIER,
  type TicketRecord,
} from '../../../src/ledger/records.ts';
import { type Codec, decode, encode } from '../../../src/model/codec.ts';
import { type Hash, Height, hashOfBytes, TicketId, Timestamp, ZERO_HASH } from '../../../src/model/ids.ts';
import type { FirstScan, Receipt } from '../../../src/model/receipt.ts';
import type { Operation } from '../../../src/model/transaction.ts';
import {
  ARENA,
  BOX_OFFICE,
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
  since: Height(3),
  previous: ZERO_HASH,
  firstScan: null,
  dispute: null,
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
  dispute: {
    reason: 'CHARGEBACK',
    note: 'Karte zurückgebucht',
    gate: GATE_A,
    organisation: BOX_OFFICE,
    at: Timestamp(CREATED + 6_000),
    height: Height(6),
    transaction: hashOf(0x55),
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
];

export const RECEIPTS: readonly Receipt[] = [
  { transaction: hashOf(0x88), accepted: true, code: null, subject: null, firstScan: null, replayOf: null },
  {
    transaction: hashOf(0x88),
    accepted: false,
    code: 'ALREADY_CONSUMED',
    subject: 't-1',
    firstScan: FIRST_SCAN,
    replayOf: hashOf(0x77),
  },
];
