import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventsOf } from '../../../src/api/feed-events.ts';
import { Height, OrganisationId, TicketId } from '../../../src/model/ids.ts';
import { sendRaw } from './raw.ts';
import { openWorld, until, type World, type WorldOptions } from './world.ts';

interface Told {
  readonly type: string;
  readonly height: number;
  readonly seq: number | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly code?: string;
  readonly detail?: string;
  readonly from?: number;
  readonly topics?: readonly string[];
}

class Listener {
  readonly told: Told[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | undefined;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers });
    this.socket.on('message', (message) => this.told.push(JSON.parse(String(message))));
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
    this.socket.on('error', () => undefined);
  }

  async open(): Promise<this> {
    await until(() => this.socket.readyState === WebSocket.OPEN);
    return this;
  }

  async ask(request: unknown, type: string): Promise<Told> {
    const before = this.told.length;
    this.socket.send(typeof request === 'string' ? request : JSON.stringify(request));
    const find = (): Told | undefined => this.told.slice(before).find((one) => one.type === type);
    await until(() => find() !== undefined);
    return find() as Told;
  }

  get events(): Told[] {
    return this.told.filter((one) => one.seq !== undefined);
  }
}

const open: (World | Listener)[] = [];

async function world(options: WorldOptions = {}): Promise<World> {
  const made = await openWorld(options);
  open.push(made);
  return made;
}

async function listen(url: string, headers?: Readonly<Record<string, string>>): Promise<Listener> {
  const made = new Listener(url, headers);
  open.push(made);
  return await made.open();
}

afterEach(async () => {
  for (const one of open.splice(0).reverse()) {
    if (one instanceof Listener) one.socket.terminate();
    else await one.api.close();
  }
});

/** Every event of the chain so far, as any reader must see it. */
function wholeStory({ node }: World, from = 0): unknown[] {
  return node.blocks.slice(from).flatMap((block) => eventsOf(block).map(({ event }) => event));
}

describe('events of a block', () => {
  it('are the block, then what befell each ticket, numbered', async () => {
    const { node, post } = await world();
    node.issue('a', 'b');
    await post('/api/v1/tickets/validate', { tickets: ['a', 'b'] });
    await post('/api/v1/tickets/consume', { ticket_id: 'a', gate: 'north' });
    await post('/api/v1/tickets/admit', { ticket_id: 'a' });
    await post('/api/v1/tickets/dispute', { ticket_id: 'b', reason: 'STOLEN' });
    await post('/api/v1/tickets/validate', { tickets: ['b', 'none'] });
    const told = node.blocks.map((block) =>
      eventsOf(block).map(({ event, ticket }) => [event.type, ticket, event.seq]),
    );
    expect(told).toEqual([
      [['block_finalised', null, 0]],
      [
        ['block_finalised', null, 0],
        ['ticket_issued', 'a', 1],
        ['ticket_issued', 'b', 2],
      ],
      [
        ['block_finalised', null, 0],
        ['ticket_validated', 'a', 1],
        ['ticket_validated', 'b', 2],
      ],
      [
        ['block_finalised', null, 0],
        ['ticket_consumed', 'a', 1],
      ],
      [
        ['block_finalised', null, 0],
        ['ticket_refused', 'a', 1],
      ],
      [
        ['block_finalised', null, 0],
        ['ticket_disputed', 'b', 1],
      ],
      [
        ['block_finalised', null, 0],
        ['ticket_refused', 'b', 1],
      ],
    ]);
    const refused = eventsOf(node.blocks[4] ?? node.head)[1]?.event.data;
    expect(refused).toMatchObject({ type: 'admit', code: 'ALREADY_CONSUMED', first_scan: { gate: 'north' } });
  });

  it('tell of transfers, standings and cases what was asked', async () => {
    const { node, post } = await world();
    const holder = '34'.repeat(32);
    node.issue('a', 'b');
    const asked: readonly (readonly [string, object])[] = [
      ['transfer', { ticket_id: 'a', holder, price: 4_900, channel: 'RESALE' }],
      ['hold', { ticket_id: 'a', note: 'unpaid' }],
      ['release', { ticket_id: 'a' }],
      ['admit', { ticket_id: 'a', gate: 'north' }],
      ['revoke', { ticket_id: 'b', reason: 'REFUND' }],
      ['case', { ticket_id: 'a', reason: 'STOLEN', evidence: holder }],
      ['resolve', { ticket_id: 'a', outcome: 'UPHELD' }],
    ];
    for (const [name, body] of asked) await post(`/api/v1/tickets/${name}`, body);
    node.organisation = OrganisationId('city');
    await post('/api/v1/tickets/resolve', { ticket_id: 'a', outcome: 'REISSUED', replacement: { ticket_id: 'b' } });
    await post('/api/v1/tickets/resolve', { ticket_id: 'a', outcome: 'REISSUED', replacement: { ticket_id: 'c' } });
    const told = node.blocks.slice(2).flatMap((block) => {
      return eventsOf(block).flatMap(({ event, ticket }) => {
        const { transaction_id: _, organisation: by, ...data } = event.data;
        return event.type === 'block_finalised' ? [] : [[event.type, ticket, by, data]];
      });
    });
    expect(told).toEqual([
      ['ticket_transferred', 'a', 'boxoffice', { ticket_id: 'a', holder, price: 4_900, channel: 'RESALE' }],
      ['ticket_held', 'a', 'boxoffice', { ticket_id: 'a', note: 'unpaid' }],
      ['ticket_released', 'a', 'boxoffice', { ticket_id: 'a', note: '' }],
      ['ticket_consumed', 'a', 'boxoffice', { ticket_id: 'a', gate: 'north', by: 'admit' }],
      ['ticket_revoked', 'b', 'boxoffice', { ticket_id: 'b', reason: 'REFUND', note: '' }],
      ['case_opened', 'a', 'boxoffice', { ticket_id: 'a', reason: 'STOLEN', note: '', evidence: holder }],
      ['ticket_refused', 'a', 'boxoffice', { ticket_id: 'a', type: 'resolve', code: 'SELF_ARBITRATION', subject: 'a' }],
      ['ticket_refused', 'a', 'city', { ticket_id: 'a', type: 'resolve', code: 'DUPLICATE_ID', subject: 'b' }],
      ['case_resolved', 'a', 'city', { ticket_id: 'a', outcome: 'REISSUED', note: '', replacement: 'c' }],
      ['ticket_issued', 'c', 'city', { ticket_id: 'c', event_id: 'cup', tier_id: 'stand', replaces: 'a' }],
    ]);
  });

  it('leave out what only repeated an outcome', async () => {
    const { node } = await world();
    node.issue('a');
    const validate = { kind: 'validate', tickets: [TicketId('a')] } as const;
    node.addBlock([node.transaction(validate, 'key')]);
    node.addBlock([node.transaction(validate, 'key')]);
    expect(node.head.receipts[0]?.replayOf).not.toBeNull();
    expect(eventsOf(node.head).map(({ event }) => event.type)).toEqual(['block_finalised']);
  });
});

