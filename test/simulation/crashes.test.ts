import { describe, expect, test } from 'vitest';
import { PRODUCTION } from '../../src/simulator/bare/core.ts';
import { runSimulation } from '../../src/simulator/bare/report.ts';
import { World } from '../../src/simulator/bare/world.ts';
import type { Scenario } from '../../src/simulator/scenario.ts';
import { drawScenario } from '../../src/simulator/scenario.ts';

const QUIET: Partial<Scenario> = {
  byzantine: [],
  twins: [],
  lost: [],
  dead: [],
  wrongClocks: [],
  wiped: [],
  blackouts: 0,
  partitions: 0,
  crashes: 0,
  lossRate: 0,
  duplicateRate: 0,
  spikeRate: 0,
  delayMs: 3,
  skewMs: 0,
  faultsMs: 1_200,
  transactions: 8,
  checkpointInterval: 2,
  rotationInterval: 3,
  blockIntervalMs: 0,
  haste: 1,
  syncMsMax: 5,
  executionMs: 0,
  corrupt: [],
  encoded: false,
  restartMsMax: 50,
};

/** Runs one quiet network in which the node of a seat crashes at its `boundary`-th effect, and everything must still become final. */
function crashAt(
  seat: number,
  boundary: number,
  window: number,
): { readonly effects: number; readonly height: number } {
  const scenario: Scenario = { ...drawScenario({ seed: 7, n: 4, window }), ...QUIET };
  const world = new World(PRODUCTION, scenario);
  const victim = world.nodes[seat];
  if (victim === undefined) throw new Error('a world of four has four nodes');
  for (const node of world.nodes) world.startNode(node);
  victim.fuse = boundary;
  for (let count = 0; count < scenario.transactions; count += 1) world.after(20 + count * 80, () => world.submit());
  world.run(1_500);
  world.isHealed = true;
  for (const node of world.nodes) world.startNode(node);
  const isDone = (): boolean => world.nodes.every(({ alive, mempool }) => alive && mempool.size === 0);
  world.run(30_000, isDone);
  expect(isDone(), `boundary ${boundary}: everything is final`).toBe(true);
  return { effects: victim.effects, height: victim.chain.height };
}

describe('a crash at each boundary between two effects', () => {
  for (const window of [1, 2]) {
    for (const seat of [0, 1, 3]) {
      test(`loses nothing and contradicts nothing: window ${window}, seat ${seat}`, () => {
        const { effects, height } = crashAt(seat, 1_000_000, window);
        expect(height).toBeGreaterThanOrEqual(6);
        expect(effects).toBeGreaterThan(10 * height);
        for (let boundary = 1; boundary <= effects; boundary += 1) crashAt(seat, boundary, window);
      });
    }
  }
});

test('the same seed leads to the same run', () => {
  const { replay: _, ...first } = runSimulation({ seed: 4_711 });
  const { replay: __, ...second } = runSimulation({ seed: 4_711 });
  expect(first).toEqual(second);
});

test('a failing run names the one command that replays it', () => {
  const { replay } = runSimulation({ seed: 12, n: 4, window: 2 });
  expect(replay).toBe('npm run -s cf -- simulate --seed 12 --nodes 4 --window 2 --trace');
});
