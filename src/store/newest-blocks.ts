import { isBodyOf } from '../ledger/execute.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { START_BLOCKS_CHECKED } from '../model/limits.ts';
import { CorruptionError, readBlock, readHeadHeight, readHeight, readOldest, type StoredBlock } from './blocks.ts';
import { type FinalityCheck, finalityCheck } from './finality.ts';
import type { KeyValueReads } from './key-value.ts';

/**
 * Checks what a crash, a failing disk or a foreign copy can have done to the end of the chain: that the newest blocks
 * are whole, follow each other, can be found by their hash, and are final under the set of `jurisdiction`.
 *
 * @param count how many blocks, genesis not counted
 * @throws CorruptionError that names the lowest block at fault
 */
export function checkNewestBlocks(
  reads: KeyValueReads,
  jurisdiction: Jurisdiction,
  count: number = START_BLOCKS_CHECKED,
): void {
  const head = readHeadHeight(reads) ?? -1;
  const finalityOf = finalityCheck((height) => readBlock(reads, height)?.header, jurisdiction);
  let parent: StoredBlock | undefined;
  for (let height = Math.max(readOldest(reads), head - count); height <= head; height += 1) {
    const block = readBlock(reads, height);
    if (block === undefined) throw new CorruptionError(`block ${height} is missing`);
    const fault = placeFault(reads, block, height) ?? (parent && childFault(block, parent, finalityOf));
    if (fault !== undefined) throw new CorruptionError(fault);
    parent = block;
  }
}

function placeFault(reads: KeyValueReads, { header, hash }: StoredBlock, height: number): string | undefined {
  if (header.height !== height) return `block ${height} is missing: in its place is block ${header.height}`;
  return readHeight(reads, hash) === height ? undefined : `block ${height} cannot be found by its hash`;
}

function childFault(block: StoredBlock, parent: StoredBlock, finalityOf: FinalityCheck): string | undefined {
  const { header, body } = block;
  if (header.previous !== parent.hash) return `block ${header.height} does not follow block ${parent.header.height}`;
  if (!isBodyOf(header, body)) return `the transactions of block ${header.height} are not those of its header`;
  const fault = finalityOf(block);
  return fault && `the certificate of block ${header.height} does not make it final: ${fault}`;
}
