import { describe, expect, it } from 'vitest';
import { tierKey } from '../../../src/ledger/records.ts';
import type { Overlay } from '../../../src/ledger/state.ts';
import type { TicketRecord } from '../../../src/ledger/ticket-record.ts';
import { defined } from '../../../src/lib/assert.ts';
import { EventId, OrganisationId, Timestamp, ZERO_HASH } from '../../../src/model/ids.ts';
import type { Operation } from '../../../src/model/operation.ts';
import type { Receipt } from '../../../src/model/receipt.ts';
import type { TicketState } from '../../../src/model/ticket.ts';
import {
  ARENA,
  applyAll,
  BOX_OFFICE,
  CITY,
  CREATED,
  CUP,
  createCup,
  createStand,
  dispute,
  FEDERATION,
  foundedState,
  GATE_A,
  GATE_B,
  grant,
  issue,
  MARKET,
  newTicket,
  openedState,
  PROMOTER,
  revoke,
  STAND,
  scan,
  transactionOf,
  validate,
  type Wish,
} from './fixture.ts';

const ELSEWHERE = EventId('elsewhere');

/** The cup with ticket `i`, `v`, `c` or `d` in the state that begins with its letter. */
function runningState(): Overlay {
  const state = openedState();
  act(state, issue('i', 'v', 'c', 'd'));
  act(state, validate('v', 'c', 'd'));
  act(state, scan('consume', 'c'), { height: 2, timestamp: CREATED + 50 });
  act(state, dispute('d'));
  return state;
}

function act(state: Overlay, operation: Operation, at = { height: 3, timestamp: CREATED + 100 }): Receipt {
  return defined(applyAll(state, [{ by: BOX_OFFICE, operation }], at)[0], 'a receipt');
}

function summary(receipt: Receipt): string {
  return receipt.accepted ? `ACCEPTED ${receipt.subject}` : `${receipt.code} ${receipt.subject}`;
}

function ticket(state: Overlay, id: string): TicketRecord {
  return defined(state.tickets.get(id), `ticket ${id}`);
}

function tier(state: Overlay) {
  return defined(state.tiers.get(tierKey(CUP, STAND)), 'the tier');
}

/** Whether an operation changes nothing in the state. */
function leavesAlone(state: Overlay, operation: Operation): boolean {
  const before = JSON.stringify(state.changes().map(({ value }) => [...value]));
  act(state, operation);
  return JSON.stringify(state.changes().map(({ value }) => [...value])) === before;
}

