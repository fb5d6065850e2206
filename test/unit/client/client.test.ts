import { createServer, type Server } from 'node:http';
import { verifyAsync } from '@noble/ed25519';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventsOf } from '../../../src/api/feed-events.ts';
import type { FeedEvent } from '../../../src/client/answers.ts';
import type { Fetch } from '../../../src/client/call.ts';
import { followFeed } from '../../../src/client/feed.ts';
import { createClient } from '../../../src/client/http.ts';
import { clientKeyOf, newSecret, signTransaction } from '../../../src/client/sign.ts';
import { submitUntilFinal, untilFinal } from '../../../src/client/wait.ts';
import { fromHex, fromUtf8 } from '../../../src/lib/bytes.ts';
import { OrganisationId, TicketId } from '../../../src/model/ids.ts';
import { parseTransaction, transactionSigningBytes } from '../../../src/model/transaction.ts';
import { CHAIN_ID, GENESIS_BYTES } from '../api/memory-node.ts';
import { openWorld, TOKEN, until, type World } from '../api/world.ts';

let world: World;
let client: ReturnType<typeof createClient>;

beforeAll(async () => {
  world = await openWorld();
  client = createClient({ url: `${world.url}/`, operatorToken: TOKEN });
});
afterAll(() => world.api.close());
afterEach(() => {
  world.node.trouble = null;
});

