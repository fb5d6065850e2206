import { isBodyOf } from '../../ledger/execute.ts';
import { updateTree } from '../../ledger/state-tree.ts';
import { defined } from '../../lib/assert.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import { merkleRoot } from '../../model/merkle.ts';
import { receiptBytes } from '../../model/receipt.ts';
import { verifyTransaction } from '../../model/verified.ts';
import { readBlock, type StoredBlock } from '../../store/blocks.ts';
import { type FinalityCheck, finalityCheck } from '../../store/finality.ts';
import type { KeyValueReads } from '../../store/key-value.ts';
import { TABLES } from '../../store/schema.ts';
import { type ChainFault, missingBlock } from './chain-fault.ts';
import type { ReplayedState } from './replayed-state.ts';
import { blockRowsFault, type RowCounts } from './verify-rows.ts';

/** A chain whose older blocks are not kept, while it is looked at. */
export interface KeptChain {
  readonly reads: KeyValueReads;
  readonly jurisdiction: Jurisdiction;
  readonly oldest: number;
  readonly head: number;
  readonly counts: RowCounts;
}

/** The newest block that was found in order, or what is wrong. */
export type KeptStep = { readonly block: StoredBlock } | { readonly fault: ChainFault };

/**
 * Checks the blocks that are kept: links, bodies, signatures, receipts against the header, certificates, and the rows that
 * they yield. What a block made of the state before it cannot be checked without that state; its certificate vouches for it.
 */
export function* keptBlocks({ reads, jurisdiction, oldest, head, counts }: KeptChain): Generator<KeptStep> {
  const finality = finalityCheck((height) => readBlock(reads, height)?.header, jurisdiction);
  let parent: StoredBlock | undefined;
  for (let height = oldest; height <= head; height += 1) {
    const block = readBlock(reads, height);
    const fault = block === undefined ? missingBlock(height) : keptFault(block, { parent, finality, jurisdiction });
    const rows = fault ?? blockRowsFault(reads, defined(block, 'it has no fault'), block?.receipts ?? [], counts);
    if (rows !== undefined || block === undefined) {
      yield { fault: rows ?? missingBlock(height) };
      return;
    }
    parent = block;
    yield { block };
  }
}

function keptFault(
  block: StoredBlock,
  context: {
    readonly parent: StoredBlock | undefined;
    readonly finality: FinalityCheck;
    readonly jurisdiction: Jurisdiction;
  },
): ChainFault | undefined {
  const { header, body, receipts } = block;
  const { parent, finality, jurisdiction } = context;
  const { height } = header;
  const what = `block ${height}`;
  if (parent !== undefined && header.previous !== parent.hash) {
    return { code: 'HEADER_INVALID', height, what, detail: 'does not follow the one before' };
  }
  if (!isBodyOf(header, body))
    return { code: 'BODY_INVALID', height, what, detail: 'has another body than its header says' };
  if (merkleRoot(receipts.map(receiptBytes)) !== header.receiptsRoot) {
    return { code: 'RECEIPTS_WRONG', height, what: `the receipts of ${what}`, detail: 'are not those of its header' };
  }
  const unsigned = body.findIndex((transaction) => !verifyTransaction(transaction, jurisdiction.check).ok);
  if (unsigned >= 0) {
    const detail = 'breaks the rules: BAD_SIGNATURE';
    return { code: 'TRANSACTION_INVALID', height, what: `transaction ${unsigned} of ${what}`, detail };
  }
  const reason = finality(block);
  if (reason === undefined) return undefined;
  const detail = `does not make it final: ${reason}`;
  return { code: 'CERTIFICATE_INVALID', height, what: `the certificate of ${what}`, detail };
}

const RECORDS_PER_UPDATE = 1_000;

/** Builds the tree of all records that are stored, which must have the root that the newest header names. */
export async function* rebuildState(
  { reads, head }: Pick<KeptChain, 'reads' | 'head'>,
  state: ReplayedState,
): AsyncGenerator<undefined, ChainFault | undefined> {
  let batch: { key: Uint8Array; value: Uint8Array }[] = [];
  let root: string | undefined;
  const put = (): void => {
    const update = updateTree(state, batch);
    state.put(batch, update.pageWrites);
    root = update.root;
    batch = [];
  };
  for (const record of reads.range(TABLES.state, {})) {
    batch.push(record);
    if (batch.length < RECORDS_PER_UPDATE) continue;
    put();
    await state.settle();
    yield;
  }
  put();
  if (root === readBlock(reads, head)?.header.stateRoot) return undefined;
  const detail = `does not have the root that block ${head} names`;
  return { code: 'STATE_WRONG', height: head, what: 'the state', detail };
}
