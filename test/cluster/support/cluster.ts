import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusAnswer } from '../../../src/client/answers.ts';
import { writeHome } from '../../../src/commands/homes.ts';
import { devnetGenesis, devnetKeys } from '../../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import { allNodes, type DevnetPlan, devnetConfig, planDevnet } from '../../../src/devnet/plan.ts';
import { busyPort } from '../../../src/devnet/ports.ts';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { parseGenesis, writeGenesis } from '../../../src/ledger/genesis-document.ts';
import { defined } from '../../../src/lib/assert.ts';
import type { Parameters } from '../../../src/model/authorities.ts';
import { Timestamp } from '../../../src/model/ids.ts';
import type { RawValue } from '../../../src/node/config/values.ts';
import { NodeProcess } from './node-process.ts';
import { until } from './until.ts';

/** Below what systems give to outgoing connections, which could take a port between two starts of a node. */
const PORTS_FROM = 12_000;
const PORTS_TO = 31_000;
const PORTS_OF_A_NETWORK = 150;

/** Lays out a network on ports that are free now; every file of tests, and every other run, finds its own. */
export async function freePlan(nodes: number, followers = 0): Promise<DevnetPlan> {
  for (;;) {
    const slot = Math.floor((Math.random() * (PORTS_TO - PORTS_FROM)) / PORTS_OF_A_NETWORK);
    const plan = planDevnet(nodes, PORTS_FROM + slot * PORTS_OF_A_NETWORK, followers);
    if (!plan.ok) throw new Error(plan.error);
    if ((await busyPort(plan.value)) === undefined) return plan.value;
  }
}

/** A directory that goes with the tests, unless KEEP=1 asks for it to stay. */
export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'counterfoil-cluster-'));
  const remove = (): void => {
    if (process.env['KEEP'] === '1') process.stdout.write(`kept ${path}\n`);
    else rmSync(path, { recursive: true, force: true });
  };
  return { path, remove };
}

export interface ClusterOptions {
  readonly nodes?: number;
  /** Nodes without a vote; `startAll` leaves them to the tests. */
  readonly followers?: number;
  /** What the chain's genesis says besides what it says on every devnet. */
  readonly parameters?: Partial<Parameters>;
  /** A chain's genesis document that is there already; it says the parameters. */
  readonly document?: Uint8Array;
  /** Of every config.toml, by `section.key`. */
  readonly config?: ReadonlyMap<string, RawValue>;
  /** Of one node's config.toml besides: the place it has among all nodes, the authorities first. */
  readonly configOf?: (place: number, plan: DevnetPlan) => ReadonlyMap<string, RawValue>;
  /** Where a node's home is, when not below the temporary directory. */
  readonly homeOf?: (name: string) => string | undefined;
}

/** A network of devnet keys, each node a process that the tests hold in their hands. */
export class Cluster {
  readonly nodes: readonly NodeProcess[];
  readonly followers: readonly NodeProcess[];
  readonly genesis: Genesis;
  readonly root: string;
  readonly #remove: () => void;

  private constructor(
    processes: readonly NodeProcess[],
    genesis: Genesis,
    directory: { path: string; remove: () => void },
  ) {
    this.nodes = processes.filter(({ seat }) => seat >= 0);
    this.followers = processes.filter(({ seat }) => seat < 0);
    this.genesis = genesis;
    this.root = directory.path;
    this.#remove = directory.remove;
  }

