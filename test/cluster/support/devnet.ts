import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '../../../src/client/http.ts';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { parseGenesis } from '../../../src/ledger/genesis-document.ts';
import { freePlan, temporaryDirectory } from './cluster.ts';
import { ownEnvironment, PROGRAM } from './node-process.ts';
import { until } from './until.ts';

const READY_MS_MAX = 60_000;

export interface DevnetNode {
  readonly name: string;
  readonly client: Client;
}

/** A devnet as a user starts it. */
export interface RunningDevnet {
  readonly nodes: readonly DevnetNode[];
  readonly genesis: Genesis;
  readonly tickets: number;
  /** Ends it and all its nodes, and removes what they kept. */
  readonly close: () => Promise<void>;
}

interface Listed {
  readonly tickets: number;
  readonly nodes: readonly { readonly id: string; readonly http: string; readonly home: string }[];
}

/** Runs `counterfoil devnet`. @throws with what it printed when it does not come up */
export async function startDevnet(nodes: number, tickets: number): Promise<RunningDevnet> {
  const { basePort } = await freePlan(nodes);
  const directory = temporaryDirectory();
  const listFile = join(directory.path, 'devnet.json');
  const child = spawn(
    process.execPath,
    [
      ...[PROGRAM, 'devnet', '--nodes', String(nodes), '--tickets', String(tickets)],
      ...['--base-port', String(basePort), '--home', join(directory.path, 'net'), '--json-out', listFile],
    ],
    { env: ownEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk) => (said += chunk));
  const close = async (): Promise<void> => {
    await ended(child);
    directory.remove();
  };
  try {
    const what = 'the devnet to be ready';
    const listed = await until(() => listedIn(listFile, child), {
      what,
      deadlineMs: READY_MS_MAX,
      describe: () => said,
    });
    const genesis = parseGenesis(readFileSync(join(listed.nodes[0]?.home ?? '', 'genesis.json')));
    if (!genesis.ok) throw new Error(`the devnet's genesis is not valid: ${JSON.stringify(genesis.error)}`);
    return {
      nodes: listed.nodes.map(({ id, http }) => ({ name: id, client: createClient({ url: http, tries: 1 }) })),
      genesis: genesis.value,
      tickets: listed.tickets,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function listedIn(file: string, child: ChildProcess): Listed | undefined {
  if (child.exitCode !== null) throw new Error(`the devnet ended with exit code ${child.exitCode}`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** Its nodes hang on a lifeline, so that even a devnet that is killed takes them along. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(timer);
}
