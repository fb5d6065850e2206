import type { Hash } from '../model/ids.ts';
import type { Receipt } from '../model/receipt.ts';
import type { TicketChange } from '../model/ticket.ts';
import { operationHash, type Transaction } from '../model/transaction.ts';
import { applyCase, applyResolve } from './cases.ts';
import { applyEventCreate, applyRoleGrant, applyRoleRevoke, applyTierCreate } from './catalogue.ts';
import { applyIssue } from './issuing.ts';
import { type BlockPosition, receiptOf, refused, type Scene } from './outcome.ts';
import { idempotencyKey, type Outcome } from './records.ts';
import type { Overlay } from './state.ts';
import { applyScan, applyStanding, applyTransfer, applyValidate } from './tickets.ts';

/**
 * Executes a transaction that `checkTransaction` let pass, and says what it did. With an idempotency key that its
 * organisation has used before it does nothing: the same operation gets the first outcome again, any other is refused.
 */
export function applyTransaction(state: Overlay, transaction: Transaction, block: BlockPosition): Receipt {
  const changes: TicketChange[] = [];
  const { outcome, replayOf } = outcomeOf({ state, transaction, block, changes });
  return { ...receiptOf(transaction.id, outcome, replayOf), changes };
}

function outcomeOf(scene: Scene): { readonly outcome: Outcome; readonly replayOf: Hash | null } {
  const { state, transaction, block } = scene;
  const { organisation, idempotencyKey: key } = transaction.body;
  if (key === null) return { outcome: applyOperation(scene), replayOf: null };
  const id = idempotencyKey(organisation, key);
  const hash = operationHash(transaction.body);
  const first = state.idempotency.get(id);
  if (first !== undefined) {
    return first.operation === hash
      ? { outcome: first.outcome, replayOf: first.transaction }
      : { outcome: refused('IDEMPOTENCY_KEY_REUSED', null), replayOf: null };
  }
  const outcome = applyOperation(scene);
  state.idempotency.put(id, { operation: hash, transaction: transaction.id, height: block.height, outcome });
  return { outcome, replayOf: null };
}

function applyOperation(scene: Scene): Outcome {
  const { operation } = scene.transaction.body;
  switch (operation.kind) {
    case 'event.create':
      return applyEventCreate({ ...scene, operation });
    case 'tier.create':
      return applyTierCreate({ ...scene, operation });
    case 'role.grant':
      return applyRoleGrant({ ...scene, operation });
    case 'role.revoke':
      return applyRoleRevoke({ ...scene, operation });
    case 'issue':
      return applyIssue({ ...scene, operation });
    case 'validate':
      return applyValidate({ ...scene, operation });
    case 'consume':
    case 'admit':
      return applyScan({ ...scene, operation });
    case 'dispute':
    case 'case.open':
      return applyCase({ ...scene, operation });
    case 'resolve':
      return applyResolve({ ...scene, operation });
    case 'transfer':
      return applyTransfer({ ...scene, operation });
    case 'hold':
    case 'release':
    case 'revoke':
      return applyStanding({ ...scene, operation });
  }
}
