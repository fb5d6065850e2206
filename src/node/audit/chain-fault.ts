import type { BlockProblem } from '../../ledger/check-block.ts';
import type { Body } from '../../model/block.ts';
import { TABLES } from '../../store/schema.ts';

/** What can be wrong with a stored chain. Stable names. */
const CHAIN_FAULTS = [
  /** The database gives an error, or rows out of order, where it should give rows. */
  'DATABASE_DAMAGED',
  'META_WRONG',
  'OTHER_CHAIN',
  'GENESIS_WRONG',
  'BLOCK_MISSING',
  /** Bytes that are no block, no receipts or no certificate. */
  'BLOCK_DAMAGED',
  /** The four ways in which a block breaks the rules of the ledger. */
  'HEADER_INVALID',
  'BODY_INVALID',
  'TRANSACTION_INVALID',
  'ROOT_WRONG',
  'CERTIFICATE_INVALID',
  /** Rows that are missing, that should not be there, or that are not what the blocks yield. */
  'BLOCK_WRONG',
  'RECEIPTS_WRONG',
  'CERTIFICATE_WRONG',
  'HEIGHT_INDEX_WRONG',
  'TRANSACTION_INDEX_WRONG',
  'HISTORY_WRONG',
  'STATE_WRONG',
  'STATE_TREE_WRONG',
  'TICKET_INDEX_WRONG',
  'EVIDENCE_WRONG',
] as const;
export type ChainFaultCode = (typeof CHAIN_FAULTS)[number];

/** The first thing that is wrong with a chain. */
export interface ChainFault {
  readonly code: ChainFaultCode;
  /** Of the block at fault, or of the newest one when the fault is in what all of them yield; null outside the chain. */
  readonly height: number | null;
  /** What is wrong, as the subject of a sentence. */
  readonly what: string;
  /** The rest of the sentence. */
  readonly detail: string;
}

const CODES: ReadonlyMap<number, ChainFaultCode> = new Map([
  [TABLES.meta, 'META_WRONG'],
  [TABLES.blocks, 'BLOCK_WRONG'],
  [TABLES.receipts, 'RECEIPTS_WRONG'],
  [TABLES.certificates, 'CERTIFICATE_WRONG'],
  [TABLES.heights, 'HEIGHT_INDEX_WRONG'],
  [TABLES.transactions, 'TRANSACTION_INDEX_WRONG'],
  [TABLES.history, 'HISTORY_WRONG'],
  [TABLES.state, 'STATE_WRONG'],
  [TABLES.pages, 'STATE_TREE_WRONG'],
  [TABLES.ticketsByState, 'TICKET_INDEX_WRONG'],
  [TABLES.evidence, 'EVIDENCE_WRONG'],
  [TABLES.treeKeys, 'STATE_TREE_WRONG'],
]);

/** The fault of a row of a table. */
export function codeOfTable(table: number): ChainFaultCode {
  return CODES.get(table) ?? 'DATABASE_DAMAGED';
}

/** What `checkBlock` says of a block, as a fault of the chain that it is in. */
export function faultOfBlock(height: number, body: Body, problem: BlockProblem): ChainFault {
  const { code, reason } = problem;
  const index = 'index' in problem ? problem.index : undefined;
  const what = index === undefined ? `block ${height}` : `transaction ${index} (${body[index]?.id}) of block ${height}`;
  return { code, height, what, detail: `breaks the rules: ${reason}` };
}

export function missingBlock(height: number): ChainFault {
  return { code: 'BLOCK_MISSING', height, what: `block ${height}`, detail: 'is missing' };
}