describe('the catalogue', () => {
  it('creates an event whose creator organises it', () => {
    const state = foundedState();
    const [receipt] = applyAll(state, [{ by: FEDERATION, operation: createCup }]);
    expect(receipt && summary(receipt)).toBe('ACCEPTED harbour-cup-2026');
    expect(state.events.get(CUP)).toMatchObject({ organisation: FEDERATION, capacity: 100, issued: 0, organisers: 1 });
    expect(state.roles.get(`${CUP}\0${FEDERATION}\0organiser`)?.held).toBe(true);
  });

  it.each([
    ['an event twice', createCup, 'DUPLICATE_ID harbour-cup-2026'],
    ['a tier twice', createStand, 'DUPLICATE_ID stand'],
    ['a tier of no event', { ...createStand, event: ELSEWHERE }, 'UNKNOWN_EVENT elsewhere'],
    ['a grant at no event', { ...grant(ARENA, 'gate'), event: ELSEWHERE }, 'UNKNOWN_EVENT elsewhere'],
    ['a grant to nobody', grant(OrganisationId('nobody'), 'gate'), 'UNKNOWN_ORGANISATION nobody'],
    ['a grant that genesis does not allow', grant(CITY, 'gate'), 'ROLE_NOT_ALLOWED city'],
    ['a grant to one that may hold no role', grant(MARKET, 'issuer'), 'ROLE_NOT_ALLOWED market'],
    ['a role that is held', grant(ARENA, 'gate'), 'ROLE_ALREADY_HELD arena'],
    ['a revocation at no event', { ...revoke(ARENA, 'gate'), event: ELSEWHERE }, 'UNKNOWN_EVENT elsewhere'],
    ['a revocation from nobody', revoke(OrganisationId('nobody'), 'gate'), 'UNKNOWN_ORGANISATION nobody'],
    ['a revocation of what is not held', revoke(CITY, 'arbiter'), 'ROLE_NOT_HELD city'],
    ['the revocation of the last organiser', revoke(FEDERATION, 'organiser'), 'LAST_ORGANISER federation'],
  ] as [string, Operation, string][])('refuses %s', (_, operation, answer) => {
    const state = openedState();
    expect(leavesAlone(state, operation)).toBe(true);
    expect(summary(act(state, operation))).toBe(answer);
  });

  it('grants and revokes a role again and again', () => {
    const state = openedState();
    const answers = [
      grant(PROMOTER, 'gate'),
      revoke(PROMOTER, 'gate'),
      revoke(PROMOTER, 'gate'),
      grant(PROMOTER, 'gate'),
    ];
    expect(answers.map((operation) => summary(act(state, operation)))).toEqual([
      'ACCEPTED promoter',
      'ACCEPTED promoter',
      'ROLE_NOT_HELD promoter',
      'ACCEPTED promoter',
    ]);
  });

  it('lets an organiser go when another one stays', () => {
    const state = openedState();
    const answers = [grant(PROMOTER, 'organiser'), revoke(FEDERATION, 'organiser'), revoke(PROMOTER, 'organiser')];
    expect(answers.map((operation) => summary(act(state, operation)))).toEqual([
      'ACCEPTED promoter',
      'ACCEPTED federation',
      'LAST_ORGANISER promoter',
    ]);
    expect(state.events.get(CUP)?.organisers).toBe(1);
  });
});

describe('issue', () => {
  it('makes version 1 of every ticket and takes its seat', () => {
    const state = openedState();
    const tickets = [newTicket('a', { seat: 'A-1', gate: GATE_B, data: Uint8Array.of(1) }), newTicket('b')];
    expect(summary(act(state, issue(...tickets)))).toBe('ACCEPTED null');
    expect(ticket(state, 'a')).toMatchObject({
      event: CUP,
      tier: STAND,
      seat: 'A-1',
      gate: GATE_B,
      state: 'ISSUED',
      standing: 'GOOD',
      version: 1,
      since: 3,
      previous: ZERO_HASH,
    });
    expect(state.seats.get(`${CUP}\0A-1`)).toEqual({ ticket: 'a' });
    expect(tier(state).issued).toBe(2);
    expect(state.events.get(CUP)?.issued).toBe(2);
  });

  const seated = (id: string, seat: string) => newTicket(id, { seat });
  it.each([
    ['at no event', { ...issue('x'), event: ELSEWHERE }, 'UNKNOWN_EVENT elsewhere'],
    ['in no tier', { ...issue('x'), tier: 'box' }, 'UNKNOWN_TIER box'],
    ['an id that exists', issue('x', 'v', 'i'), 'DUPLICATE_ID v'],
    ['an id twice in the batch', issue('x', 'y', 'x'), 'DUPLICATE_ID x'],
    ['a seat twice in the batch', issue(seated('x', 'A-2'), seated('y', 'A-2')), 'SEAT_TAKEN y'],
    ['a seat that is taken', issue(newTicket('x'), seated('y', 'A-1')), 'SEAT_TAKEN y'],
  ] as [string, Operation, string][])('refuses all of a batch %s', (_, operation, answer) => {
    const state = runningState();
    act(state, issue(seated('s', 'A-1')));
    expect(leavesAlone(state, operation)).toBe(true);
    expect(summary(act(state, operation))).toBe(answer);
    expect(state.tickets.get('x')).toBeUndefined();
  });

  const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `n-${from + index}`);

  it('never goes beyond the capacity of a tier', () => {
    const state = openedState();
    expect(summary(act(state, issue(...numbered(0, 49))))).toBe('ACCEPTED null');
    expect(summary(act(state, issue(...numbered(49, 51))))).toBe('CAPACITY_EXCEEDED stand');
    expect(summary(act(state, issue('last')))).toBe('ACCEPTED null');
    expect(summary(act(state, issue('more')))).toBe('CAPACITY_EXCEEDED stand');
    expect(tier(state).issued).toBe(50);
  });

  it('never goes beyond the capacity of the event', () => {
    const state = openedState();
    const lawn = { ...createStand, tier: 'lawn', capacity: 1_000 } as typeof createStand;
    act(state, lawn);
    act(state, issue(...numbered(0, 50)));
    expect(summary(act(state, { ...issue(...numbered(50, 101)), tier: lawn.tier }))).toBe(`CAPACITY_EXCEEDED ${CUP}`);
    expect(summary(act(state, { ...issue(...numbered(50, 100)), tier: lawn.tier }))).toBe('ACCEPTED null');
  });

  it('ends with the validity of the tier', () => {
    const state = openedState();
    const early = { ...createStand, tier: 'early', validThrough: Timestamp(CREATED + 99) } as typeof createStand;
    act(state, early);
    expect(summary(act(state, { ...issue('x'), tier: early.tier }))).toBe('OUTSIDE_VALIDITY early');
    const inTime = { height: 3, timestamp: CREATED + 99 };
    expect(summary(act(state, { ...issue('x'), tier: early.tier }, inTime))).toBe('ACCEPTED null');
  });

  it('does not share seats between events', () => {
    const state = openedState();
    const other = { ...createCup, event: ELSEWHERE } as Operation;
    for (const operation of [other, { ...createStand, event: ELSEWHERE }]) act(state, operation);
    act(state, issue(newTicket('x', { seat: 'A-1' })));
    const there = { ...issue(newTicket('y', { seat: 'A-1' })), event: ELSEWHERE };
    expect(summary(act(state, there))).toBe('ACCEPTED null');
  });
});

