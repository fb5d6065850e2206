import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { devnetKeys } from '../devnet/genesis.ts';
import { devnetKeyPair } from '../devnet/keys.ts';
import { defined } from '../lib/assert.ts';
import { GateId, type Hash, OrganisationId, Timestamp } from '../model/ids.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../model/transaction.ts';
import { createSigner } from '../node/keys/key-pair.ts';
import { sampleTicketId } from '../sample/tickets.ts';
import { type Ceilings, measureCeilings } from './ceilings.ts';
import { LoadClient, type LoadResult, runLoad } from './load.ts';
import { type BenchNetwork, cpuSecondsOf, startNetwork } from './network.ts';
import { type Spread, spreadOf } from './percentiles.ts';
import { type QueryLoad, whileAsked } from './queries.ts';

export interface BenchOptions {
  readonly program: string;
  readonly directory: string;
  readonly nodes: number;
  readonly basePort: number;
  /** How often each measurement is repeated. */
  readonly rounds: number;
  /** Transactions of one round: one at a time, and at each number of lanes. */
  readonly alone: number;
  readonly loaded: number;
  readonly lanes: readonly number[];
  /** Clients that ask a node in SPARQL while one at a time is measured once more; 0 for no such measurement. */
  readonly queryClients: number;
  readonly progress: (line: string) => void;
}

/** One transaction in flight through the primary, without and with clients that ask another node in SPARQL. */
export interface Asked {
  readonly clients: number;
  readonly quietMs: Spread;
  readonly askedMs: Spread;
  readonly load: QueryLoad;
}

/** One transaction in flight, sent to one node. */
interface Alone {
  readonly node: string;
  readonly isPrimary: boolean;
  readonly latencyMs: Spread;
}

export interface Loaded {
  readonly lanes: number;
  readonly perSecond: number;
  readonly latencyMs: Spread;
  /** CPU milliseconds of all nodes together for one transaction; null where the kernel does not say. */
  readonly cpuMsEach: number | null;
  readonly failed: number;
}

export interface BenchReport {
  readonly nodes: number;
  readonly ceilings: Ceilings;
  /** In the order in which they were run, every round. */
  readonly alone: readonly Alone[];
  readonly loaded: readonly Loaded[];
  readonly asked: readonly Asked[];
}

const genesisAnswer = z.object({ iri_base: z.string() });
const SIGNER = 'venue';
/** A transaction that waits longer than this is not taken: the longest run must be shorter. */
const LIFE_MS = 590_000;

/** Brings a network up, measures, takes it down. Ends by itself. */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const { progress, directory, rounds, nodes } = options;
  progress('measuring what the machine can do at best');
  const ceilings = await measureCeilings(directory);
  const perRound = (options.queryClients === 0 ? 2 : 4) * options.alone + options.lanes.length * options.loaded;
  const wanted = rounds * perRound;
  progress(`starting ${nodes} nodes and issuing ${wanted} tickets`);
  const network = await startNetwork({ ...options, tickets: wanted });
  try {
    return { nodes, ceilings, ...(await measure(options, network)) };
  } finally {
    await network.stop();
  }
}

async function measure(options: BenchOptions, network: BenchNetwork): Promise<Omit<BenchReport, 'nodes' | 'ceilings'>> {
  const { rounds, progress } = options;
  const clients = network.nodes.map(({ http }) => new LoadClient(http));
  const tickets = ticketNumbers();
  const alone: Alone[] = [];
  const loaded: Loaded[] = [];
  const asked: Asked[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const index of [0, network.nodes.length - 1]) {
        progress(`round ${round} of ${rounds}: one at a time through ${network.nodes[index]?.id}`);
        alone.push(await oneAtATime(options, network, { index, client: clients[index], tickets }));
      }
      for (const lanes of options.lanes) {
        progress(`round ${round} of ${rounds}: ${lanes} lanes`);
        loaded.push(await underLoad(options, network, { clients, lanes, tickets }));
      }
      if (options.queryClients === 0) continue;
      progress(`round ${round} of ${rounds}: without and with ${options.queryClients} who ask in SPARQL`);
      asked.push(await whileOthersAsk(options, network, { client: clients[0], tickets }));
    }
  } finally {
    for (const client of clients) client.close();
  }
  return { alone, loaded, asked };
}

