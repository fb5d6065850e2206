import type { Logger } from '../api/settings.ts';
import { type FromNode, parseFromDevnet } from '../devnet/lifeline.ts';
import { removeUnusedHomes } from '../devnet/temporary.ts';
import type { ResolvedConfig } from '../node/config/config.ts';
import type { Invocation } from './command-line.ts';
import { type RunningNode, startNode } from './compose.ts';
import { startBootstrapNode } from './compose-bootstrap.ts';
import { isUnused } from './devnet-others.ts';
import { CommandError, EXIT_CODES, type ExitName, exitNameOf } from './exit-codes.ts';
import { type ConfigFlags, loadConfig } from './files.ts';
import { openLogger } from './logging.ts';
import { Passphrases } from './passphrases.ts';
import { explainDamage } from './repair.ts';
import { untilSignal } from './signals.ts';

export interface StartCommandOptions {
  readonly listenPort?: string;
  readonly apiPort?: string;
  readonly passphraseFile?: string;
}

/** What stopping may take before the process ends anyway. */
const STOP_MS_MAX = 5_000;

/** Runs a node until it is told to stop. @returns the exit code */
export async function runStart(invocation: Invocation, options: StartCommandOptions, version: string): Promise<number> {
  const lifeline = openLifeline();
  try {
    return await runNode(invocation, options, { version, lifeline });
  } catch (error) {
    await lifeline.say({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    throw error;
  } finally {
    lifeline.close();
  }
}

async function runNode(
  invocation: Invocation,
  options: StartCommandOptions,
  { version, lifeline }: { readonly version: string; readonly lifeline: Lifeline },
): Promise<number> {
  const resolved = loadConfig(invocation, flagsOf(options));
  const { config } = resolved;
  const logger = openLogger(config.logging, {
    isTerminal: process.stderr.isTTY === true,
    colour: process.stderr.isTTY === true && !invocation.environment['NO_COLOR'],
  });
  process.once('uncaughtException', (error) => {
    const told = explainDamage(error, config.storage.dataDir);
    if (told instanceof CommandError) {
      logger.error({ error: told.message, code: told.code, advice: told.advice }, 'this node cannot read its data');
      process.exit(EXIT_CODES[told.exit]);
    }
    logger.error({ error: error.message, stack: error.stack }, 'this node found a bug in itself and stops');
    process.exit(EXIT_CODES.FAILED);
  });
  const passphrases = new Passphrases(invocation, options.passphraseFile);
  const signal = untilSignal(() => undefined);
  const begin = (): Promise<RunningNode> =>
    (config.network.isDiscoveryOnly ? startBootstrapNode : startNode)({
      config,
      shownConfig: shownConfig(resolved),
      version,
      logger,
      ask: (question) => passphrases.get(question),
    });
  let node = await begin();
  await lifeline.say({ kind: 'ready', node: node.nodeId });
  logRunning(logger, config.node.home, node);
  let failure: Error | undefined;
  const noteFailure = (error: Error): void => {
    const told = explainDamage(error, config.storage.dataDir);
    failure = told instanceof Error ? told : error;
  };
  void node.failed.then(noteFailure);
  let ended = await Promise.race([signal, lifeline.closed, node.replaced]);
  while (ended === 'REPLACED') {
    logger.info({}, 'starting again on the state that has arrived');
    // A supervisor starts it again, and nothing of what has arrived is lost.
    await stopInTime(node, 'FAILED');
    node = await begin();
    logRunning(logger, config.node.home, node);
    void node.failed.then(noteFailure);
    ended = await Promise.race([signal, lifeline.closed, node.replaced]);
  }
  logger.info({ why: ended }, 'stopping');
  await stopInTime(node, 'OK');
  if (ended === 'LIFELINE') lifeline.removeTemporary();
  if (failure === undefined) return EXIT_CODES.OK;
  if (failure instanceof CommandError) throw failure;
  throw new CommandError(exitNameOf(failure), `The node took no part any more: ${failure.message}.`, {
    cause: failure,
  });
}

function flagsOf({ listenPort, apiPort }: StartCommandOptions): ConfigFlags {
  const flags = new Map<string, { readonly flag: string; readonly text: string }>();
  if (listenPort !== undefined) flags.set('network.listen_port', { flag: '--listen-port', text: listenPort });
  if (apiPort !== undefined) flags.set('api.port', { flag: '--api-port', text: apiPort });
  return flags;
}

/** Secrets are in files that the configuration only names, so there is nothing to redact. */
function shownConfig({ settings }: ResolvedConfig): Readonly<Record<string, unknown>> {
  const shown = new Map<string, Record<string, unknown>>();
  for (const { section, key, value, origin } of settings) {
    const table = shown.get(section) ?? {};
    table[key] = { value, origin };
    shown.set(section, table);
  }
  return Object.fromEntries(shown);
}

function logRunning(logger: Logger, home: string, { nodeId, role, httpUrl, p2pAddress, ...node }: RunningNode): void {
  logger.info({ node: nodeId, role, http: httpUrl, p2p: p2pAddress, home }, 'running');
  if (node.observerReason !== null) logger.warn({ reason: node.observerReason }, 'this node follows without a vote');
}

/** Ends the process with that code when the node does not stop in time. */
async function stopInTime(node: RunningNode, otherwise: ExitName): Promise<void> {
  const timer = setTimeout(() => process.exit(EXIT_CODES[otherwise]), STOP_MS_MAX);
  try {
    await node.stop();
  } finally {
    clearTimeout(timer);
  }
}

/** The channel to the devnet that started this process, if one did. */
interface Lifeline {
  /** Resolves when it was sent, or nobody is there. */
  say(message: FromNode): Promise<void>;
  /** Resolves when the devnet is gone; never without one. */
  readonly closed: Promise<'LIFELINE'>;
  /** An open channel keeps a process alive. */
  close(): void;
  /** The last act after the devnet was killed. */
  removeTemporary(): void;
}

function openLifeline(): Lifeline {
  let directory: string | undefined;
  process.on('message', (message) => {
    directory = parseFromDevnet(message)?.directory ?? directory;
  });
  return {
    say: (message) =>
      new Promise((resolve) => {
        if (process.connected && process.send !== undefined) {
          process.send(message, undefined, undefined, () => resolve());
        } else resolve();
      }),
    close: () => {
      if (process.connected) process.disconnect();
    },
    closed: new Promise((resolve) => process.once('disconnect', () => resolve('LIFELINE'))),
    removeTemporary: () => {
      if (directory !== undefined) removeUnusedHomes(directory, isUnused);
    },
  };
}
