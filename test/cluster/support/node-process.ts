import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../scripts/suites.mjs';
import { type Client, createClient } from '../../../src/client/http.ts';
import { parseFromNode } from '../../../src/devnet/lifeline.ts';
import { httpUrl } from '../../../src/devnet/plan.ts';

export const PROGRAM = join(ROOT, 'dist', 'main.js');
const READY_MS_MAX = 30_000;
/** A node stops within five seconds. */
const STOP_MS_MAX = 15_000;
const LOG_LINES = 12;

/** Whatever happens to the tests, what they started ends with them. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface NodeOptions {
  readonly name: string;
  /** Place in genesis. */
  readonly seat: number;
  readonly home: string;
  readonly httpPort: number;
  readonly peerPort: number;
  readonly operatorToken?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Of `start`, besides its home. */
  readonly args?: readonly string[];
}

/** One node as a real process: `counterfoil start --home`. It can be started again after it has ended. */
export class NodeProcess {
  readonly name: string;
  readonly seat: number;
  readonly home: string;
  readonly url: string;
  readonly httpPort: number;
  readonly peerPort: number;
  /** Asks once: what a node answers is what is tested. */
  readonly client: Client;
  readonly #options: NodeOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<Ended> = Promise.resolve({ code: null, signal: null });
  #failure: string | undefined;

  constructor(options: NodeOptions) {
    const { name, seat, home, httpPort, peerPort, operatorToken } = options;
    this.#options = options;
    this.name = name;
    this.seat = seat;
    this.home = home;
    this.httpPort = httpPort;
    this.peerPort = peerPort;
    this.url = httpUrl(httpPort);
    this.client = createClient({
      url: this.url,
      tries: 1,
      timeoutMs: 15_000,
      ...(operatorToken === undefined ? {} : { operatorToken }),
    });
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get logFile(): string {
    return join(this.home, 'node.log');
  }

  /** Resolves once the node says that it is ready. @throws with the end of its log when it does not come up */
  async start(): Promise<void> {
    const child = this.spawn();
    const ready = new Promise<boolean>((resolve) => {
      child.on('message', (message) => {
        const said = parseFromNode(message);
        if (said?.kind === 'ready') resolve(true);
        if (said?.kind === 'failed') this.#failure = said.reason;
      });
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS_MAX);
    const isReady = await Promise.race([ready, this.#ended.then(() => false)]);
    clearTimeout(timer);
    if (!isReady) throw new Error(`${this.name} did not start: ${this.#failure ?? ''}\n${this.logTail()}`);
  }

  /** Starts the process and waits for nothing. */
  spawn(): ChildProcess {
    if (this.#child !== undefined) throw new Error(`${this.name} runs already`);
    const { args = [], environment = {} } = this.#options;
    const log = openSync(this.logFile, 'a', 0o600);
    const child = spawn(process.execPath, [PROGRAM, 'start', '--home', this.home, ...args], {
      env: { ...ownEnvironment(), ...environment },
      // The channel is a lifeline: should these tests be killed, the node stops by itself.
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#child = child;
    this.#failure = undefined;
    running.add(child);
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        running.delete(child);
        this.#child = undefined;
        resolve({ code, signal });
      });
    });
    return child;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Ends it as a power cut would end its process. */
  async kill(): Promise<Ended> {
    this.signal('SIGKILL');
    return await this.#ended;
  }

  /** Resolves when the process has ended by itself. */
  ended(): Promise<Ended> {
    return this.#ended;
  }

  /** Asks it to stop; one that does not is killed, which its `Ended` then shows. */
  async stop(): Promise<Ended> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), STOP_MS_MAX);
    const ended = await this.#ended;
    clearTimeout(timer);
    return ended;
  }

  /** Resident memory of the process. */
  rssBytes(): number {
    if (this.pid === undefined) return 0;
    return 1_024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', String(this.pid)], { encoding: 'utf8' }).trim());
  }

  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  logTail(lines: number = LOG_LINES): string {
    const all = this.log().trimEnd().split('\n');
    const told = all.filter((line) => !line.includes('"msg":"request"')).slice(-lines);
    return [`-- end of the log of ${this.name}`, ...told].join('\n');
  }

  /** What it says of itself, on one line. */
  async describe(): Promise<string> {
    if (!this.isRunning) return `${this.name}: not running`;
    const [status, explained] = await Promise.all([this.client.status(), this.client.explain()]);
    if (!status.ok) return `${this.name}: ${status.error.code} ${status.error.detail}`;
    const { head, view, primary, connected, mempool, role } = status.value;
    const why = explained.ok ? `${explained.value.code}: ${explained.value.reason}` : explained.error.code;
    return `${this.name}: ${role}, height ${head.height}, view ${view}, primary ${primary}, connected ${connected}, mempool ${mempool}; ${why}`;
  }
}

/** Nothing of how these tests are run reaches the nodes. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:COUNTERFOIL|VITEST|NODE)_/.test(name)),
  );
}
