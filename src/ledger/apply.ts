import type { Receipt } from '../model/receipt.ts';
import { operationHash, type Transaction } from '../model/transaction.ts';
import { applyEventCreate, applyRoleGrant, applyRoleRevoke, applyTierCreate } from './catalogue.ts';
import { type BlockPosition, receiptOf, refused } from './outcome.ts';
import { idempotencyKey, type Outcome } from './records.ts';
import type { Overlay } from './state.ts';
import { applyDispute, applyIssue, applyScan, applyValidate } from './tickets.ts';

/**
 * Executes a transaction that `checkTransaction` let pass, and says what it did. With an idempotency key that its
 * organisation has used before it does nothing: the same operation gets the first outcome again, any other is refused.
 */
export function applyTransaction(state: Overlay, transaction: Transaction, block: BlockPosition): Receipt {
  const { organisation, operation, idempotencyKey: key } = transaction.body;
  if (key === null) return receiptOf(transaction.id, applyOperation(state, transaction, block), null);
  const id = idempotencyKey(organisation, key);
  const hash = operationHash(operation);
  const first = state.idempotency.get(id);
  if (first !== undefined) {
    return first.operation === hash
      ? receiptOf(transaction.id, first.outcome, first.transaction)
      : receiptOf(transaction.id, refused('IDEMPOTENCY_KEY_REUSED', null), null);
  }
  const outcome = applyOperation(state, transaction, block);
  state.idempotency.put(id, { operation: hash, transaction: transaction.id, height: block.height, outcome });
  return receiptOf(transaction.id, outcome, null);
}

function applyOperation(state: Overlay, transaction: Transaction, block: BlockPosition): Outcome {
  const { operation } = transaction.body;
  const context = { state, transaction, block };
  switch (operation.kind) {
    case 'event.create':
      return applyEventCreate({ ...context, operation });
    case 'tier.create':
      return applyTierCreate({ ...context, operation });
    case 'role.grant':
      return applyRoleGrant({ ...context, operation });
    case 'role.revoke':
      return applyRoleRevoke({ ...context, operation });
    case 'issue':
      return applyIssue({ ...context, operation });
    case 'validate':
      return applyValidate({ ...context, operation });
    case 'consume':
    case 'admit':
      return applyScan({ ...context, operation });
    case 'dispute':
      return applyDispute({ ...context, operation });
  }
}
