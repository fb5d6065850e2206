import { once } from 'node:events';
import { createServer } from 'node:net';
import { allNodes, type DevnetPlan } from './plan.ts';

/** The first port of the plan that another program holds; undefined when all are free. */
export async function busyPort(plan: DevnetPlan): Promise<number | undefined> {
  const ports = [plan.basePort, ...allNodes(plan).flatMap(({ httpPort, peerPort }) => [httpPort, peerPort])];
  const free = await Promise.all(ports.map(isFree));
  return ports.find((_, index) => free[index] === false);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
