import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Transaction } from '../model/transaction.ts';

/** What became of one transaction that a client sent. */
export interface Answer {
  readonly status: number;
  /** From the first byte sent to the last received, milliseconds. */
  readonly ms: number;
}

/** Keeps connections open to one node; every transaction is a POST that waits for finality. */
export class LoadClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4_096 });
  readonly #url: URL;

  constructor(nodeUrl: string) {
    this.#url = new URL('/api/v1/transactions?wait=30s', nodeUrl);
  }

  /** Sends canonical bytes and resolves with the answer when the transaction is final, or refused. */
  send(transaction: Transaction): Promise<Answer> {
    const start = performance.now();
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/octet-stream', 'content-length': transaction.bytes.length };
      const call = request(this.#url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        response.resume();
        response.once('end', () => resolve({ status: response.statusCode ?? 0, ms: performance.now() - start }));
        response.once('error', reject);
      });
      call.once('error', reject);
      call.end(transaction.bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export interface LoadResult {
  readonly seconds: number;
  /** Milliseconds of each transaction that became final, in no order. */
  readonly latenciesMs: readonly number[];
  readonly failures: ReadonlyMap<number, number>;
}

/** Closed loop: `lanes` clients, each with one transaction in flight, over the nodes in turn, until all are sent. */
export async function runLoad(
  clients: readonly LoadClient[],
  transactions: readonly Transaction[],
  lanes: number,
): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  const failures = new Map<number, number>();
  let next = 0;
  const lane = async (index: number): Promise<void> => {
    const client = clients[index % clients.length];
    for (let transaction = transactions[next]; transaction !== undefined && client !== undefined; ) {
      next += 1;
      const { status, ms } = await client.send(transaction);
      if (status === 200) latenciesMs.push(ms);
      else failures.set(status, (failures.get(status) ?? 0) + 1);
      transaction = transactions[next];
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
  return { seconds: (performance.now() - start) / 1_000, latenciesMs, failures };
}
