import { pause } from '../client/call.ts';
import type { Client } from '../client/http.ts';
import { submitUntilFinal } from '../client/wait.ts';
import { defined } from '../lib/assert.ts';
import type { TicketId } from '../model/ids.ts';
import type { Transaction } from '../model/transaction.ts';
import type { SampleOutcome } from './seed.ts';

const WAIT_MS = 15_000;
const RETRY_MS = 200;
const PAGE = 500;
/** Codes after which the same transaction may be sent again: it was not taken, or not decided yet. */
const AGAIN = new Set([
  'NO_QUORUM',
  'NOT_READY',
  'NOT_SYNCED',
  'OVERLOADED',
  'NOT_FINAL_YET',
  'UNREACHABLE',
  'TIMEOUT',
]);

/** The nodes of a devnet, asked in turn. */
export class DevnetClient {
  readonly #clients: readonly Client[];
  #next = 0;
  readonly #signal: AbortSignal;
  #present: Promise<ReadonlySet<string>> | undefined;

  /** @param signal ends what is under way */
  constructor(clients: readonly Client[], signal: AbortSignal) {
    this.#clients = clients;
    this.#signal = signal;
  }

  /** Whether a ticket was there when this was first asked. */
  async has(ticket: TicketId): Promise<boolean> {
    this.#present ??= this.#allTickets();
    return (await this.#present).has(ticket);
  }

  /** Sends a transaction until it is decided, or `deadlineMs` (of Date.now) has passed. */
  async submit(transaction: Transaction, deadlineMs: number): Promise<SampleOutcome> {
    for (;;) {
      const outcome = await this.#submitOnce(transaction);
      const isOver = this.#signal.aborted || Date.now() > deadlineMs;
      if (outcome.outcome === 'final' || !AGAIN.has(outcome.code) || isOver) return outcome;
      await pause(RETRY_MS, this.#signal);
    }
  }

  async #submitOnce(transaction: Transaction): Promise<SampleOutcome> {
    const answered = await submitUntilFinal(this.#client(), transaction, {
      timeoutMs: WAIT_MS,
      signal: this.#signal,
    });
    if (answered.ok) {
      const { height, receipt } = answered.value;
      return { outcome: 'final', height, code: receipt.accepted ? null : (receipt.code ?? 'REFUSED') };
    }
    const { code, detail, height } = answered.error;
    // A refusal that names a height was decided there.
    return height === undefined ? { outcome: 'undecided', code, detail } : { outcome: 'final', height, code };
  }

  async #allTickets(): Promise<ReadonlySet<string>> {
    const client = this.#client();
    const present = new Set<string>();
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await client.tickets({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      if (!page.ok) throw new Error(`the tickets of ${client.url} could not be read: ${page.error.detail}`);
      for (const { id } of page.value.tickets) present.add(id);
      cursor = page.value.next;
    }
    return present;
  }

  #client(): Client {
    this.#next = (this.#next + 1) % this.#clients.length;
    return defined(this.#clients[this.#next], 'a devnet has a node');
  }
}
