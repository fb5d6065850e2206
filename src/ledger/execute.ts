import { err, ok, type Result } from '../lib/result.ts';
import type { Parameters } from '../model/authorities.ts';
import { type Body, bodySize, type Header, transactionsRoot } from '../model/block.ts';
import { BLOCK_TICKETS_MAX } from '../model/graph-limits.ts';
import type { Hash } from '../model/ids.ts';
import { merkleRoot } from '../model/merkle.ts';
import { ticketsNamed } from '../model/operation.ts';
import { type Receipt, receiptBytes } from '../model/receipt.ts';
import type { Transaction } from '../model/transaction.ts';
import { graphLeaf } from '../provenance/describe.ts';
import type { Iri } from '../provenance/terms.ts';
import { applyTransaction } from './apply.ts';
import type { BlockPosition } from './outcome.ts';
import { Overlay, type StateChange, type StateReader } from './state.ts';
import { type Page, PageOverlay, type PageReader } from './state-pages.ts';
import { type TreeWork, updateTree } from './state-tree.ts';
import { checkTransaction, type RecentIds, type TransactionContext, type TransactionFault } from './validate.ts';

/** The state after some block: its records and the tree over them. */
export interface LedgerState {
  readonly records: Overlay;
  readonly pages: PageOverlay;
  readonly root: Hash;
}

/** The newest final state, with nothing on top; `root` is the state root of the newest final header. */
export function storedState(records: StateReader, pages: PageReader, root: Hash): LedgerState {
  return { records: new Overlay(records), pages: new PageOverlay(pages), root };
}

/** Lets a state's parent go, once the store holds everything up to the parent: otherwise the chain of overlays grows. */
export function detachState(state: LedgerState): void {
  state.records.detach();
  state.pages.detach();
}

/** Where a block executes: on which state, at which height and time, under which parameters. */
export interface ExecutionContext extends BlockPosition {
  readonly chainId: Hash;
  /** What every IRI of the chain's graphs begins with. */
  readonly iriBase: Iri;
  readonly parameters: Parameters;
  /** The state after its parent. */
  readonly parent: LedgerState;
  /** Ids in the ancestors younger than `transactionLifeMsMax` before `timestamp`. */
  readonly recentIds: RecentIds;
}

export interface ExecutedBlock {
  readonly state: LedgerState;
  /** What the block wrote, sorted by key: to be stored with `pageWrites` once it is final. */
  readonly changes: readonly StateChange[];
  readonly pageWrites: ReadonlyMap<string, Page>;
  /** One per transaction, in order. */
  readonly receipts: readonly Receipt[];
  readonly stateRoot: Hash;
  readonly receiptsRoot: Hash;
  readonly graphRoot: Hash;
  readonly work: TreeWork;
}

/** Why a block is invalid whatever its header says; `index` is that of the transaction at fault. */
export type BlockFault =
  | { readonly code: 'TOO_MANY_TRANSACTIONS' | 'BLOCK_TOO_LARGE' | 'TOO_MANY_TICKETS' }
  | { readonly code: TransactionFault; readonly index: number };

/** Executes a body on its parent's state, which is not changed. Signatures are taken as verified. */
export function executeBlock(context: ExecutionContext, body: Body): Result<ExecutedBlock, BlockFault> {
  const { blockTransactionsMax, blockBytesMax } = context.parameters;
  if (body.length > blockTransactionsMax) return err({ code: 'TOO_MANY_TRANSACTIONS' });
  if (bodySize(body) > blockBytesMax) return err({ code: 'BLOCK_TOO_LARGE' });
  if (ticketCount(body) > BLOCK_TICKETS_MAX) return err({ code: 'TOO_MANY_TICKETS' });
  const run = startRun(context);
  for (const [index, transaction] of body.entries()) {
    const code = tryTransaction(run, transaction);
    if (code !== undefined) return err({ code, index });
  }
  return ok(finishRun(run));
}

/** What a header says of its block's execution and what execution gave instead. */
export type RootFault = 'WRONG_STATE_ROOT' | 'WRONG_RECEIPTS_ROOT' | 'WRONG_GRAPH_ROOT';

export function checkRoots(header: Header, executed: ExecutedBlock): RootFault | undefined {
  if (header.stateRoot !== executed.stateRoot) return 'WRONG_STATE_ROOT';
  if (header.receiptsRoot !== executed.receiptsRoot) return 'WRONG_RECEIPTS_ROOT';
  return header.graphRoot === executed.graphRoot ? undefined : 'WRONG_GRAPH_ROOT';
}

