import { type ChildProcess, spawn } from 'node:child_process';
import { ROOT } from '../../../scripts/suites.mjs';
import { freePlan } from './cluster.ts';
import { ownEnvironment, PROGRAM } from './node-process.ts';
import { until } from './until.ts';

/** A program under test: what it says, and how it ended. */
export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything on its two outputs so far, as it came. */
  output(): string;
  stdout(): string;
  stderr(): string;
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
  return startProgram(process.execPath, [PROGRAM, ...args], options);
}

export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const child = spawn(command, [...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...ownEnvironment(), ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    stderr += text;
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
    stderr: () => stderr,
    says: async (pattern) => {
      const describe = (): string => output;
      const match = await until(() => pattern.exec(output) ?? (isOver ? 'over' : undefined), {
        what: `it to say ${pattern}`,
        describe,
      });
      if (match === 'over') throw new Error(`it ended without saying ${pattern}:\n${output}`);
      return match;
    },
    ended,
    type: (text) => void child.stdin.write(text),
  };
}

/** Runs a command line to its end. */
export async function counterfoil(args: readonly string[], options: ProgramOptions = {}) {
  const program = startCounterfoil(args, options);
  program.child.stdin?.end();
  const code = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr(), output: program.output() };
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
  await until(() => !pids.some(isAlive), {
    what: 'processes to end',
    describe: () => pids.filter(isAlive).join(', '),
  });
}

/** A base port from which on a devnet of four nodes finds all of its ports free. */
export async function freeBasePort(): Promise<number> {
  return (await freePlan(4)).basePort;
}
