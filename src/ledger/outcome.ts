import type { Hash, Height, Timestamp } from '../model/ids.ts';
import type { FirstScan, Receipt, Refusal } from '../model/receipt.ts';
import type { Operation, Transaction } from '../model/transaction.ts';
import type { Outcome } from './records.ts';
import type { Overlay } from './state.ts';

/** All that execution may know of the block around a transaction. */
export interface BlockPosition {
  readonly height: Height;
  readonly timestamp: Timestamp;
}

/** One operation about to be applied: to what, by which transaction, in which block. */
export interface Act<Kind extends Operation['kind'] = Operation['kind']> {
  readonly state: Overlay;
  readonly operation: Extract<Operation, { kind: Kind }>;
  readonly transaction: Transaction;
  readonly block: BlockPosition;
}

/** `subject` is what it was about; null for a batch. */
export function accepted(subject: string | null): Outcome {
  return { accepted: true, code: null, subject, firstScan: null };
}

/** `firstScan` is that of a ticket which was already consumed. */
export function refused(code: Refusal, subject: string | null, firstScan: FirstScan | null = null): Outcome {
  return { accepted: false, code, subject, firstScan };
}

export function receiptOf(transaction: Hash, outcome: Outcome, replayOf: Hash | null): Receipt {
  const { accepted: isAccepted, code, subject, firstScan } = outcome;
  return { transaction, accepted: isAccepted, code, subject, firstScan, replayOf };
}
