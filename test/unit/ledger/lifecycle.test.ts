import { describe, expect, it } from 'vitest';
import { advance, type Circumstances, count, decide, EDGES, MOVES, type Move } from '../../../src/ledger/lifecycle.ts';
import type { TierRecord } from '../../../src/ledger/records.ts';
import type { TicketRecord } from '../../../src/ledger/ticket-record.ts';
import { InvariantError } from '../../../src/lib/assert.ts';
import { Hash, Height, TicketId, Timestamp, ZERO_HASH } from '../../../src/model/ids.ts';
import { NO_TRANSFERS } from '../../../src/model/operation.ts';
import { TICKET_STATES, type TicketState } from '../../../src/model/ticket.ts';
import { CUP, FEDERATION, GATE_A, GATE_B, STAND } from './fixture.ts';

const tier: TierRecord = {
  event: CUP,
  tier: STAND,
  title: 'Main stand',
  price: 1,
  currency: 'EUR',
  capacity: 10,
  validFrom: Timestamp(1_000),
  validThrough: Timestamp(2_000),
  transfer: NO_TRANSFERS,
  issued: 4,
  validated: 1,
  consumed: 1,
  disputed: 1,
};

function ticketIn(state: TicketState, gate: TicketRecord['gate'] = null): TicketRecord {
  return {
    ticket: TicketId('t'),
    event: CUP,
    tier: STAND,
    seat: null,
    gate,
    state,
    standing: 'GOOD',
    holder: null,
    data: new Uint8Array(),
    version: 3,
    epoch: 0,
    transfers: 0,
    since: Height(5),
    previous: ZERO_HASH,
    firstScan: null,
    case: null,
    replaces: null,
    replacedBy: null,
  };
}

const now: Circumstances = { tier, at: Timestamp(1_500), gate: GATE_A };

describe('decide', () => {
  const expected: Readonly<Record<Move, readonly unknown[]>> = {
    // ISSUED, VALIDATED, CONSUMED, DISPUTED
    validate: [['VALIDATED'], 'ALREADY_VALIDATED', 'ALREADY_CONSUMED', 'TICKET_DISPUTED'],
    consume: ['NOT_VALIDATED', ['CONSUMED'], 'ALREADY_CONSUMED', 'TICKET_DISPUTED'],
    admit: [['VALIDATED', 'CONSUMED'], ['CONSUMED'], 'ALREADY_CONSUMED', 'TICKET_DISPUTED'],
    dispute: ['INVALID_TRANSITION', ['DISPUTED'], 'ALREADY_CONSUMED', 'TICKET_DISPUTED'],
    transfer: [['ISSUED'], ['VALIDATED'], 'ALREADY_CONSUMED', 'TICKET_DISPUTED'],
    hold: [['ISSUED'], ['VALIDATED'], 'ALREADY_CONSUMED', 'TICKET_DISPUTED'],
    release: ['NOT_HELD', 'NOT_HELD', 'ALREADY_CONSUMED', 'TICKET_DISPUTED'],
    revoke: [['ISSUED'], ['VALIDATED'], 'ALREADY_CONSUMED', 'TICKET_DISPUTED'],
    'case.open': ['INVALID_TRANSITION', 'INVALID_TRANSITION', ['CONSUMED'], 'TICKET_DISPUTED'],
    resolve: ['NO_OPEN_CASE', 'NO_OPEN_CASE', 'NO_OPEN_CASE', 'NO_OPEN_CASE'],
  };
  const moves = Object.keys(MOVES) as Move[];
  const cells = moves.flatMap((move) =>
    TICKET_STATES.map((state, index) => ({ move, state, answer: expected[move][index] })),
  );

  it.each(cells)('$move of a ticket that is $state', ({ move, state, answer }) => {
    expect(decide(move, ticketIn(state), now)).toEqual(answer);
  });

  it('lets every path of a move follow the edges only', () => {
    for (const move of moves) {
      for (const state of TICKET_STATES) {
        const path = MOVES[move][state];
        if (typeof path === 'string') continue;
        let at = state;
        for (const to of path) {
          expect([at, ...EDGES[at]]).toContain(to);
          at = to;
        }
      }
    }
  });

  it.each([
    [999, 'OUTSIDE_VALIDITY'],
    [1_000, ['CONSUMED']],
    [2_000, ['CONSUMED']],
    [2_001, 'OUTSIDE_VALIDITY'],
  ])('admits from the first to the last moment of the tier: %i', (at, answer) => {
    expect(decide('consume', ticketIn('VALIDATED'), { ...now, at: Timestamp(at) })).toEqual(answer);
    const admitted = typeof answer === 'string' ? answer : ['VALIDATED', ...answer];
    expect(decide('admit', ticketIn('ISSUED'), { ...now, at: Timestamp(at) })).toEqual(admitted);
  });

  it('validates before the window opens and never after it closed', () => {
    expect(decide('validate', ticketIn('ISSUED'), { ...now, at: Timestamp(0) })).toEqual(['VALIDATED']);
    expect(decide('validate', ticketIn('ISSUED'), { ...now, at: Timestamp(2_001) })).toBe('OUTSIDE_VALIDITY');
  });

  it('admits always when the tier has no window', () => {
    const open = { ...now, tier: { ...tier, validFrom: null, validThrough: null } };
    for (const at of [0, 9_999]) {
      expect(decide('consume', ticketIn('VALIDATED'), { ...open, at: Timestamp(at) })).toEqual(['CONSUMED']);
    }
  });

  it('binds a ticket to its gate, which matters to scans alone', () => {
    expect(decide('consume', ticketIn('VALIDATED', GATE_B), now)).toBe('WRONG_GATE');
    expect(decide('admit', ticketIn('ISSUED', GATE_B), now)).toBe('WRONG_GATE');
    expect(decide('consume', ticketIn('VALIDATED', GATE_A), now)).toEqual(['CONSUMED']);
    expect(decide('dispute', ticketIn('VALIDATED', GATE_B), now)).toEqual(['DISPUTED']);
    expect(decide('validate', ticketIn('ISSUED', GATE_B), now)).toEqual(['VALIDATED']);
  });

  it('says that a ticket was consumed before it says that gate or time are wrong', () => {
    const late = { ...now, at: Timestamp(9_999) };
    expect(decide('consume', ticketIn('CONSUMED', GATE_B), late)).toBe('ALREADY_CONSUMED');
  });

  it('disputes whatever the time', () => {
    expect(decide('dispute', ticketIn('VALIDATED'), { ...now, at: Timestamp(9_999) })).toEqual(['DISPUTED']);
  });
});

