import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../../scripts/suites.mjs';

const MAIN = join(ROOT, 'dist', 'main.js');
const LOOK_MS = 25;
/** Generous: a loaded machine is slow, and nothing is gained by failing early. */
export const DEADLINE_MS = 60_000;

/** A program under test: what it says, and how it ended. */
export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything on its two outputs so far, as it came. */
  output(): string;
  stdout(): string;
  /** Resolves once the output matches. @throws with the output when it ends or the deadline passes before */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code; the name of the signal that ended it otherwise. */
  readonly ended: Promise<number | NodeJS.Signals>;
  type(text: string): void;
}

const running = new Set<ChildProcess>();

/** Ends what a failed test left behind. */
export function endPrograms(): void {
  for (const child of running) child.kill('SIGKILL');
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export function startCounterfoil(args: readonly string[], options: ProgramOptions = {}): Program {
  return startProgram(process.execPath, [MAIN, ...args], options);
}

export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const environment = { ...process.env, ...options.environment };
  for (const name of Object.keys(environment)) {
    if (name.startsWith('COUNTERFOIL_') && options.environment?.[name] === undefined) delete environment[name];
  }
  const child = spawn(command, [...args], {
    cwd: options.cwd ?? ROOT,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  let isOver = false;
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      isOver = true;
      resolve(signal ?? code ?? -1);
    });
  });
  return {
    child,
    pid: child.pid ?? -1,
    output: () => output,
    stdout: () => stdout,
    says: (pattern) =>
      until(
        () => {
          const match = pattern.exec(output);
          if (match === null && isOver) throw new Error(`it ended without saying ${pattern}:\n${output}`);
          return match ?? undefined;
        },
        () => `${pattern} in:\n${output}`,
      ),
    ended,
    type: (text) => void child.stdin.write(text),
  };
}

/** Runs a command line to its end. */
export async function counterfoil(args: readonly string[], options: ProgramOptions = {}) {
  const program = startCounterfoil(args, options);
  program.child.stdin?.end();
  const code = await program.ended;
  return { code, stdout: program.stdout(), output: program.output() };
}

/** Looks again and again until there is something. @throws when there is nothing before the deadline */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>, what: () => string): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not in time: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function untilGone(pids: readonly number[]): Promise<void> {
  await until(
    () => (pids.some(isAlive) ? undefined : true),
    () => `the end of ${pids.filter(isAlive).join(', ')}`,
  );
}

/** A base port from which on a devnet of up to ten nodes finds all of its ports free. */
export async function freeBasePort(): Promise<number> {
  for (let tried = 0; tried < 100; tried += 1) {
    const base = 20_000 + Math.floor(Math.random() * 300) * 100;
    const ports = [0, 1, 2, 3, 4, 101, 102, 103, 104].map((offset) => base + offset);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no ports are free');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
