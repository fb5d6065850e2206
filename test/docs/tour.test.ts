import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet } from '../cluster/support/devnet.ts';
import { endPrograms } from '../cluster/support/program.ts';
import { follow } from './story.ts';
import { Tour } from './tour.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-docs-'));
});
afterEach(endPrograms);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the five-minute tour of the README', () => {
  it('prints what it says it prints', async () => {
    const net = await startDevnet(directory);
    const tour = new Tour({ directory, basePort: net.basePort, hasGateway: true });
    const [home] = /\S*counterfoil-devnet-[A-Za-z0-9]+/.exec(net.nodes[0]?.home ?? '') ?? [''];
    tour.rename('/tmp/counterfoil-devnet-XXXXXX', home);
    try {
      const run = await follow(tour, {
        section: 'Five-minute tour',
        devnetOutput: () => net.program.stdout().replaceAll(home, '/tmp/counterfoil-devnet-XXXXXX'),
      });
      expect(run).toBeGreaterThan(15);
    } finally {
      await tour.end();
      net.program.child.kill('SIGTERM');
      await net.program.ended;
    }
  });
});
