import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import { type Job, type JobOutcome, JobProcess } from '../../src/commands/job-process.ts';
import { createPrng, type Prng } from '../../src/lib/prng.ts';
import { oldestRow } from '../../src/store/blocks.ts';
import type { KeyValue, KeyValueChange, KeyValueReads } from '../../src/store/key-value.ts';
import { openLmdb, openLmdbForReading } from '../../src/store/lmdb.ts';
import { heightKey, META, TABLES } from '../../src/store/schema.ts';
import { written } from '../../src/store/written.ts';
import { ChainGenerator } from '../support/chain-generator.ts';
import { ALL_TABLES, contentOf } from '../support/stores.ts';
import { counterfoil, endPrograms } from './support/program.ts';
import { IS_LONG } from './support/until.ts';

const BLOCKS = 8;
/** Each reads a whole chain in a process: all of them take a minute. */
const COPIES = IS_LONG ? 208 : 64;
const PAGE_BYTES = 4_096;
const PROGRAM = join(ROOT, 'dist', 'main.js');

let directory: string;
let home: string;
/** Of the database as it is, and as it was before its last transaction: the two moments that an LMDB file holds. */
let contents: readonly string[];
let database: Uint8Array;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-offline-'));
  home = join(directory, 'home');
  const made = await makeHome(home, 31);
  contents = made.contents;
  // A Buffer's slices are views.
  database = new Uint8Array(readFileSync(join(home, 'data', 'data.mdb')));
});

afterEach(endPrograms);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function makeHome(path: string, seed: number, authorities = 4) {
  mkdirSync(path, { recursive: true });
  const store = openLmdb(join(path, 'data'), ALL_TABLES);
  const generator = await ChainGenerator.open(store, { seed, transactions: 8, authorities });
  await generator.grow(BLOCKS);
  const before = contentOf(store);
  await generator.grow(1);
  const after = contentOf(store);
  writeFileSync(join(path, 'genesis.json'), generator.genesisBytes);
  await close(store);
  return { contents: [after, before] };
}

function close(store: Pick<KeyValue, 'close'>): Promise<void> {
  return new Promise((resolve, reject) => store.close((done) => (done.ok ? resolve() : reject(done.error))));
}

async function withReads<T>(path: string, use: (reads: KeyValueReads) => T): Promise<T> {
  const store = openLmdbForReading(path, ALL_TABLES);
  const snapshot = store.snapshot();
  try {
    return use(snapshot);
  } finally {
    snapshot.close();
    await close(store);
  }
}

/** What a disk can do to a file. */
const DAMAGES: readonly (readonly [string, (bytes: Uint8Array, random: Prng) => Uint8Array])[] = [
  ['a flipped bit', (bytes, random) => changed(bytes, random.below(bytes.length), [1 << random.below(8)])],
  ['eight other bytes', (bytes, random) => changed(bytes, random.below(bytes.length), noise(random, 8))],
  ['a page of noise', (bytes, random) => changed(bytes, pageOf(bytes, random), noise(random, PAGE_BYTES))],
  ['a page of zeros', (bytes, random) => replaced(bytes, pageOf(bytes, random), new Uint8Array(PAGE_BYTES))],
  [
    'a page of another place',
    (bytes, random) => {
      const from = pageOf(bytes, random);
      return replaced(bytes, pageOf(bytes, random), bytes.slice(from, from + PAGE_BYTES));
    },
  ],
  ['a new header of a page', (bytes, random) => changed(bytes, pageOf(bytes, random), noise(random, 24))],
  ['an end that is missing', (bytes, random) => bytes.slice(0, random.below(bytes.length))],
  ['pages at the end that are missing', (bytes, random) => bytes.slice(0, pageOf(bytes, random))],
];

function pageOf(bytes: Uint8Array, random: Prng): number {
  return PAGE_BYTES * random.below(Math.floor(bytes.length / PAGE_BYTES));
}

function noise(random: Prng, count: number): readonly number[] {
  return Array.from({ length: count }, () => random.below(256));
}

function changed(bytes: Uint8Array, offset: number, mask: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  mask.forEach((bits, index) => {
    if (offset + index < copy.length) copy[offset + index] = (copy[offset + index] ?? 0) ^ bits;
  });
  return copy;
}

