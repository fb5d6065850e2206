import { describe, expect, it } from 'vitest';
import { applyTransaction } from '../../../src/ledger/apply.ts';
import type { Overlay } from '../../../src/ledger/state.ts';
import type { TicketRecord } from '../../../src/ledger/ticket-record.ts';
import { defined } from '../../../src/lib/assert.ts';
import { Height, TierId, Timestamp } from '../../../src/model/ids.ts';
import { type Operation, REVOCATION_REASONS, type TransferPolicy } from '../../../src/model/operation.ts';
import type { Receipt } from '../../../src/model/receipt.ts';
import {
  ARENA,
  applyAll,
  BOX_OFFICE,
  CREATED,
  createStand,
  dispute,
  FEDERATION,
  GATE_A,
  hold,
  issue,
  newTicket,
  OTHER_HOLDER,
  openCase,
  openedState,
  resolve,
  scan,
  TRADED,
  transactionOf,
  transfer,
  validate,
  withdraw,
} from './fixture.ts';
import { hashOf } from './samples.ts';

const TRADED_TIER = TierId('traded');
const FIRST_HOLDER = hashOf(0x33);

/** Tickets `i`, `v`, `c` and `d` in the state that begins with their letter, of a tier whose tickets change hands. */
function marketState(policy: TransferPolicy = TRADED, price = 4_500): Overlay {
  const state = openedState();
  const tickets = ['i', 'v', 'c', 'd'].map((id) => newTicket(id, { holder: FIRST_HOLDER }));
  const setup: readonly Operation[] = [
    { ...createStand, tier: TRADED_TIER, price, transfer: policy },
    { ...issue(...tickets), tier: TRADED_TIER },
    validate('v', 'c', 'd'),
    scan('consume', 'c'),
    dispute('d'),
  ];
  for (const operation of setup) expect(act(state, operation)).toBe('ACCEPTED');
  return state;
}

/** The code of what came of it. */
function act(state: Overlay, operation: Operation, timestamp: number = CREATED + 100): string {
  return receiptOf(state, operation, timestamp).code ?? 'ACCEPTED';
}

function receiptOf(state: Overlay, operation: Operation, timestamp: number = CREATED + 100): Receipt {
  const wish = { by: BOX_OFFICE, operation };
  return applyTransaction(state, transactionOf(wish), { height: Height(3), timestamp: Timestamp(timestamp) });
}

function ticket(state: Overlay, id: string): TicketRecord {
  return defined(state.tickets.get(id), `ticket ${id}`);
}

function bytesOf(state: Overlay): string {
  return JSON.stringify(state.changes().map(({ value }) => [...value]));
}