describe('a reader', () => {
  it('hears of new blocks as they become final, and of its tickets alone', async () => {
    const made = await world();
    const all = await listen(made.url);
    const blocks = await listen(made.url);
    const one = await listen(made.url);
    await all.ask({ op: 'subscribe', topics: ['*'] }, 'subscribed');
    await blocks.ask({ op: 'subscribe', topics: ['block'] }, 'subscribed');
    await one.ask({ op: 'subscribe', topics: ['ticket:b'] }, 'subscribed');
    made.node.issue('a', 'b');
    made.node.addBlock([]);
    await until(() => all.events.length === 4 && blocks.events.length === 2 && one.events.length === 1);
    expect(all.events).toEqual(wholeStory(made, 1));
    expect(blocks.events.map(({ height }) => height)).toEqual([1, 2]);
    expect(one.events[0]).toMatchObject({ type: 'ticket_issued', data: { ticket_id: 'b' } });
  });

  it('resumes from any height without a gap and without a repetition, while the chain grows', async () => {
    const made = await world();
    for (let index = 0; index < 100; index += 1) made.node.issue(`old-${index}`);
    const reader = await listen(made.url);
    reader.socket.send(JSON.stringify({ op: 'subscribe', topics: ['*'], from: 0 }));
    const growing = setInterval(() => made.node.issue(`new-${made.node.blocks.length}`), 1);
    await until(() => made.node.blocks.length > 130);
    clearInterval(growing);
    await until(() => reader.events.at(-1)?.height === made.node.head.header.height && reader.events.at(-1)?.seq === 1);
    expect(reader.events).toEqual(wholeStory(made));
    const middle = await listen(made.url);
    await middle.ask({ op: 'subscribe', topics: ['*'], from: 57 }, 'subscribed');
    await until(() => middle.events.length === wholeStory(made, 57).length);
    expect(middle.events).toEqual(wholeStory(made, 57));
  });

  it('may wait for a height that is still to come', async () => {
    const made = await world();
    const reader = await listen(made.url);
    await reader.ask({ op: 'subscribe', topics: ['block'], from: 2 }, 'subscribed');
    made.node.addBlock([]);
    made.node.addBlock([]);
    await until(() => reader.events.length === 1);
    expect(reader.events[0]?.height).toBe(2);
  });

  it('adds and removes topics as it goes', async () => {
    const made = await world();
    const reader = await listen(made.url);
    await reader.ask({ op: 'subscribe', topics: ['block'] }, 'subscribed');
    const both = await reader.ask({ op: 'subscribe', topics: ['ticket:a'] }, 'subscribed');
    expect(both.topics).toEqual(['block', 'ticket:a']);
    await reader.ask({ op: 'unsubscribe', topics: ['block'] }, 'subscribed');
    made.node.issue('a');
    await until(() => reader.events.length > 0);
    expect(reader.events.map(({ type }) => type)).toEqual(['ticket_issued']);
    await reader.ask({ op: 'unsubscribe', topics: ['ticket:a'] }, 'subscribed');
    made.node.issue('b');
    const later = await reader.ask({ op: 'subscribe', topics: ['block'] }, 'subscribed');
    expect(later.from).toBe(3);
  });

  it('gets a pong with the head', async () => {
    const made = await world();
    const reader = await listen(made.url);
    expect(await reader.ask({ op: 'ping' }, 'pong')).toEqual({ type: 'pong', height: 0 });
  });

  it('hears what is of this node and this moment when it wants everything', async () => {
    const made = await world({ devnet: true });
    const all = await listen(made.url);
    const some = await listen(made.url);
    await all.ask({ op: 'subscribe', topics: ['*'] }, 'subscribed');
    await some.ask({ op: 'subscribe', topics: ['block'] }, 'subscribed');
    made.node.emit({ type: 'view_changed', height: Height(0), data: { view: 1 } });
    await made.post('/api/v1/tickets/seed', {});
    await until(() => all.events.some(({ type }) => type === 'tickets_seeded') && some.events.length === 1);
    expect(all.events[0]).toEqual({ type: 'view_changed', height: 0, seq: null, data: { view: 1 } });
    expect(all.events.at(-1)).toMatchObject({ type: 'tickets_seeded', height: 1, data: { tickets: 3 } });
    expect(some.events.map(({ type }) => type)).toEqual(['block_finalised']);
  });

  it('is told what is wrong with a request, and stays', async () => {
    const made = await world();
    const reader = await listen(made.url);
    const requests: unknown[] = [
      'x',
      '{"op":"ping","op":"ping"}',
      [],
      {},
      { op: 'shout' },
      { op: 'subscribe' },
      { op: 'subscribe', topics: [] },
      { op: 'subscribe', topics: ['tickets'] },
      { op: 'subscribe', topics: ['ticket:'] },
      { op: 'subscribe', topics: ['ticket:a b'] },
      { op: 'subscribe', topics: Array.from({ length: 129 }, (_, index) => `ticket:${index}`) },
      { op: 'subscribe', topics: ['block'], from: -1 },
      { op: 'subscribe', topics: ['block'], from: 1.5 },
      { op: 'subscribe', topics: ['block'], from: '0' },
      { op: 'ping', extra: 1 },
    ];
    for (const request of requests) {
      const { code } = await reader.ask(request, 'error');
      expect(['BAD_REQUEST', 'BAD_JSON']).toContain(code);
    }
    reader.socket.send(new Uint8Array([1, 2, 3]));
    await until(() => reader.told.filter(({ type }) => type === 'error').length === requests.length + 1);
    await reader.ask({ op: 'ping' }, 'pong');
  });

  it('keeps within a number of topics over several requests', async () => {
    const made = await world();
    const reader = await listen(made.url);
    const hundred = (from: number): string[] => Array.from({ length: 100 }, (_, index) => `ticket:${from + index}`);
    await reader.ask({ op: 'subscribe', topics: hundred(0) }, 'subscribed');
    await reader.ask({ op: 'subscribe', topics: hundred(100) }, 'error');
    await reader.ask({ op: 'subscribe', topics: hundred(0) }, 'subscribed');
  });
});