function replaced(bytes: Uint8Array, offset: number, page: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.set(page, offset);
  return copy;
}

interface Copy {
  readonly name: string;
  readonly path: string;
}

function damagedCopy(index: number): Copy {
  const random = createPrng(1_000 + index);
  const damage = DAMAGES[index % DAMAGES.length];
  if (damage === undefined) throw new Error('there is a damage');
  const path = join(directory, `copy-${index}`);
  mkdirSync(path);
  writeFileSync(join(path, 'data.mdb'), damage[1](database, random));
  return { name: `${index}: ${damage[0]}`, path };
}

function verifyJob(path: string): Job {
  const scratchDir = join(directory, 'scratch');
  return { kind: 'verify', dataDir: path, genesisFile: join(home, 'genesis.json'), scratchDir };
}

/** Verifies copies one after another; settles with how each was judged. */
async function judge(indexes: readonly number[]): Promise<ReadonlyMap<string, JobOutcome>> {
  const worker = new JobProcess({ program: PROGRAM, silenceMsMax: 30_000 });
  const outcomes = new Map<string, JobOutcome>();
  for (const index of indexes) {
    const { name, path } = damagedCopy(index);
    const outcome = await worker.run(verifyJob(path), () => undefined);
    outcomes.set(name, outcome);
    // Taken for good: then nothing of the content is different, and the damage was in bytes that hold none.
    if (outcome.kind === 'done') expect(contents, name).toContain(await withReads(path, contentOf));
    rmSync(path, { recursive: true });
  }
  worker.end();
  return outcomes;
}