describe('validate', () => {
  it('moves every ticket of a batch one edge', () => {
    const state = runningState();
    act(state, issue('j'));
    const before = { i: state.tickets.hash('i'), j: state.tickets.hash('j') };
    expect(summary(act(state, validate('i', 'j'), { height: 9, timestamp: CREATED + 200 }))).toBe('ACCEPTED null');
    expect(ticket(state, 'i')).toMatchObject({ state: 'VALIDATED', version: 2, since: 9, previous: before.i });
    expect(ticket(state, 'j')).toMatchObject({ state: 'VALIDATED', version: 2, since: 9, previous: before.j });
    expect(tier(state)).toMatchObject({ issued: 5, validated: 3, consumed: 1, disputed: 1 });
  });

  it.each([
    ['a ticket that nobody issued', validate('i', 'forged'), 'UNKNOWN_TICKET forged'],
    ['a ticket twice', validate('i', 'i'), 'DUPLICATE_ID i'],
    ['a ticket that is validated', validate('i', 'v', 'c'), 'ALREADY_VALIDATED v'],
    ['a ticket that is consumed', validate('c', 'v'), 'ALREADY_CONSUMED c'],
    ['a ticket that is disputed', validate('d'), 'TICKET_DISPUTED d'],
  ] as [string, Operation, string][])('refuses all of a batch with %s', (_, operation, answer) => {
    const state = runningState();
    expect(leavesAlone(state, operation)).toBe(true);
    expect(summary(act(state, operation))).toBe(answer);
    expect(ticket(state, 'i').state).toBe('ISSUED');
  });

  it('tells with a consumed ticket when it was', () => {
    expect(act(runningState(), validate('c')).firstScan).toMatchObject({ gate: GATE_A, height: 2 });
  });
});

