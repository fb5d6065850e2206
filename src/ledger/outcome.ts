import type { Hash, Height, Timestamp } from '../model/ids.ts';
import type { Operation } from '../model/operation.ts';
import type { FirstScan, Receipt, Refusal } from '../model/receipt.ts';
import type { TicketChange } from '../model/ticket.ts';
import type { Transaction } from '../model/transaction.ts';
import type { Outcome } from './records.ts';
import type { Overlay } from './state.ts';

/** All that execution may know of the block around a transaction. */
export interface BlockPosition {
  readonly height: Height;
  readonly timestamp: Timestamp;
}

/** Around an operation: the state that it changes, the transaction that asks for it, the block that takes it. */
export interface Scene {
  readonly state: Overlay;
  readonly transaction: Transaction;
  readonly block: BlockPosition;
  /** What the receipt will say of tickets; written by `putVersion` only. */
  readonly changes: TicketChange[];
}

/** One operation about to be applied. */
export interface Act<Kind extends Operation['kind'] = Operation['kind']> extends Scene {
  readonly operation: Extract<Operation, { kind: Kind }>;
}

/** `subject` is what it was about; null for a batch. */
export function accepted(subject: string | null): Outcome {
  return { accepted: true, code: null, subject, firstScan: null };
}

/** `firstScan` is that of a ticket which was already consumed. */
export function refused(code: Refusal, subject: string | null, firstScan: FirstScan | null = null): Outcome {
  return { accepted: false, code, subject, firstScan };
}

export function receiptOf(transaction: Hash, outcome: Outcome, replayOf: Hash | null): Omit<Receipt, 'changes'> {
  const { accepted: isAccepted, code, subject, firstScan } = outcome;
  return { transaction, accepted: isAccepted, code, subject, firstScan, replayOf };
}
