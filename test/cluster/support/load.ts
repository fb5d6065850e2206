import { randomBytes } from 'node:crypto';
import type { Hash } from '../../../src/model/ids.ts';
import type { Transaction } from '../../../src/model/transaction.ts';
import type { NodeProcess } from './node-process.ts';
import { issueOf, signed } from './transactions.ts';
import { pause } from './until.ts';

/** A write that a node said is final. */
export interface Acknowledged {
  readonly id: string;
  readonly ticket: string;
  readonly height: number;
  readonly blockHash: string;
  readonly sentAt: number;
  readonly knownAt: number;
}

export interface LoadOptions {
  readonly chainId: Hash;
  /** Asked in turn, also when one of them does not answer. */
  readonly nodes: readonly NodeProcess[];
  /** Writers at once, each with one write under way. */
  readonly lanes: number;
  /** Between the answer and the next write of a lane; at once unless told otherwise. */
  readonly pauseMs?: number;
  /** What takes longer than this to become final is counted as undecided; longer than a view change unless told. */
  readonly waitMs?: number;
}

const WAIT_MS = 4_000;
const RETRY_MS = 20;
const ORGANISATION = 'boxoffice';

/** New tickets, issued one by one through all nodes until told to stop. */
export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** Taken and not known to be decided: either outcome is right. */
  readonly undecided = new Set<string>();
  /** How often each code was answered. */
  readonly refusals = new Map<string, number>();
  readonly #options: LoadOptions;
  readonly #run = randomBytes(4).toString('hex');
  readonly #lanes: readonly Promise<void>[];
  #sent = 0;
  #isStopped = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: options.lanes }, () => this.#lane());
  }

  /** The first acknowledgement of what was sent after `sinceMs` (of Date.now), if there is one yet. */
  acknowledgedSince(sinceMs: number): Acknowledged | undefined {
    return this.acknowledged.find(({ sentAt }) => sentAt >= sinceMs);
  }

  /** Resolves when everything that was sent has been answered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#lanes);
  }

  async #lane(): Promise<void> {
    while (!this.#isStopped) {
      const number = this.#sent;
      this.#sent += 1;
      const ticket = `load-${this.#run}-${number}`;
      const node = this.#options.nodes[number % this.#options.nodes.length];
      if (node === undefined) return;
      const transaction = signed(this.#options.chainId, ORGANISATION, issueOf(ticket));
      const isFinal = await this.#send(node, transaction, ticket);
      const pauseMs = Math.max(this.#options.pauseMs ?? 0, isFinal ? 0 : RETRY_MS);
      if (pauseMs > 0) await pause(pauseMs);
    }
  }

  async #send(node: NodeProcess, transaction: Transaction, ticket: string): Promise<boolean> {
    const sentAt = Date.now();
    const answered = await node.client.submit(transaction, { waitMs: this.#options.waitMs ?? WAIT_MS });
    if (answered.ok && answered.value.state === 'final') {
      const { height, block_hash: blockHash } = answered.value;
      this.acknowledged.push({ id: transaction.id, ticket, height, blockHash, sentAt, knownAt: Date.now() });
      return true;
    }
    const code = answered.ok ? answered.value.state : answered.error.code;
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    if (['NOT_FINAL_YET', 'TIMEOUT', 'UNREACHABLE', 'pending', 'STOPPING'].includes(code)) {
      this.undecided.add(transaction.id);
    }
    return false;
  }
}

/** Codes that a load may meet while nodes die and come back: each is an honest "not now". */
export const PASSING_CODES: ReadonlySet<string> = new Set([
  'UNREACHABLE',
  'TIMEOUT',
  'NO_QUORUM',
  'NOT_FINAL_YET',
  'NOT_READY',
  'NOT_SYNCED',
  'OVERLOADED',
  'STOPPING',
]);

/** Codes of a load that say something else than "not now". */
export function unexpectedRefusals(load: Load): readonly string[] {
  return [...load.refusals.keys()].filter((code) => !PASSING_CODES.has(code));
}
