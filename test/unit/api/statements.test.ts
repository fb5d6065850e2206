import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../../src/client/http.ts';
import { API_BODY_BYTES_MAX } from '../../../src/model/http-limits.ts';
import { jsonOf, openWorld, TOKEN, type World } from './world.ts';

const ABOUT = '<http://localhost/id/ticket/';
const SAYS = '<http://schema.org/description>';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.api.close());

async function post(name: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await world.post(`/api/v1/tickets/${name}`, body, headers);
  return { status: response.status, body: await jsonOf(response) };
}

async function statedBy(transaction: string): Promise<unknown> {
  const { transaction: found } = await jsonOf(await world.ask(`/api/v1/transactions/${transaction}`));
  return found.statements;
}

const issue = (id: string) => ({ event_id: 'cup', tier_id: 'stand', ticket_id: id });

describe('what a write states', () => {
  it('is Turtle of several lines, and becomes canonical N-Triples', async () => {
    const statements = `@prefix s: <http://schema.org/> .
# of the order
${ABOUT}s-1>\ts:description "Cafe\u0301"@EN ;\r
  s:alternateName """two
lines""" .
`;
    const { status, body } = await post('issue', { statements, ...issue('s-1') });
    expect(status).toBe(200);
    expect(await statedBy(body.transaction_id)).toBe(
      `${ABOUT}s-1> <http://schema.org/alternateName> "two\\nlines" .\n${ABOUT}s-1> ${SAYS} "Caf\u00e9"@en .\n`,
    );
  });

  it('goes with every write', async () => {
    const about = (id: string) => `${ABOUT}${id}> ${SAYS} "x" .\n`;
    const steps: readonly (readonly [string, object])[] = [
      ['issue', issue('s-2')],
      ['validate', { ticket_id: 's-2' }],
      ['transfer', { ticket_id: 's-2', holder: '34'.repeat(32) }],
      ['hold', { ticket_id: 's-2' }],
      ['release', { ticket_id: 's-2' }],
      ['admit', { ticket_id: 's-2' }],
      ['case', { ticket_id: 's-2' }],
      ['issue', issue('s-3')],
      ['validate', { ticket_id: 's-3' }],
      ['consume', { ticket_id: 's-3' }],
      ['issue', issue('s-4')],
      ['validate', { ticket_id: 's-4' }],
      ['dispute', { ticket_id: 's-4' }],
      ['issue', issue('s-5')],
      ['revoke', { ticket_id: 's-5', reason: 'REFUND' }],
    ];
    for (const [name, fields] of steps) {
      const statements = about('ticket_id' in fields ? String(fields.ticket_id) : '');
      const { status, body } = await post(name, { ...fields, statements });
      expect([name, status]).toEqual([name, 200]);
      expect(await statedBy(body.transaction_id)).toBe(statements);
    }
  });

  it('is nothing when it is left out or null', async () => {
    for (const [id, rest] of Object.entries({ 'n-1': {}, 'n-2': { statements: null } })) {
      const { body } = await post('issue', { ...issue(id), ...rest });
      expect(await statedBy(body.transaction_id)).toBeNull();
    }
  });

  it('is a part of what an idempotency key stands for', async () => {
    const key = { 'idempotency-key': 'k-1' };
    const statements = `${ABOUT}k-1> ${SAYS} "x" .\n`;
    const first = await post('issue', { ...issue('k-1'), statements }, key);
    // Another way to write the same.
    const again = await post('issue', { ...issue('k-1'), statements: `# again\n${statements}${statements}` }, key);
    expect(again.body.transaction_id).toBe(first.body.transaction_id);
    expect((await post('issue', issue('k-1'), key)).body.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('is sent by the client of programs', async () => {
    const client = createClient({ url: world.url, operatorToken: TOKEN });
    const issued = await client.issue(issue('p-1'), { statements: `${ABOUT}p-1> ${SAYS} "x" .` });
    expect(await statedBy(issued.ok ? issued.value.transaction_id : '')).toBe(`${ABOUT}p-1> ${SAYS} "x" .\n`);
  });
});

describe('statements that are refused', () => {
  const bad: readonly (readonly [string, unknown, number, object])[] = [
    ['blank node', `${ABOUT}r> ${SAYS} "x" ;\n  <http://a.example/b> [] .`, 422, blank(2, 24)],
    ['Turtle with a fault', `${ABOUT}r> ${SAYS} "x"`, 422, { code: 'BAD_SYNTAX', field: 'statements' }],
    ['prefix that nobody declared', 't:r s:description "x" .', 422, { code: 'BAD_SYNTAX', line: 1, column: 1 }],
    ['relative IRI', `<ticket/r> ${SAYS} "x" .`, 422, { code: 'RELATIVE_IRI', line: 1, column: 1 }],
    ['control character', `${ABOUT}r> ${SAYS} "a\u0001b" .`, 422, { code: 'BAD_CHARACTER' }],
    ['half a surrogate pair', `${ABOUT}r> ${SAYS} "a\ud800b" .`, 400, { code: 'BAD_JSON' }],
    ['empty document', '', 422, { code: 'EMPTY_GRAPH', field: 'statements' }],
    ['list', [`${ABOUT}r> ${SAYS} "x" .`], 400, { code: 'BAD_REQUEST', field: 'statements' }],
    ['word of the ledger', `${ABOUT}r> <https://w3id.org/counterfoil#state> "x" .`, 403, ledgers('state')],
    ['class of the ledger', `${ABOUT}r> a <https://w3id.org/counterfoil#Ticket> .`, 403, ledgers('Ticket')],
    ['much', `${ABOUT}r> ${SAYS} "${'x'.repeat(17_000)}" .`, 413, { code: 'GRAPH_TOO_LARGE' }],
    ['body of much', ' '.repeat(API_BODY_BYTES_MAX), 413, { code: 'BODY_TOO_LARGE' }],
  ];

  function blank(line: number, column: number): object {
    const detail = expect.stringMatching(`^line ${line}, column ${column}: blank nodes`);
    return { code: 'BLANK_NODE_NOT_ALLOWED', field: 'statements', line, column, detail };
  }

  function ledgers(word: string): object {
    const detail = expect.stringContaining(`https://w3id.org/counterfoil#${word} is a word of the ledger`);
    return { code: 'RESERVED_VOCABULARY', detail };
  }

  it.each(bad)('%s', async (_, statements, status, problem) => {
    const before = world.node.blocks.length;
    const refused = await post('validate', { ticket_id: 'r', statements });
    expect(refused.body).toMatchObject(problem);
    expect(refused.status).toBe(status);
    expect(world.node.blocks).toHaveLength(before);
  });

  it('are no reason to take several lines anywhere else', async () => {
    const note = await post('hold', { ticket_id: 'r', note: 'a\nb' });
    expect([note.status, note.body.code]).toEqual([400, 'BAD_JSON']);
    const within = { ticket_id: 'r', outcome: 'REISSUED', replacement: { ticket_id: 'n', statements: 'a\nb' } };
    expect((await post('resolve', within)).body.code).toBe('BAD_JSON');
    const twice = `{"ticket_id":"r","statements":"","statements":""}`;
    expect((await post('hold', twice)).body.code).toBe('BAD_JSON');
  });
});
