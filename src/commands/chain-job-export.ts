import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { counted } from '../lib/words.ts';
import type { Hash } from '../model/ids.ts';
import { CorruptionError, readBlock, readHeadHeight, readOldest } from '../store/blocks.ts';
import {
  CHAIN_FILE_MAGIC,
  CHAIN_FILE_VERSION,
  type ChainFileRecord,
  encodeChainFileRecord,
} from '../store/chain-file.ts';
import type { KeyValueReads } from '../store/key-value.ts';
import { CommandError } from './exit-codes.ts';
import { loadGenesis } from './files.ts';
import type { JobOf } from './job-process.ts';
import { type Ending, reporter, withSnapshot } from './job-report.ts';

export async function exportChain({ dataDir, genesisFile, out }: JobOf<'export'>): Promise<Ending> {
  const { genesis } = loadGenesis(genesisFile);
  const partial = `${out}.partial`;
  return await withSnapshot(dataDir, async (reads) => {
    const file = openSync(partial, 'w', 0o644);
    try {
      const written = await writeChain(reads, { chainId: genesis.chainId, file });
      fsyncSync(file);
      renameSync(partial, out);
      const { head, bytes } = written;
      const sentence = `Wrote ${counted(head.height, 'block')} after genesis, ${bytes} bytes, to ${out}.`;
      return { kind: 'done', answer: { file: out, blocks: head.height, bytes, head }, sentence };
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    } finally {
      closeSync(file);
    }
  });
}

/** Whoever imports it checks it from genesis on. */
function pruned(oldest: number): CommandError {
  return new CommandError(
    'DATA_UNUSABLE',
    `Blocks 1 to ${oldest - 1} are not kept here, and an export begins with the first.`,
    {
      code: 'PRUNED',
      advice: 'Export from a node that keeps everything: [storage] retain_blocks = 0, and its chain no snapshot.',
    },
  );
}

async function writeChain(reads: KeyValueReads, { chainId, file }: { readonly chainId: Hash; readonly file: number }) {
  const oldest = readOldest(reads);
  if (oldest > 1) throw pruned(oldest);
  const progress = reporter();
  const of = readHeadHeight(reads) ?? 0;
  let bytes = writeSync(file, CHAIN_FILE_MAGIC);
  const write = (record: ChainFileRecord): void => {
    bytes += writeSync(file, encodeChainFileRecord(record));
  };
  write({ kind: 'chain', version: CHAIN_FILE_VERSION, chainId });
  let last = readBlock(reads, 0);
  if (last === undefined) throw new CorruptionError('there is no chain in it');
  for (let height = 1; height <= of; height += 1) {
    const stored = readBlock(reads, height);
    if (stored?.header.previous !== last.hash) {
      throw new CorruptionError(`block ${height} does not follow block ${height - 1}`);
    }
    const { header, body, certificate, certifiedHeight } = stored;
    write({ kind: 'block', block: { header, body }, certificate, certifiedHeight });
    last = stored;
    await progress(height, of);
  }
  const { header, hash } = last;
  write({ kind: 'end', height: header.height, hash });
  return { bytes, head: { height: header.height, hash } };
}