function* ticketNumbers(): Generator<number, never> {
  for (let number = 0; ; number += 1) yield number;
}

async function oneAtATime(
  { alone }: BenchOptions,
  network: BenchNetwork,
  at: { readonly index: number; readonly client: LoadClient | undefined; readonly tickets: Generator<number, never> },
): Promise<Alone> {
  const transactions = admissions(network.chainId, at.tickets, alone);
  const result = await runLoad(at.client === undefined ? [] : [at.client], transactions, 1);
  requireFinal(result, transactions.length);
  return {
    node: network.nodes[at.index]?.id ?? '',
    isPrimary: at.index === 0,
    latencyMs: spreadOf(result.latenciesMs),
  };
}

async function whileOthersAsk(
  options: BenchOptions,
  network: BenchNetwork,
  at: { readonly client: LoadClient | undefined; readonly tickets: Generator<number, never> },
): Promise<Asked> {
  const measureAlone = () => oneAtATime(options, network, { index: 0, ...at });
  const quiet = await measureAlone();
  const { http } = defined(network.nodes.at(-1), 'a network has nodes');
  const { iri_base: iriBase } = genesisAnswer.parse(await (await fetch(new URL('/api/v1/genesis', http))).json());
  const { result, load } = await whileAsked({ http, iriBase, clients: options.queryClients }, measureAlone);
  return { clients: options.queryClients, quietMs: quiet.latencyMs, askedMs: result.latencyMs, load };
}

async function underLoad(
  options: BenchOptions,
  network: BenchNetwork,
  at: { readonly clients: readonly LoadClient[]; readonly lanes: number; readonly tickets: Generator<number, never> },
): Promise<Loaded> {
  const transactions = admissions(network.chainId, at.tickets, options.loaded);
  const before = cpuOf(network);
  const result = await runLoad(at.clients, transactions, at.lanes);
  const after = cpuOf(network);
  const final = result.latenciesMs.length;
  return {
    lanes: at.lanes,
    perSecond: final / result.seconds,
    latencyMs: spreadOf(result.latenciesMs),
    cpuMsEach: before === null || after === null ? null : (1_000 * (after - before)) / final,
    failed: transactions.length - final,
  };
}

function cpuOf(network: BenchNetwork): number | null {
  const all = network.nodes.map(({ pid }) => cpuSecondsOf(pid));
  return all.reduce<number | null>((sum, one) => (sum === null || one === undefined ? null : sum + one), 0);
}

/** An answer that is not final would make the figures lie. */
function requireFinal(result: LoadResult, sent: number): void {
  if (result.latenciesMs.length === sent) return;
  const codes = [...result.failures].map(([status, count]) => `${count} times HTTP ${status}`).join(', ');
  throw new Error(`${sent - result.latenciesMs.length} of ${sent} transactions did not become final: ${codes}`);
}

/** Signed ahead of the run: a client's own signature is not what is measured. */
function admissions(chainId: string, tickets: Generator<number, never>, count: number): readonly Transaction[] {
  const signer = createSigner(devnetKeyPair(devnetKeys(SIGNER).operator).secretKey);
  const expiresAt = Timestamp(Date.now() + LIFE_MS);
  return Array.from({ length: count }, () => {
    const body = {
      chainId: chainId as Hash,
      organisation: OrganisationId(SIGNER),
      signer: signer.publicKey,
      expiresAt,
      nonce: randomInt(2 ** 47),
      idempotencyKey: null,
      operation: { kind: 'admit', ticket: sampleTicketId(tickets.next().value), gate: GateId('bench') },
      statements: null,
    } as const;
    return sealTransaction(body, signer.sign(transactionSigningBytes(body)));
  });
}
