import type { Genesis } from '../../ledger/genesis.ts';
import { equalBytes } from '../../lib/bytes.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import { carriedRows } from '../../store/arriving.ts';
import { CorruptionError, readBlock, readHeadHeight, readOldest } from '../../store/blocks.ts';
import type { Chain } from '../../store/chain.ts';
import type { KeyValue, KeyValueChange, KeyValueReads } from '../../store/key-value.ts';
import { META, TABLES } from '../../store/schema.ts';
import { written } from '../../store/written.ts';
import { beginChain } from '../recovery.ts';
import { type ChainFault, missingBlock } from './chain-fault.ts';
import { guardedReads, UnreadableError } from './guarded-reads.ts';
import { type ImportedBlock, type ImportFault, type ImportProgress, importChain } from './import-chain.ts';

export interface RebuildOptions {
  /** What is damaged: one moment of it. */
  readonly damaged: KeyValueReads;
  /** An empty store, or one that an interrupted rebuilding has begun. */
  readonly into: KeyValue;
  readonly genesis: Genesis;
  readonly jurisdiction: Jurisdiction;
}

export interface RebuiltChain {
  readonly height: number;
  /** The oldest block that the damaged store had with its body; 0 when it had all, or does not say. */
  readonly oldest: number;
  /** Why it ends there. */
  readonly fault: ImportFault | null;
}

/**
 * Builds a chain anew from the blocks of a damaged store, as far as each follows the one before, is final by its
 * certificate, and yields the roots of its header. The state is what executing them yields: only the newest is ever
 * stored, so none of an earlier block could be gone back to.
 *
 * @throws StoreError of the new store
 */
export async function* rebuildChain(options: RebuildOptions): AsyncGenerator<ImportProgress, RebuiltChain> {
  const { damaged, into, genesis, jurisdiction } = options;
  const reads = guardedReads(damaged);
  await written(into, [unfinishedRow(true), ...carried(reads)]);
  const chain = await begun(into, genesis);
  const run = importChain({ chain, jurisdiction, iriBase: genesis.iriBase, blocks: storedBlocks(reads) });
  for (;;) {
    const next = await run.next();
    if (next.done !== true) yield next.value;
    else {
      const fault = next.value.ok ? null : next.value.error;
      await finishRebuilding(into);
      return { height: chain.head.height, oldest: oldestOf(reads), fault };
    }
  }
}

/** Begins again with genesis, and keeps what is not of the chain but a halt: an operator has decided. @throws StoreError */
export async function beginAgain({ damaged, into, genesis }: Omit<RebuildOptions, 'jurisdiction'>): Promise<void> {
  const kept = carried(guardedReads(damaged)).filter(({ key }) => !equalBytes(key, META.halt));
  await written(into, [unfinishedRow(true), ...kept]);
  await begun(into, genesis);
  await finishRebuilding(into);
}

/** Takes a chain that was rebuilt as whole: it ends with a block that is final, wherever that is. @throws StoreError */
export function finishRebuilding(into: KeyValue): Promise<void> {
  return written(into, [unfinishedRow(false)]);
}

function unfinishedRow(isUnfinished: boolean): KeyValueChange {
  return { table: TABLES.meta, key: META.unfinished, value: isUnfinished ? new Uint8Array() : undefined };
}

function begun(store: KeyValue, genesis: Genesis): Promise<Chain> {
  return new Promise((resolve, reject) =>
    beginChain(store, genesis, (opened) => (opened.ok ? resolve(opened.value) : reject(opened.error))),
  );
}

/** As much as can be read. */
function carried(reads: KeyValueReads): readonly KeyValueChange[] {
  const rows: KeyValueChange[] = [];
  try {
    for (const row of carriedRows(reads)) rows.push(row);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
  }
  return rows;
}

function oldestOf(reads: KeyValueReads): number {
  const oldest = readable('the height of the oldest block', 0, () => ok(readOldest(reads)));
  return oldest.ok ? oldest.value : 0;
}

function* storedBlocks(reads: KeyValueReads): Generator<ImportedBlock<ChainFault>> {
  const head = readable('the newest block', 0, () => ok(readHeadHeight(reads) ?? 0));
  if (!head.ok) yield head;
  for (let height = 1; head.ok && height <= head.value; height += 1) yield storedBlock(reads, height);
}

function storedBlock(reads: KeyValueReads, height: number): ImportedBlock<ChainFault> {
  return readable(`block ${height}`, height, () => {
    const stored = readBlock(reads, height);
    if (stored === undefined) return err(missingBlock(height));
    const { header, body, certificate, certifiedHeight } = stored;
    return ok({ block: { header, body }, certificate, certifiedHeight });
  });
}

function readable<T>(what: string, height: number, read: () => Result<T, ChainFault>): Result<T, ChainFault> {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorruptionError || error instanceof UnreadableError)) throw error;
    return err({ code: 'BLOCK_DAMAGED', height, what, detail: `cannot be read: ${error.message}` });
  }
}