describe('a database file that is damaged anywhere', () => {
  it('is found to be damaged, or holds what it held', async () => {
    const all = Array.from({ length: COPIES }, (_, index) => index);
    const halves = [0, 1].map((half) => all.filter((index) => index % 2 === half));
    const outcomes = (await Promise.all(halves.map(judge))).flatMap((map) => [...map]);
    const kinds = new Map<string, number>();
    for (const [, { kind }] of outcomes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    expect(outcomes.length).toBe(COPIES);
    const found = COPIES - (kinds.get('done') ?? 0);
    expect(found, JSON.stringify([...kinds])).toBeGreaterThan(COPIES / 3);
    expect(found, JSON.stringify([...kinds])).toBeLessThan(COPIES);
    const codes = new Set(outcomes.flatMap(([, outcome]) => (outcome.kind === 'fault' ? [outcome.code] : [])));
    expect(codes.size, [...codes].join()).toBeGreaterThan(3);
    const ended = outcomes.filter(([, outcome]) => outcome.kind === 'interrupted');
    expect(ended, 'damage ends a process by a fault of its own, and none had to be ended').toEqual([]);
  });
});

describe('a process that reads a database', () => {
  it('is ended when it says nothing any more', async () => {
    const program = join(directory, 'silent.mjs');
    writeFileSync(program, "process.on('message', () => { for (;;); });");
    const worker = new JobProcess({ program, silenceMsMax: 500 });
    const outcome = await worker.run(verifyJob(join(home, 'data')), () => undefined);
    expect(outcome).toEqual({ kind: 'interrupted', how: 'it said nothing for 0.5 s', height: null });
  });
});

describe('counterfoil chain verify', () => {
  const verify = (path: string, ...more: readonly string[]) =>
    counterfoil(['chain', 'verify', '--data', path, '--genesis', join(home, 'genesis.json'), ...more]);

  it('says that a chain is in order, of a home and of a directory, in words and in JSON', async () => {
    const ofHome = await counterfoil(['chain', 'verify', '--home', home]);
    expect(ofHome.code, ofHome.output).toBe(0);
    expect(ofHome.output).toContain(`${BLOCKS + 2} blocks`);
    const { code, stdout } = await verify(join(home, 'data'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, blocks: BLOCKS + 2, head: { height: BLOCKS + 1 } });
  });

  it('works beside whoever writes the database', async () => {
    const path = join(directory, 'busy');
    const store = openLmdb(join(path, 'data'), ALL_TABLES);
    const generator = await ChainGenerator.open(store, { seed: 31, transactions: 12 });
    await generator.grow(5);
    const running = verify(join(path, 'data'));
    await generator.grow(40);
    const { code, output } = await running;
    expect(output).toContain('in order');
    expect(code).toBe(0);
    await close(store);
  });

  it('names the block of a wrong row and ends with 8', async () => {
    const path = join(directory, 'tampered');
    mkdirSync(path);
    copyFileSync(join(home, 'data', 'data.mdb'), join(path, 'data.mdb'));
    const store = openLmdb(path, ALL_TABLES);
    const key = heightKey(4);
    await new Promise<void>((resolve, reject) => {
      store.write([{ table: TABLES.receipts, key, value: undefined }], { durable: resolve, failed: reject });
    });
    await close(store);
    const told = await verify(path);
    expect(told.code).toBe(8);
    expect(told.output).toContain('block 4');
    const { code, stdout } = await verify(path, '--json');
    expect(code).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({ valid: false, fault: { height: 4, code: 'BLOCK_DAMAGED' } });
  });

  it.each([
    ['cut to its first page', (bytes: Uint8Array) => bytes.slice(0, PAGE_BYTES)],
    ['cut in the middle', (bytes: Uint8Array) => bytes.slice(0, bytes.length / 2)],
    ['empty', () => new Uint8Array()],
    ['of zeros', (bytes: Uint8Array) => new Uint8Array(bytes.length)],
    ['something else', () => new TextEncoder().encode('not a database '.repeat(1_000))],
    ['without all but its first pages', headed],
  ])('survives a file that is %s', async (name, damage) => {
    const path = join(directory, `command ${name}`);
    mkdirSync(path);
    writeFileSync(join(path, 'data.mdb'), damage(database));
    const { code, output } = await verify(path);
    expect([7, 8], output).toContain(code);
    expect(output).toMatch(/^counterfoil: .* \([A-Z_]+\)\n./);
    expect(output).not.toContain('    at ');
  });

  it('ends with 7 where there is no chain, and with 2 without a genesis document', async () => {
    expect((await verify(join(directory, 'nowhere'))).code).toBe(7);
    expect((await counterfoil(['chain', 'verify', '--data', join(home, 'data')])).code).toBe(2);
  });

  it('does not take another chain for ours', async () => {
    const other = join(directory, 'other');
    await makeHome(other, 31, 5);
    const { code, output } = await verify(join(other, 'data'));
    expect(code).toBe(8);
    expect(output).toContain('not of the chain of this genesis');
  });
});

/** The two pages that say where everything is, and noise in the place of everything. */
function headed(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length).fill(0xa5);
  copy.set(bytes.slice(0, 2 * PAGE_BYTES));
  return copy;
}

