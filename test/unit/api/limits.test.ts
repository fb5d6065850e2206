import { describe, expect, it } from 'vitest';
import { openSocket, restOf, sendRaw } from './raw.ts';
import { jsonOf, openWorld, TOKEN, until, type World, type WorldOptions } from './world.ts';

async function within(options: WorldOptions, work: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld(options);
  try {
    await work(world);
  } finally {
    await world.api.close();
  }
}

const HEAD = `Host: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer ${TOKEN}\r\n`;
const quick = { headersMsMax: 150, requestMsMax: 300, connectionsCheckMs: 20 };

describe('a client that is slow on purpose', () => {
  it('is cut off while its headers trickle in', async () => {
    await within({ limits: quick }, async ({ port, ask }) => {
      const socket = await openSocket(port);
      const answer = restOf(socket);
      socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n');
      const drip = setInterval(() => socket.write('X: y\r\n'), 20);
      try {
        const { status, text } = await answer;
        expect(status).toBe(408);
        expect(text).toContain('REQUEST_TIMEOUT');
      } finally {
        clearInterval(drip);
      }
      expect((await ask('/health')).status).toBe(200);
    });
  });

  it('is cut off while its body trickles in', async () => {
    await within({ limits: quick }, async ({ port }) => {
      const socket = await openSocket(port);
      const answer = restOf(socket);
      socket.write(`POST /api/v1/tickets/validate HTTP/1.1\r\n${HEAD}Content-Length: 1000\r\n\r\n`);
      const drip = setInterval(() => socket.write(' '), 20);
      try {
        expect((await answer).status).toBe(408);
      } finally {
        clearInterval(drip);
      }
    });
  });

  it('does not keep others out, however often it connects', async () => {
    await within({ limits: { ...quick, connectionsMax: 16 } }, async ({ port, ask }) => {
      const sockets = await Promise.all(Array.from({ length: 15 }, () => openSocket(port)));
      for (const socket of sockets) socket.write('GET / HTTP/1.1\r\n');
      expect((await ask('/health')).status).toBe(200);
      await Promise.all(sockets.map(restOf));
    });
  });

  it('is dropped above the number of connections', async () => {
    await within({ limits: { connectionsMax: 4 } }, async ({ port }) => {
      const kept = await Promise.all(Array.from({ length: 4 }, () => openSocket(port)));
      const { text } = await sendRaw(port, 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n').catch(() => ({
        text: '',
      }));
      expect(text).toBe('');
      for (const socket of kept) socket.destroy();
    });
  });
});

