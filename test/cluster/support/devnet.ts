import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Client, createClient } from '../../../src/client/http.ts';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { parseGenesis } from '../../../src/ledger/genesis-document.ts';
import { temporaryDirectory } from './cluster.ts';
import { freeBasePort, type Program, startCounterfoil } from './program.ts';
import { until } from './until.ts';

const described = z.object({
  url: z.string(),
  pid: z.number(),
  chain_id: z.string(),
  nodes: z.array(
    z.object({
      id: z.string(),
      role: z.string(),
      http: z.string(),
      p2p: z.string(),
      pid: z.number(),
      home: z.string(),
    }),
  ),
  tickets: z.number(),
  sample_tickets: z.array(z.string()),
});

export type Described = z.output<typeof described>;

export interface RunningDevnet extends Described {
  readonly program: Program;
  readonly basePort: number;
}

/** What a devnet wrote with `--json-out`, once it is there. */
export async function readDescribed(file: string): Promise<Described> {
  return await until(() => described.parse(JSON.parse(readFileSync(file, 'utf8'))), { what: file });
}

/** A devnet that is ready, on ports of its own. One that is asked for by arguments has followers only if those say so. */
export async function startDevnet(directory: string, args: readonly string[] = []): Promise<RunningDevnet> {
  const followers = args.length === 0 || args.includes('--followers') ? [] : ['--followers', '0'];
  const basePort = await freeBasePort();
  const file = join(directory, `net-${basePort}.json`);
  const program = startCounterfoil(['devnet', '--base-port', `${basePort}`, '--json-out', file, ...followers, ...args]);
  await program.says(/Ctrl-C stops everything/);
  return { ...(await readDescribed(file)), program, basePort };
}

export function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** A devnet with a client for each node and the genesis that they have in common. */
export interface DevnetOfClients {
  readonly nodes: readonly { readonly name: string; readonly client: Client }[];
  readonly genesis: Genesis;
  readonly tickets: number;
  /** Ends it and all its nodes, and removes what they kept. */
  readonly close: () => Promise<void>;
}

export async function startDevnetOfClients(nodes: number, tickets: number): Promise<DevnetOfClients> {
  const directory = temporaryDirectory();
  const home = join(directory.path, 'net');
  const args = ['--nodes', `${nodes}`, '--tickets', `${tickets}`, '--home', home];
  const net = await startDevnet(directory.path, args);
  const genesis = parseGenesis(readFileSync(join(net.nodes[0]?.home ?? '', 'genesis.json')));
  if (!genesis.ok) throw new Error(`the devnet's genesis is not valid: ${JSON.stringify(genesis.error)}`);
  return {
    nodes: net.nodes.map(({ id, http }) => ({ name: id, client: createClient({ url: http, tries: 1 }) })),
    genesis: genesis.value,
    tickets: net.tickets,
    close: async () => {
      net.program.child.kill('SIGTERM');
      await net.program.ended;
      directory.remove();
    },
  };
}
