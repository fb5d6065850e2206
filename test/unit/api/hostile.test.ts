import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isProblemCode } from '../../../src/api/problems.ts';
import { sendRaw } from './raw.ts';
import { jsonOf, openWorld, TOKEN, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  world.node.issue('t-1');
});
afterAll(() => world.api.close());

const HOLDER = '34'.repeat(32);
const ISSUE = { event_id: 'cup', tier_id: 'stand' };
const deep = `${'['.repeat(17)}${']'.repeat(17)}`;

describe('bodies that are not exact JSON', () => {
  const bodies: readonly [string, string][] = [
    ['nothing', ''],
    ['white space', ' \n'],
    ['no JSON', 'ticket_id=t-1'],
    ['half of it', '{"ticket_id":"t-1"'],
    ['two of it', '{"ticket_id":"t-1"}{"ticket_id":"t-1"}'],
    ['a comment', '{"ticket_id":"t-1"/* */}'],
    ['a byte order mark', '\ufeff{"ticket_id":"t-1"}'],
    ['not a number', '{"ticket_id":NaN}'],
    ['a repeated key', '{"ticket_id":"t-1","ticket_id":"t-2"}'],
    ['a repeated key in another spelling', '{"ticket_id":"t-1","\\u0074icket_id":"t-2"}'],
    ['a repeated key far down', '{"tickets":[{"a":1},{"a":1,"a":1}]}'],
    ['2^53', '{"ticket_id":9007199254740992}'],
    ['2^53 with a fraction of nothing', '{"ticket_id":9007199254740993.0}'],
    ['a number without end', '{"ticket_id":1e999}'],
    ['a control character', '{"ticket_id":"t\\u0000"}'],
    ['half a surrogate pair', '{"note":"\\ud800"}'],
    ['a direction override', '{"note":"\\u202e"}'],
    ['the key __proto__', '{"__proto__":{"ticket_id":"t-1"}}'],
    ['the key __proto__ in another spelling', '{"\\u005f_proto__":1}'],
    ['more depth than there is', deep],
  ];
  it.each(bodies)('%s', async (_name, body) => {
    const response = await world.post('/api/v1/tickets/validate', body);
    expect(await jsonOf(response)).toMatchObject({ status: 400, code: 'BAD_JSON' });
    expect(response.status).toBe(400);
  });

  it('bytes that are not UTF-8', async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
    const body = new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
    const response = await world.ask('/api/v1/tickets/validate', { method: 'POST', body, headers });
    expect((await jsonOf(response)).code).toBe('BAD_JSON');
  });
});

