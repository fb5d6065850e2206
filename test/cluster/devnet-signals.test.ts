import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readDescribed, startDevnet } from './support/devnet.ts';
import { endPrograms, freeBasePort, startCounterfoil, startProgram, untilGone } from './support/program.ts';
import { until } from './support/until.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});

/** In its last milliseconds, when all is tidied up, Node listens to no signal any more; npm may pass one on then. */
const END_BY_CTRL_C = [0, 'SIGINT', 130];

afterEach(endPrograms);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function untilRemoved(path: string): Promise<void> {
  await until(() => (existsSync(path) ? undefined : true), { what: `the removal of ${path}` });
}

/** Whether `script` of util-linux is here: it gives a program a terminal. */
function canHaveTerminal(): boolean {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
}

describe('a devnet that is killed', () => {
  it('takes its nodes and its temporary directory with it', async () => {
    const net = await startDevnet(directory, ['--nodes', '3', '--tickets', '3']);
    const homes = dirname(net.nodes[0]?.home ?? '');
    expect(existsSync(homes)).toBe(true);
    net.program.child.kill('SIGKILL');
    expect(await net.program.ended).toBe('SIGKILL');
    await untilGone(net.nodes.map(({ pid }) => pid));
    await untilRemoved(homes);
  });

  it('leaves a network that is kept where it is', async () => {
    const home = join(directory, 'kept');
    const net = await startDevnet(directory, ['--nodes', '1', '--tickets', '1', '--home', home]);
    net.program.child.kill('SIGKILL');
    await untilGone(net.nodes.map(({ pid }) => pid));
    expect(existsSync(join(home, 'federation', 'journal'))).toBe(true);
  });
});

describe('a devnet that is stopped before it is ready', () => {
  it('ends at once and leaves nothing', async () => {
    const temporary = mkdtempSync(join(directory, 'tmp-'));
    const args = ['devnet', '--nodes', '2', '--base-port', `${await freeBasePort()}`];
    const program = startCounterfoil(args, { environment: { TMPDIR: temporary } });
    await program.says(/DEVNET KEYS ARE PUBLIC/);
    const pids = [...program.stdout().matchAll(/^ {2}\S+ +authority .* (\d+)$/gm)].map(([, pid]) => Number(pid));
    expect(pids).toHaveLength(2);
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(program.stdout()).not.toContain('Ready in');
    await untilGone(pids);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('a devnet that is told to stop by the same Ctrl-C many times', () => {
  it('tidies up as if it had been told once', async () => {
    const net = await startDevnet(directory, ['--nodes', '2', '--tickets', '1']);
    const homes = dirname(net.nodes[0]?.home ?? '');
    const { child, ended } = net.program;
    const from = performance.now();
    // A second after the first it is another Ctrl-C.
    const tell = setInterval(() => performance.now() - from < 900 && child.kill('SIGINT'), 2);
    expect(END_BY_CTRL_C).toContain(await ended);
    clearInterval(tell);
    expect(existsSync(homes)).toBe(false);
    await untilGone(net.nodes.map(({ pid }) => pid));
  });
});

describe('npm start', () => {
  it('ends everything on SIGTERM', async () => {
    const file = join(directory, 'npm.json');
    const basePort = await freeBasePort();
    const args = ['start', '--', '--nodes', '2', '--tickets', '1', '--base-port', `${basePort}`, '--json-out', file];
    const npm = startProgram('npm', args);
    const net = await readDescribed(file);
    npm.child.kill('SIGTERM');
    await npm.ended;
    await untilGone([net.pid, ...net.nodes.map(({ pid }) => pid)]);
    await untilRemoved(dirname(net.nodes[0]?.home ?? ''));
  });

  it.skipIf(!canHaveTerminal())('ends everything on one Ctrl-C in a terminal', async () => {
    const file = join(directory, 'terminal.json');
    const basePort = await freeBasePort();
    const line = `npm start -- --nodes 2 --tickets 1 --base-port ${basePort} --json-out ${file}`;
    const terminal = startProgram('script', ['-qec', line, '/dev/null']);
    const net = await readDescribed(file);
    terminal.type('\u0003');
    expect(END_BY_CTRL_C).toContain(await terminal.ended);
    expect(terminal.output()).toContain('Stopping');
    await untilGone([net.pid, ...net.nodes.map(({ pid }) => pid)]);
    await untilRemoved(dirname(net.nodes[0]?.home ?? ''));
  });
});