describe('a reader that is closed', () => {
  it('learns why, when it reads too slowly, and where to go on', async () => {
    const made = await world({ limits: { feedBufferBytesMax: 16_384, feedStallMsMax: 100 } });
    const slow = await listen(made.url);
    const quick = await listen(made.url);
    for (const reader of [slow, quick]) await reader.ask({ op: 'subscribe', topics: ['*'] }, 'subscribed');
    slow.socket.pause();
    const ids = Array.from({ length: 500 }, (_, index) => index);
    await until(() => {
      const height = made.node.blocks.length;
      made.node.issue(...ids.map((index) => `t-${height}-${index}`));
      return made.lines.some((line) => line['code'] === 4008);
    });
    await until(() => quick.events.at(-1)?.height === made.node.head.header.height);
    slow.socket.resume();
    await until(() => slow.closed !== undefined);
    expect(slow.closed?.code).toBe(4008);
    const from = Number(/^SLOW_READER: subscribe again with "from": (\d+)$/.exec(slow.closed?.reason ?? '')?.[1]);
    expect(from).toBeGreaterThan(0);
    expect(slow.events.at(-1)?.height).toBeLessThanOrEqual(from);
    const again = await listen(made.url);
    again.socket.send(JSON.stringify({ op: 'subscribe', topics: ['*'], from }));
    await until(() => again.events.length === wholeStory(made, from).length);
    const both = [...slow.events.filter(({ height }) => height < from), ...again.events];
    expect(both).toEqual(wholeStory(made, 1));
  });

  it('is one that asks for what this node does not keep', async () => {
    const made = await world();
    for (let index = 0; index < 5; index += 1) made.node.addBlock([]);
    made.node.keptFrom = 3;
    const reader = await listen(made.url);
    await reader.ask({ op: 'subscribe', topics: ['*'], from: 1 }, 'subscribed');
    await until(() => reader.closed !== undefined);
    expect(reader.closed).toMatchObject({ code: 4010, reason: expect.stringContaining('block 1') });
  });

  it('is one that asks too often', async () => {
    const made = await world();
    const reader = await listen(made.url);
    for (let index = 0; index < 60; index += 1) reader.socket.send('{"op":"ping"}');
    await until(() => reader.closed !== undefined);
    expect(reader.closed?.code).toBe(4029);
  });

  it('is one whose requests are too large', async () => {
    const made = await world();
    const reader = await listen(made.url);
    reader.socket.send('x'.repeat(16_385));
    await until(() => reader.closed !== undefined);
    expect(reader.closed?.code).toBe(1009);
  });

  it('is one that does not answer pings', async () => {
    const made = await world({ limits: { feedPingMs: 20 } });
    const alive = await listen(made.url);
    const dead = new WebSocket(`${made.url.replace('http', 'ws')}/ws`, { autoPong: false });
    let isClosed = false;
    dead.on('close', () => {
      isClosed = true;
    });
    await until(() => isClosed);
    expect(alive.closed).toBeUndefined();
  });

  it('is told when the node stops', async () => {
    const made = await openWorld();
    const reader = await new Listener(made.url).open();
    await made.api.close();
    await until(() => reader.closed !== undefined);
    expect(reader.closed).toEqual({ code: 1001, reason: 'STOPPING: the node stops' });
  });
});

