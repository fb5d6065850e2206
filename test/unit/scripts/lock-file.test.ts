import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLockFile } from '../../../scripts/lock-file.mjs';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterfoil-lock-'));
  path = join(folder, 'lock');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const noWait = (): never => {
  throw new Error('waited for a lock that nobody holds');
};

function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

test('is there while the work runs, and gone after it, also after a failure', async () => {
  expect(await withLockFile(path, async () => existsSync(path), noWait)).toBe(true);
  expect(existsSync(path)).toBe(false);
  const failure = withLockFile(path, () => Promise.reject(new Error('no')), noWait);
  await expect(failure).rejects.toThrow('no');
  expect(readdirSync(folder)).toEqual([]);
});

test('lets one in after the other', async () => {
  const order: string[] = [];
  const second = (onWait: (pid: number) => void) =>
    withLockFile(path, async () => void order.push('second works'), onWait);
  let isSecondDone = Promise.resolve();
  const first = async () => {
    await new Promise<void>((secondWaits) => {
      isSecondDone = second((pid) => {
        order.push(`second waits for ${pid === process.pid ? 'us' : 'another'}`);
        secondWaits();
      });
    });
    order.push('first is done');
  };
  await withLockFile(path, first, noWait);
  await isSecondDone;
  expect(order).toEqual(['second waits for us', 'first is done', 'second works']);
});

test('of a process that is gone does not hold', async () => {
  writeFileSync(path, JSON.stringify({ pid: deadProcess(), host: hostname() }));
  expect(await withLockFile(path, async () => 'done', noWait)).toBe('done');
  expect(readdirSync(folder)).toEqual([]);
});

test('of a process that is gone holds while its child works', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  writeFileSync(path, JSON.stringify({ pid: deadProcess(), child: child.pid, host: hostname() }));
  let waited = 0;
  await withLockFile(
    path,
    async () => {},
    () => {
      waited += 1;
      child.kill('SIGKILL');
    },
  );
  expect(waited).toBe(1);
});

test('names the child that keeps it', async () => {
  const text = await withLockFile(
    path,
    async (keepFor) => {
      keepFor(4711);
      return readFileSync(path, 'utf8');
    },
    noWait,
  );
  expect(JSON.parse(text)).toEqual({ pid: process.pid, child: 4711, host: hostname() });
});

test('of another machine, or half written, holds until it is old', async () => {
  for (const text of [JSON.stringify({ pid: deadProcess(), host: 'elsewhere' }), '{"pid":']) {
    writeFileSync(path, text);
    let waited = 0;
    const result = await withLockFile(
      path,
      async () => 'done',
      () => {
        waited += 1;
        const anHourAgo = new Date(Date.now() - 3_600_000);
        utimesSync(path, anHourAgo, anHourAgo);
      },
    );
    expect({ result, waited }).toEqual({ result: 'done', waited: 1 });
  }
});
