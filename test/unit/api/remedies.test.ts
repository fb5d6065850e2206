import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OrganisationId } from '../../../src/model/ids.ts';
import { jsonOf, openWorld, type World } from './world.ts';

const HOLDER = '34'.repeat(32);

let world: World;
let count = 0;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.api.close());
afterEach(() => {
  world.node.organisation = OrganisationId('boxoffice');
});

async function post(name: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await world.post(`/api/v1/tickets/${name}`, body, headers);
  return { response, status: response.status, body: await jsonOf(response) };
}

/** A fresh ticket that was activated. */
async function ticket(): Promise<string> {
  count += 1;
  const id = `r-${count}`;
  world.node.issue(id);
  await post('validate', { ticket_id: id });
  return id;
}

describe('a transfer', () => {
  it('gives a ticket another holder, and its barcode a new epoch', async () => {
    const id = await ticket();
    const sold = await post('transfer', { ticket_id: id, holder: HOLDER, price: 4_950, channel: 'RESALE' });
    expect(sold.status).toBe(200);
    expect(sold.body.ticket).toMatchObject({
      id,
      state: 'VALIDATED',
      version: 3,
      holder: HOLDER,
      epoch: 1,
      transfers: 1,
    });
    const given = await post('transfer', { ticket_id: id, holder: 'ab'.repeat(32) });
    expect(given.body.ticket).toMatchObject({ epoch: 2, transfers: 2 });
    const state = await jsonOf(await world.ask(`/api/v1/transactions/${given.body.transaction_id}`));
    expect(state.transaction.operation).toEqual({
      ticket_id: id,
      holder: 'ab'.repeat(32),
      price: null,
      channel: 'DIRECT',
    });
    const third = await post('transfer', { ticket_id: id, holder: HOLDER });
    expect([third.status, third.body.code]).toEqual([409, 'TRANSFER_NOT_ALLOWED']);
    expect(third.body.detail).toContain('its tier says');
  });

  it('has a cap', async () => {
    const id = await ticket();
    const dear = await post('transfer', { ticket_id: id, holder: HOLDER, price: 4_951, channel: 'RESALE' });
    expect([dear.status, dear.body.code]).toEqual([409, 'PRICE_ABOVE_CAP']);
  });
});

describe('a ticket that is held back or revoked', () => {
  it('is refused at the gate with an answer, and let in when it is released', async () => {
    const id = await ticket();
    expect((await post('hold', { ticket_id: id, note: 'unpaid' })).body.ticket.standing).toBe('HELD');
    const refused = await post('admit', { ticket_id: id, gate: 'north' });
    expect(refused.status).toBe(200);
    expect(refused.body).toMatchObject({ decision: 'REFUSE', code: 'TICKET_HELD', ticket: { standing: 'HELD' } });
    expect(refused.body.detail).toContain('held back');
    expect((await post('hold', { ticket_id: id })).body.code).toBe('TICKET_HELD');
    expect((await post('release', { ticket_id: id })).body.ticket).toMatchObject({ standing: 'GOOD', version: 4 });
    expect((await post('release', { ticket_id: id })).body.code).toBe('NOT_HELD');
    expect((await post('admit', { ticket_id: id, gate: 'north' })).body.decision).toBe('ADMIT');
  });

  it('stays out when it is revoked', async () => {
    const id = await ticket();
    const revoked = await post('revoke', { ticket_id: id, reason: 'CHARGEBACK', note: 'card 17' });
    expect(revoked.body.ticket).toMatchObject({ standing: 'REVOKED', state: 'VALIDATED', epoch: 1 });
    const scan = await post('admit', { ticket_id: id });
    expect([scan.status, scan.body.decision, scan.body.code]).toEqual([200, 'REFUSE', 'TICKET_REVOKED']);
    const consume = await post('consume', { ticket_id: id });
    expect([consume.status, consume.body.code]).toEqual([409, 'TICKET_REVOKED']);
    const release = await post('release', { ticket_id: id });
    expect([release.status, release.body.code]).toEqual([409, 'TICKET_REVOKED']);
  });
});