describe('counterfoil chain export and import', () => {
  let file: string;

  beforeAll(async () => {
    file = join(directory, 'chain.cf');
    const { code, output } = await counterfoil(['chain', 'export', '--home', home, '--out', file]);
    expect(code, output).toBe(0);
  });

  function freshHome(name: string): string {
    const path = join(directory, name);
    mkdirSync(path);
    copyFileSync(join(home, 'genesis.json'), join(path, 'genesis.json'));
    return path;
  }

  /** All rows but the journal's witness, which is the other node's own. */
  async function contentOfHome(path: string): Promise<string> {
    return await withReads(join(path, 'data'), (reads) =>
      contentOf({
        get: reads.get,
        range: (table, range) =>
          [...reads.range(table, range)].filter(
            ({ key }) => table !== TABLES.meta || !Buffer.from(key).equals(META.witness),
          ),
      }),
    );
  }

  /** What an export says of the chain with that change to its rows. */
  async function exportChanged(name: string, change: KeyValueChange) {
    const path = join(directory, name);
    mkdirSync(path);
    copyFileSync(join(home, 'data', 'data.mdb'), join(path, 'data.mdb'));
    const store = openLmdb(path, ALL_TABLES);
    await written(store, [change]);
    await close(store);
    const from = ['--data', path, '--genesis', join(home, 'genesis.json')];
    return await counterfoil(['chain', 'export', ...from, '--out', join(directory, `${name}.cf`)]);
  }

  it('says what is pruned, and who can export', async () => {
    const { code, output } = await exportChanged('pruned', oldestRow(3));
    expect(code).toBe(7);
    expect(output).toContain('Blocks 1 to 2 are not kept here');
    expect(output).toContain('(PRUNED)\nExport from a node that keeps everything');
  });

  it('says that what cannot be exported is damaged', async () => {
    const { code, output } = await exportChanged('gap', { table: TABLES.blocks, key: heightKey(3), value: undefined });
    expect(code).toBe(7);
    expect(output).toContain('(DATABASE_DAMAGED)\nStart the node again');
  });

  it('carry a chain from one home to another, byte for byte', async () => {
    const target = freshHome('import');
    const { code, stdout } = await counterfoil(['chain', 'import', file, '--home', target, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ added: BLOCKS + 1, known: 0 });
    expect(await contentOfHome(target)).toBe(await contentOfHome(home));
    const again = join(directory, 'again.cf');
    expect((await counterfoil(['chain', 'export', '--home', target, '--out', again])).code).toBe(0);
    expect(readFileSync(again)).toEqual(readFileSync(file));
    expect((await counterfoil(['chain', 'export', '--home', target, '--out', again])).code).toBe(1);
  });

  it('go on where a file was cut, and where the process was killed', async () => {
    const target = freshHome('resumed');
    const part = join(directory, 'part.cf');
    copyFileSync(file, part);
    truncateSync(part, Math.floor(statSync(file).size * 0.6));
    const first = await counterfoil(['chain', 'import', part, '--home', target, '--json']);
    expect(first.code).toBe(8);
    expect(JSON.parse(first.stdout)).toMatchObject({ valid: false, fault: { code: 'FILE_CUT' } });
    const worker = new JobProcess({ program: PROGRAM });
    const genesisFile = join(target, 'genesis.json');
    const places = { home: target, dataDir: join(target, 'data'), journalDir: join(target, 'journal'), genesisFile };
    await worker.run({ kind: 'import', file, ...places }, () => worker.end());
    worker.end();
    const last = await counterfoil(['chain', 'import', file, '--home', target, '--json']);
    expect(last.code, last.output).toBe(0);
    expect(JSON.parse(last.stdout)).toMatchObject({ head: { height: BLOCKS + 1 } });
    expect(await contentOfHome(target)).toBe(await contentOfHome(home));
  });

  it('refuse another chain, a home that runs, and what is no such file', async () => {
    const other = join(directory, 'stranger');
    mkdirSync(other);
    await makeHome(other, 1, 5);
    const strange = await counterfoil(['chain', 'import', file, '--home', other]);
    expect(strange.code).toBe(8);
    expect(strange.output).toContain('is of the chain');
    const target = freshHome('locked');
    writeFileSync(
      join(target, 'LOCK'),
      JSON.stringify({ pid: process.pid, started: '', host: 'elsewhere', boot: '', processes: '' }),
    );
    expect((await counterfoil(['chain', 'import', file, '--home', target])).code).toBe(7);
    const nothing = join(target, 'genesis.json');
    rmSync(join(target, 'LOCK'));
    const noFile = await counterfoil(['chain', 'import', nothing, '--home', target]);
    expect(noFile.code).toBe(8);
    expect(noFile.output).toContain('does not begin as one');
    expect((await counterfoil(['chain', 'import', 'nowhere.cf', '--home', target])).code).toBe(4);
  });

  it('begin nothing on a chain whose newest block is not proven final, and say what mends it', async () => {
    const target = join(directory, 'unproven');
    await makeHome(target, 31);
    const store = openLmdb(join(target, 'data'), ALL_TABLES);
    const value = store.get(TABLES.certificates, heightKey(1));
    const change = { table: TABLES.certificates, key: heightKey(BLOCKS + 1), value };
    await new Promise<void>((resolve, reject) => store.write([change], { durable: resolve, failed: reject }));
    await close(store);
    const { code, output } = await counterfoil(['chain', 'import', file, '--home', target]);
    expect(code).toBe(7);
    expect(output).toContain(`certificate of block ${BLOCKS + 1}`);
    expect(output).toContain('Start the node');
  });
});