describe('transfer', () => {
  it.each(['i', 'v'])('gives ticket %s a new holder and makes the old barcode worthless', (id) => {
    const state = marketState();
    const before = ticket(state, id);
    const previous = state.tickets.hash(id);
    const receipt = receiptOf(state, transfer(id, { price: 4_500, channel: 'RESALE' }));
    const { state: at, version } = before;
    expect(ticket(state, id)).toEqual({
      ...before,
      version: version + 1,
      since: 3,
      previous,
      holder: OTHER_HOLDER,
      epoch: 1,
      transfers: 1,
    });
    expect(receipt).toMatchObject({ accepted: true, subject: id });
    expect(receipt.changes).toEqual([
      { ticket: id, version: version + 1, state: at, standing: 'GOOD', epoch: 1, holder: OTHER_HOLDER },
    ]);
  });

  it('happens as often as the tier allows', () => {
    const state = marketState();
    expect([1, 2, 3].map(() => act(state, transfer('v')))).toEqual(['ACCEPTED', 'ACCEPTED', 'TRANSFER_NOT_ALLOWED']);
    expect(ticket(state, 'v')).toMatchObject({ epoch: 2, transfers: 2, version: 4 });
    expect(act(marketState({ ...TRADED, transfersMax: 0 }), transfer('v'))).toBe('TRANSFER_NOT_ALLOWED');
  });

  it('can happen as often as a tier can say', () => {
    const state = marketState({ ...TRADED, transfersMax: 255 });
    for (let count = 0; count < 255; count += 1) act(state, transfer('v'));
    expect(ticket(state, 'v')).toMatchObject({ epoch: 255, transfers: 255 });
    expect(act(state, transfer('v'))).toBe('TRANSFER_NOT_ALLOWED');
  });

  it('happens until the last moment of the tier, included', () => {
    const last = CREATED + 3_600_000;
    expect(act(marketState(), transfer('v'), last)).toBe('ACCEPTED');
    expect(act(marketState(), transfer('v'), last + 1)).toBe('TRANSFER_NOT_ALLOWED');
    expect(act(marketState({ ...TRADED, until: null }), transfer('v'), last + 1)).toBe('ACCEPTED');
  });

  it('does not happen where the tier allows none', () => {
    expect(act(marketState({ ...TRADED, allowed: false }), transfer('v'))).toBe('TRANSFER_NOT_ALLOWED');
  });

  const huge = Number.MAX_SAFE_INTEGER;
  it.each([
    // face, percent, asked
    [4_500, 110, 4_950, 'ACCEPTED'],
    [4_500, 110, 4_951, 'PRICE_ABOVE_CAP'],
    [4_500, 100, 4_500, 'ACCEPTED'],
    [4_500, 0, 1, 'PRICE_ABOVE_CAP'],
    [4_500, 0, 0, 'ACCEPTED'],
    [0, 110, 0, 'ACCEPTED'],
    [0, 110, 1, 'PRICE_ABOVE_CAP'],
    // 1.1 times 5 is 5.5: what is asked is a whole number, and never above.
    [5, 110, 5, 'ACCEPTED'],
    [5, 110, 6, 'PRICE_ABOVE_CAP'],
    // Multiples that a double cannot tell apart.
    [huge, 100, huge, 'ACCEPTED'],
    [huge - 1, 100, huge, 'PRICE_ABOVE_CAP'],
    [huge, 99, huge, 'PRICE_ABOVE_CAP'],
    [huge - 1, 4_294_967_295, huge, 'ACCEPTED'],
  ])('of a ticket of %i under a cap of %i percent for %i: %s', (price, resalePercentMax, asked, code) => {
    for (const channel of ['RESALE', 'DIRECT'] as const) {
      const state = marketState({ ...TRADED, resalePercentMax }, price);
      expect(act(state, transfer('v', { price: asked, channel }))).toBe(code);
    }
  });

  it('says that the policy forbids it before it says that the price does', () => {
    const state = marketState({ ...TRADED, allowed: false });
    expect(act(state, transfer('v', { price: 1_000_000, channel: 'RESALE' }))).toBe('TRANSFER_NOT_ALLOWED');
  });
});