describe('advance', () => {
  const previous = Hash('11'.repeat(32));

  it('makes the next version, which names the one before', () => {
    const next = advance(ticketIn('ISSUED'), { to: 'VALIDATED', height: Height(9), previous });
    expect(next).toEqual({ ...ticketIn('ISSUED'), state: 'VALIDATED', version: 4, since: 9, previous });
  });

  it('records the first scan', () => {
    const firstScan = {
      at: Timestamp(7),
      height: Height(9),
      gate: GATE_A,
      organisation: FEDERATION,
      transaction: previous,
    };
    const next = advance(ticketIn('VALIDATED'), { to: 'CONSUMED', height: Height(9), previous, patch: { firstScan } });
    expect(next.firstScan).toEqual(firstScan);
  });

  const pairs = TICKET_STATES.flatMap((from) => TICKET_STATES.map((to) => ({ from, to })));
  it.each(pairs.filter(({ from, to }) => from !== to && !EDGES[from].includes(to)))(
    'has no edge from $from to $to',
    ({ from, to }) => {
      expect(() => advance(ticketIn(from), { to, height: Height(9), previous })).toThrow(InvariantError);
    },
  );

  it('has three edges', () => {
    const edges = pairs.filter(({ from, to }) => EDGES[from].includes(to)).map(({ from, to }) => `${from} ${to}`);
    expect(edges).toEqual(['ISSUED VALIDATED', 'VALIDATED CONSUMED', 'VALIDATED DISPUTED']);
  });
});

describe('count', () => {
  it.each([
    ['ISSUED', 'VALIDATED', { validated: 2, consumed: 1, disputed: 1 }],
    ['VALIDATED', 'CONSUMED', { validated: 0, consumed: 2, disputed: 1 }],
    ['VALIDATED', 'DISPUTED', { validated: 0, consumed: 1, disputed: 2 }],
  ] as const)('moves one ticket from %s to %s', (from, to, counters) => {
    expect(count(tier, from, to)).toEqual({ ...tier, ...counters });
  });
});