describe('bodies that are JSON and no operation', () => {
  const long = 'x'.repeat(65);
  const bodies: readonly [string, unknown, string | undefined][] = [
    ['validate', null, undefined],
    ['validate', [], undefined],
    ['validate', '"ticket_id"', undefined],
    ['validate', 7, undefined],
    ['validate', {}, 'ticket_id'],
    ['validate', { ticket_id: 7 }, 'ticket_id'],
    ['validate', { ticket_id: null }, 'ticket_id'],
    ['validate', { ticket_id: ['t-1'] }, 'ticket_id'],
    ['validate', { ticket_id: '' }, 'ticket_id'],
    ['validate', { ticket_id: long }, 'ticket_id'],
    ['validate', { ticket_id: '../../etc' }, 'ticket_id'],
    ['validate', { ticket_id: 'é' }, 'ticket_id'],
    ['validate', { ticket_id: 't-1', extra: 1 }, 'extra'],
    ['validate', { ticket_id: 't-1', constructor: 1 }, 'constructor'],
    ['validate', { ticket_id: 't-1', toString: 'x' }, 'toString'],
    ['validate', { tickets: [] }, 'tickets'],
    ['validate', { tickets: 't-1' }, 'tickets'],
    ['validate', { tickets: ['t-1', 7] }, 'tickets[1]'],
    ['validate', { tickets: ['t-1'], ticket_id: 't-1' }, 'ticket_id'],
    ['validate', { tickets: Array.from({ length: 501 }, (_, index) => `t-${index}`) }, 'tickets'],
    ['consume', { ticket_id: 't-1', gate: '' }, 'gate'],
    ['consume', { ticket_id: 't-1', gate: 'a b' }, 'gate'],
    ['consume', { ticket_id: 't-1', data: '' }, 'data'],
    ['admit', { gate: 'north' }, 'ticket_id'],
    ['dispute', { ticket_id: 't-1', reason: 'ANGER' }, 'reason'],
    ['dispute', { ticket_id: 't-1', note: 'é'.repeat(129) }, 'note'],
    ['transfer', { ticket_id: 't-1' }, 'holder'],
    ['transfer', { ticket_id: 't-1', holder: 'Ada' }, 'holder'],
    ['transfer', { ticket_id: 't-1', holder: HOLDER, price: -1 }, 'price'],
    ['transfer', { ticket_id: 't-1', holder: HOLDER, price: 1.5 }, 'price'],
    ['transfer', { ticket_id: 't-1', holder: HOLDER, price: '5' }, 'price'],
    ['transfer', { ticket_id: 't-1', holder: HOLDER, channel: 'RESALE' }, 'price'],
    ['transfer', { ticket_id: 't-1', holder: HOLDER, channel: 'GIFT' }, 'channel'],
    ['transfer', { tickets: ['t-1'], holder: HOLDER }, 'ticket_id'],
    ['hold', { note: '' }, 'ticket_id'],
    ['hold', { ticket_id: 't-1', reason: 'FRAUD' }, 'reason'],
    ['release', { ticket_id: 't-1', note: 7 }, 'note'],
    ['revoke', { ticket_id: 't-1' }, 'reason'],
    ['revoke', { ticket_id: 't-1', reason: 'STOLEN' }, 'reason'],
    ['case', { ticket_id: 't-1', evidence: 'tx' }, 'evidence'],
    ['case', { ticket_id: 't-1', reason: '' }, 'reason'],
    ['resolve', { ticket_id: 't-1' }, 'outcome'],
    ['resolve', { ticket_id: 't-1', outcome: 'REISSUED' }, 'replacement'],
    ['resolve', { ticket_id: 't-1', outcome: 'UPHELD', replacement: { ticket_id: 'n' } }, 'replacement'],
    ['resolve', { ticket_id: 't-1', outcome: 'REISSUED', replacement: {} }, 'replacement.ticket_id'],
    [
      'resolve',
      { ticket_id: 't-1', outcome: 'REISSUED', replacement: { ticket_id: 'n', holder: HOLDER } },
      'replacement.holder',
    ],
    ['issue', { ticket_id: 'n' }, 'event_id'],
    ['issue', { ...ISSUE, tickets: [{}] }, 'tickets[0].ticket_id'],
    ['issue', { ...ISSUE, tickets: [{ ticket_id: 'n' }, { ticket_id: 'm', seat: ' ' }] }, 'tickets[1].seat'],
    ['issue', { ...ISSUE, ticket_id: 'n', data: 'not base64' }, 'data'],
    ['issue', { ...ISSUE, ticket_id: 'n', data: 'YQ' }, 'data'],
    ['issue', { ...ISSUE, ticket_id: 'n', data: 'YR==' }, 'data'],
    ['issue', { ...ISSUE, ticket_id: 'n', data: Buffer.alloc(1_025).toString('base64') }, 'data'],
    ['issue', { ...ISSUE, ticket_id: 'n', holder: 'AB'.repeat(32) }, 'holder'],
  ];
  it.each(bodies)('%s %j', async (name, body, field) => {
    const response = await world.post(`/api/v1/tickets/${name}`, body);
    const problem = await jsonOf(response);
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    expect(problem.field).toBe(field);
    if (field !== undefined) expect(problem.detail).toContain(`${field}: `);
    expect(problem.detail, 'in our own words').not.toMatch(/invalid|expected|received|undefined|unrecognized/i);
  });

  it('an issue that is more than a transaction holds', async () => {
    const data = Buffer.alloc(1_000).toString('base64');
    const tickets = Array.from({ length: 400 }, (_, index) => ({ ticket_id: `big-${index}`, data }));
    const response = await world.post('/api/v1/tickets/issue', { ...ISSUE, tickets });
    expect(await jsonOf(response)).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
  });
});