describe('scans and disputes', () => {
  const answers: Readonly<Record<string, Readonly<Record<'i' | 'v' | 'c' | 'd' | 'x', string>>>> = {
    consume: {
      i: 'NOT_VALIDATED i',
      v: 'ACCEPTED v',
      c: 'ALREADY_CONSUMED c',
      d: 'TICKET_DISPUTED d',
      x: 'UNKNOWN_TICKET x',
    },
    admit: { i: 'ACCEPTED i', v: 'ACCEPTED v', c: 'ALREADY_CONSUMED c', d: 'TICKET_DISPUTED d', x: 'UNKNOWN_TICKET x' },
    dispute: {
      i: 'INVALID_TRANSITION i',
      v: 'ACCEPTED v',
      c: 'ALREADY_CONSUMED c',
      d: 'TICKET_DISPUTED d',
      x: 'UNKNOWN_TICKET x',
    },
  };
  const cells = Object.entries(answers).flatMap(([kind, row]) =>
    Object.entries(row).map(([id, answer]) => ({ kind, id, answer })),
  );

  it.each(cells)('$kind of $id is $answer', ({ kind, id, answer }) => {
    const state = runningState();
    const operation = kind === 'dispute' ? dispute(id) : scan(kind === 'admit' ? 'admit' : 'consume', id);
    const versionBefore = state.tickets.get(id)?.version;
    const receipt = act(state, operation);
    expect(summary(receipt)).toBe(answer);
    expect(receipt.firstScan !== null).toBe(receipt.code === 'ALREADY_CONSUMED');
    if (!receipt.accepted) expect(state.tickets.get(id)?.version).toBe(versionBefore);
    if (!receipt.accepted) expect(leavesAlone(state, operation)).toBe(true);
  });

  it('records the first scan, and tells it at every later one', () => {
    const state = runningState();
    const wish: Wish = { by: ARENA, operation: scan('consume', 'v') };
    applyAll(state, [wish], { height: 7, timestamp: CREATED + 700 });
    const firstScan = {
      at: CREATED + 700,
      height: 7,
      gate: GATE_A,
      organisation: ARENA,
      transaction: transactionOf(wish).id,
    };
    expect(ticket(state, 'v')).toMatchObject({ state: 'CONSUMED', version: 3, since: 7, firstScan });
    for (const operation of [scan('consume', 'v', GATE_B), scan('admit', 'v', GATE_B), dispute('v'), validate('v')]) {
      expect(act(state, operation).firstScan, operation.kind).toEqual(firstScan);
    }
  });

  it('takes an admitted ticket through both edges, each version naming the one before', () => {
    const state = runningState();
    const separate = runningState();
    act(separate, validate('i'));
    const validatedHash = separate.tickets.hash('i');
    act(state, scan('admit', 'i'));
    expect(ticket(state, 'i')).toMatchObject({ state: 'CONSUMED', version: 3, previous: validatedHash });
    expect(ticket(state, 'v')).toMatchObject({ state: 'VALIDATED', version: 2 });
    act(separate, scan('consume', 'i'));
    expect({ ...ticket(state, 'i'), firstScan: null }).toEqual({ ...ticket(separate, 'i'), firstScan: null });
    expect(tier(state)).toEqual(tier(separate));
  });

  it('records why, by whom and when a ticket was disputed', () => {
    const state = runningState();
    const operation = { ...dispute('v'), reason: 'STOLEN', note: 'reported', gate: GATE_B } as Operation;
    const wish: Wish = { by: ARENA, operation };
    applyAll(state, [wish], { height: 8, timestamp: CREATED + 800 });
    expect(ticket(state, 'v').case).toEqual({
      reason: 'STOLEN',
      note: 'reported',
      gate: GATE_B,
      organisation: ARENA,
      at: CREATED + 800,
      height: 8,
      transaction: transactionOf(wish).id,
      evidence: null,
      resolution: null,
    });
    expect(tier(state)).toMatchObject({ issued: 4, validated: 0, consumed: 1, disputed: 2 });
  });

  it('keeps a ticket to its gate and its hours', () => {
    const state = openedState();
    const evening = { ...createStand, tier: 'evening', validFrom: Timestamp(CREATED + 1_000) } as typeof createStand;
    act(state, evening);
    act(state, { ...issue(newTicket('g', { gate: GATE_B })), tier: evening.tier });
    act(state, validate('g'));
    const later = { height: 4, timestamp: CREATED + 1_000 };
    expect(summary(act(state, scan('consume', 'g', GATE_B)))).toBe('OUTSIDE_VALIDITY g');
    expect(summary(act(state, scan('consume', 'g', GATE_A), later))).toBe('WRONG_GATE g');
    expect(summary(act(state, scan('consume', 'g', GATE_B), later))).toBe('ACCEPTED g');
  });

  const states: readonly (readonly [string, TicketState])[] = [
    ['i', 'ISSUED'],
    ['v', 'VALIDATED'],
    ['c', 'CONSUMED'],
    ['d', 'DISPUTED'],
  ];
  it.each(states)('starts from ticket %s that is %s', (id, expected) => {
    expect(ticket(runningState(), id).state).toBe(expected);
  });
});

