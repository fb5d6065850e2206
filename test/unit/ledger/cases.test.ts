import { describe, expect, it } from 'vitest';
import { applyTransaction } from '../../../src/ledger/apply.ts';
import { isPermitted } from '../../../src/ledger/permissions.ts';
import { tierKey } from '../../../src/ledger/records.ts';
import type { Overlay } from '../../../src/ledger/state.ts';
import type { TicketRecord } from '../../../src/ledger/ticket-record.ts';
import { defined } from '../../../src/lib/assert.ts';
import { EventId, Height, type OrganisationId, TierId, Timestamp } from '../../../src/model/ids.ts';
import { CASE_OUTCOMES, type Operation } from '../../../src/model/operation.ts';
import type { Receipt } from '../../../src/model/receipt.ts';
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
  GATE_A,
  GATE_B,
  grant,
  hold,
  issue,
  newTicket,
  openCase,
  openedState,
  PROMOTER,
  resolve,
  STAND,
  scan,
  spare,
  transactionOf,
  validate,
} from './fixture.ts';
import { hashOf } from './samples.ts';

const HOLDER = hashOf(0x33);
const REPLAY = EventId('replay-2027');

/** Tickets in the state that begins with their letter; `d` is in seat A-1, and the box office contests it. */
function contestedState(): Overlay {
  const state = openedState();
  const tickets = [newTicket('i'), newTicket('v'), newTicket('c', { seat: 'C-1' })];
  act(state, BOX_OFFICE, issue(...tickets, newTicket('d', { seat: 'A-1', gate: GATE_B, holder: HOLDER })));
  act(state, BOX_OFFICE, validate('v', 'c', 'd'));
  act(state, ARENA, scan('consume', 'c'));
  act(state, BOX_OFFICE, dispute('d'));
  act(state, FEDERATION, grant(CITY, 'arbiter'));
  return state;
}

function act(state: Overlay, by: OrganisationId, operation: Operation): Receipt {
  return applyTransaction(state, transactionOf({ by, operation }), {
    height: Height(3),
    timestamp: Timestamp(CREATED + 100),
  });
}

function summary({ code, subject }: Receipt): string {
  return `${code ?? 'ACCEPTED'} ${subject}`;
}

function ticket(state: Overlay, id: string): TicketRecord {
  return defined(state.tickets.get(id), `ticket ${id}`);
}

function bytesOf(state: Overlay): string {
  return JSON.stringify(state.changes().map(({ value }) => [...value]));
}

describe('a case', () => {
  it('is opened about a ticket that was admitted, and changes nothing of that', () => {
    const state = contestedState();
    const before = ticket(state, 'c');
    const previous = state.tickets.hash('c');
    const operation = openCase('c', { reason: 'STOLEN', note: 'late claim', evidence: hashOf(0x55) });
    const receipt = act(state, ARENA, operation);
    expect(ticket(state, 'c')).toEqual({
      ...before,
      version: 4,
      since: 3,
      previous,
      case: {
        reason: 'STOLEN',
        note: 'late claim',
        gate: null,
        evidence: hashOf(0x55),
        organisation: ARENA,
        at: CREATED + 100,
        height: 3,
        transaction: receipt.transaction,
        resolution: null,
      },
    });
    expect(receipt.changes).toEqual([
      { ticket: 'c', version: 4, state: 'CONSUMED', standing: 'GOOD', epoch: 0, holder: null },
    ]);
  });

  it.each([
    ['i', 'INVALID_TRANSITION i'],
    ['v', 'INVALID_TRANSITION v'],
    ['d', 'TICKET_DISPUTED d'],
    ['forged', 'UNKNOWN_TICKET forged'],
  ])('is not opened about ticket %s: %s', (id, answer) => {
    const state = contestedState();
    const before = bytesOf(state);
    expect(summary(act(state, BOX_OFFICE, openCase(id)))).toBe(answer);
    expect(bytesOf(state)).toBe(before);
  });

  it('is one at a time; the next one can be opened when it is closed', () => {
    const state = contestedState();
    const steps: readonly (readonly [OrganisationId, Operation])[] = [
      [BOX_OFFICE, openCase('c')],
      [ARENA, openCase('c')],
      [CITY, resolve('c', 'REJECTED')],
      [CITY, resolve('c', 'REJECTED')],
      [ARENA, openCase('c')],
    ];
    expect(steps.map(([by, operation]) => summary(act(state, by, operation)))).toEqual([
      'ACCEPTED c',
      'CASE_ALREADY_OPEN c',
      'ACCEPTED c',
      'NO_OPEN_CASE c',
      'ACCEPTED c',
    ]);
    expect(ticket(state, 'c')).toMatchObject({ version: 6, case: { organisation: ARENA, resolution: null } });
  });

  it('about a dispute is never opened again', () => {
    const state = contestedState();
    act(state, CITY, resolve('d', 'UPHELD'));
    expect(summary(act(state, BOX_OFFICE, openCase('d')))).toBe('TICKET_DISPUTED d');
    expect(summary(act(state, BOX_OFFICE, dispute('d')))).toBe('TICKET_DISPUTED d');
  });
});

