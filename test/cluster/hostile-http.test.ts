import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isProblemCode, kindOf } from '../../src/api/problems.ts';
import { toHex } from '../../src/lib/bytes.ts';
import { Hash, PublicKey, Signature, Timestamp } from '../../src/model/ids.ts';
import { sealTransaction } from '../../src/model/transaction.ts';
import { sampleTicketId } from '../../src/sample/tickets.ts';
import { value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { issueOf, operatorOf, signed, validateOf } from './support/transactions.ts';
import { tell } from './support/until.ts';

const MIB = 1_048_576;
/** What a node may grow by while it is abused: its caches fill, nothing piles up. */
const GROWTH_BYTES_MAX = 160 * MIB;

let cluster: Cluster;
let rssBefore: readonly number[];

beforeAll(async () => {
  cluster = await Cluster.started();
  rssBefore = cluster.nodes.map((node) => node.rssBytes());
});

afterAll(async () => {
  await cluster?.close();
});

interface Answer {
  readonly status: number;
  readonly code: string;
}

/** What the first node answers to a request that nobody should send: always a problem that the table knows. */
async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${cluster.node(0).url}${path}`, { ...init, signal: AbortSignal.timeout(20_000) });
  const text = await response.text();
  const what = `${init.method ?? 'GET'} ${path.slice(0, 80)} gave ${response.status} ${text.slice(0, 200)}`;
  expect(response.headers.get('content-type'), what).toBe('application/problem+json');
  const body: unknown = JSON.parse(text);
  const code = typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : '';
  expect(isProblemCode(code), what).toBe(true);
  if (isProblemCode(code)) expect(response.status, what).toBe(kindOf(code).status);
  return { status: response.status, code };
}

function post(path: string, body: string | Uint8Array, type = 'application/json'): Promise<Answer> {
  const bytes = typeof body === 'string' ? body : new Uint8Array(body);
  return ask(path, { method: 'POST', body: bytes, headers: { 'content-type': type } });
}

function submit(bytes: Uint8Array): Promise<Answer> {
  return post('/api/v1/transactions?wait=5s', bytes, 'application/octet-stream');
}

/** Runs something during which nothing may get onto the chain but heartbeats. */
async function withUnmovedChain(work: () => Promise<void>): Promise<void> {
  const before = await cluster.settled();
  await work();
  const after = await cluster.settled();
  for (let height = before + 1; height <= after; height += 1) {
    expect(value(await cluster.node(0).client.block(height)).transactions).toEqual([]);
  }
  expect((await statusOf(cluster.node(0))).mempool).toBe(0);
}

const TICKET = sampleTicketId(7);
const { chainId, other } = { chainId: () => cluster.genesis.chainId, other: Hash('ab'.repeat(32)) };

describe('a node that is asked over HTTP by somebody who means no good', () => {
  it.each<[string, string, Answer]>([
    ['no JSON', '{"ticket_id":', { status: 400, code: 'BAD_JSON' }],
    ['nothing', '', { status: 400, code: 'BAD_JSON' }],
    ['a list', '[]', { status: 400, code: 'BAD_REQUEST' }],
    ['null', 'null', { status: 400, code: 'BAD_REQUEST' }],
    ['a number for an id', '{"ticket_id":7}', { status: 400, code: 'BAD_REQUEST' }],
    ['an object for an id', '{"ticket_id":{"$ne":""}}', { status: 400, code: 'BAD_REQUEST' }],
    ['a number above 2^53', '{"ticket_id":9007199254740993}', { status: 400, code: 'BAD_JSON' }],
    ['a number without end', '{"ticket_id":1e999}', { status: 400, code: 'BAD_JSON' }],
    ['a control character', '{"ticket_id":"a\\u0000b"}', { status: 400, code: 'BAD_JSON' }],
    ['a direction override', '{"ticket_id":"a\\u202eb"}', { status: 400, code: 'BAD_JSON' }],
    ['half a surrogate pair', '{"ticket_id":"\\ud800"}', { status: 400, code: 'BAD_JSON' }],
    ['a key twice', `{"ticket_id":"${TICKET}","ticket_id":"x"}`, { status: 400, code: 'BAD_JSON' }],
    ['a prototype', '{"__proto__":{"ticket_id":"x"}}', { status: 400, code: 'BAD_JSON' }],
    ['an unknown field', `{"ticket_id":"${TICKET}","admin":true}`, { status: 400, code: 'BAD_REQUEST' }],
    ['a path for an id', '{"ticket_id":"../../etc/passwd"}', { status: 400, code: 'BAD_REQUEST' }],
    ['an id that is too long', `{"ticket_id":"${'a'.repeat(65)}"}`, { status: 400, code: 'BAD_REQUEST' }],
    ['depth', `${'['.repeat(5_000)}${']'.repeat(5_000)}`, { status: 400, code: 'BAD_JSON' }],
    ['size', `{"ticket_id":"${'a'.repeat(2 * MIB)}"}`, { status: 413, code: 'BODY_TOO_LARGE' }],
  ])('refuses %s in the body of a write', async (_, body, answer) => {
    await withUnmovedChain(async () => {
      expect(await post('/api/v1/tickets/validate', body)).toEqual(answer);
      for (const operation of ['consume', 'admit', 'dispute', 'issue']) {
        expect((await post(`/api/v1/tickets/${operation}`, body)).status).toBe(answer.status);
      }
    });
  });

  it('refuses bytes that are no UTF-8, other content types and compressed bodies', async () => {
    await withUnmovedChain(async () => {
      const path = '/api/v1/tickets/validate';
      expect((await post(path, Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d))).code).toBe('BAD_JSON');
      expect((await post(path, `ticket_id=${TICKET}`, 'application/x-www-form-urlencoded')).status).toBe(415);
      expect((await post(path, `{"ticket_id":"${TICKET}"}`, 'text/plain')).status).toBe(415);
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      expect((await ask(path, { method: 'POST', body: randomBytes(100), headers })).status).toBe(415);
    });
  });

  it('has an error for every address that leads to nothing', async () => {
    const paths = [
      '/api/v1/tickets/%00',
      '/api/v1/tickets/%',
      '/api/v1/tickets/..%2f..%2fetc%2fpasswd',
      `/api/v1/tickets/${'a'.repeat(1_000)}`,
      `/api/v1/tickets/${'a'.repeat(5_000)}`,
      '/api/v1/tickets/no-such-ticket',
      '/api/v1/tickets/no-such-ticket/history',
      '/api/v1/tickets?limit=0',
      '/api/v1/tickets?limit=9007199254740993',
      '/api/v1/tickets?limit=1&limit=2',
      '/api/v1/tickets?state=SOLD',
      '/api/v1/tickets?cursor=%01',
      '/api/v1/blocks/-1',
      '/api/v1/blocks/9007199254740993',
      '/api/v1/blocks/99999999',
      `/api/v1/blocks/${'ab'.repeat(32)}`,
      '/api/v1/blocks?before=x',
      '/api/v1/blocks/0/certificate',
      `/api/v1/transactions/${'ab'.repeat(32)}`,
      '/api/v1/transactions/nonsense',
      '/api/v2/status',
      '//api/v1/status',
    ];
    for (const path of paths) {
      const { status } = await ask(path);
      expect(status, path).toBeGreaterThanOrEqual(400);
      expect(status, path).toBeLessThan(500);
    }
  });

  it('answers no name but its own, and no method that it does not have', async () => {
    const raw = await rawRequest('GET /api/v1/status HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n');
    expect(raw).toMatch(/^HTTP\/1\.1 421 /);
    expect((await ask('/api/v1/status', { method: 'DELETE' })).status).toBe(405);
    expect((await ask('/api/v1/tickets/validate', { method: 'PUT' })).status).toBe(405);
  });

  it('lives through requests that are no HTTP', async () => {
    const garbage = [
      randomBytes(2_000),
      'GET / HTTP/9.9\r\n\r\n',
      'POST /api/v1/tickets/validate HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello',
      'POST /api/v1/tickets/validate HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nxyz',
      `GET /api/v1/status HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`,
    ];
    for (const bytes of garbage) expect(await rawRequest(bytes)).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
    expect((await statusOf(cluster.node(0))).connected).toBe(4);
  });
});

/** Everything that the node answers to these bytes before it, or a second of silence, ends the connection. */
function rawRequest(bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(cluster.node(0).httpPort, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(answer));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.write(bytes);
  });
}

describe('a signed transaction', () => {
  it('is not taken in any form that differs from what was signed, at any byte of it', async () => {
    const ticket = 'mutated-1';
    const { bytes } = signed(chainId(), 'boxoffice', issueOf(ticket), { idempotencyKey: 'mutations' });
    await withUnmovedChain(async () => {
      const codes = new Map<string, number>();
      for (let offset = 0; offset < bytes.length; offset += 1) {
        for (const flip of [0x01, 0x80]) {
          const mutated = new Uint8Array(bytes);
          mutated[offset] = (bytes[offset] ?? 0) ^ flip;
          const { status, code } = await submit(mutated);
          expect(status, `bit ${flip} of byte ${offset}: ${code}`).toBeGreaterThanOrEqual(400);
          expect(status, `bit ${flip} of byte ${offset}: ${code}`).toBeLessThan(500);
          codes.set(code, (codes.get(code) ?? 0) + 1);
        }
      }
      for (let length = 0; length < bytes.length; length += 7) {
        expect(await submit(bytes.subarray(0, length))).toEqual({ status: 400, code: 'BAD_REQUEST' });
      }
      expect(await submit(new Uint8Array([...bytes, 0]))).toEqual({ status: 400, code: 'BAD_REQUEST' });
      tell(`${2 * bytes.length} mutations: ${[...codes].map(([code, count]) => `${count} ${code}`).join(', ')}`);
    });
    // What was mutated is good as it was.
    value(await cluster.node(0).client.submit({ bytes }, { waitMs: 10_000 }));
  });

  it('is done once however often it is sent, also when its first answer was long ago', async () => {
    const { client } = cluster.node(1);
    const transaction = signed(chainId(), 'boxoffice', validateOf(TICKET));
    const first = value(await client.submit(transaction, { waitMs: 10_000 }));
    await withUnmovedChain(async () => {
      for (const node of cluster.nodes) {
        expect(value(await node.client.submit(transaction, { waitMs: 10_000 }))).toEqual(first);
      }
    });
  });

  it('is refused for its chain, its time, its signer and its signature', async () => {
    const now = Date.now();
    const life = cluster.genesis.parameters.transactionLifeMsMax;
    const operation = validateOf(sampleTicketId(8));
    const good = signed(chainId(), 'boxoffice', operation);
    const stranger = PublicKey(`${toHex(randomBytes(31))}00`);
    const cases: readonly (readonly [string, number, Uint8Array])[] = [
      ['WRONG_CHAIN', 422, signed(other, 'boxoffice', operation).bytes],
      ['EXPIRED', 422, signed(chainId(), 'boxoffice', operation, { expiresAt: Timestamp(now - 1) }).bytes],
      ['EXPIRED', 422, signed(chainId(), 'boxoffice', operation, { expiresAt: Timestamp(0) }).bytes],
      [
        'TOO_FAR_AHEAD',
        422,
        signed(chainId(), 'boxoffice', operation, { expiresAt: Timestamp(now + life + 60_000) }).bytes,
      ],
      ['BAD_SIGNATURE', 422, sealTransaction(good.body, Signature('00'.repeat(64))).bytes],
      ['BAD_SIGNATURE', 422, sealTransaction(good.body, signed(chainId(), 'boxoffice', operation).signature).bytes],
      [
        'UNKNOWN_SIGNER',
        403,
        sealTransaction({ ...good.body, signer: operatorOf('venue').publicKey }, good.signature).bytes,
      ],
      ['EMPTY_BATCH', 422, signed(chainId(), 'boxoffice', validateOf()).bytes],
    ];
    await withUnmovedChain(async () => {
      for (const [code, status, bytes] of cases) expect(await submit(bytes), code).toEqual({ status, code });
      const unknown = await submit(sealTransaction({ ...good.body, signer: stranger }, good.signature).bytes);
      expect(['UNKNOWN_SIGNER', 'BAD_REQUEST']).toContain(unknown.code);
    });
    expect(value(await cluster.node(0).client.ticket(sampleTicketId(8))).state).toBe('ISSUED');
  });

  it('that names a ticket twice changes nothing', async () => {
    const { client } = cluster.node(2);
    const fresh = 'twice-in-one';
    const doubled = [validateOf(sampleTicketId(9), sampleTicketId(9)), issueOf(fresh, fresh)];
    for (const operation of doubled) {
      const answered = await client.submit(signed(chainId(), 'boxoffice', operation), { waitMs: 10_000 });
      expect(answered.ok ? answered.value : answered.error.code).toMatch(
        /^(?:BAD_VALUE|DUPLICATE_ID|ALREADY_VALIDATED)$/,
      );
    }
    expect(value(await client.ticket(sampleTicketId(9))).state).toBe('ISSUED');
    expect((await client.ticket(fresh)).ok).toBe(false);
  });

  it('is told from noise', async () => {
    await withUnmovedChain(async () => {
      for (let size = 0; size < 2_000; size += 37) {
        expect(await submit(randomBytes(size))).toEqual({ status: 400, code: 'BAD_REQUEST' });
      }
      expect(await submit(randomBytes(MIB))).toEqual({ status: 413, code: 'BODY_TOO_LARGE' });
    });
  });
});

describe('after all that', () => {
  it('every node is well, and none has grown', async () => {
    await cluster.settled();
    for (const [index, node] of cluster.nodes.entries()) {
      const growth = node.rssBytes() - (rssBefore[index] ?? 0);
      tell(`${node.name} has grown by ${Math.round(growth / MIB)} MiB`);
      expect(growth, `growth of ${node.name} in bytes`).toBeLessThan(GROWTH_BYTES_MAX);
      expect(node.log()).not.toMatch(/"level":"(?:error|fatal)"/);
    }
    value(await cluster.node(3).client.validate({ ticket_id: sampleTicketId(10) }));
  });
});
