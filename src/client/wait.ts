import { err } from '../lib/result.ts';
import type { Transaction } from '../model/transaction.ts';
import type { TransactionStateAnswer } from './answers.ts';
import { type Answered, pause } from './call.ts';
import type { Client } from './http.ts';

export type FinalTransaction = Extract<TransactionStateAnswer, { state: 'final' }>;

export interface WaitOptions {
  /** How long to go on asking, in milliseconds. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 15_000;
const POLL_MS_MIN = 20;
const POLL_MS_MAX = 500;

/**
 * Polls until a transaction is final, accepted or not: see its receipt. Any node of the network can be asked. A node
 * that does not know it yet, or cannot be reached, is asked again.
 *
 * Fails with `TIMEOUT` when it is not final in time, and with `ABORTED` when `signal` is raised.
 */
export async function untilFinal(
  client: Pick<Client, 'transaction'>,
  transactionId: string,
  { timeoutMs = TIMEOUT_MS, signal }: WaitOptions = {},
): Promise<Answered<FinalTransaction>> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const stop = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  for (let pollMs = POLL_MS_MIN; !stop.aborted; pollMs = Math.min(2 * pollMs, POLL_MS_MAX)) {
    const answered = await client.transaction(transactionId, stop);
    if (answered.ok && answered.value.state === 'final') return { ok: true, value: answered.value };
    if (!answered.ok && answered.error.code === 'BAD_REQUEST') return answered;
    await pause(pollMs, stop);
  }
  const code = signal?.aborted === true ? 'ABORTED' : 'TIMEOUT';
  const detail = `transaction ${transactionId} is not known to be final; it may still become so until it expires`;
  return err({ code, detail, status: null, transactionId });
}

/** Submits a signed transaction and polls until it is final; a submission that got no answer is not given up. */
export async function submitUntilFinal(
  client: Pick<Client, 'submit' | 'transaction'>,
  transaction: Pick<Transaction, 'id' | 'bytes'>,
  options: WaitOptions = {},
): Promise<Answered<FinalTransaction>> {
  const { signal } = options;
  const submitted = await client.submit(transaction, signal === undefined ? {} : { signal });
  if (submitted.ok && submitted.value.state === 'final') return { ok: true, value: submitted.value };
  // Taken, or decided before, or nobody knows: what it came to is to be read.
  const isKnown = submitted.ok || submitted.error.code === 'TIMEOUT' || submitted.error.transactionId !== undefined;
  return isKnown ? await untilFinal(client, transaction.id, options) : submitted;
}
