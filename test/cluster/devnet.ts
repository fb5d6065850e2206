import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { freeBasePort, type Program, startCounterfoil, until } from './program.ts';

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
  return await until(
    () => {
      try {
        return described.parse(JSON.parse(readFileSync(file, 'utf8')));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    () => file,
  );
}

/** A devnet that is ready, on ports of its own. */
export async function startDevnet(directory: string, args: readonly string[] = []): Promise<RunningDevnet> {
  const basePort = await freeBasePort();
  const file = join(directory, `net-${basePort}.json`);
  const program = startCounterfoil(['devnet', '--base-port', `${basePort}`, '--json-out', file, ...args]);
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
