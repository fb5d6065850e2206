import { hash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { installSha256 } from '../../src/model/hash.ts';
import { type FullReport, runFullSimulation } from '../../src/simulator/full/report.ts';
import type { FullScenario, MachineFault } from '../../src/simulator/full/scenario.ts';

const LONG = process.env['COUNTERFOIL_LONG'] === '1';

beforeAll(() => installSha256((bytes) => new Uint8Array(hash('sha256', bytes, 'buffer'))));

/** A sound network for a quarter of a second, from the first byte of its journals on, in which blocks become final. */
const SHORT: Partial<FullScenario> = {
  liars: [],
  faults: [],
  cuts: [],
  lost: [],
  late: -1,
  faultsMs: 250,
  lossRate: 0,
  duplicateRate: 0,
  spikeRate: 0,
  delayMs: 1,
  restartMsMax: 20,
  skewMs: 5,
  driftPpm: 0,
  syncMsMax: 5,
  storeMsMax: 4,
  checkpointInterval: 2,
  rotationInterval: 3,
  blockIntervalMs: 0,
  haste: 1,
  isSignedForReal: false,
  tickets: 1,
  repeatRate: 0,
};

interface Shape {
  readonly n: number;
  readonly seed: number;
}

/** One moment in so many, from the first of them on. */
interface Chunk {
  readonly first: number;
  readonly step: number;
}

/** The same run every time, up to the moment before the machine's `use`-th use of a port: there it fails. */
function runWith({ n, seed }: Shape, fault: MachineFault, seat: number, use: number): Promise<FullReport> {
  const scenario = { ...SHORT, faults: [{ seat, fault, at: -30, fuse: use }] };
  return runFullSimulation({ seed, n, window: 1, scenario });
}

async function usesOf({ n, seed }: Shape, seat: number): Promise<number> {
  const { uses, failure, falls } = await runFullSimulation({ seed, n, window: 1, scenario: SHORT });
  expect({ failure, falls }).toEqual({ failure: null, falls: 0 });
  return uses[seat] ?? 0;
}

/** Every moment at which a machine of this run can fail, or one chunk of them. */
async function failAtEach(shape: Shape, fault: MachineFault, seat: number, chunk: Chunk): Promise<void> {
  const uses = await usesOf(shape, seat);
  expect(uses).toBeGreaterThan(80);
  for (let use = 1 + chunk.first; use <= uses; use += chunk.step) {
    const { failure, falls, replay } = await runWith(shape, fault, seat, use);
    const at = `${fault} of ${seat} at use ${use} of ${uses}, ${replay}`;
    expect({ at, failure, falls }).toEqual({ at, failure: null, falls: 1 });
  }
}

const FAULTS: readonly MachineFault[] = ['power-failure', 'kill'];
const ALL: Chunk = { first: 0, step: 1 };
/** What a short test takes of a network of four. */
const CHUNKS = 4;

describe('a production host that fails between any two deeds, its start included, loses nothing and contradicts nothing', () => {
  test('alone', () => failAtEach({ n: 1, seed: 7 }, 'power-failure', 0, ALL));

  for (const seat of [0, 1, 2, 3]) {
    const fault: MachineFault = seat % 2 === 0 ? 'power-failure' : 'kill';
    test(`seat ${seat} of four, every ${CHUNKS}th moment`, () =>
      failAtEach({ n: 4, seed: 2 }, fault, seat, { first: seat, step: CHUNKS }));
  }
});

if (LONG) {
  describe('the same, every moment', () => {
    for (const n of [1, 2, 4]) {
      for (const seed of [1, 2, 7]) {
        for (const fault of FAULTS) {
          test(`${n} machines, seed ${seed}, ${fault}`, { timeout: 1_800_000 }, async () => {
            for (let seat = 0; seat < n; seat += 1) await failAtEach({ n, seed }, fault, seat, ALL);
          });
        }
      }
    }
  });
}