describe('the door of the feed', () => {
  let one: World;
  beforeAll(async () => {
    one = await openWorld({ limits: { feedConnectionsMax: 1 }, origins: ['https://box.example'] });
  });
  afterAll(() => one.api.close());

  const knock = (headers: string, path = '/ws'): Promise<{ status: number; text: string }> => {
    const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n';
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    return sendRaw(one.port, `GET ${path} HTTP/1.1\r\n${headers}${upgrade}${key}\r\n`);
  };

  it('is shut for pages of other origins, foreign names and other paths', async () => {
    const cases: readonly [string, string, number][] = [
      ['Host: localhost\r\nOrigin: https://evil.example\r\n', '/ws', 403],
      [`Host: localhost:${one.port}\r\nOrigin: http://localhost:3000\r\n`, '/ws', 403],
      ['Host: localhost\r\nOrigin: null\r\n', '/ws', 403],
      ['Host: evil.example\r\nOrigin: http://evil.example\r\n', '/ws', 421],
      ['Host: localhost\r\n', '/elsewhere', 404],
    ];
    for (const [headers, path, status] of cases)
      expect([headers, (await knock(headers, path)).status]).toEqual([headers, status]);
  });

  it('is open for our own pages, listed ones and programs, up to a number', async () => {
    for (const origin of [undefined, 'https://box.example', `http://127.0.0.1:${one.port}`]) {
      const reader = await new Listener(one.url, origin === undefined ? {} : { origin }).open();
      expect((await knock('Host: localhost\r\n')).status).toBe(503);
      reader.socket.terminate();
      await expect
        .poll(async () => (await one.ask('/metrics')).text())
        .toContain('counterfoil_websocket_connections 0');
    }
  });
});
