import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openOrRepairChain } from '../../../src/commands/repair.ts';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { parseGenesis } from '../../../src/ledger/genesis-document.ts';
import { type NodeConfig, resolveConfig } from '../../../src/node/config/config.ts';
import { beginOpening, DAMAGED_FILE } from '../../../src/store/replacement.ts';
import { storedChain } from '../../support/stored-chain.ts';

const BLOCKS = 5;

let directory: string;
let dataDir: string;
let genesis: Genesis;

beforeEach(async () => {
  const stored = await storedChain({ seed: 77, transactions: 3, blocks: BLOCKS });
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-repair-'));
  dataDir = join(directory, 'data');
  mkdirSync(dataDir);
  copyFileSync(join(stored.dataDir, 'data.mdb'), join(dataDir, 'data.mdb'));
  copyFileSync(stored.genesisFile, join(directory, 'genesis.json'));
  const parsed = parseGenesis(readFileSync(stored.genesisFile));
  if (!parsed.ok) throw new Error('it is a genesis document');
  genesis = parsed.value;
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Starts as after a start that ended while it opened the data; the processes of its jobs end by these signals. */
async function height(signals: { readonly check: string; readonly rebuild: string }): Promise<number> {
  expect(beginOpening(dataDir)).toBe(false);
  const program = join(directory, 'job.mjs');
  const ending = `process.kill(process.pid, ${JSON.stringify(signals)}[kind])`;
  writeFileSync(program, `process.on('message', ({ kind }) => { ${ending}; });`);
  const { store, chain } = await openOrRepairChain({
    config: configOf(directory),
    genesis,
    logger: { info: () => undefined, warn: () => undefined },
    program,
  });
  await new Promise((resolve) => store.close(resolve));
  return chain.head.height;
}

function configOf(home: string): NodeConfig {
  const resolved = resolveConfig({ home, file: undefined, environment: {}, flags: new Map() });
  if (!resolved.ok) throw new Error(resolved.error.join());
  return resolved.value.config;
}

it.each([
  { check: 'SIGKILL', rebuild: 'SIGSEGV' },
  { check: 'SIGTERM', rebuild: 'SIGSEGV' },
  { check: 'SIGSEGV', rebuild: 'SIGKILL' },
])('replaces nothing when somebody else ends the check or the rebuilding: %o', async (signals) => {
  await expect(height(signals)).rejects.toMatchObject({ exit: 'DATA_UNUSABLE', code: 'INTERRUPTED' });
  expect(existsSync(join(dataDir, DAMAGED_FILE))).toBe(false);
  expect(existsSync(join(dataDir, 'data.mdb'))).toBe(true);
});

it.each(['SIGSEGV', 'SIGBUS', 'SIGABRT'])('takes %s of whoever reads the data for damage', async (signal) => {
  expect(await height({ check: signal, rebuild: signal })).toBe(0);
  expect(existsSync(join(dataDir, DAMAGED_FILE))).toBe(true);
});
