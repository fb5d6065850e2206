import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CommandError } from '../../../src/commands/exit-codes.ts';
import { explainDamage, openOrRepairChain } from '../../../src/commands/repair.ts';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { parseGenesis } from '../../../src/ledger/genesis-document.ts';
import { defined } from '../../../src/lib/assert.ts';
import { utf8 } from '../../../src/lib/bytes.ts';
import { type NodeConfig, resolveConfig } from '../../../src/node/config/config.ts';
import { beginArrival, carriedRows, completeArrival, isArrived, storePastBlocks } from '../../../src/store/arriving.ts';
import { CorruptionError, readBlock } from '../../../src/store/blocks.ts';
import type { KeyValueReads } from '../../../src/store/key-value.ts';
import { openLmdb } from '../../../src/store/lmdb.ts';
import { beginOpening, DAMAGED_FILE, endOpening, notedDamage, replacementDir } from '../../../src/store/replacement.ts';
import { META, TABLES } from '../../../src/store/schema.ts';
import { written } from '../../../src/store/written.ts';
import { storedChain } from '../../support/stored-chain.ts';
import { ALL_TABLES } from '../../support/stores.ts';

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

it('says what is needed when the damaged data had no earlier blocks to rebuild from', async () => {
  expect(beginOpening(dataDir)).toBe(false);
  const program = join(directory, 'job.mjs');
  const done = { kind: 'done', sentence: '', answer: { height: 0, oldest: 900, reason: 'block 1 is missing' } };
  const deeds = `kind === 'check' ? process.kill(process.pid, 'SIGSEGV') : process.send(${JSON.stringify(done)})`;
  writeFileSync(program, `process.on('message', ({ kind }) => { ${deeds}; });`);
  const warned: string[] = [];
  const logger = { info: () => undefined, warn: (_: unknown, message: string) => void warned.push(message) };
  const { store } = await openOrRepairChain({ config: configOf(directory), genesis, logger, program });
  await new Promise((resolve) => store.close(resolve));
  expect(warned.at(-1)).toContain('needs a peer that keeps everything');
});

const PAGE_BYTES = 4_096;
/** MDB_CORRUPTED, as a read gives it. */
const pageOfWrongType = (): Error => Object.assign(new Error('MDB_CORRUPTED'), { code: -30_796 });

/** Opens data of which a rebuilding, if there is one, finds nothing in order. @returns the height, and what was warned of */
async function openedWithNothingInOrder(): Promise<{ readonly height: number; readonly reasons: readonly unknown[] }> {
  const program = join(directory, 'job.mjs');
  const done = { kind: 'done', sentence: '', answer: { height: 0, oldest: 0, reason: 'all of it' } };
  writeFileSync(program, `process.on('message', () => process.send(${JSON.stringify(done)}));`);
  const reasons: unknown[] = [];
  const logger = { info: () => undefined, warn: (fields: object) => void reasons.push(Object.values(fields)[1]) };
  const { store, chain } = await openOrRepairChain({ config: configOf(directory), genesis, logger, program });
  await new Promise((resolve) => store.close(resolve));
  return { height: chain.head.height, reasons };
}

it('mends or passes over every page of zeros', async () => {
  const whole = readFileSync(join(dataDir, 'data.mdb'));
  const heights: number[] = [];
  for (let page = 2; page < whole.length / PAGE_BYTES; page += 1) {
    rmSync(dataDir, { recursive: true });
    mkdirSync(dataDir);
    const damaged = Uint8Array.from(whole).fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    writeFileSync(join(dataDir, 'data.mdb'), damaged);
    const { height } = await openedWithNothingInOrder();
    expect(existsSync(join(dataDir, DAMAGED_FILE))).toBe(height === 0);
    heights.push(height);
  }
  expect(new Set(heights)).toEqual(new Set([0, BLOCKS]));
});

