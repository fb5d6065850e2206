import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TicketId } from '../../../src/model/ids.ts';
import { REFUSALS } from '../../../src/model/receipt.ts';
import { jsonOf, openWorld, TOKEN, type World } from './world.ts';

let world: World;
let count = 0;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.api.close());
afterEach(() => {
  world.node.trouble = null;
});

/** A fresh ticket, at most as far as told. */
async function ticket(upTo: 'ISSUED' | 'VALIDATED' = 'VALIDATED'): Promise<string> {
  count += 1;
  const id = `w-${count}`;
  world.node.issue(id);
  if (upTo === 'VALIDATED') await post('validate', { ticket_id: id });
  return id;
}

async function post(name: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await world.post(name.startsWith('/') ? name : `/api/v1/tickets/${name}`, body, headers);
  return { response, status: response.status, body: await jsonOf(response) };
}

describe('the life of a ticket', () => {
  it('is issued, validated and consumed', async () => {
    const data = Buffer.from('order 17').toString('base64');
    const issued = await post('issue', { event_id: 'cup', tier_id: 'stand', ticket_id: 'life-1', seat: 'A-1', data });
    expect(issued.status).toBe(200);
    expect(issued.body).toMatchObject({ height: 1, ticket: { id: 'life-1', state: 'ISSUED', seat: 'A-1', data } });
    expect(issued.body.block_hash).toBe(world.node.blocks[1]?.hash);
    expect(issued.body.transaction_id).toBe(world.node.blocks[1]?.body[0]?.id);
    const validated = await post('validate', { ticket_id: 'life-1' });
    expect(validated.body.ticket).toMatchObject({ state: 'VALIDATED', version: 2 });
    const consumed = await post('consume', { ticket_id: 'life-1', gate: 'north' });
    expect(consumed.body.ticket).toMatchObject({
      state: 'CONSUMED',
      version: 3,
      first_scan: { gate: 'north', height: 3 },
    });
  });

  it('comes in batches too', async () => {
    const tickets = [{ ticket_id: 'batch-1' }, { ticket_id: 'batch-2', gate: 'south' }];
    const issued = await post('issue', { event_id: 'cup', tier_id: 'stand', tickets });
    expect(issued.body.tickets.map((one: { gate: string | null }) => one.gate)).toEqual([null, 'south']);
    expect(issued.body.ticket).toBeUndefined();
    const validated = await post('validate', { tickets: ['batch-1', 'batch-2'] });
    expect(validated.body.tickets.map((one: { state: string }) => one.state)).toEqual(['VALIDATED', 'VALIDATED']);
  });

  it('is contested with a reason, and a note in normal form', async () => {
    const id = await ticket();
    const { body } = await post('dispute', { ticket_id: id, reason: 'CHARGEBACK', note: 'Cafe\u0301' });
    expect(body.ticket).toMatchObject({ state: 'DISPUTED', dispute: { reason: 'CHARGEBACK', note: 'Caf\u00e9' } });
    const other = await ticket();
    expect((await post('dispute', { ticket_id: other })).body.ticket.dispute.reason).toBe('OTHER');
  });

  it('takes a scan without a gate for one at the assigned gate, or at the gate of this node', async () => {
    const tickets = [{ ticket_id: 'gate-1', gate: 'south' }, { ticket_id: 'gate-2' }];
    await post('issue', { event_id: 'cup', tier_id: 'stand', tickets });
    await post('validate', { tickets: ['gate-1', 'gate-2'] });
    expect((await post('consume', { ticket_id: 'gate-1' })).body.ticket.first_scan.gate).toBe('south');
    expect((await post('admit', { ticket_id: 'gate-2' })).body.ticket.first_scan.gate).toBe('main');
  });
});

