import { err, ok, type Result } from '../lib/result.ts';
import type { Block } from '../model/block.ts';
import type { SignatureCheck } from '../model/certificate.ts';
import type { Transaction } from '../model/transaction.ts';
import { verifyTransaction } from '../model/verified.ts';
import type { Iri } from '../provenance/terms.ts';
import { checkRoots, type ExecutedBlock, executeBlock, isBodyOf, type LedgerState, type RootFault } from './execute.ts';
import {
  type HeaderContext,
  type HeaderFault,
  type RecentIds,
  type TransactionFault,
  validateHeader,
} from './validate.ts';

/** Why a block is not valid. `reason` is the rule that it breaks, `index` the transaction that does. Stable names. */
export type BlockProblem =
  | { readonly code: 'HEADER_INVALID'; readonly reason: HeaderFault }
  | {
      readonly code: 'BODY_INVALID';
      readonly reason: 'WRONG_TRANSACTIONS' | 'TOO_MANY_TRANSACTIONS' | 'BLOCK_TOO_LARGE' | 'TOO_MANY_TICKETS';
    }
  | {
      readonly code: 'TRANSACTION_INVALID';
      readonly reason: TransactionFault | 'BAD_SIGNATURE';
      readonly index: number;
    }
  | { readonly code: 'ROOT_WRONG'; readonly reason: RootFault };

/** Where a block is judged that comes from a file or a disk, and not from this node's own consensus. */
export interface BlockContext extends HeaderContext {
  readonly iriBase: Iri;
  /** The state after its parent. */
  readonly state: LedgerState;
  /** Ids in the ancestors younger than `transactionLifeMsMax`. */
  readonly recentIds: RecentIds;
  /** The full rule of docs/protocol.md, section 1, for every transaction. */
  readonly check: SignatureCheck;
}

/** Judges a block by every rule but its certificate, and says what executing it yields. */
export function checkBlock(block: Block, context: BlockContext): Result<ExecutedBlock, BlockProblem> {
  const { header, body } = block;
  const reason = validateHeader(header, context);
  if (reason !== undefined) return err({ code: 'HEADER_INVALID', reason });
  if (!isBodyOf(header, body)) return err({ code: 'BODY_INVALID', reason: 'WRONG_TRANSACTIONS' });
  const index = body.findIndex((transaction) => !isSigned(transaction, context.check));
  if (index >= 0) return err({ code: 'TRANSACTION_INVALID', reason: 'BAD_SIGNATURE', index });
  const executed = execute(block, context);
  if (!executed.ok) return executed;
  const root = checkRoots(header, executed.value);
  return root === undefined ? executed : err({ code: 'ROOT_WRONG', reason: root });
}

function isSigned(transaction: Transaction, check: SignatureCheck): boolean {
  return verifyTransaction(transaction, check).ok;
}

function execute({ header, body }: Block, context: BlockContext): Result<ExecutedBlock, BlockProblem> {
  const { chainId, iriBase, set, state, recentIds } = context;
  const { height, timestamp } = header;
  const executed = executeBlock(
    { height, timestamp, chainId, iriBase, parameters: set.parameters, parent: state, recentIds },
    body,
  );
  if (executed.ok) return ok(executed.value);
  const { error } = executed;
  return 'index' in error
    ? err({ code: 'TRANSACTION_INVALID', reason: error.code, index: error.index })
    : err({ code: 'BODY_INVALID', reason: error.code });
}