it.each([
  ['an error of LMDB', pageOfWrongType()],
  ['one behind another', new Error('it failed', { cause: new Error('so did this', { cause: pageOfWrongType() }) })],
  ['a row that is none', new CorruptionError('the journal witness is damaged')],
])('ends a start on %s that comes when the data are open, and mends at the next', async (_, error) => {
  expect(explainDamage(error, dataDir)).toMatchObject({
    exit: 'DATA_UNUSABLE',
    code: 'DATABASE_DAMAGED',
    message: expect.stringContaining(dataDir),
    advice: expect.stringContaining('Start the node again'),
  });
  const reason = notedDamage(dataDir);
  expect(reason).not.toBeNull();
  const { height, reasons } = await openedWithNothingInOrder();
  expect(height).toBe(0);
  expect(reasons[0]).toBe(reason);
  endOpening(dataDir);
  expect(notedDamage(dataDir)).toBeNull();
});

it.each([
  new Error('MDB_MAP_FULL', { cause: Object.assign(new Error('no room'), { code: -30_792 }) }),
  Object.assign(new Error('the port is in use'), { code: 'EADDRINUSE' }),
  new CommandError('CONFIG_INVALID', 'There is no node key.'),
])('says nothing of the data for %s', (error) => {
  expect(explainDamage(error, dataDir)).toBe(error);
  expect(notedDamage(dataDir)).toBeNull();
});

/** Leaves beside the data a snapshot of their newest block that is whole, with history from `oldest` on. */
async function arrive(oldest: number): Promise<void> {
  const store = openLmdb(dataDir, ALL_TABLES);
  const into = openLmdb(replacementDir(dataDir), ALL_TABLES);
  const blocks = Array.from({ length: BLOCKS - oldest + 1 }, (_, index) => stored(store, BLOCKS - index));
  const { header, hash, certificate } = defined(blocks[0], 'there is a newest');
  await beginArrival(into, { header, hash, certificate });
  const missing = [...into.range(TABLES.missing, {})].map((row) => ({
    table: TABLES.missing,
    ...row,
    value: undefined,
  }));
  const state = [TABLES.state, TABLES.pages, TABLES.treeKeys, TABLES.ticketsByState].flatMap((table) =>
    [...store.range(table, {})].map((row) => ({ table, ...row })),
  );
  await written(into, [...missing, ...state]);
  const past = blocks.map(({ header, body, ...more }) => ({ ...more, block: { header, body } }));
  await storePastBlocks(into, past, null);
  await written(store, [{ table: TABLES.bans, key: utf8('lifted'), value: utf8('later') }]);
  const first = defined(readBlock(store, 0), 'a chain has a genesis');
  await completeArrival(into, { chainId: genesis.chainId, genesis: first, carried: [...carriedRows(store)] });
  await written(store, [
    { table: TABLES.bans, key: utf8('lifted'), value: undefined },
    { table: TABLES.meta, key: META.halt, value: utf8('a halt') },
  ]);
  for (const one of [store, into]) await new Promise((resolve) => one.close(resolve));
}

function stored(reads: KeyValueReads, height: number) {
  const block = defined(readBlock(reads, height), 'it is there');
  return { ...block, certificate: defined(block.certificate, 'it is final') };
}

it.each([1, BLOCKS - 1])(
  'takes a snapshot with history from block %i on, and what the node has written since',
  async (oldest) => {
    await arrive(oldest);
    const { store, chain } = await openOrRepairChain({
      config: configOf(directory),
      genesis,
      logger: { info: () => undefined, warn: () => undefined },
    });
    expect(chain.head.height).toBe(BLOCKS);
    expect(isArrived(store)).toBe(true);
    expect(store.get(TABLES.meta, META.halt)).toEqual(utf8('a halt'));
    expect([...store.range(TABLES.bans, {})]).toEqual([]);
    await new Promise((resolve) => store.close(resolve));
    expect(existsSync(join(dataDir, DAMAGED_FILE)), 'the old data were in order, and go').toBe(false);
    expect(existsSync(replacementDir(dataDir))).toBe(false);
  },
);