describe('the standing', () => {
  /** Operations on a ticket that is held or revoked, and their answers for ISSUED and VALIDATED. */
  const answers: readonly (readonly [Operation['kind'], (id: string) => Operation, string, string, string, string])[] =
    [
      // held: ISSUED, VALIDATED; revoked: ISSUED, VALIDATED
      ['validate', validate, 'TICKET_HELD', 'TICKET_HELD', 'TICKET_REVOKED', 'TICKET_REVOKED'],
      ['consume', (id) => scan('consume', id), 'TICKET_HELD', 'TICKET_HELD', 'TICKET_REVOKED', 'TICKET_REVOKED'],
      ['admit', (id) => scan('admit', id), 'TICKET_HELD', 'TICKET_HELD', 'TICKET_REVOKED', 'TICKET_REVOKED'],
      ['transfer', transfer, 'TICKET_HELD', 'TICKET_HELD', 'TICKET_REVOKED', 'TICKET_REVOKED'],
      ['hold', hold, 'TICKET_HELD', 'TICKET_HELD', 'TICKET_REVOKED', 'TICKET_REVOKED'],
      ['release', (id) => hold(id, 'release'), 'ACCEPTED', 'ACCEPTED', 'TICKET_REVOKED', 'TICKET_REVOKED'],
      ['revoke', withdraw, 'ACCEPTED', 'ACCEPTED', 'TICKET_REVOKED', 'TICKET_REVOKED'],
      ['dispute', dispute, 'INVALID_TRANSITION', 'ACCEPTED', 'INVALID_TRANSITION', 'ACCEPTED'],
      [
        'case.open',
        openCase,
        ...(['INVALID_TRANSITION', 'INVALID_TRANSITION'] as const),
        'INVALID_TRANSITION',
        'INVALID_TRANSITION',
      ],
      ['resolve', (id) => resolve(id, 'UPHELD'), 'NO_OPEN_CASE', 'NO_OPEN_CASE', 'NO_OPEN_CASE', 'NO_OPEN_CASE'],
    ];
  const cells = answers.flatMap(([kind, operation, heldIssued, heldValidated, revokedIssued, revokedValidated]) => [
    { kind, operation, standing: 'HELD', id: 'i', code: heldIssued },
    { kind, operation, standing: 'HELD', id: 'v', code: heldValidated },
    { kind, operation, standing: 'REVOKED', id: 'i', code: revokedIssued },
    { kind, operation, standing: 'REVOKED', id: 'v', code: revokedValidated },
  ]);

  it.each(cells)('$standing answers $kind of ticket $id with $code', ({ operation, standing, id, code }) => {
    const state = marketState();
    expect(act(state, standing === 'HELD' ? hold(id) : withdraw(id))).toBe('ACCEPTED');
    expect(ticket(state, id).standing).toBe(standing);
    const before = bytesOf(state);
    const receipt = receiptOf(state, operation(id));
    expect(receipt.code ?? 'ACCEPTED').toBe(code);
    expect(bytesOf(state) === before).toBe(!receipt.accepted);
    expect(receipt.changes).toHaveLength(receipt.accepted ? 1 : 0);
  });

  it('is held and good again, as often as need be, and nothing else changes', () => {
    const state = marketState();
    const before = ticket(state, 'v');
    const answers = [hold('v'), hold('v', 'release'), hold('v'), hold('v', 'release'), hold('v', 'release')];
    expect(answers.map((operation) => act(state, operation))).toEqual([
      'ACCEPTED',
      'ACCEPTED',
      'ACCEPTED',
      'ACCEPTED',
      'NOT_HELD',
    ]);
    const { previous, ...after } = ticket(state, 'v');
    expect({ ...after, previous: before.previous }).toEqual({ ...before, version: 6, since: 3 });
    expect(previous).not.toBe(before.previous);
    expect(act(state, scan('consume', 'v'))).toBe('ACCEPTED');
  });

  it.each(REVOCATION_REASONS)('is revoked for good: %s', (reason) => {
    const state = marketState();
    const receipt = receiptOf(state, withdraw('v', reason));
    expect(ticket(state, 'v')).toMatchObject({ state: 'VALIDATED', standing: 'REVOKED', epoch: 1, version: 3 });
    expect(receipt.changes).toEqual([
      { ticket: 'v', version: 3, state: 'VALIDATED', standing: 'REVOKED', epoch: 1, holder: FIRST_HOLDER },
    ]);
  });

  const onTerminal = [transfer, hold, (id: string) => hold(id, 'release'), withdraw];
  it.each(onTerminal.map((operation) => ({ kind: operation('c').kind, operation })))(
    'is no matter of a ticket that was admitted or is contested: $kind',
    ({ operation }) => {
      const state = marketState();
      const receipt = receiptOf(state, operation('c'));
      expect(receipt).toMatchObject({ code: 'ALREADY_CONSUMED', firstScan: { gate: GATE_A } });
      expect(act(state, operation('d'))).toBe('TICKET_DISPUTED');
      expect(act(state, operation('forged'))).toBe('UNKNOWN_TICKET');
    },
  );

  it('revoked keeps a ticket out, also when it is contested', () => {
    const state = marketState();
    act(state, withdraw('v'));
    act(state, dispute('v'));
    expect(ticket(state, 'v')).toMatchObject({ state: 'DISPUTED', standing: 'REVOKED' });
    expect(act(state, scan('consume', 'v'))).toBe('TICKET_DISPUTED');
  });

  it('is told before that gate or time are wrong', () => {
    const state = openedState();
    const over = { ...createStand, tier: TierId('over'), validThrough: Timestamp(CREATED + 150) };
    act(state, over);
    act(state, { ...issue('o'), tier: over.tier });
    act(state, hold('o'));
    expect(act(state, scan('admit', 'o'), CREATED + 200)).toBe('TICKET_HELD');
  });
});

describe('the changes of a receipt', () => {
  it('are one for each ticket of a batch, in its order, and two for an admission of what was only issued', () => {
    const state = openedState();
    const rows = (receipt: Receipt) => receipt.changes.map(({ ticket: id, version, state: at }) => [id, version, at]);
    expect(rows(receiptOf(state, issue('b', 'a')))).toEqual([
      ['b', 1, 'ISSUED'],
      ['a', 1, 'ISSUED'],
    ]);
    expect(rows(receiptOf(state, validate('b')))).toEqual([['b', 2, 'VALIDATED']]);
    expect(rows(receiptOf(state, scan('admit', 'a')))).toEqual([
      ['a', 2, 'VALIDATED'],
      ['a', 3, 'CONSUMED'],
    ]);
    expect(rows(receiptOf(state, scan('admit', 'a')))).toEqual([]);
  });

  it('are none of a replay, and none of the catalogue', () => {
    const state = openedState();
    const wish = { by: ARENA, operation: scan('admit', 'a'), key: 'k' };
    act(state, issue('a'));
    const receipts = applyAll(state, [
      wish,
      { ...wish, nonce: 1 },
      { by: FEDERATION, operation: { ...createStand, tier: TierId('x') } },
    ]);
    expect(receipts.map(({ changes }) => changes.length)).toEqual([2, 0, 0]);
    expect(receipts[1]?.replayOf).toBe(receipts[0]?.transaction);
  });
});
