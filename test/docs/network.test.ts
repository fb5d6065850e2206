import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endPrograms, freeBasePort } from '../cluster/support/program.ts';
import { until } from '../cluster/support/until.ts';
import { follow } from './story.ts';
import { Tour } from './tour.ts';

const NAMES = ['federation', 'venue', 'boxoffice', 'city'];
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-docs-'));
});
afterEach(endPrograms);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The homes that the page makes are on the ports that it names: here they move to ports of this run. */
function movePorts(tour: Tour): void {
  for (const name of NAMES) {
    const file = join(directory, 'my-network', name, 'config.toml');
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const moved = tour.here(text);
    if (moved !== text) writeFileSync(file, moved, { mode: 0o600 });
  }
}

/** All nodes hold the same head and serve: what a reader waits for by looking at the terminals. */
async function untilInStep(basePort: number): Promise<void> {
  const ask = async (index: number): Promise<string | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${basePort + 1 + index}/api/v1/status`).catch(() => undefined);
    const status = answer?.ok ? JSON.stringify(await answer.json()) : '';
    return status.includes('"connected":4') ? /"hash":"(\w+)"/.exec(status)?.[1] : undefined;
  };
  await until(
    async () => {
      const heads = await Promise.all(NAMES.map((_, index) => ask(index)));
      return heads.every((head) => head !== undefined && head === heads[0]) ? true : undefined;
    },
    { what: 'four nodes in step' },
  );
}

describe('a real network, as the README makes one', () => {
  it('prints what the page says', async () => {
    const basePort = await freeBasePort();
    const tour = new Tour({ directory, basePort, hasGateway: false });
    let started = 0;
    try {
      const run = await follow(tour, {
        section: 'A real network',
        devnetOutput: () => '',
        afterBlock: async (block) => {
          movePorts(tour);
          if (block.directive.startsWith('background')) started += 1;
          if (started === NAMES.length) await untilInStep(basePort);
        },
      });
      expect(run).toBeGreaterThan(7);
    } finally {
      await tour.end();
    }
  });
});