describe('content types', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/json; charset=utf-16',
  ])('%s is answered with the command that would have worked', async (type) => {
    const response = await world.post('/api/v1/tickets/consume', { ticket_id: 't-1' }, { 'content-type': type });
    const problem = await jsonOf(response);
    expect([response.status, problem.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    expect(problem.detail).toBe(
      `the body says it is ${type}, and application/json is taken here: curl ${world.url}/api/v1/tickets/consume -H 'content-type: application/json' -d '{"ticket_id":"ID"}'`,
    );
  });

  it('with a charset, in any spelling of UTF-8, are taken; packed bodies are not', async () => {
    const taken = { 'content-type': 'Application/JSON; Charset="UTF-8"' };
    expect((await world.post('/api/v1/tickets/validate', { ticket_id: 'none' }, taken)).status).toBe(404);
    const packed = { 'content-encoding': 'gzip' };
    expect((await world.post('/api/v1/tickets/validate', { ticket_id: 'none' }, packed)).status).toBe(415);
  });
});

describe('parameters that nobody reads', () => {
  it.each([
    ['/api/v1/tickets?states=ISSUED', 'states', 'state, limit, cursor, pretty'],
    ['/api/v1/blocks?limit=2&after=1', 'after', 'limit, before, pretty'],
    ['/api/v1/status?verbose', 'verbose', 'pretty'],
  ])('%s are refused with those that are read', async (path, field, known) => {
    const response = await world.ask(path);
    const detail = `${field}: is no parameter of this address; it takes ${known}`;
    expect(await jsonOf(response)).toMatchObject({ status: 400, code: 'BAD_REQUEST', field, detail });
  });

  it('are left alone where monitors add their own', async () => {
    for (const path of ['/health', '/ready', '/metrics']) expect((await world.ask(`${path}?_=1`)).status).toBe(200);
  });
});