describe('resolve', () => {
  it.each(CASE_OUTCOMES.filter((outcome) => outcome !== 'REISSUED'))('closes a case: %s', (outcome) => {
    const state = contestedState();
    const before = ticket(state, 'd');
    const previous = state.tickets.hash('d');
    const receipt = act(state, CITY, resolve('d', outcome));
    const resolution = {
      outcome,
      note: 'heard',
      organisation: CITY,
      at: CREATED + 100,
      height: 3,
      transaction: receipt.transaction,
    };
    const expected = { ...before, version: 4, since: 3, previous, case: { ...before.case, resolution } };
    expect(ticket(state, 'd')).toEqual(expected);
    expect(receipt.changes).toEqual([
      { ticket: 'd', version: 4, state: 'DISPUTED', standing: 'GOOD', epoch: 0, holder: HOLDER },
    ]);
  });

  it.each([
    ['i', 'NO_OPEN_CASE i'],
    ['v', 'NO_OPEN_CASE v'],
    ['c', 'NO_OPEN_CASE c'],
    ['forged', 'UNKNOWN_TICKET forged'],
  ])('finds no case about ticket %s: %s', (id, answer) => {
    const state = contestedState();
    expect(summary(act(state, CITY, resolve(id, 'UPHELD')))).toBe(answer);
    expect(summary(act(state, CITY, resolve(id, 'REISSUED', spare('n'))))).toBe(answer);
    expect(state.tickets.get('n')).toBeUndefined();
  });

  it('is not for the organisation that opened the case, whoever of it signs', () => {
    const state = contestedState();
    for (const operation of [resolve('d', 'UPHELD'), resolve('d', 'REISSUED', spare('n'))]) {
      const before = bytesOf(state);
      expect(summary(act(state, BOX_OFFICE, operation))).toBe('SELF_ARBITRATION d');
      expect(bytesOf(state)).toBe(before);
    }
    act(state, ARENA, openCase('c'));
    expect(summary(act(state, ARENA, resolve('c', 'UPHELD')))).toBe('SELF_ARBITRATION c');
    expect(summary(act(state, BOX_OFFICE, resolve('c', 'UPHELD')))).toBe('ACCEPTED c');
  });
});