describe('bodies that are too large', () => {
  it('are refused by their length before a byte is read', async () => {
    await within({}, async ({ port }) => {
      const socket = await openSocket(port);
      socket.write(
        `POST /api/v1/tickets/validate HTTP/1.1\r\n${HEAD}Connection: close\r\nContent-Length: 65537\r\n\r\n`,
      );
      const { status, text } = await restOf(socket);
      expect([status, text.includes('BODY_TOO_LARGE')]).toEqual([413, true]);
    });
  });

  it('are refused while they come, when they hide their length', async () => {
    await within({}, async ({ port }) => {
      const socket = await openSocket(port);
      const answer = restOf(socket);
      socket.write(
        `POST /api/v1/tickets/validate HTTP/1.1\r\n${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      for (let chunk = 0; chunk < 9; chunk += 1) socket.write(`2000\r\n${' '.repeat(8_192)}\r\n`);
      expect((await answer).status).toBe(413);
    });
  });

  it('have a limit of their own for an issue', async () => {
    await within({}, async ({ post }) => {
      const padded = (body: string, bytes: number): string => body.padEnd(bytes, ' ');
      const issue = '{"event_id":"cup","tier_id":"stand","ticket_id":"a"}';
      expect((await post('/api/v1/tickets/issue', padded(issue, 1_048_576))).status).toBe(200);
      expect((await post('/api/v1/tickets/issue', padded(issue, 1_048_577))).status).toBe(413);
      const validate = '{"ticket_id":"a"}';
      expect((await post('/api/v1/tickets/validate', padded(validate, 65_536))).status).toBe(200);
      expect((await post('/api/v1/tickets/validate', padded(validate, 65_537))).status).toBe(413);
    });
  });

  it('are cut off when they flood a refused request', async () => {
    await within({}, async ({ port, ask }) => {
      const socket = await openSocket(port);
      let closed = false;
      socket.once('close', () => {
        closed = true;
      });
      socket.resume();
      socket.write(`POST /nowhere HTTP/1.1\r\n${HEAD}Content-Length: 1000000000\r\n\r\n`);
      const flood = Buffer.alloc(65_536, 32);
      let sent = 0;
      await until(() => {
        if (!closed && socket.writableLength < 1_048_576) {
          socket.write(flood);
          sent += flood.length;
        }
        return closed;
      });
      expect(sent).toBeLessThan(1_000_000_000);
      expect((await ask('/health')).status).toBe(200);
    });
  });

  it('that end early leave nothing behind', async () => {
    await within({}, async ({ port, ask, lines }) => {
      const socket = await openSocket(port);
      socket.write(`POST /api/v1/tickets/validate HTTP/1.1\r\n${HEAD}Content-Length: 100\r\n\r\n{"tick`);
      socket.destroy();
      await until(() => lines.some((line) => line['aborted'] === true));
      expect((await ask('/health')).status).toBe(200);
    });
  });
});

describe('the rate of one address', () => {
  it('is told in headers, and refused above with the time to wait', async () => {
    await within({ limits: { requestsPerSecond: 0.1, requestsBurst: 3 } }, async ({ ask }) => {
      const first = await ask('/api/v1/status');
      expect(first.headers.get('ratelimit-policy')).toBe('"address";q=3;w=30');
      expect(first.headers.get('ratelimit')).toBe('"address";r=2;t=10');
      await ask('/api/v1/status');
      await ask('/api/v1/status');
      const refused = await ask('/api/v1/status');
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(9);
      expect((await jsonOf(refused)).code).toBe('RATE_LIMITED');
      for (const path of ['/health', '/ready', '/metrics']) expect((await ask(path)).status).toBe(200);
    });
  });
});

describe('a port', () => {
  it('that is taken is an error that names the option', async () => {
    await within({}, async ({ port }) => {
      await expect(openWorld({ port, portOption: '--base-port' })).rejects.toMatchObject({
        name: 'PortError',
        code: 'PORT_IN_USE',
        message: expect.stringContaining('--base-port'),
      });
    });
  });

  it('at an address that is not ours is an error as well', async () => {
    await expect(openWorld({ host: '203.0.113.1' })).rejects.toMatchObject({ code: 'ADDRESS_NOT_AVAILABLE' });
  });
});

describe('closing', () => {
  it('lets a running request end, and refuses new ones', async () => {
    const world = await openWorld();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = false;
    world.node.beforeSubmit = async () => {
      asked = true;
      await held;
    };
    const running = world.post('/api/v1/tickets/validate', { ticket_id: 'none' });
    await until(() => asked);
    const closed = world.api.close();
    await expect(world.ask('/health')).rejects.toThrow();
    release();
    expect((await running).status).toBe(404);
    await closed;
    expect(world.node.listeners).toBe(0);
  });

  it('cuts off what does not end, and can be asked twice', async () => {
    const world = await openWorld({ limits: { closeMsMax: 100 } });
    const idle = await openSocket(world.port);
    const stuck = await openSocket(world.port);
    stuck.write(`POST /api/v1/tickets/validate HTTP/1.1\r\n${HEAD}Content-Length: 100\r\n\r\n`);
    await until(() => idle.readyState === 'open');
    const ends = Promise.all([restOf(idle), restOf(stuck)]);
    await world.api.close();
    await ends;
    await world.api.close();
  });
});