describe('addresses', () => {
  const paths: readonly [string, number, string][] = [
    ['//', 404, 'NO_SUCH_ROUTE'],
    ['/api/v1/status/', 404, 'NO_SUCH_ROUTE'],
    ['/API/v1/status', 404, 'NO_SUCH_ROUTE'],
    ['/api/v1/tickets/t-1/', 404, 'NO_SUCH_ROUTE'],
    ['/api/v1/tickets/%', 400, 'BAD_REQUEST'],
    ['/api/v1/tickets/%zz', 400, 'BAD_REQUEST'],
    ['/api/v1/tickets/%ff', 400, 'BAD_REQUEST'],
    ['/api/v1/tickets/t%00', 400, 'BAD_REQUEST'],
    ['/api/v1/tickets/t%0d%0aX', 400, 'BAD_REQUEST'],
    ['/api/v1/tickets/%2e%2e%2fstatus', 400, 'BAD_REQUEST'],
    ['/api/v1/tickets/__proto__', 404, 'UNKNOWN_TICKET'],
    ['/api/v1/tickets/constructor', 404, 'UNKNOWN_TICKET'],
    [`/api/v1/tickets/${'t'.repeat(65)}`, 400, 'BAD_REQUEST'],
    ['/api/v1/blocks/-1', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks/1.0', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks/1e0', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks/0x1', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks/9007199254740993', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks/99999999999999999999', 400, 'BAD_REQUEST'],
    [`/api/v1/blocks/${'AB'.repeat(32)}`, 400, 'BAD_REQUEST'],
    ['/api/v1/transactions/1', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks?limit=0', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks?limit=501', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks?limit=', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks?limit=1&limit=2', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks?limit[]=1&limit=NaN', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks?before=x', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks?a=%E0%A4%A', 400, 'BAD_REQUEST'],
    ['/api/v1/blocks?a=%00', 400, 'BAD_REQUEST'],
    ['/api/v1/tickets?state=issued', 400, 'BAD_REQUEST'],
    ['/api/v1/tickets?state=constructor', 400, 'BAD_REQUEST'],
    ['/api/v1/tickets?cursor=%20', 400, 'BAD_REQUEST'],
    [`/api/v1/status?x=${'x'.repeat(2_100)}`, 414, 'TARGET_TOO_LONG'],
  ];
  it.each(paths)('%s', async (path, status, code) => {
    const text = await sendRaw(world.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect([text.status, /"code":"(\w+)"/.exec(text.text)?.[1]]).toEqual([status, code]);
  });

  it.each(['5', '5m', '-5s', '31s', '1e3ms', '0.5s', ' 5s'])('wait=%s', async (wait) => {
    const query = `?wait=${encodeURIComponent(wait)}`;
    const problem = await jsonOf(await world.post(`/api/v1/tickets/validate${query}`, { ticket_id: 't-1' }));
    expect(problem).toMatchObject({ code: 'BAD_REQUEST', field: 'wait' });
  });

  it('pages before and after the chain are empty, not wrong', async () => {
    expect((await jsonOf(await world.ask('/api/v1/blocks?before=0'))).blocks).toEqual([]);
    const far = await jsonOf(await world.ask('/api/v1/blocks?before=9007199254740991'));
    expect(far.blocks).toHaveLength(world.node.blocks.length);
  });
});

describe('host names', () => {
  const get = (host: string): Promise<{ status: number; text: string }> =>
    sendRaw(world.port, `GET /health HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);

  it.each(['localhost', 'localhost:80', 'LOCALHOST.', 'a.localhost:7180', '127.0.0.1', '127.1.2.3:1', '[::1]:7180'])(
    '%s is ours',
    async (host) => {
      expect((await get(`Host: ${host}\r\n`)).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:7180',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '[::2]',
    'localhost evil',
    '',
    'http://localhost',
    '@localhost',
  ])('%s is not', async (host) => {
    const answer = await get(`Host: ${host}\r\n`);
    expect(answer.status).toBe(421);
    expect(answer.text).toContain('WRONG_HOST');
  });

  it('may be listed', async () => {
    const open = await openWorld({ hosts: ['Node.example'] });
    try {
      const request = 'GET /health HTTP/1.1\r\nHost: node.EXAMPLE:443\r\nConnection: close\r\n\r\n';
      expect((await sendRaw(open.port, request)).status).toBe(200);
    } finally {
      await open.api.close();
    }
  });
});

describe('what is no HTTP', () => {
  it.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.0\r\n\r\n'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n\0: d\r\n\r\n'],
  ])('%s is refused, and the connection closed', async (_name, data) => {
    const answer = await sendRaw(world.port, Buffer.from(data, 'latin1'));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('"code":"BAD_REQUEST"');
    expect((await world.ask('/health')).status).toBe(200);
  });

  it('headers without end are 431', async () => {
    const header = `X: ${'y'.repeat(20_000)}\r\n`;
    const answer = await sendRaw(world.port, `GET / HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`);
    expect(answer.status).toBe(431);
    expect(answer.text).toContain('HEADERS_TOO_LARGE');
  });

  it('a request id that is none is replaced', async () => {
    const response = await world.ask('/health', { headers: { 'x-request-id': 'a b"c' } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

it('answers random requests with a status and, when it fails, a code of the table', async () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  const words = [
    'api',
    'v1',
    'tickets',
    'blocks',
    'issue',
    '%',
    '%41',
    '..',
    '0',
    't-1',
    '?',
    '=',
    '&',
    '/',
    '\\',
    '*',
    '~',
  ];
  for (let round = 0; round < 300; round += 1) {
    const path = `/${Array.from({ length: random(8) }, () => pick(words)).join(pick(['/', '']))}`;
    const body = Array.from({ length: random(20) }, () =>
      pick(['{', '}', '"', ':', ',', 'ticket_id', '[', ']', '1', '\\']),
    );
    const method = pick(['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS']);
    const payload = method === 'POST' || method === 'PUT' ? body.join('') : '';
    const headers = `Host: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: Bearer ${TOKEN}`;
    const request = `${method} ${path} HTTP/1.1\r\n${headers}\r\nContent-Length: ${payload.length}\r\n\r\n${payload}`;
    const answer = await sendRaw(world.port, request);
    expect([request, answer.status]).not.toEqual([request, 0]);
    expect([request, answer.status]).not.toEqual([request, 500]);
    const code = /"code":"(\w+)"/.exec(answer.text)?.[1];
    if (answer.status >= 400 && method !== 'HEAD')
      expect([request, isProblemCode(code ?? '')]).toEqual([request, true]);
  }
});