/** A server that answers as it is told, and the number of requests that came. */
async function serve(answer: (count: number) => { status: number; headers?: Record<string, string>; body: string }) {
  let count = 0;
  const server: Server = createServer((_request, response) => {
    count += 1;
    const { status, headers = {}, body } = answer(count);
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, count: () => count, close };
}

describe('every route', () => {
  it('has its method, and each method its answer', async () => {
    world.node.issue('r-1');
    const answers = [
      client.health(),
      client.ready(),
      client.status(),
      client.peers(),
      client.authorities(),
      client.explain(),
      client.evidence(),
      client.stats(),
      client.config(),
      client.metrics(),
      client.blocks({ limit: 1 }),
      client.block(0),
      client.block(world.node.head.hash),
      client.certificate(world.node.head.header.height),
      client.tickets({ state: 'ISSUED', limit: 10 }),
      client.ticket('r-1'),
      client.history('r-1'),
      client.transaction(world.node.head.body[0]?.id ?? ''),
    ];
    for (const answered of await Promise.all(answers)) expect(answered).toMatchObject({ ok: true });
    expect(await client.genesis()).toEqual({ ok: true, value: GENESIS_BYTES });
    const proof = await client.proof('r-1', { history: true });
    expect(proof.ok && fromUtf8(proof.value)).toBe('{"proof_of":"r-1","history":true,"graphs":false}\n');
  });

  it('takes a ticket through its life', async () => {
    expect(
      await client.issue({ event_id: 'cup', tier_id: 'stand', tickets: [{ ticket_id: 'c-1' }, { ticket_id: 'c-2' }] }),
    ).toMatchObject({ ok: true, value: { tickets: [{ id: 'c-1' }, { id: 'c-2' }] } });
    expect(await client.validate({ tickets: ['c-1', 'c-2'] })).toMatchObject({ ok: true });
    expect(await client.consume({ ticket_id: 'c-1', gate: 'north' })).toMatchObject({ ok: true });
    expect(await client.dispute({ ticket_id: 'c-2', reason: 'FRAUD', note: 'x' })).toMatchObject({ ok: true });
    expect(await client.admit({ ticket_id: 'c-1' })).toMatchObject({
      ok: true,
      value: { decision: 'REFUSE', code: 'ALREADY_CONSUMED' },
    });
  });

  it('brings a refusal as a value, with all that the node said', async () => {
    world.node.issue('c-3');
    await client.validate({ ticket_id: 'c-3' });
    await client.consume({ ticket_id: 'c-3' });
    expect(await client.consume({ ticket_id: 'c-3' })).toMatchObject({
      ok: false,
      error: {
        code: 'ALREADY_CONSUMED',
        status: 409,
        height: world.node.head.header.height,
        transactionId: world.node.head.body[0]?.id,
        firstScan: { gate: 'main' },
      },
    });
    expect(await client.validate({ ticket_id: 'no name' })).toMatchObject({ ok: false, error: { field: 'ticket_id' } });
    expect(await client.seed()).toMatchObject({ ok: false, error: { code: 'METHOD_NOT_ALLOWED' } });
    expect(await client.ticket('../status')).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST' } });
  });
});

describe('calls that fail', () => {
  it('say that nobody is there', async () => {
    const gone = await serve(() => ({ status: 200, body: '{}' }));
    gone.close();
    const answered = await createClient({ url: gone.url, tries: 1 }).status();
    expect(answered).toMatchObject({ ok: false, error: { code: 'UNREACHABLE', status: null } });
  });

  it('end in time', async () => {
    const fetch: Fetch = (_input, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    const answered = await createClient({ url: 'http://127.0.0.1:1', fetch, timeoutMs: 20 }).status();
    expect(answered).toMatchObject({ ok: false, error: { code: 'TIMEOUT', status: null } });
  });

  it('notice that something else answers', async () => {
    for (const answer of [
      { status: 200, body: '<html>' },
      { status: 200, body: '7' },
      { status: 404, body: '<html>' },
      { status: 404, body: '{"message":"x"}' },
    ]) {
      const other = await serve(() => answer);
      expect(await createClient({ url: other.url }).status()).toMatchObject({
        ok: false,
        error: { code: 'NOT_A_NODE' },
      });
      other.close();
    }
  });

  it('are tried again when that is safe and of use', async () => {
    const overloaded = { status: 503, headers: { 'retry-after': '0' }, body: '{"code":"OVERLOADED","detail":"later"}' };
    const busy = await serve((count) => (count < 3 ? overloaded : { status: 200, body: '{"status":"alive"}' }));
    const calls = createClient({ url: busy.url });
    expect(await calls.health()).toMatchObject({ ok: true });
    expect(busy.count()).toBe(3);
    busy.close();
    const always = await serve(() => overloaded);
    const more = createClient({ url: always.url });
    expect(await more.health()).toMatchObject({ ok: false, error: { code: 'OVERLOADED', retryAfterMs: 0 } });
    expect(always.count()).toBe(3);
    await more.consume({ ticket_id: 'a' });
    expect(always.count()).toBe(4);
    await more.consume({ ticket_id: 'a' }, { idempotencyKey: 'k' });
    expect(always.count()).toBe(7);
    always.close();
  });

  it('are not tried again when the node has decided', async () => {
    const deciding = await serve(() => ({ status: 409, body: '{"code":"ALREADY_CONSUMED","detail":"x"}' }));
    await createClient({ url: deciding.url }).consume({ ticket_id: 'a' }, { idempotencyKey: 'k' });
    expect(deciding.count()).toBe(1);
    deciding.close();
  });
});

describe('signing', () => {
  it('makes transactions that anybody can check', async () => {
    const key = await clientKeyOf(newSecret());
    const operation = { kind: 'validate', tickets: [TicketId('a')] } as const;
    const unsigned = { chainId: CHAIN_ID, organisation: OrganisationId('boxoffice'), operation };
    const first = await signTransaction(key, unsigned);
    const second = await signTransaction(key, { ...unsigned, idempotencyKey: 'k', lifeMs: 60_000 });
    expect(first.id).not.toBe(second.id);
    expect(first.body.expiresAt).toBeGreaterThan(Date.now());
    expect(Number.isSafeInteger(first.body.nonce)).toBe(true);
    expect(parseTransaction(first.bytes)).toEqual({ ok: true, value: first });
    const signature = fromHex(first.signature) ?? new Uint8Array();
    const publicKey = fromHex(key.publicKey) ?? new Uint8Array();
    expect(await verifyAsync(signature, transactionSigningBytes(first.body), publicKey)).toBe(true);
    expect(await verifyAsync(signature, transactionSigningBytes(second.body), publicKey)).toBe(false);
  });

  it('has the public key of RFC 8032 §7.1 test 1', async () => {
    const secret = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60') ?? new Uint8Array();
    const key = await clientKeyOf(secret);
    expect(key.publicKey).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  });
});

describe('waiting', () => {
  const validate = (id: string) => world.node.transaction({ kind: 'validate', tickets: [TicketId(id)] });

  it('goes on until a transaction is final', async () => {
    world.node.issue('w-1');
    const transaction = validate('w-1');
    world.node.trouble = 'never-final';
    const waiting = submitUntilFinal(client, transaction);
    await until(() => world.node.pending.has(transaction.id));
    world.node.addBlock([transaction]);
    expect(await waiting).toMatchObject({ ok: true, value: { state: 'final', receipt: { accepted: true } } });
  });

  it('brings a refusal that is final as what it is, the first time and later', async () => {
    const transaction = validate('none');
    for (let time = 0; time < 2; time += 1) {
      expect(await submitUntilFinal(client, transaction)).toMatchObject({
        ok: true,
        value: { receipt: { accepted: false, code: 'UNKNOWN_TICKET' } },
      });
    }
  });

  it('ends in time, or when told', async () => {
    const id = '1'.repeat(64);
    expect(await untilFinal(client, id, { timeoutMs: 30 })).toMatchObject({ ok: false, error: { code: 'TIMEOUT' } });
    const signal = AbortSignal.abort();
    expect(await untilFinal(client, id, { signal })).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
    expect(await untilFinal(client, 'no id')).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST' } });
  });

  it('does not wait for what was not taken', async () => {
    world.node.trouble = { outcome: 'not-admitted', code: 'EXPIRED', detail: 'too old' };
    expect(await submitUntilFinal(client, validate('w-1'))).toMatchObject({ ok: false, error: { code: 'EXPIRED' } });
  });
});

describe('following the feed', () => {
  it('hands on each event once and in order, also over lost connections', async () => {
    const made = await openWorld();
    const told: FeedEvent[] = [];
    const troubles: string[] = [];
    const sockets: WebSocket[] = [];
    const stop = new AbortController();
    const following = followFeed({
      url: made.url,
      connect: (url) => {
        const socket = new WebSocket(url);
        sockets.push(socket);
        return socket;
      },
      topics: ['*'],
      from: 0,
      onEvent: (event) => told.push(event),
      onTrouble: ({ code }) => troubles.push(code),
      signal: stop.signal,
    });
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 20; index += 1) made.node.issue(`f-${round}-${index}-a`, `f-${round}-${index}-b`);
      await until(() => told.at(-1)?.height === made.node.head.header.height && told.at(-1)?.seq === 2);
      sockets.at(-1)?.terminate();
    }
    await until(() => troubles.length === 3);
    stop.abort();
    await following;
    expect(told).toEqual(made.node.blocks.flatMap((block) => eventsOf(block).map(({ event }) => event)));
    expect(troubles).toEqual(['CONNECTION_LOST', 'CONNECTION_LOST', 'CONNECTION_LOST']);
    await made.api.close();
  });

  it('tells of requests that the node does not take', async () => {
    const troubles: string[] = [];
    const stop = new AbortController();
    const following = followFeed({
      url: world.url,
      connect: (url) => new WebSocket(url),
      topics: ['nonsense'],
      onEvent: () => undefined,
      onTrouble: ({ code }) => {
        troubles.push(code);
        stop.abort();
      },
      signal: stop.signal,
    });
    await following;
    expect(troubles).toEqual(['BAD_REQUEST']);
  });
});