  /** Makes the homes; starts nothing. */
  static async create(options: ClusterOptions = {}): Promise<Cluster> {
    const { nodes = 4, followers = 0, parameters = {}, config = new Map(), homeOf = () => undefined } = options;
    const { configOf = () => new Map() } = options;
    const plan = await freePlan(nodes, followers);
    const directory = temporaryDirectory();
    const document = devnetGenesis(plan, Timestamp(Date.now()));
    const bytes =
      options.document ?? writeGenesis({ ...document, parameters: { ...document.parameters, ...parameters } });
    const genesis = parseGenesis(bytes);
    if (!genesis.ok) throw new Error(`this genesis is not valid: ${JSON.stringify(genesis.error)}`);
    const processes: NodeProcess[] = [];
    for (const [place, node] of allNodes(plan).entries()) {
      const keys = devnetKeys(node.name);
      const home = homeOf(node.name) ?? join(directory.path, node.name);
      await writeHome({
        directory: home,
        genesis: bytes,
        config: new Map([...devnetConfig(plan, node), ...config, ...configOf(place, plan)]),
        authority: node.role === 'authority' ? devnetKeyPair(keys.authority) : undefined,
        node: devnetKeyPair(keys.node),
        operator: devnetKeyPair(devnetKeys(node.organisation).operator),
        protection: { kind: 'no-passphrase' },
      });
      processes.push(new NodeProcess({ ...node, seat: node.role === 'authority' ? place : -1, home }));
    }
    return new Cluster(processes, genesis.value, directory);
  }

  /** The same, with every node up, connected, and the 500 sample tickets on the chain. */
  static async started(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.create(options);
    try {
      await cluster.startAll();
      await cluster.seed();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  node(seat: number): NodeProcess {
    return defined(this.nodes[seat], `a node in seat ${seat}`);
  }

  /** All nodes but these. */
  others(...excluded: readonly NodeProcess[]): readonly NodeProcess[] {
    return this.nodes.filter((node) => !excluded.includes(node));
  }

  async startAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()));
    await this.until('all nodes to be connected', 20_000, async () => {
      const statuses = await this.statuses();
      return statuses.every(({ connected }) => connected === this.nodes.length);
    });
  }

  async seed(): Promise<void> {
    const seeded = await this.node(0).client.seed();
    if (!seeded.ok) throw new Error(`no sample tickets: ${seeded.error.code} ${seeded.error.detail}`);
  }

  /** Of the nodes that run. @throws when one does not answer */
  async statuses(nodes: readonly NodeProcess[] = this.#running()): Promise<readonly StatusAnswer[]> {
    return await Promise.all(nodes.map(statusOf));
  }

  /** The node that proposes now, by the word of more than half of the nodes that run: one may be ahead of its time. */
  async primary(among: readonly NodeProcess[] = this.#running()): Promise<NodeProcess> {
    return await this.until('most nodes to name one primary', 10_000, async () => {
      const names = (await this.statuses(among)).map(({ primary }) => primary);
      return this.nodes.find(({ name }) => 2 * names.filter((one) => one === name).length > names.length);
    });
  }

  /** `until`, telling of every node when it was in vain. */
  async until<T>(
    what: string,
    deadlineMs: number,
    probe: () => Promise<T | undefined | false> | T | undefined | false,
  ): Promise<T> {
    return await until(probe, { what, deadlineMs, describe: () => this.describe() });
  }

  /** Waits until these nodes hold one head and nothing waits; answers its height. */
  async settled(nodes: readonly NodeProcess[] = this.#running(), deadlineMs = 20_000): Promise<number> {
    return await this.until('the nodes to hold one head', deadlineMs, async () => {
      const statuses = await this.statuses(nodes);
      const heads = new Set(statuses.map(({ head }) => head.hash));
      const isQuiet = statuses.every(({ mempool, syncing }) => mempool === 0 && !syncing);
      return heads.size === 1 && isQuiet ? statuses[0]?.head.height : undefined;
    });
  }

  async describe(): Promise<string> {
    const all = [...this.nodes, ...this.followers];
    const lines = await Promise.all(all.map((node) => node.describe()));
    return [...lines, ...all.map((node) => node.logTail())].join('\n');
  }

  /** Ends every process and removes everything. */
  async close(): Promise<void> {
    await Promise.all([...this.nodes, ...this.followers].map((node) => node.kill()));
    this.#remove();
  }

  #running(): readonly NodeProcess[] {
    return [...this.nodes, ...this.followers].filter((node) => node.isRunning);
  }
}

/** @throws when the node does not answer */
export async function statusOf(node: NodeProcess): Promise<StatusAnswer> {
  const status = await node.client.status();
  if (!status.ok) throw new Error(`${node.name}: ${status.error.code} ${status.error.detail}`);
  return status.value;
}
