import type { AdmitAnswer, WriteAnswer } from '../client/answers.ts';
import { defined } from '../lib/assert.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Hash, Height, TicketId } from '../model/ids.ts';
import { IDEMPOTENCY_KEY_BYTES_MAX, TRANSACTION_BYTES_MAX } from '../model/limits.ts';
import type { Receipt } from '../model/receipt.ts';
import { type Intent, intentBytes, type Transaction } from '../model/transaction.ts';
import { type ApiRequest, badField, json, type Outcome } from './exchange.ts';
import type { NotAdmitted, Operator, Reader, Submit, Submitted } from './ports.ts';
import { fail, isProblemCode, kindOf, type Problem, refusalDetail } from './problems.ts';
import { firstScanView, ticketView } from './views.ts';

/** Everything of a transaction but its operation, with room to spare. */
const ENVELOPE_BYTES_MAX = 1_024;

export interface Writer {
  readonly reader: Reader;
  readonly submit: Submit;
  readonly operator: Operator | undefined;
}

/** What came of a write: decided for good, one way or the other, or admitted and still under way. */
export type Written =
  | {
      readonly isFinal: true;
      readonly transaction: Hash;
      readonly height: Height;
      readonly blockHash: Hash;
      readonly receipt: Receipt;
      /** It was done before, under the same key; this is what came of it then. */
      readonly isReplay: boolean;
    }
  | { readonly isFinal: false; readonly transaction: Hash };

/**
 * The key under which a retry is known: the header `Idempotency-Key`, as a structured string or bare
 * (draft-ietf-httpapi-idempotency-key-header §2).
 */
export function idempotencyKeyOf(request: ApiRequest): Result<string | null, Problem> {
  const text = request.header('idempotency-key');
  if (text === undefined) return ok(null);
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  return key.length <= IDEMPOTENCY_KEY_BYTES_MAX && /^[\x21-\x7e]+$/.test(key)
    ? ok(key)
    : badField('Idempotency-Key', `has 1 to ${IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters, such as a UUID`);
}

/** Signs an operation as the node's organisation and submits it, unless its key tells that this was done before. */
export async function write(
  writer: Writer,
  intent: Intent,
  idempotencyKey: string | null,
  waitMs: number,
): Promise<Result<Written, Problem>> {
  const { operator } = writer;
  if (operator === undefined) {
    return fail(
      'READ_ONLY',
      'this node holds no key of an organisation: sign with a client key and POST /api/v1/transactions',
    );
  }
  if (intentBytes(intent) + ENVELOPE_BYTES_MAX > TRANSACTION_BYTES_MAX) {
    return fail(
      'BODY_TOO_LARGE',
      `one transaction has at most ${TRANSACTION_BYTES_MAX} bytes: send fewer tickets at once, or state less`,
    );
  }
  const earlier = idempotencyKey === null ? undefined : operator.earlier(intent, idempotencyKey);
  if (earlier?.outcome === 'reused') {
    const { title } = kindOf('IDEMPOTENCY_KEY_REUSED');
    return fail('IDEMPOTENCY_KEY_REUSED', `${title}; use a fresh key, or repeat the first operation unchanged`);
  }
  if (earlier?.outcome === 'final') return ok(decided(writer.reader, earlier, true));
  return await submitted(writer, operator.sign(intent, idempotencyKey), waitMs);
}

/**
 * Submits a signed transaction. One that is final already is answered as it was decided: a retry is no error. It is the
 * node that says so, since what can be read here may not yet be on its disk.
 */
export async function submitted(
  { reader, submit }: Pick<Writer, 'reader' | 'submit'>,
  transaction: Transaction,
  waitMs: number,
): Promise<Result<Written, Problem>> {
  const isReplay = reader.transaction(transaction.id).state === 'final';
  const outcome = await submit(transaction, waitMs);
  if (outcome.outcome === 'final') return ok(decided(reader, outcome, isReplay));
  if (outcome.outcome === 'pending') return ok({ isFinal: false, transaction: transaction.id });
  const meanwhile = outcome.code === 'ALREADY_FINAL' ? known(reader, transaction.id) : undefined;
  return meanwhile === undefined ? err(notAdmitted(outcome)) : ok(meanwhile);
}

function known(reader: Reader, id: Hash): Written | undefined {
  const found = reader.transaction(id);
  return found.state === 'final' ? decided(reader, found, true) : undefined;
}

