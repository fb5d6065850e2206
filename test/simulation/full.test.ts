import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseGenesis, writeGenesis } from '../../src/ledger/genesis-document.ts';
import { installSha256 } from '../../src/model/hash.ts';
import { describeNetwork } from '../../src/simulator/full/genesis.ts';
import { createFullKeys } from '../../src/simulator/full/keys.ts';
import { type FullReport, runFullSimulation } from '../../src/simulator/full/report.ts';
import {
  drawFullScenario,
  type FullScenario,
  type MachineFault,
  type PlannedFault,
} from '../../src/simulator/full/scenario.ts';

const LONG = process.env['COUNTERFOIL_LONG'] === '1';
/** Seeds for each size of network. */
const SEEDS = LONG ? 1_000 : 25;
const SIZES = [1, 3, 4, 5, 7];

const KNOWN: readonly {
  readonly seed: number;
  readonly n?: number;
  readonly window?: number;
  readonly what: string;
}[] = JSON.parse(readFileSync(new URL('known-seeds.json', import.meta.url), 'utf8'));

// The SHA-256 that a node uses, at eight times the speed.
beforeAll(() => installSha256((bytes) => new Uint8Array(hash('sha256', bytes, 'buffer'))));

const reports: FullReport[] = [];

/** What a failing seed shows: the invariant, and the command that runs it again. */
function fault({ failure, replay }: FullReport): string | null {
  return failure === null ? null : `${replay}\n${failure.detail}`;
}

describe('whole nodes keep every invariant', () => {
  for (const n of SIZES) {
    test(`${n} of them, ${SEEDS} seeds`, { timeout: LONG ? 3_600_000 : 120_000 }, async () => {
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const report = await runFullSimulation({ seed: 10_000 * n + seed, n });
        reports.push(report);
        expect(fault(report)).toBeNull();
      }
    });
  }

  test('and a lot happens meanwhile', () => {
    const sum = (count: (report: FullReport) => number): number => reports.reduce((all, one) => all + count(one), 0);
    // A harness in which nothing happens finds nothing.
    expect(sum(({ acknowledged }) => acknowledged)).toBeGreaterThan(10 * reports.length);
    expect(sum(({ falls }) => falls)).toBeGreaterThan(reports.length);
    expect(sum(({ view }) => view)).toBeGreaterThan(reports.length);
    expect(sum(({ evidence }) => evidence)).toBeGreaterThan(0);
  });

  for (const { seed, n, window, what } of KNOWN) {
    test(`seed ${seed}: ${what}`, async () => {
      expect(fault(await runFullSimulation({ seed, n, window }))).toBeNull();
    });
  }
});

/** What the drawing seldom reaches; each was found by these runs, or by a longer campaign. */
describe('whole nodes survive', () => {
  const CALM = { liars: [], cuts: [], lost: [], late: -1, lossRate: 0, spikeRate: 0 } as const;
  const all = (n: number, fault: MachineFault, at: number): PlannedFault[] =>
    Array.from({ length: n }, (_, seat) => ({ seat, fault, at, fuse: 0 }));

  const survive = async (n: number, window: number, scenario: Partial<FullScenario>): Promise<void> => {
    for (let seed = 1; seed <= (LONG ? 100 : 4); seed += 1) {
      expect(fault(await runFullSimulation({ seed, n, window, scenario: { ...CALM, ...scenario } }))).toBeNull();
    }
  };

  for (const [n, window] of [
    [1, 1],
    [4, 1],
    [4, 4],
  ] as const) {
    test(`a power failure of all ${n} while their stores lag behind, window ${window}`, () =>
      survive(n, window, {
        faultsMs: 4_000,
        blockIntervalMs: 100,
        storeMsMax: 300,
        faults: all(n, 'power-failure', 2_000),
      }));
  }

  test('a store that is lost while the journal is long', () =>
    survive(4, 1, {
      faultsMs: 4_000,
      blockIntervalMs: 100,
      checkpointInterval: 100,
      faults: [{ seat: 2, fault: 'wipe-data', at: 3_000, fuse: 0 }],
    }));

  test('a seat that starts only when the chain is long', () =>
    survive(4, 1, { faultsMs: 4_000, blockIntervalMs: 100, late: 3, faults: [] }));

  test('a process that is killed again and again', () =>
    survive(4, 2, {
      faultsMs: 1_500,
      restartMsMax: 20,
      faults: Array.from({ length: 25 }, (_, index) => ({
        seat: index % 4,
        fault: index % 2 === 0 ? 'kill' : 'power-failure',
        at: 50 * index,
        fuse: 1 + 7 * index,
      })),
    }));
});

describe('a run', () => {
  test('is the same when it is run again', async () => {
    const lines = async (): Promise<string[]> => {
      const trace: string[] = [];
      await runFullSimulation({ seed: 7, n: 4, trace: (line) => trace.push(line) });
      return trace;
    };
    expect(await lines()).toEqual(await lines());
  });

  test('with real signatures keeps every invariant as well', async () => {
    const report = await runFullSimulation({ seed: 11, n: 4, scenario: { isSignedForReal: true } });
    expect(fault(report)).toBeNull();
  });

  test('says how to run it again', async () => {
    const { replay } = await runFullSimulation({ seed: 5, n: 4, window: 2 });
    expect(replay).toBe('npm run -s cf -- simulate --full --seed 5 --nodes 4 --window 2 --trace');
  });

  test('begins with a genesis document as a network would write it', () => {
    const scenario = drawFullScenario({ seed: 3, n: 7 });
    const document = describeNetwork(scenario, createFullKeys(3, false));
    expect(parseGenesis(writeGenesis(document))).toMatchObject({ ok: true });
  });
});
