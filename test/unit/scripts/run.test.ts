import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { runCaptured } from '../../../scripts/run.mjs';

function node(source: string, deadlineMs?: number) {
  const options = deadlineMs === undefined ? {} : { deadlineMs };
  return runCaptured(process.execPath, ['-e', source], { cwd: tmpdir(), ...options });
}

test('gives the code and what was written', async () => {
  const run = await node("process.stdout.write('out'); process.exitCode = 3;");
  expect(run).toMatchObject({ code: 3, output: 'out', signal: undefined, spawnError: undefined, timedOut: false });
});

test('an end by a signal is not a success', async () => {
  expect(await node("process.kill(process.pid, 'SIGKILL')")).toMatchObject({ code: 1, signal: 'SIGKILL' });
});

test('a program that is not there is not a success', async () => {
  const run = await runCaptured('counterfoil-no-such-program', [], { cwd: tmpdir() });
  expect(run.code).toBe(1);
  expect(run.spawnError).toContain('ENOENT');
});

test('the deadline ends the child and what it started', async () => {
  const child =
    "require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })";
  expect(await node(`${child}; setInterval(() => {}, 1000);`, 300)).toMatchObject({ code: 1, timedOut: true });
});

test('does not wait for ever for a grandchild that holds the output', async () => {
  const grandchild = 'setInterval(() => {}, 1000)';
  const child = `require('child_process').spawn(process.execPath, ['-e', '${grandchild}'], { stdio: 'inherit' }).unref()`;
  expect(await node(child)).toMatchObject({ code: 0, timedOut: false });
});
