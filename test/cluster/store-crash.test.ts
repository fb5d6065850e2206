import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import { toHex } from '../../src/lib/bytes.ts';
import { openLmdb } from '../../src/store/lmdb.ts';
import { lockDataDir } from '../../src/store/lock.ts';
import { openNodeDisk } from '../../src/store/node-disk.ts';
import { type OpenedJournal, openJournal } from '../../src/store/open-journal.ts';

const CHILD = join(ROOT, 'test/cluster/store-child.mjs');
const PUBLIC_KEY = new Uint8Array(32).fill(3);
const CHAIN_ID = new Uint8Array(32).fill(4);
const ROUNDS = 5;

let directory: string;
const running = new Set<ChildProcess>();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-crash-'));
});

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

interface Child {
  readonly lines: string[];
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly end: () => void;
  /** Resolves with the exit code once the process is gone and all it said was read. */
  readonly gone: Promise<number | null>;
  /** Resolves once `count` lines were said, or the process is gone. */
  readonly said: (count: number) => Promise<void>;
}

function start(mode: string, prefix: readonly string[] = []): Child {
  const [command = '', ...rest] = [...prefix, process.execPath, CHILD, mode, directory, toHex(PUBLIC_KEY)];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'ignore'] });
  running.add(child);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const notify = (): void => {
    for (const check of waiting) check();
  };
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    notify();
  });
  const gone = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  const said = (count: number): Promise<void> =>
    Promise.race([
      gone.then(() => {}),
      new Promise<void>((resolve) => {
        const check = (): void => {
          if (lines.length < count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    ]);
  return { lines, kill: (signal) => child.kill(signal), end: () => child.stdin.end(), gone, said };
}

/** Starts the writer, lets it acknowledge `count` writes, kills it at once. */
async function killAfter(mode: string, count: number): Promise<number> {
  const child = start(mode);
  await child.said(count);
  child.kill('SIGKILL');
  await child.gone;
  const last = child.lines.at(-1) ?? '';
  expect(last).toMatch(/^durable \d+$/);
  return Number(last.split(' ')[1]);
}

function open(path: string): Promise<OpenedJournal | string> {
  return new Promise((resolve, reject) => {
    const disk = openNodeDisk(path);
    openJournal({ disk, publicKey: PUBLIC_KEY, chainId: CHAIN_ID, onFatal: reject }, (opened) => {
      resolve(opened.ok ? opened.value : opened.error.code);
    });
  });
}

describe('a process that is killed while it writes', () => {
  it('leaves a journal with everything that was acknowledged, again and again', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const acknowledged = await killAfter('journal', 60 + 31 * round);
      const opened = await open(directory);
      if (typeof opened === 'string') throw new Error(opened);
      const counts = [...opened.records].map((record) => {
        const bytes = Buffer.from(record);
        const count = bytes.readUInt32BE();
        expect(bytes.subarray(4).every((byte) => byte === count % 251)).toBe(true);
        return count;
      });
      const first = counts[0] ?? 0;
      expect(counts).toEqual(counts.map((_count, index) => first + index));
      expect(counts.at(-1)).toBeGreaterThanOrEqual(acknowledged);
      await new Promise<void>((resolve) => opened.journal.close(resolve));
    }
    cpSync(directory, `${directory}-copy`, { recursive: true, preserveTimestamps: true });
    expect(await open(`${directory}-copy`)).toBe('JOURNAL_COPIED');
    rmSync(`${directory}-copy`, { recursive: true });
  });

  it('leaves a database with everything that was acknowledged, whole batches only', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const acknowledged = await killAfter('lmdb', 40 + 17 * round);
      const store = openLmdb(directory, [1, 2]);
      const counts = new Set<number>();
      for (const table of [1, 2]) {
        for (const { value } of store.range(table, { from: Buffer.from('key'), to: Buffer.from('kez') })) {
          counts.add(Buffer.from(value).readUInt32BE());
        }
      }
      const [count = 0, ...others] = counts;
      expect(others).toEqual([]);
      expect(count).toBeGreaterThanOrEqual(acknowledged);
      const growing = [...store.range(2, { from: Buffer.from('growing'), to: Buffer.from('growinh') })];
      expect(growing).toHaveLength(count);
      expect(await new Promise((resolve) => store.close((closed) => resolve(closed.ok)))).toBe(true);
    }
  });
});

describe('a disk that takes no more', () => {
  /** A file size limit whose signal is ignored: writes beyond it fall short and then fail, as on a full disk. */
  const LIMITED = ['sh', '-c', `trap '' XFSZ; ulimit -f 8192; exec "$@"`, 'sh'];

  it('ends the journal once, and what was acknowledged is there', async () => {
    const child = start('journal', ['sh', '-c', `trap '' XFSZ; ulimit -f 64; exec "$@"`, 'sh']);
    expect(await child.gone).toBe(3);
    expect(child.lines.at(-1)).toBe('fatal EFBIG');
    const acknowledged = Number(child.lines.at(-2)?.split(' ')[1]);
    const opened = await open(directory);
    if (typeof opened === 'string') throw new Error(opened);
    const last = [...opened.records].at(-1) ?? new Uint8Array(4);
    expect(Buffer.from(last).readUInt32BE()).toBeGreaterThanOrEqual(acknowledged);
    await new Promise<void>((resolve) => opened.journal.close(resolve));
  });

  it('ends the database: a code, no further writes, and what was acknowledged is there', async () => {
    const child = start('lmdb', LIMITED);
    expect(await child.gone).toBe(3);
    expect(child.lines.slice(-3)).toEqual(['failed STORE_FAILED', 'refused STORE_FAILED', 'closed true']);
    const acknowledged = Number(child.lines.at(-4)?.split(' ')[1]);
    const store = openLmdb(directory, [1, 2]);
    const [first] = store.range(1, { limit: 1 });
    expect(Buffer.from(first?.value ?? new Uint8Array(4)).readUInt32BE()).toBe(acknowledged);
    await new Promise((resolve) => store.close(resolve));
  });
});

describe('the lock of a data directory', () => {
  it('names a living owner, and is free after kill -9', async () => {
    const child = start('lock');
    await child.said(1);
    expect(child.lines).toEqual(['held']);
    const refused = lockDataDir(directory);
    expect(refused.ok ? undefined : refused.error.code).toBe('DATA_DIR_LOCKED');
    const second = start('lock');
    await second.said(1);
    expect(second.lines[0]).toMatch(/^DATA_DIR_LOCKED \d+$/);
    second.end();
    await second.gone;
    child.kill('SIGKILL');
    await child.gone;
    const taken = lockDataDir(directory);
    expect(taken.ok).toBe(true);
    if (taken.ok) taken.value.release();
  });

  it('is taken over by exactly one of many that start at once', async () => {
    const dead = start('lock');
    await dead.said(1);
    dead.kill('SIGKILL');
    await dead.gone;
    const rivals = Array.from({ length: 6 }, () => start('lock'));
    await Promise.all(rivals.map((rival) => rival.said(1)));
    expect(rivals.filter((rival) => rival.lines[0] === 'held')).toHaveLength(1);
    for (const rival of rivals) rival.end();
    await Promise.all(rivals.map((rival) => rival.gone));
    expect(lockDataDir(directory).ok).toBe(true);
  });
});
