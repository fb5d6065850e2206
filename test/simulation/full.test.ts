import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseGenesis, writeGenesis } from '../../src/ledger/genesis-document.ts';
import { installSha256 } from '../../src/model/hash.ts';
import { describeNetwork } from '../../src/simulator/full-genesis.ts';
import { createFullKeys } from '../../src/simulator/full-keys.ts';
import { type FullReport, runFullSimulation } from '../../src/simulator/full-report.ts';
import { drawFullScenario } from '../../src/simulator/full-scenario.ts';

const LONG = process.env['COUNTERFOIL_LONG'] === '1';
/** Seeds for each size of network. */
const SEEDS = LONG ? 1_000 : 30;
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

  for (const { seed, n, window, what } of KNOWN) {
    test(`seed ${seed}: ${what}`, async () => {
      expect(fault(await runFullSimulation({ seed, n, window }))).toBeNull();
    });
  }

  afterAll(() => {
    const sum = (count: (report: FullReport) => number): number => reports.reduce((all, one) => all + count(one), 0);
    // A harness in which nothing happens finds nothing.
    expect(sum(({ acknowledged }) => acknowledged)).toBeGreaterThan(10 * reports.length);
    expect(sum(({ falls }) => falls)).toBeGreaterThan(reports.length);
    expect(sum(({ view }) => view)).toBeGreaterThan(reports.length);
    expect(sum(({ evidence }) => evidence)).toBeGreaterThan(0);
  });
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
