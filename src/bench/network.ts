import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** The network under test, as the devnet describes it. */
export interface BenchNetwork {
  readonly chainId: string;
  readonly nodes: readonly { readonly id: string; readonly http: string; readonly pid: number }[];
  stop(): Promise<void>;
}

const described = z.object({
  chain_id: z.string(),
  nodes: z.array(z.object({ id: z.string(), http: z.string(), pid: z.number() })),
});

/** A large sample is issued before the file appears. */
const READY_MS_MAX = 240_000;
const POLL_MS = 50;

/** Starts a devnet of real processes with its homes in `directory`, and waits until its sample is final. */
export async function startNetwork(options: {
  readonly program: string;
  readonly directory: string;
  readonly nodes: number;
  readonly tickets: number;
  readonly basePort: number;
}): Promise<BenchNetwork> {
  const { program, directory, nodes, tickets, basePort } = options;
  const file = join(directory, 'net.json');
  const home = join(directory, 'net');
  const counts = ['--nodes', `${nodes}`, '--followers', '0', '--tickets', `${tickets}`, '--base-port', `${basePort}`];
  const child = spawn(process.execPath, [program, 'devnet', '--home', home, '--json-out', file, ...counts], {
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  try {
    await untilReady(child, file);
    const { chain_id: chainId, nodes: list } = described.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { chainId, nodes: list, stop: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

async function untilReady(child: ChildProcess, file: string): Promise<void> {
  const deadline = Date.now() + READY_MS_MAX;
  while (!existsSync(file)) {
    if (child.exitCode !== null) throw new Error(`the network ended with exit code ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error('the network was not ready in time');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** CPU seconds that a process has used; undefined where the kernel does not say. */
export function cpuSecondsOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** USER_HZ, which Linux fixes for what it shows in /proc. */
const CLOCK_TICKS_PER_SECOND = 100;
