import { randomInt } from 'node:crypto';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createClient } from '../client/http.ts';
import { devnetGenesis, devnetKeys, isDevnetGenesis } from '../devnet/genesis.ts';
import type { DevnetClient } from '../devnet/http.ts';
import { devnetKeyPair } from '../devnet/keys.ts';
import { allNodes, type DevnetPlan, devnetConfig, httpUrl, type PlannedNode, planDevnet } from '../devnet/plan.ts';
import { busyPort } from '../devnet/ports.ts';
import { Devnet } from '../devnet/run.ts';
import type { SampleTarget } from '../devnet/seed.ts';
import type { NodeCommand } from '../devnet/supervisor.ts';
import { makeTemporaryDirectory } from '../devnet/temporary.ts';
import { writeGenesis } from '../ledger/genesis-document.ts';
import { Timestamp } from '../model/ids.ts';
import { AUTHORITIES_MAX, TRANSACTION_LIFE_MS_MIN } from '../model/limits.ts';
import { renderConfig } from '../node/config/template.ts';
import { createSigner } from '../node/keys/key-pair.ts';
import { SAMPLE_CAPACITY } from '../sample/tickets.ts';
import { makeDirectories } from '../store/directories.ts';
import { type Invocation, shellWord, wholeNumber } from './command-line.ts';
import { stopOthers } from './devnet-others.ts';
import { CommandError } from './exit-codes.ts';
import { type LoadedGenesis, loadGenesis, readIfPresent } from './files.ts';
import { type NewHome, writeHome } from './homes.ts';
import { exitCodeOf, untilSignal } from './signals.ts';

export interface DevnetCommandOptions {
  readonly nodes: string;
  readonly followers: string;
  readonly basePort: string;
  readonly tickets: string;
  readonly jsonOut?: string;
}

interface Asked {
  readonly plan: DevnetPlan;
  readonly tickets: number;
}

export async function runDevnet(
  invocation: Invocation,
  options: DevnetCommandOptions,
  { startedAt }: { readonly startedAt: number; readonly version: string },
): Promise<void> {
  const { plan, tickets } = parseOptions(options);
  const kept = invocation.home === undefined ? undefined : resolve(invocation.home);
  const busy = await busyPort(plan);
  if (busy !== undefined) throw portBusy(busy);
  let interrupted: NodeJS.Signals | undefined;
  let endNow = (): void => removeTemporary();
  // From before there is anything to remove.
  const stopped = untilSignal(() => endNow());
  void stopped.then((signal) => {
    interrupted = signal;
  });
  const root = kept ?? makeTemporaryDirectory();
  const removeTemporary = (): void => {
    if (kept === undefined) rmSync(root, { recursive: true, force: true });
  };
  try {
    const genesis = await prepareHomes(root, plan);
    if (interrupted !== undefined) {
      process.exitCode = exitCodeOf(interrupted);
      return;
    }
    const devnet = new Devnet({
      plan,
      chainId: genesis.chainId,
      networkId: genesis.networkId,
      homeOf: (node) => join(root, node.name),
      commandOf: (node) => nodeCommand(invocation, root, node),
      restartHint: (node) => `npm run -s cf -- start --home ${shellWord(join(root, node.name))}`,
      temporary: kept === undefined ? root : undefined,
      kept: kept === undefined ? undefined : invocation.home,
      tickets,
      target: (client, deadlineMs) => sampleTarget(genesis, client, deadlineMs),
      clients: plan.nodes.map(({ httpPort }) => createClient({ url: httpUrl(httpPort) })),
      gatewayClient: createClient({ url: httpUrl(plan.basePort) }),
      jsonOut: options.jsonOut === undefined ? undefined : resolve(options.jsonOut),
      output: outputOf(invocation),
      startedAt,
    });
    const homes = allNodes(plan).map(({ name }) => join(root, name));
    endNow = () => {
      devnet.kill();
      removeTemporary();
    };
    await untilStopped(devnet, homes, stopped);
  } finally {
    removeTemporary();
  }
}

/** A path that can be pasted into a shell. */
function parseOptions(options: DevnetCommandOptions): Asked {
  const nodes = wholeNumber(options.nodes, '--nodes', 1, AUTHORITIES_MAX);
  const followers = wholeNumber(options.followers, '--followers', 0, 98);
  const basePort = wholeNumber(options.basePort, '--base-port', 1, 65_535);
  const tickets = wholeNumber(options.tickets, '--tickets', 0, SAMPLE_CAPACITY);
  const plan = planDevnet(nodes, basePort, followers);
  if (!plan.ok) throw new CommandError('USAGE', plan.error);
  return { plan: plan.value, tickets };
}

function portBusy(port: number): CommandError {
  return new CommandError('FAILED', `Port ${port} is in use by another program.`, {
    advice: 'Stop that program, or choose other ports: --base-port 9000',
    code: 'PORT_IN_USE',
  });
}