type Decided = Pick<Extract<Submitted, { outcome: 'final' }>, 'height' | 'blockHash' | 'receipt'>;

/** A receipt that repeats an earlier one stands for it: the caller learns where it really happened. */
function decided(reader: Reader, { height, blockHash, receipt }: Decided, isReplay: boolean): Written {
  const original = receipt.replayOf === null ? undefined : reader.transaction(receipt.replayOf);
  if (original?.state === 'final') {
    const { height, blockHash, receipt } = original;
    return { isFinal: true, transaction: receipt.transaction, height, blockHash, receipt, isReplay: true };
  }
  const transaction = receipt.transaction;
  return { isFinal: true, transaction, height, blockHash, receipt, isReplay: isReplay || receipt.replayOf !== null };
}

/** Why nothing was taken; what a node says that this table does not know is the node's own fault. */
export function notAdmitted({ code, detail }: NotAdmitted): Problem {
  return isProblemCode(code) ? { code, detail } : { code: 'INTERNAL_ERROR', detail: `${code}: ${detail}` };
}

function locationOf(transaction: Hash): string {
  return `/api/v1/transactions/${transaction}`;
}

/** Admitted and not decided within the wait: never an error of the write, and never its success. */
export function underWay(transaction: Hash, waitMs: number): Outcome {
  const location = locationOf(transaction);
  if (waitMs === 0) {
    const value = { id: transaction, state: 'pending' };
    return ok({ status: 202, headers: { location }, content: { kind: 'json', value } });
  }
  return err({
    code: 'NOT_FINAL_YET',
    detail: `not final within ${waitMs} ms, and it may still become so: poll ${location}, or send the same again to this node, with its Idempotency-Key if it had one`,
    members: { transaction_id: transaction },
    headers: { location },
  });
}

export function replayHeaders(isReplay: boolean): Readonly<Record<string, string>> {
  return isReplay ? { 'idempotency-replayed': 'true' } : {};
}

/** A final refusal, as an error. */
export function refusal(written: Extract<Written, { isFinal: true }>): Problem {
  const { receipt, transaction, height, isReplay } = written;
  const code = defined(receipt.code, 'a refused receipt says why');
  return {
    code,
    detail: refusalDetail(code, receipt),
    members: {
      transaction_id: transaction,
      height,
      ...(receipt.subject === null ? {} : { subject: receipt.subject }),
      ...(receipt.firstScan === null ? {} : { first_scan: firstScanView(receipt.firstScan) }),
    },
    headers: replayHeaders(isReplay),
  };
}

/** The answer to a transition: the tickets as they are now, or the refusal. */
export function writeOutcome(
  reader: Reader,
  written: Written,
  about: { readonly tickets: readonly TicketId[]; readonly isBatch: boolean },
  waitMs: number,
): Outcome {
  if (!written.isFinal) return underWay(written.transaction, waitMs);
  if (!written.receipt.accepted) return err(refusal(written));
  const tickets = about.tickets.map((id) =>
    ticketView(defined(reader.ticket(id), 'a ticket of an accepted write can be read')),
  );
  const [first, replacement] = tickets;
  const value: WriteAnswer = {
    transaction_id: written.transaction,
    height: written.height,
    block_hash: written.blockHash,
    ...(about.isBatch || first === undefined ? { tickets } : { ticket: first }),
    ...(about.isBatch || replacement === undefined ? {} : { replacement }),
  };
  return json(value, replayHeaders(written.isReplay));
}

/** The answer to a scan, which is an answer whichever way it was decided. */
export function admitOutcome(reader: Reader, written: Written, ticket: TicketId, waitMs: number): Outcome {
  if (!written.isFinal) return underWay(written.transaction, waitMs);
  const { receipt } = written;
  if (receipt.code === 'IDEMPOTENCY_KEY_REUSED') return err(refusal(written));
  const record = reader.ticket(ticket);
  const value: AdmitAnswer = {
    decision: receipt.accepted ? 'ADMIT' : 'REFUSE',
    ...(receipt.code === null ? {} : { code: receipt.code, detail: refusalDetail(receipt.code, receipt) }),
    ticket: record === undefined ? null : ticketView(record),
    ...(receipt.firstScan === null ? {} : { first_scan: firstScanView(receipt.firstScan) }),
    transaction_id: written.transaction,
    height: written.height,
  };
  return json(value, replayHeaders(written.isReplay));
}
