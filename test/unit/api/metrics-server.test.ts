import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetricsServer, type MetricsServer } from '../../../src/api/metrics-server.ts';
import { createMetrics } from '../../../src/node/metrics.ts';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

/** A port that nobody held a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function start(port: number): Promise<MetricsServer> {
  const metrics = createMetrics();
  metrics.mempool(7);
  const server = createMetricsServer(metrics, { host: '127.0.0.1', port });
  await server.listen();
  open.push(server);
  return server;
}

describe('the separate metrics address', () => {
  it('shows the metrics of the node and nothing else', async () => {
    const port = await freePort();
    await start(port);
    const shown = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(shown.status).toBe(200);
    expect(await shown.text()).toContain('counterfoil_mempool_size 7');
    for (const path of ['/', '/api/v1/status', '/metrics/../api/v1/config']) {
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(404);
    }
    expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(404);
  });

  it('names the option when the port is taken', async () => {
    const port = await freePort();
    await start(port);
    await expect(start(port)).rejects.toMatchObject({ code: 'PORT_IN_USE', message: /\[metrics\] address/ });
  });
});
