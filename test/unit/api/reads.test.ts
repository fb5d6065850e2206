import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from '../../../src/model/codec.ts';
import { Signature, TicketId } from '../../../src/model/ids.ts';
import { checkpointLayout } from '../../../src/model/view-change.ts';
import { GENESIS_BYTES } from './memory-node.ts';
import { openWorld, until, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  world.node.issue('t-1', 't-2', 't-3');
  world.node.addBlock([]);
});
afterAll(() => world.api.close());

async function get(path: string, init: RequestInit = {}) {
  const response = await world.ask(path, init);
  const text = await response.text();
  return { response, text, body: text === '' ? undefined : JSON.parse(text) };
}

describe('what the node says about itself', () => {
  it('answers every route with 200, JSON and a newline', async () => {
    const paths = [
      'status',
      'genesis',
      'blocks',
      'peers',
      'authorities',
      'explain',
      'evidence',
      'stats',
      'config',
      'tickets',
    ];
    for (const path of ['/health', '/ready', ...paths.map((name) => `/api/v1/${name}`)]) {
      const { response, text } = await get(path);
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      expect(text.endsWith('\n')).toBe(true);
      expect(response.headers.get('x-request-id')).toMatch(/^[\w.-]+$/);
    }
  });

  it('status has the names of the interface', async () => {
    const { body } = await get('/api/v1/status');
    const { head } = world.node;
    expect(body).toMatchObject({
      node_id: 'boxoffice',
      role: 'authority',
      network_id: 'test',
      head: { height: 2, hash: head.hash, time: new Date(head.header.timestamp).toISOString() },
      epoch: 0,
      view: 0,
      primary: 'federation',
      authorities: 4,
      quorum: 3,
      syncing: false,
      mempool: 0,
    });
    expect(Object.keys(body)).toEqual(expect.arrayContaining(['chain_id', 'peers', 'uptime_seconds', 'version']));
  });

  it('is ready, or says why not with 503 and when to ask again', async () => {
    world.node.isReady = false;
    const { response, body } = await get('/ready');
    world.node.isReady = true;
    expect(response.status).toBe(503);
    expect(body).toMatchObject({ code: 'NOT_READY', detail: 'NO_QUORUM: city and venue are silent' });
    expect(response.headers.get('retry-after')).toBe('2');
    expect((await get('/ready')).response.status).toBe(200);
  });

  it('shows peers, authorities, statistics and reasons', async () => {
    expect((await get('/api/v1/peers')).body.peers[0]).toMatchObject({ direction: 'outbound', latency_ms: 0.4 });
    expect((await get('/api/v1/authorities')).body.authorities[3]).toMatchObject({ id: 'city', connected: false });
    expect((await get('/api/v1/stats')).body).toMatchObject({ is_primary: false, cache_size: 7, latency_ms: null });
    expect((await get('/api/v1/explain')).body).toMatchObject({ moving: true, code: 'MOVING', waiting_for: [] });
    expect((await get('/api/v1/config')).body.api.operator_token).toBe('(secret)');
  });

  it('shows evidence in words and in bytes', async () => {
    const { certificate } = world.node.head;
    if (certificate === null) throw new Error('the head is certified');
    const [signature] = certificate.signatures;
    if (signature === undefined) throw new Error('it is signed');
    const { signers: _signers, signatures: _signatures, ...ballot } = certificate;
    const first = { ...ballot, signer: 1, signature };
    world.node.convicted.push({ evidence: { kind: 'double-vote', first, second: first }, authority: 'venue' });
    const { body } = await get('/api/v1/evidence');
    world.node.convicted.pop();
    expect(body.evidence[0]).toMatchObject({ kind: 'double-vote', authority: 'venue', height: 2, view: 0 });
    expect(body.evidence[0].messages[1]).toMatchObject({ phase: 'COMMIT', signer: 1, digest: world.node.head.hash });
    expect(Buffer.from(body.evidence[0].bytes, 'base64').length).toBeGreaterThan(100);
  });

  it('shows why it has halted, in words and in bytes', async () => {
    const { certificate } = world.node.head;
    if (certificate === null) throw new Error('the head is certified');
    expect((await get('/api/v1/evidence')).body.halt).toBeNull();
    const { epoch, height, digest } = certificate;
    const signature = Signature('0'.repeat(128));
    const checkpoint = { epoch, height, digest, stateRoot: digest, signer: 1, signature };
    world.node.halt = { reason: 'DIVERGED', certificates: [certificate], checkpoints: [checkpoint] };
    const { halt } = (await get('/api/v1/evidence')).body;
    world.node.halt = null;
    expect(halt).toMatchObject({
      reason: 'DIVERGED',
      certificates: [{ digest }],
      checkpoints: [{ state_root: digest }],
    });
    const bytes = new Uint8Array(Buffer.from(halt.checkpoints[0].bytes, 'base64'));
    expect(decode(checkpointLayout, bytes)).toEqual({ ok: true, value: checkpoint });
  });

  it('gives metrics in the text format, with the request just made', async () => {
    await get('/health');
    const response = await world.ask('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    const text = await response.text();
    expect(text).toMatch(/counterfoil_api_requests_total\{method="GET",endpoint="\/health",status="200"\} [1-9]/);
    expect(text).toContain('process_cpu_seconds_total');
  });
});

describe('the chain', () => {
  it('gives genesis byte for byte', async () => {
    const response = await world.ask('/api/v1/genesis');
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(GENESIS_BYTES);
  });

  it('pages through blocks, newest first', async () => {
    const first = (await get('/api/v1/blocks?limit=2')).body;
    expect(first.blocks.map((block: { header: { height: number } }) => block.header.height)).toEqual([2, 1]);
    expect(first.next).toBe(1);
    const second = (await get(`/api/v1/blocks?limit=2&before=${first.next}`)).body;
    expect(second.blocks.map((block: { header: { height: number } }) => block.header.height)).toEqual([0]);
    expect(second.next).toBeNull();
  });

  it('gives a block by height and by hash, alike and for ever', async () => {
    const byHeight = await get('/api/v1/blocks/1');
    const { hash } = byHeight.body;
    const byHash = await get(`/api/v1/blocks/${hash}`);
    expect(byHash.text).toBe(byHeight.text);
    expect(byHeight.response.headers.get('etag')).toBe(`"${hash}"`);
    expect(byHeight.response.headers.get('cache-control')).toContain('immutable');
    expect(byHeight.body.transactions[0]).toMatchObject({
      type: 'issue',
      operation: { event_id: 'cup', tickets: [{ ticket_id: 't-1' }, { ticket_id: 't-2' }, { ticket_id: 't-3' }] },
      receipt: { accepted: true },
    });
    const again = await world.ask(`/api/v1/blocks/${hash}`, { headers: { 'if-none-match': `"${hash}"` } });
    expect(again.status).toBe(304);
  });

  it('keeps the certificate out of what is cached for ever', async () => {
    const { body, text } = await get('/api/v1/blocks/1');
    expect(body.certificate).toBe('/api/v1/blocks/1/certificate');
    expect(text).not.toContain(world.node.blocks[1]?.certificate?.signatures[0]);
    const certificate = await get(body.certificate);
    expect(certificate.response.headers.get('cache-control')).toBe('no-store');
    expect(certificate.body).toMatchObject({ height: 1, hash: body.hash, path: [] });
    expect(certificate.body.certificate.signatures.map((one: { authority: string }) => one.authority)).toEqual([
      'federation',
      'boxoffice',
      'city',
    ]);
    expect((await get('/api/v1/blocks/0')).body.certificate).toBeNull();
    expect((await get('/api/v1/blocks/0/certificate')).body.code).toBe('UNKNOWN_BLOCK');
  });

  it('leads from a block to the descendant that is certified', async () => {
    const [, first, second] = world.node.blocks;
    if (first === undefined || second === undefined) throw new Error('there are three blocks');
    world.node.blocks[1] = { ...first, certificate: second.certificate, certifiedHeight: second.header.height };
    const { body } = await get('/api/v1/blocks/1/certificate');
    world.node.blocks[1] = first;
    expect(body.certificate.digest).toBe(second.hash);
    expect(body.path.map((header: { previous: string }) => header.previous)).toEqual([first.hash]);
  });

  it('does not know blocks that are not final', async () => {
    for (const id of ['3', '9007199254740991', 'ab'.repeat(32)]) {
      const { response, body } = await get(`/api/v1/blocks/${id}`);
      expect([response.status, body.code]).toEqual([404, 'UNKNOWN_BLOCK']);
    }
  });

  it('tells what became of a transaction', async () => {
    const id = world.node.blocks[1]?.body[0]?.id ?? '';
    const { body } = await get(`/api/v1/transactions/${id}`);
    expect(body).toMatchObject({ id, state: 'final', height: 1, receipt: { accepted: true } });
    expect((await get(`/api/v1/transactions/${'0'.repeat(64)}`)).body.code).toBe('UNKNOWN_TRANSACTION');
  });
});

describe('tickets', () => {
  it('shows a ticket with the names of the interface', async () => {
    const { body, response } = await get('/api/v1/tickets/t-1');
    expect(body).toEqual({
      id: 't-1',
      state: 'ISSUED',
      standing: 'GOOD',
      version: 1,
      event_id: 'cup',
      tier_id: 'stand',
      seat: null,
      gate: null,
      holder: null,
      epoch: 0,
      transfers: 0,
      data: '',
      since: 1,
      first_scan: null,
      dispute: null,
      case: null,
      replaces: null,
      replaced_by: null,
    });
    expect(response.headers.get('etag')).toBe(`W/"${world.node.head.hash}"`);
    const headers = { 'if-none-match': response.headers.get('etag') ?? '' };
    expect((await world.ask('/api/v1/tickets/t-1', { headers })).status).toBe(304);
  });

  it('pages through tickets of a state', async () => {
    const first = (await get('/api/v1/tickets?state=ISSUED&limit=2')).body;
    expect(first.tickets.map((ticket: { id: string }) => ticket.id)).toEqual(['t-1', 't-2']);
    expect(first).toMatchObject({ next: 't-2', as_of: 2 });
    const second = (await get(`/api/v1/tickets?state=ISSUED&limit=2&cursor=${first.next}`)).body;
    expect(second.tickets.map((ticket: { id: string }) => ticket.id)).toEqual(['t-3']);
    expect(second.next).toBeNull();
    expect((await get('/api/v1/tickets?state=CONSUMED')).body.tickets).toEqual([]);
  });

  it('does not know other tickets', async () => {
    for (const path of ['/api/v1/tickets/none', '/api/v1/tickets/none/history']) {
      const { response, body } = await get(path);
      expect([response.status, body.code]).toEqual([404, 'UNKNOWN_TICKET']);
    }
  });

  it('tells a history', async () => {
    const { body } = await get('/api/v1/tickets/t-1/history');
    expect(body.versions).toEqual([
      {
        version: 1,
        state: 'ISSUED',
        standing: 'GOOD',
        epoch: 0,
        holder: null,
        transaction_id: world.node.versions.get(TicketId('t-1'))?.[0]?.transaction,
        type: 'issue',
        at: new Date(world.node.blocks[1]?.header.timestamp ?? 0).toISOString(),
        height: 1,
        agent: 'boxoffice',
      },
    ]);
    expect(body.next).toBeNull();
  });

  it('tells a long history in pages', async () => {
    world.node.issue('t-long');
    for (let round = 0; round < 300; round += 1) {
      const remark = { ticket: TicketId('t-long'), note: '' };
      world.node.addBlock([world.node.transaction({ kind: 'hold', ...remark })]);
      world.node.addBlock([world.node.transaction({ kind: 'release', ...remark })]);
    }
    const versions: number[] = [];
    const pages: unknown[] = [];
    for (let cursor: number | null = 0; cursor !== null; ) {
      const { body } = await get(`/api/v1/tickets/t-long/history?cursor=${cursor}`);
      versions.push(...body.versions.map(({ version }: { version: number }) => version));
      pages.push([body.versions.length, body.next]);
      cursor = body.next;
    }
    expect(pages).toEqual([
      [500, 500],
      [101, null],
    ]);
    expect(versions).toEqual(Array.from({ length: 601 }, (_, index) => index + 1));
    const few = await get('/api/v1/tickets/t-long/history?limit=2&cursor=599');
    expect([few.body.versions.length, few.body.next]).toEqual([2, null]);
    const beyond = await get('/api/v1/tickets/t-long/history?cursor=601');
    expect(beyond.body).toEqual({ versions: [], next: null });
    for (const query of ['limit=0', 'limit=501', 'limit=all', 'cursor=-1', 'cursor=x']) {
      expect((await get(`/api/v1/tickets/t-long/history?${query}`)).body.code).toBe('BAD_REQUEST');
    }
  });
});

describe('the form of answers', () => {
  it('indents on ?pretty, and only then', async () => {
    expect((await get('/health')).text).toBe('{"status":"alive"}\n');
    expect((await get('/health?pretty')).text).toBe('{\n  "status": "alive"\n}\n');
    expect((await get('/health?pretty=false')).text).toBe('{"status":"alive"}\n');
    expect((await get('/api/v1/tickets/none?pretty')).text).toContain('\n  "code": "UNKNOWN_TICKET"');
  });

  it('answers HEAD as GET without the body', async () => {
    const whole = await world.ask('/api/v1/status');
    const head = await world.ask('/api/v1/status', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
    expect(head.headers.get('content-length')).toBe(whole.headers.get('content-length'));
  });

  it('says what an address takes', async () => {
    const options = await world.ask('/api/v1/status', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    const put = await world.ask('/api/v1/status', { method: 'DELETE' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect(await put.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 });
    expect((await world.ask('/api/v1/transactions', { method: 'OPTIONS' })).headers.get('allow')).toBe('OPTIONS, POST');
  });

  it('gives problems their media type, members and request id', async () => {
    const { response, body } = await get('/api/v1/nothing', { headers: { 'x-request-id': 'mine-1' } });
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(body).toEqual({
      type: 'urn:counterfoil:problem:NO_SUCH_ROUTE',
      title: 'There is nothing at this address',
      status: 404,
      code: 'NO_SUCH_ROUTE',
      detail: expect.any(String),
      request_id: 'mine-1',
    });
  });

  it('begins with a page for people that asks nobody else', async () => {
    const page = await world.ask('/');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    const text = await page.text();
    expect(text).toContain('data-of="head.height"');
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  it('sends no cross-origin permission to anybody', async () => {
    const response = await world.ask('/api/v1/status', { headers: { origin: 'https://evil.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('logs one line per request, with the id it answered', async () => {
    const before = world.lines.length;
    const response = await world.ask('/api/v1/tickets/t-1');
    const lines = world.lines.slice(before).filter((line) => line['path'] === '/api/v1/tickets/t-1');
    expect(lines).toHaveLength(1);
    const request_id = response.headers.get('x-request-id');
    expect(lines[0]).toMatchObject({ level: 'info', method: 'GET', status: 200, request_id });
  });

  it.each(['/health', '/ready', '/metrics'])('logs %s for those who look for it only', async (path) => {
    const before = world.lines.length;
    await world.ask(path);
    const lines = () => world.lines.slice(before).filter((line) => line['path'] === path);
    await until(() => lines().length > 0);
    expect(lines()).toMatchObject([{ level: 'debug' }]);
  });
});

describe('a node that is told which pages and names to trust', () => {
  it('lets listed origins and hosts in, and forgets nothing for ever on a devnet', async () => {
    const open = await openWorld({ origins: ['https://box.example'], hosts: ['node.example'], devnet: true });
    try {
      const origin = 'https://box.example';
      const read = await open.ask('/api/v1/status', { headers: { origin } });
      expect(read.headers.get('access-control-allow-origin')).toBe(origin);
      expect(read.headers.get('vary')).toMatch(/origin/i);
      const preflight = await open.ask('/api/v1/tickets/consume', { method: 'OPTIONS', headers: { origin } });
      expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key');
      const other = await open.ask('/api/v1/status', { headers: { origin: 'https://evil.example' } });
      expect(other.headers.get('access-control-allow-origin')).toBeNull();
      const block = await open.ask('/api/v1/blocks/0');
      expect(block.headers.get('cache-control')).toBe('no-cache');
    } finally {
      await open.api.close();
    }
  });
});
