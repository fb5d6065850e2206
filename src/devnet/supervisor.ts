import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { type FromDevnet, parseFromNode } from './lifeline.ts';

/** A node is asked to end, then made to: longer than its own five seconds. */
const STOP_MS_MAX = 7_000;

export interface NodeCommand {
  readonly name: string;
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where its two outputs go. */
  readonly logFile: string;
}

export type NodeEvent =
  | { readonly kind: 'ready'; readonly name: string }
  /** It did not end in time when asked, and was made to. */
  | { readonly kind: 'killed'; readonly name: string }
  /** It ended without having been asked. `reason` is its own last word, if it said one. */
  | { readonly kind: 'died'; readonly name: string; readonly how: string; readonly reason: string | undefined };

interface Running {
  readonly command: NodeCommand;
  readonly child: ChildProcess;
  reason: string | undefined;
  readonly ended: Promise<void>;
}

/** The processes of a devnet, each in a group of its own: what a terminal sends reaches the devnet alone. */
export class Supervisor {
  readonly #onEvent: (event: NodeEvent) => void;
  readonly #running = new Map<string, Running>();
  #stopping = false;

  constructor(onEvent: (event: NodeEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Starts one process. `temporary` is the directory that is not to outlive the network. */
  start(command: NodeCommand, temporary: string | undefined): void {
    const [program, ...args] = command.argv;
    const log = openSync(command.logFile, 'a', 0o600);
    const child = spawn(program, args, {
      detached: true,
      env: { ...command.environment },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    const ended = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        this.#ended(command.name, signal ?? `exit code ${code}`);
        resolve();
      });
      child.once('error', (error) => {
        this.#ended(command.name, error.message);
        resolve();
      });
    });
    this.#running.set(command.name, { command, child, reason: undefined, ended });
    child.on('message', (message) => this.#heard(command.name, message));
    if (temporary !== undefined) tell(child, { kind: 'temporary', directory: temporary });
  }

  /** Undefined when it does not run. */
  pidOf(name: string): number | undefined {
    return this.#running.get(name)?.child.pid;
  }

  /** Asks every process to end, and ends what has not after a while. Resolves when none is left. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const all = [...this.#running.values()];
    for (const { child } of all) child.kill('SIGTERM');
    const timer = setTimeout(() => {
      for (const name of this.#running.keys()) this.#onEvent({ kind: 'killed', name });
      this.kill();
    }, STOP_MS_MAX);
    await Promise.all(all.map(({ ended }) => ended));
    clearTimeout(timer);
  }

  /** Ends every process at once, with whatever it started. */
  kill(): void {
    this.#stopping = true;
    for (const { child } of this.#running.values()) killGroup(child.pid);
  }

  #heard(name: string, message: unknown): void {
    const said = parseFromNode(message);
    if (said?.kind === 'ready') this.#onEvent({ kind: 'ready', name });
    const running = this.#running.get(name);
    if (said?.kind === 'failed' && running !== undefined) running.reason = said.reason;
  }

  #ended(name: string, how: string): void {
    const running = this.#running.get(name);
    this.#running.delete(name);
    if (this.#stopping || running === undefined) return;
    this.#onEvent({ kind: 'died', name, how, reason: running.reason });
  }
}

function tell(child: ChildProcess, message: FromDevnet): void {
  // A child that is gone by now has nothing to be told.
  child.send(message, () => undefined);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}