describe('refusals', () => {
  it('say of a second consume when, where and at which height the first was', async () => {
    const id = await ticket();
    const first = await post('consume', { ticket_id: id, gate: 'north' });
    const second = await post('consume', { ticket_id: id, gate: 'south' });
    expect(second.status).toBe(409);
    expect(second.response.headers.get('content-type')).toBe('application/problem+json');
    const { at } = first.body.ticket.first_scan;
    expect(second.body).toMatchObject({
      code: 'ALREADY_CONSUMED',
      height: first.body.height + 1,
      transaction_id: world.node.head.body[0]?.id,
      first_scan: { at, gate: 'north', height: first.body.height, transaction_id: first.body.transaction_id },
    });
    for (const word of [at, 'gate north', `height ${first.body.height}`, id])
      expect(second.body.detail).toContain(word);
  });

  it('have the status of their code', async () => {
    const issued = await ticket('ISSUED');
    const validated = await ticket();
    const asked: [string, object, number, string][] = [
      ['validate', { ticket_id: 'none' }, 404, 'UNKNOWN_TICKET'],
      ['validate', { ticket_id: validated }, 409, 'ALREADY_VALIDATED'],
      ['consume', { ticket_id: issued }, 409, 'NOT_VALIDATED'],
      ['dispute', { ticket_id: issued }, 409, 'INVALID_TRANSITION'],
      ['issue', { event_id: 'cup', tier_id: 'stand', ticket_id: issued }, 409, 'DUPLICATE_ID'],
    ];
    for (const [name, body, status, code] of asked) {
      const answer = await post(name, body);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(answer.body.detail).toContain(';');
      expect(answer.body.transaction_id).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it('need no block when one request lists a ticket twice', async () => {
    const id = await ticket('ISSUED');
    const pair = [{ ticket_id: 'pair' }, { ticket_id: 'pair' }];
    const asked: [string, object, string][] = [
      ['validate', { tickets: [id, 'other', id] }, id],
      ['issue', { event_id: 'cup', tier_id: 'stand', tickets: pair }, 'pair'],
    ];
    for (const [name, body, twice] of asked) {
      const answer = await post(name, body);
      expect([answer.status, answer.body.code]).toEqual([400, 'BAD_REQUEST']);
      expect(answer.body.detail).toContain(`lists ${twice} twice`);
      expect(answer.body.transaction_id).toBeUndefined();
    }
  });

  it('come through for every code that a receipt can have', async () => {
    const id = await ticket();
    for (const code of REFUSALS) {
      world.node.refuseNext = code;
      const { body, status } = await post('consume', { ticket_id: id });
      expect(body.code).toBe(code);
      expect([403, 404, 409, 422]).toContain(status);
    }
  });
});

describe('admit', () => {
  it('decides, and a refused scan is an answer', async () => {
    const id = await ticket('ISSUED');
    const first = await post('admit', { ticket_id: id, gate: 'north' });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ decision: 'ADMIT', ticket: { state: 'CONSUMED' }, height: expect.any(Number) });
    expect(first.body.code).toBeUndefined();
    const second = await post('admit', { ticket_id: id, gate: 'north' });
    expect(second.status).toBe(200);
    expect(second.body).toMatchObject({
      decision: 'REFUSE',
      code: 'ALREADY_CONSUMED',
      first_scan: { gate: 'north', height: first.body.height },
    });
    const unknown = await post('admit', { ticket_id: 'none' });
    expect(unknown.body).toMatchObject({ decision: 'REFUSE', code: 'UNKNOWN_TICKET', ticket: null });
  });
});

describe('retries under an Idempotency-Key', () => {
  it('are answered as the first time, and say so', async () => {
    const id = await ticket();
    const headers = { 'idempotency-key': 'scan-1' };
    const first = await post('consume', { ticket_id: id }, headers);
    const blocks = world.node.blocks.length;
    const second = await post('consume', { ticket_id: id }, { 'idempotency-key': '"scan-1"' });
    expect(second.body).toEqual(first.body);
    expect(first.response.headers.get('idempotency-replayed')).toBeNull();
    expect(second.response.headers.get('idempotency-replayed')).toBe('true');
    expect(world.node.blocks.length).toBe(blocks);
  });

  it('repeat refusals as well', async () => {
    const headers = { 'idempotency-key': 'scan-2' };
    const first = await post('consume', { ticket_id: 'none' }, headers);
    const second = await post('consume', { ticket_id: 'none' }, headers);
    expect([first.status, second.status]).toEqual([404, 404]);
    expect(second.body.transaction_id).toBe(first.body.transaction_id);
    expect(second.response.headers.get('idempotency-replayed')).toBe('true');
  });

  it('lead to the original when the chain found the repetition', async () => {
    const id = await ticket();
    const first = await post('validate', { tickets: [id] }, { 'idempotency-key': 'late' });
    world.node.forgetsKeys = true;
    const second = await post('validate', { tickets: [id] }, { 'idempotency-key': 'late' });
    world.node.forgetsKeys = false;
    expect(second.body).toMatchObject({ code: first.body.code, transaction_id: first.body.transaction_id });
    expect(second.body.height).toBe(first.body.height);
    expect(second.response.headers.get('idempotency-replayed')).toBe('true');
  });

  it('with another body are refused', async () => {
    const headers = { 'idempotency-key': 'scan-3' };
    await post('validate', { ticket_id: await ticket('ISSUED') }, headers);
    const { status, body } = await post('validate', { ticket_id: await ticket('ISSUED') }, headers);
    expect([status, body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('need a key that can be one', async () => {
    for (const key of ['x'.repeat(65), 'two words', '""', '']) {
      const { status, body } = await post('validate', { ticket_id: 'a' }, { 'idempotency-key': key });
      expect([status, body.code, body.field]).toEqual([400, 'BAD_REQUEST', 'Idempotency-Key']);
    }
  });
});

describe('what a node in trouble says', () => {
  it.each([
    ['NO_QUORUM', 503, '1'],
    ['OVERLOADED', 503, '1'],
    ['NOT_SYNCED', 503, '2'],
    ['NOT_PERMITTED', 403, null],
    ['EXPIRED', 422, null],
    ['TOO_FAR_AHEAD', 422, null],
    ['BAD_SIGNATURE', 422, null],
    ['UNKNOWN_SIGNER', 403, null],
    ['EMPTY_BATCH', 422, null],
    ['BAD_VALUE', 422, null],
    ['CLOCK_SKEW', 422, null],
  ])('%s is %i', async (code, status, retryAfter) => {
    world.node.trouble = { outcome: 'not-admitted', code, detail: 'as the node says' };
    const answer = await post('consume', { ticket_id: 'any' });
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([status, code, 'as the node says']);
    expect(answer.response.headers.get('retry-after')).toBe(retryAfter);
    expect((await post('admit', { ticket_id: 'any' })).status).toBe(status);
  });

  it('is not final yet, with the place to ask', async () => {
    world.node.trouble = 'never-final';
    const { status, body, response } = await post('consume?wait=10ms', { ticket_id: 'any' });
    expect([status, body.code]).toEqual([504, 'NOT_FINAL_YET']);
    const location = response.headers.get('location') ?? '';
    expect(location).toBe(`/api/v1/transactions/${body.transaction_id}`);
    expect(await jsonOf(await world.ask(location))).toEqual({ id: body.transaction_id, state: 'pending' });
    const admit = await post('admit?wait=10ms', { ticket_id: 'any' });
    expect(admit.status).toBe(504);
    const nowait = await post('consume?wait=0', { ticket_id: 'any' });
    expect([nowait.status, nowait.body.state]).toEqual([202, 'pending']);
  });

  it('hides what failed inside, and logs it', async () => {
    world.node.trouble = 'throws';
    const { status, body } = await post('consume', { ticket_id: 'any' });
    expect([status, body.code]).toEqual([500, 'INTERNAL_ERROR']);
    expect(JSON.stringify(body)).not.toContain('fire');
    const line = world.lines.find((one) => one['request_id'] === body.request_id && one['error'] !== undefined);
    expect(String(line?.['error'])).toContain('the disk is on fire');
  });

  it('treats a code that nobody knows as its own fault', async () => {
    world.node.trouble = { outcome: 'not-admitted', code: 'toString', detail: 'x' };
    expect((await post('consume', { ticket_id: 'any' })).body.code).toBe('INTERNAL_ERROR');
  });
});

describe('transactions that clients signed', () => {
  const send = (bytes: Uint8Array, query = '') =>
    world.ask(`/api/v1/transactions${query}`, {
      method: 'POST',
      body: new Uint8Array(bytes),
      headers: { 'content-type': 'application/octet-stream' },
    });

  it('are taken with 202, waited for with 200, and never done twice', async () => {
    const id = await ticket('ISSUED');
    const transaction = world.node.transaction({ kind: 'validate', tickets: [TicketId(id)] });
    world.node.trouble = 'never-final';
    const taken = await send(transaction.bytes);
    expect([taken.status, taken.headers.get('location')]).toEqual([202, `/api/v1/transactions/${transaction.id}`]);
    expect((await send(transaction.bytes, '?wait=5ms')).status).toBe(504);
    world.node.trouble = null;
    const waited = await send(transaction.bytes, '?wait=5s');
    expect(waited.status).toBe(200);
    const body = await jsonOf(waited);
    expect(body).toMatchObject({ id: transaction.id, state: 'final', receipt: { accepted: true } });
    const again = await send(transaction.bytes, '?wait=5s');
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await jsonOf(again)).toEqual(body);
  });

  it('that are refused are problems with their receipt', async () => {
    const transaction = world.node.transaction({ kind: 'validate', tickets: [TicketId('none')] });
    const response = await send(transaction.bytes, '?wait=5s');
    expect(response.status).toBe(404);
    expect(await jsonOf(response)).toMatchObject({ code: 'UNKNOWN_TICKET', transaction_id: transaction.id });
  });

  it('need canonical bytes', async () => {
    const { bytes } = world.node.transaction({ kind: 'validate', tickets: [TicketId('a')] });
    for (const wrong of [new Uint8Array(), bytes.slice(1), bytes.slice(0, -1), new Uint8Array(1_000).fill(0xff)]) {
      const response = await send(wrong);
      expect([response.status, (await jsonOf(response)).code]).toEqual([400, 'BAD_REQUEST']);
    }
  });

  it('need no operator token, and other content types are no way in', async () => {
    const response = await world.ask('/api/v1/transactions', { method: 'POST', body: 'x' });
    expect(response.status).toBe(415);
    expect((await jsonOf(response)).detail).toMatch(/taken here: curl http:.*application\/octet-stream.*--data-binary/);
  });
});

describe('who may have the node sign', () => {
  it('is the operator', async () => {
    for (const authorization of [
      '',
      'Bearer',
      'Bearer wrong',
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN} x`,
    ]) {
      const { status, body, response } = await post('validate', { ticket_id: 'a' }, { authorization });
      expect([authorization, status, body.code]).toEqual([authorization, 401, 'UNAUTHORIZED']);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it('is anybody on a devnet, and nobody without a token or a key', async () => {
    const open = await openWorld({ devnet: true, operatorToken: null });
    const closed = await openWorld({ operatorToken: null });
    const keyless = await openWorld({ hasOperator: false });
    try {
      const ask = async (one: World, authorization: string) =>
        jsonOf(await one.post('/api/v1/tickets/validate', { ticket_id: 'none' }, { authorization }));
      expect((await ask(open, '')).code).toBe('UNKNOWN_TICKET');
      expect((await ask(closed, 'Bearer ')).code).toBe('READ_ONLY');
      expect((await ask(keyless, `Bearer ${TOKEN}`)).code).toBe('READ_ONLY');
    } finally {
      await Promise.all([open.api.close(), closed.api.close(), keyless.api.close()]);
    }
  });
});

describe('the sample', () => {
  it('is there on a devnet alone', async () => {
    expect((await post('seed', {})).status).toBe(405);
    const open = await openWorld({ devnet: true });
    try {
      const first = await open.post('/api/v1/tickets/seed', {});
      expect(await jsonOf(first)).toEqual({ event_id: 'cup', tickets: 3, added: 3, height: 1 });
      expect(await jsonOf(await open.post('/api/v1/tickets/seed', {}))).toMatchObject({ added: 0 });
      const bare = await open.ask('/api/v1/tickets/seed', { method: 'POST' });
      expect(bare.status).toBe(415);
    } finally {
      await open.api.close();
    }
  });
});