function outputOf({ terminal }: Invocation) {
  return {
    isInteractive: terminal.isInteractive,
    columns: terminal.columns,
    emphasise: (text: string) => terminal.style.yellow(text),
    write: (text: string) => terminal.raw(text),
  };
}

/** Homes of a new network, or those that are there already. @returns their genesis */
async function prepareHomes(root: string, plan: DevnetPlan): Promise<LoadedGenesis['genesis']> {
  const present = plan.nodes.map((node) => readIfPresent(join(root, node.name, 'genesis.json')) !== undefined);
  if (present.every((isThere) => isThere)) return resumeHomes(root, plan);
  if (present.some((isThere) => isThere)) {
    throw new CommandError('FAILED', `${root} holds a devnet with fewer nodes than --nodes ${plan.nodes.length}.`, {
      advice: 'Choose the number that it was made with, or another --home.',
    });
  }
  const genesis = writeGenesis(devnetGenesis(plan, Timestamp(Date.now())));
  makeDirectories(root);
  for (const node of allNodes(plan)) await writeHome(devnetHome(plan, node, { root, genesis }));
  return firstGenesis(root, plan).genesis;
}

function devnetHome(
  plan: DevnetPlan,
  node: PlannedNode,
  at: { readonly root: string; readonly genesis: Uint8Array },
): NewHome {
  const keys = devnetKeys(node.name);
  return {
    directory: join(at.root, node.name),
    genesis: at.genesis,
    config: devnetConfig(plan, node),
    authority: node.role === 'authority' ? devnetKeyPair(keys.authority) : undefined,
    node: devnetKeyPair(keys.node),
    operator: devnetKeyPair(devnetKeys(node.organisation).operator),
    protection: { kind: 'no-passphrase' },
  };
}

/** The ports may be others than last time, and there may be more followers. */
async function resumeHomes(root: string, plan: DevnetPlan): Promise<LoadedGenesis['genesis']> {
  const { genesis, bytes } = firstGenesis(root, plan);
  if (!isDevnetGenesis(genesis)) throw new CommandError('FAILED', `${root} holds a network that is no devnet.`);
  if (genesis.authorities.length !== plan.nodes.length) {
    throw new CommandError('FAILED', `${root} holds a devnet of ${genesis.authorities.length}.`, {
      advice: `Start it with --nodes ${genesis.authorities.length}, or choose another --home.`,
    });
  }
  for (const node of allNodes(plan)) {
    const directory = join(root, node.name);
    if (node.role === 'follower' && readIfPresent(join(directory, 'genesis.json')) === undefined) {
      await writeHome(devnetHome(plan, node, { root, genesis: bytes }));
    }
    const file = join(directory, 'config.toml');
    writeFileSync(file, renderConfig(devnetConfig(plan, node)), { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  return genesis;
}

function firstGenesis(root: string, { nodes }: DevnetPlan): LoadedGenesis {
  return loadGenesis(join(root, nodes[0]?.name ?? '', 'genesis.json'));
}

/** A devnet's nodes are configured by their files alone, but for how they log. */
function nodeCommand(invocation: Invocation, root: string, node: PlannedNode): NodeCommand {
  const home = join(root, node.name);
  const ours = Object.keys(process.env).filter((name) => name.startsWith('COUNTERFOIL_'));
  const environment = { ...process.env };
  for (const name of ours) if (!name.startsWith('COUNTERFOIL_LOGGING_')) delete environment[name];
  if (invocation.logLevel !== undefined) environment['COUNTERFOIL_LOGGING_LEVEL'] = invocation.logLevel;
  if (invocation.logFormat !== undefined) environment['COUNTERFOIL_LOGGING_FORMAT'] = invocation.logFormat;
  const program = process.argv[1] ?? '';
  return {
    name: node.name,
    argv: [process.execPath, ...process.execArgv, program, 'start', '--home', home],
    environment,
    logFile: join(home, 'node.log'),
  };
}

function sampleTarget(genesis: LoadedGenesis['genesis'], client: DevnetClient, deadlineMs: number): SampleTarget {
  const lifeMs = Math.max(TRANSACTION_LIFE_MS_MIN, Math.floor(genesis.parameters.transactionLifeMsMax / 2));
  return {
    chainId: genesis.chainId,
    genesisTime: genesis.created,
    now: () => Date.now(),
    lifeMs,
    nonce: () => randomInt(2 ** 47),
    signer: (name) => createSigner(devnetKeyPair(name).secretKey),
    has: (ticket) => client.has(ticket),
    submit: (transaction) => client.submit(transaction, deadlineMs),
  };
}

async function untilStopped(devnet: Devnet, homes: readonly string[], stopped: Promise<unknown>): Promise<void> {
  try {
    await Promise.race([devnet.start(), stopped]);
    await stopped;
    devnet.say('Stopping ...');
  } finally {
    await devnet.stop();
    await stopOthers(homes);
  }
}