describe('a case', () => {
  it('is opened about a ticket that was admitted, and decided by another organisation', async () => {
    const id = await ticket();
    const early = await post('case', { ticket_id: id });
    expect([early.status, early.body.code]).toEqual([409, 'INVALID_TRANSITION']);
    const { body: admitted } = await post('consume', { ticket_id: id, gate: 'north' });
    const evidence = admitted.transaction_id;
    const opened = await post('case', { ticket_id: id, reason: 'STOLEN', note: 'late claim', evidence });
    expect(opened.body.ticket).toMatchObject({
      state: 'CONSUMED',
      version: 4,
      dispute: null,
      case: { reason: 'STOLEN', note: 'late claim', evidence, organisation: 'boxoffice', resolution: null },
    });
    expect((await post('case', { ticket_id: id })).body.code).toBe('CASE_ALREADY_OPEN');
    const own = await post('resolve', { ticket_id: id, outcome: 'REJECTED' });
    expect([own.status, own.body.code]).toEqual([403, 'SELF_ARBITRATION']);
    world.node.organisation = OrganisationId('city');
    const closed = await post('resolve', { ticket_id: id, outcome: 'REJECTED', note: 'was seen' });
    const resolution = { outcome: 'REJECTED', note: 'was seen', organisation: 'city' };
    expect(closed.body.ticket).toMatchObject({ version: 5, case: { reason: 'STOLEN', resolution } });
    expect(closed.body).not.toHaveProperty('replacement');
    expect((await post('resolve', { ticket_id: id, outcome: 'REJECTED' })).body.code).toBe('NO_OPEN_CASE');
  });

  it('ends with a replacement for the same event and tier, unless told otherwise', async () => {
    const id = await ticket();
    await post('dispute', { ticket_id: id, reason: 'DOUBLE_SALE' });
    world.node.organisation = OrganisationId('city');
    const there = { ticket_id: `${id}b`, event_id: 'replay', tier_id: 'stand' };
    const elsewhere = await post('resolve', { ticket_id: id, outcome: 'REISSUED', replacement: there });
    expect([elsewhere.status, elsewhere.body.code, elsewhere.body.subject]).toEqual([404, 'UNKNOWN_EVENT', 'replay']);
    const replacement = { ticket_id: `${id}b`, seat: 'A-9', gate: 'south', data: 'AQI=' };
    const reissued = await post('resolve', { ticket_id: id, outcome: 'REISSUED', replacement });
    expect(reissued.body.ticket).toMatchObject({ id, state: 'DISPUTED', replaced_by: `${id}b` });
    expect(reissued.body.replacement).toMatchObject({
      ...{ id: `${id}b`, state: 'ISSUED', version: 1, event_id: 'cup', tier_id: 'stand' },
      ...{ seat: 'A-9', gate: 'south', data: 'AQI=', replaces: id },
    });
  });

  it('about a ticket that nobody issued is not found, with or without a replacement', async () => {
    for (const replacement of [
      undefined,
      { ticket_id: 'new' },
      { ticket_id: 'new', event_id: 'cup', tier_id: 'stand' },
    ]) {
      const outcome = replacement === undefined ? 'UPHELD' : 'REISSUED';
      const { status, body } = await post('resolve', { ticket_id: 'forged', outcome, replacement });
      expect([status, body.code]).toEqual([404, 'UNKNOWN_TICKET']);
    }
  });
});

it('each of them is done once under one idempotency key', async () => {
  const id = await ticket();
  const asked: readonly (readonly [string, object])[] = [
    ['transfer', { ticket_id: id, holder: HOLDER }],
    ['hold', { ticket_id: id }],
    ['release', { ticket_id: id }],
    ['revoke', { ticket_id: id, reason: 'FRAUD' }],
  ];
  for (const [name, body] of asked) {
    const key = { 'idempotency-key': `${name}-${id}` };
    const first = await post(name, body, key);
    const again = await post(name, body, key);
    expect([first.status, again.status, again.body.transaction_id]).toEqual([200, 200, first.body.transaction_id]);
    expect(again.response.headers.get('idempotency-replayed')).toBe('true');
  }
});