/** Whether a body is the one that a header commits to. If not, the body is to be dropped and nothing is said of the block. */
export function isBodyOf(header: Header, body: Body): boolean {
  return header.transactionCount === body.length && header.transactionsRoot === transactionsRoot(body);
}

/** Tickets that transactions name, batches with every one of theirs. */
function ticketCount(body: Body): number {
  return body.reduce((count, transaction) => count + ticketsNamed(transaction.body.operation).length, 0);
}

/** How much a proposer puts into a block at most; never more than the parameters allow. */
export interface BuildLimits {
  readonly transactionsMax: number;
  readonly bytesMax: number;
}

export interface BuiltBlock {
  readonly body: Body;
  readonly executed: ExecutedBlock;
  readonly transactionsRoot: Hash;
  /** Candidates that may not enter a block of this time on this state. */
  readonly skipped: readonly { readonly transaction: Transaction; readonly fault: TransactionFault }[];
}

/**
 * Takes candidates in order until one does not fit: one that is too large for the rest of this block is first in the
 * next one, and nothing overtakes it. What it returns, `executeBlock` accepts in the same context.
 */
export function buildBlock(
  context: ExecutionContext,
  candidates: Iterable<Transaction>,
  limits: BuildLimits,
): BuiltBlock {
  const transactionsMax = Math.min(limits.transactionsMax, context.parameters.blockTransactionsMax);
  const bytesMax = Math.min(limits.bytesMax, context.parameters.blockBytesMax);
  const run = startRun(context);
  const body: Transaction[] = [];
  const skipped: { transaction: Transaction; fault: TransactionFault }[] = [];
  let size = bodySize([]);
  let tickets = 0;
  for (const transaction of candidates) {
    const sizeWith = size + bodySize([transaction]) - bodySize([]);
    const ticketsWith = tickets + ticketCount([transaction]);
    if (body.length >= transactionsMax || sizeWith > bytesMax || ticketsWith > BLOCK_TICKETS_MAX) break;
    const fault = tryTransaction(run, transaction);
    if (fault === undefined) {
      body.push(transaction);
      size = sizeWith;
      tickets = ticketsWith;
    } else {
      skipped.push({ transaction, fault });
    }
  }
  return { body, executed: finishRun(run), transactionsRoot: transactionsRoot(body), skipped };
}

/** A block that is being executed. */
interface Run {
  readonly context: ExecutionContext;
  readonly judged: TransactionContext;
  readonly ids: Set<Hash>;
  readonly records: Overlay;
  readonly receipts: Receipt[];
  /** What the graph root is over, one for each transaction. */
  readonly graphs: Uint8Array[];
}

function startRun(context: ExecutionContext): Run {
  const { chainId, iriBase, timestamp, parameters, parent, recentIds } = context;
  const records = parent.records.child();
  const ids = new Set<Hash>();
  const judged: TransactionContext = {
    chainId,
    iriBase,
    timestamp,
    transactionLifeMsMax: parameters.transactionLifeMsMax,
    state: records,
    recentIds: { has: (id) => ids.has(id) || recentIds.has(id) },
  };
  return { context, judged, ids, records, receipts: [], graphs: [] };
}

function tryTransaction(run: Run, transaction: Transaction): TransactionFault | undefined {
  const fault = checkTransaction(transaction, run.judged);
  if (fault !== undefined) return fault;
  run.ids.add(transaction.id);
  const receipt = applyTransaction(run.records, transaction, run.context);
  run.receipts.push(receipt);
  run.graphs.push(graphLeaf(run.context, transaction, receipt));
  return undefined;
}

function finishRun({ context, records, receipts, graphs }: Run): ExecutedBlock {
  const { parent } = context;
  const changes = records.changes();
  const { root, pageWrites, work } =
    changes.length === 0
      ? { root: parent.root, pageWrites: new Map(), work: { nodeHashes: 0, pageReads: 0, pageWrites: 0 } }
      : updateTree(parent.pages, changes);
  return {
    state: { records, pages: parent.pages.child(pageWrites), root },
    changes,
    pageWrites,
    receipts,
    stateRoot: root,
    receiptsRoot: merkleRoot(receipts.map(receiptBytes)),
    graphRoot: merkleRoot(graphs),
    work,
  };
}
