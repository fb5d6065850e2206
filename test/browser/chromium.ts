/** A browser that is installed on this machine, spoken to in its own protocol (Chrome DevTools Protocol 1.3). */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { WebSocket } from 'ws';
import { z } from 'zod';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const ELSEWHERE = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
const START_MS_MAX = 30_000;
const CALL_MS_MAX = 30_000;

/** The path of one; undefined when there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...ELSEWHERE];
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const message = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
type Message = z.output<typeof message>;

/** One connection to the browser: calls and their answers, and events. */
class Connection {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (answer: Message) => void>();
  #calls = 0;
  onEvent: (method: string, params: unknown) => void = () => undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (text) => {
      const said = message.parse(JSON.parse(text.toString()));
      if (said.id !== undefined) this.#answers.get(said.id)?.(said);
      else if (said.method !== undefined) this.onEvent(said.method, said.params);
    });
  }

  /** @throws with the browser's own words */
  async call(method: string, params: object = {}, sessionId?: string): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    const answer = await new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the browser does not answer ${method}`)), CALL_MS_MAX);
      this.#answers.set(id, (said) => {
        clearTimeout(timer);
        this.#answers.delete(id);
        resolve(said);
      });
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  }
}

/** A tab, and what went wrong in it. */
export interface Tab {
  /** Errors and warnings of the console, and exceptions that nobody caught. */
  readonly complaints: string[];
  /** Every address that was asked. */
  readonly requests: readonly string[];
  open(url: string, widthPixels: number): Promise<void>;
  /** The value of an expression of the page. */
  evaluate(expression: string): Promise<unknown>;
}

export interface Browser {
  readonly tab: Tab;
  close(): Promise<void>;
}

const FLAGS = [
  '--headless=new',
  '--remote-debugging-port=0',
  // As root it does not start otherwise; it loads nothing but our own pages.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
  // Whatever a page or the browser itself asks, it leads nowhere but to this machine.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/** @throws with what the browser printed when it does not come up */
export async function startChromium(path: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'counterfoil-browser-'));
  const child = spawn(path, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const close = async (): Promise<void> => {
    await ended(child);
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    const socket = new WebSocket(await addressOf(child), { perMessageDeflate: false });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return { tab: await openTab(new Connection(socket)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string): void => reject(new Error(`the browser ${why}:\n${said}`));
    const timer = setTimeout(() => fail('did not start in time'), START_MS_MAX);
    child.once('error', (error) => fail(`cannot be started (${error.message})`));
    child.once('exit', () => fail('ended'));
    child.stderr?.on('data', (chunk) => {
      said += chunk;
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await gone;
}

const events = {
  'Network.requestWillBeSent': z.object({ request: z.object({ url: z.string() }) }),
  'Runtime.exceptionThrown': z.object({ exceptionDetails: z.object({ text: z.string() }) }),
  'Runtime.consoleAPICalled': z.object({
    type: z.string(),
    args: z.array(z.object({ value: z.unknown().optional() })),
  }),
  'Log.entryAdded': z.object({ entry: z.object({ level: z.string(), text: z.string() }) }),
};
const evaluated = z.object({
  result: z.object({ value: z.unknown() }),
  exceptionDetails: z.object({ text: z.string() }).optional(),
});

async function openTab(connection: Connection): Promise<Tab> {
  const complaints: string[] = [];
  const requests: string[] = [];
  connection.onEvent = (method, params) => note({ complaints, requests }, method, params);
  const { targetId } = z
    .object({ targetId: z.string() })
    .parse(await connection.call('Target.createTarget', { url: 'about:blank' }));
  const { sessionId } = z
    .object({ sessionId: z.string() })
    .parse(await connection.call('Target.attachToTarget', { targetId, flatten: true }));
  const call = (method: string, params?: object): Promise<unknown> => connection.call(method, params, sessionId);
  for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await call(`${domain}.enable`);
  return {
    complaints,
    requests,
    open: async (url, width) => {
      await call('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
      await call('Page.navigate', { url });
    },
    evaluate: async (expression) => {
      const { result, exceptionDetails } = evaluated.parse(
        await call('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true }),
      );
      if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.text}`);
      return result.value;
    },
  };
}

function note(into: { complaints: string[]; requests: string[] }, method: string, params: unknown): void {
  if (method === 'Network.requestWillBeSent') into.requests.push(events[method].parse(params).request.url);
  if (method === 'Runtime.exceptionThrown') into.complaints.push(events[method].parse(params).exceptionDetails.text);
  if (method === 'Runtime.consoleAPICalled') {
    const { type, args } = events[method].parse(params);
    if (type === 'error' || type === 'warning') into.complaints.push(args.map(({ value }) => String(value)).join(' '));
  }
  if (method === 'Log.entryAdded') {
    const { level, text } = events[method].parse(params).entry;
    if (level === 'error' || level === 'warning') into.complaints.push(text);
  }
}