describe('a replacement', () => {
  it('is a new ticket of the same holder; each of the two names the other', () => {
    const state = contestedState();
    const replacement = spare('n', { seat: 'B-7', gate: GATE_A, data: Uint8Array.of(7) });
    const receipt = act(state, CITY, resolve('d', 'REISSUED', replacement));
    expect(summary(receipt)).toBe('ACCEPTED d');
    expect(ticket(state, 'n')).toMatchObject({
      ...{ event: CUP, tier: STAND, seat: 'B-7', gate: GATE_A, data: Uint8Array.of(7) },
      ...{ state: 'ISSUED', standing: 'GOOD', version: 1, epoch: 0, transfers: 0, since: 3, holder: HOLDER },
      ...{ replaces: 'd', replacedBy: null, case: null },
    });
    expect(ticket(state, 'd')).toMatchObject({ state: 'DISPUTED', version: 4, replacedBy: 'n' });
    expect(ticket(state, 'd').case?.resolution?.outcome).toBe('REISSUED');
    expect(receipt.changes.map(({ ticket: id, version }) => [id, version])).toEqual([
      ['n', 1],
      ['d', 4],
    ]);
    expect(state.tiers.get(tierKey(CUP, STAND))?.issued).toBe(5);
    expect(state.events.get(CUP)?.issued).toBe(5);
    expect(summary(act(state, ARENA, scan('admit', 'n')))).toBe('ACCEPTED n');
  });

  it.each([
    ['an id that exists', spare('v'), 'DUPLICATE_ID v'],
    ['the id of the ticket that it replaces', spare('d'), 'DUPLICATE_ID d'],
    ['a seat of another ticket', spare('n', { seat: 'C-1' }), 'SEAT_TAKEN n'],
    ['no such tier', spare('n', { tier: TierId('box') }), 'UNKNOWN_TIER box'],
    ['no such event', spare('n', { event: REPLAY }), `UNKNOWN_EVENT ${REPLAY}`],
  ])('is refused with %s, and the case stays open', (_, replacement, answer) => {
    const state = contestedState();
    const before = bytesOf(state);
    const receipt = act(state, CITY, resolve('d', 'REISSUED', replacement));
    expect(summary(receipt)).toBe(answer);
    expect(receipt.changes).toEqual([]);
    expect(bytesOf(state)).toBe(before);
    expect(summary(act(state, CITY, resolve('d', 'UPHELD')))).toBe('ACCEPTED d');
  });

  it('counts against the capacity', () => {
    const state = contestedState();
    act(state, BOX_OFFICE, issue(...Array.from({ length: 46 }, (_, index) => `n-${index}`)));
    expect(summary(act(state, CITY, resolve('d', 'REISSUED', spare('n'))))).toBe('CAPACITY_EXCEEDED stand');
  });

  it('may have the seat of a ticket in dispute, which admits nobody any more', () => {
    const state = contestedState();
    expect(summary(act(state, CITY, resolve('d', 'REISSUED', spare('n', { seat: 'A-1' }))))).toBe('ACCEPTED d');
    expect(state.seats.get(`${CUP}\0A-1`)).toEqual({ ticket: 'n' });
    expect(summary(act(state, BOX_OFFICE, issue(newTicket('m', { seat: 'A-1' }))))).toBe('SEAT_TAKEN m');
  });

  it('does not have the seat of a ticket that was admitted', () => {
    const state = contestedState();
    act(state, BOX_OFFICE, openCase('c'));
    expect(summary(act(state, CITY, resolve('c', 'REISSUED', spare('n', { seat: 'C-1' }))))).toBe('SEAT_TAKEN n');
    expect(summary(act(state, CITY, resolve('c', 'REISSUED', spare('n', { seat: 'C-2' }))))).toBe('ACCEPTED c');
    expect(ticket(state, 'c')).toMatchObject({ state: 'CONSUMED', replacedBy: 'n' });
  });

  it('may be for another event, where whoever decides has to be arbiter too', () => {
    const state = contestedState();
    const setup = [
      { by: PROMOTER, operation: { ...createCup, event: REPLAY } as Operation },
      { by: PROMOTER, operation: { ...createStand, event: REPLAY } },
    ];
    expect(applyAll(state, setup).every(({ accepted }) => accepted)).toBe(true);
    const elsewhere = resolve('d', 'REISSUED', spare('n', { event: REPLAY, seat: 'A-1' }));
    expect(isPermitted(state, CITY, resolve('d', 'REISSUED', spare('n')))).toBe(true);
    expect(isPermitted(state, CITY, elsewhere)).toBe(false);
    act(state, PROMOTER, { kind: 'role.grant', event: REPLAY, organisation: CITY, role: 'arbiter' });
    expect(isPermitted(state, CITY, elsewhere)).toBe(true);
    expect(summary(act(state, CITY, elsewhere))).toBe('ACCEPTED d');
    expect(ticket(state, 'n')).toMatchObject({ event: REPLAY, seat: 'A-1', replaces: 'd' });
    expect([state.events.get(CUP)?.issued, state.events.get(REPLAY)?.issued]).toEqual([4, 1]);
    expect(state.seats.get(`${CUP}\0A-1`)).toEqual({ ticket: 'd' });
  });

  it('of one that was transferred or held before is in order, with a barcode of its own', () => {
    const state = contestedState();
    act(state, BOX_OFFICE, hold('v'));
    act(state, BOX_OFFICE, dispute('v'));
    expect(ticket(state, 'v')).toMatchObject({ state: 'DISPUTED', standing: 'HELD' });
    act(state, CITY, resolve('v', 'REISSUED', spare('n')));
    expect(ticket(state, 'n')).toMatchObject({ standing: 'GOOD', epoch: 0 });
    expect(ticket(state, 'v').standing).toBe('HELD');
  });
});
