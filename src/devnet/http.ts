import { defined } from '../lib/assert.ts';
import type { TicketId } from '../model/ids.ts';
import type { Transaction } from '../model/transaction.ts';
import type { SampleOutcome } from './seed.ts';

const WAIT = '10s';
const REQUEST_MS_MAX = 15_000;
const RETRY_MS = 200;
/** Codes after which the same transaction may be sent again: it was not taken, or not decided yet. */
const AGAIN = new Set(['NO_QUORUM', 'NOT_READY', 'NOT_SYNCED', 'OVERLOADED', 'NOT_FINAL_YET', 'UNREACHABLE']);

/** Nodes by their base addresses, asked in turn. */
export class DevnetClient {
  readonly #urls: readonly string[];
  #next = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** The JSON at `path` of some node; undefined when it is not there. @throws when no answer can be had */
  async read(path: string): Promise<unknown> {
    const response = await fetch(`${this.#url()}${path}`, { signal: AbortSignal.timeout(REQUEST_MS_MAX) });
    const answer: unknown = await response.json();
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`${path}: ${fieldText(answer, 'detail') ?? `status ${response.status}`}`);
    return answer;
  }

  async has(ticket: TicketId): Promise<boolean> {
    return (await this.read(`/api/v1/tickets/${ticket}`)) !== undefined;
  }

  /** Sends a transaction until it is decided, or `deadlineMs` (of Date.now) has passed. */
  async submit(transaction: Transaction, deadlineMs: number): Promise<SampleOutcome> {
    for (;;) {
      const outcome = await this.#submitOnce(transaction);
      if (outcome.outcome === 'final' || !AGAIN.has(outcome.code) || Date.now() > deadlineMs) return outcome;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async #submitOnce(transaction: Transaction): Promise<SampleOutcome> {
    try {
      const response = await fetch(`${this.#url()}/api/v1/transactions?wait=${WAIT}`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: new Uint8Array(transaction.bytes),
        signal: AbortSignal.timeout(REQUEST_MS_MAX),
      });
      return outcomeOf(response.ok, await response.json());
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { outcome: 'undecided', code: 'UNREACHABLE', detail };
    }
  }

  #url(): string {
    this.#next = (this.#next + 1) % this.#urls.length;
    return defined(this.#urls[this.#next], 'a devnet has a node');
  }
}

/** A problem that names a height was decided there; one without was not decided. */
function outcomeOf(isOk: boolean, answer: unknown): SampleOutcome {
  const height = field(answer, 'height');
  const code = fieldText(answer, 'code') ?? 'UNKNOWN';
  if (typeof height === 'number') return { outcome: 'final', height, code: isOk ? null : code };
  return { outcome: 'undecided', code, detail: fieldText(answer, 'detail') ?? 'the node gave no reason' };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function fieldText(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === 'string' ? found : undefined;
}