describe('an idempotency key', () => {
  const keyed = (operation: Operation, nonce: number, by = ARENA): Wish => ({ by, operation, key: 'scan-1', nonce });

  it('makes the same operation happen once, whoever of the organisation sends it again and with whatever nonce', () => {
    const state = runningState();
    const wishes = [keyed(scan('consume', 'v'), 1), keyed(scan('consume', 'v'), 2), keyed(scan('consume', 'v'), 3)];
    const receipts = applyAll(state, wishes, { height: 5, timestamp: CREATED + 500 });
    const [first] = wishes.map((wish) => transactionOf(wish).id);
    expect(receipts.map(summary)).toEqual(['ACCEPTED v', 'ACCEPTED v', 'ACCEPTED v']);
    expect(receipts.map(({ replayOf }) => replayOf)).toEqual([null, first, first]);
    expect(receipts.map(({ transaction }) => transaction)).toEqual(wishes.map((wish) => transactionOf(wish).id));
    expect(ticket(state, 'v').version).toBe(3);
  });

  it('repeats a refusal too, as it was then', () => {
    const state = runningState();
    const [refused] = applyAll(state, [keyed(scan('consume', 'i'), 1)]);
    act(state, validate('i'));
    const [again] = applyAll(state, [keyed(scan('consume', 'i'), 2)]);
    expect([refused, again].map((receipt) => receipt?.code)).toEqual(['NOT_VALIDATED', 'NOT_VALIDATED']);
    expect(again?.replayOf).toBe(refused?.transaction);
  });

  it('repeats the first scan of a refusal', () => {
    const receipts = applyAll(runningState(), [keyed(scan('admit', 'c'), 1), keyed(scan('admit', 'c'), 2)]);
    expect(receipts[1]).toEqual({
      ...receipts[0],
      transaction: receipts[1]?.transaction,
      replayOf: receipts[0]?.transaction,
    });
    expect(receipts[1]?.firstScan).not.toBeNull();
  });

  it('is refused for another operation, and still stands for the first', () => {
    const state = runningState();
    const wishes = [keyed(scan('consume', 'v'), 1), keyed(scan('consume', 'i'), 2), keyed(scan('consume', 'v'), 3)];
    const receipts = applyAll(state, wishes);
    expect(receipts.map(summary)).toEqual(['ACCEPTED v', 'IDEMPOTENCY_KEY_REUSED null', 'ACCEPTED v']);
    expect(receipts[1]?.replayOf).toBeNull();
    expect(receipts[2]?.replayOf).toBe(receipts[0]?.transaction);
    expect(ticket(state, 'i').state).toBe('ISSUED');
  });

  it('belongs to one organisation', () => {
    const state = runningState();
    const receipts = applyAll(state, [keyed(scan('consume', 'v'), 1), keyed(validate('i'), 2, BOX_OFFICE)]);
    expect(receipts.map(summary)).toEqual(['ACCEPTED v', 'ACCEPTED null']);
  });

  it('changes nothing when there is none', () => {
    const state = runningState();
    const wish: Wish = { by: ARENA, operation: scan('consume', 'v') };
    const receipts = applyAll(state, [
      { ...wish, nonce: 1 },
      { ...wish, nonce: 2 },
    ]);
    expect(receipts.map(summary)).toEqual(['ACCEPTED v', 'ALREADY_CONSUMED v']);
  });
});
