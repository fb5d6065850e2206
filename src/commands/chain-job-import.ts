import { closeSync, openSync, readSync } from 'node:fs';
import { foundLedger, type Genesis } from '../ledger/genesis.ts';
import { err, ok } from '../lib/result.ts';
import { counted } from '../lib/words.ts';
import { blockHash } from '../model/block.ts';
import type { Hash } from '../model/ids.ts';
import { type ImportedBlock, importChain } from '../node/audit/import-chain.ts';
import { createSignatureCheck } from '../node/keys/signatures.ts';
import { type ChainFileFault, readChainFile } from '../store/chain-file.ts';
import { lockDataDir } from '../store/lock.ts';
import { CommandError } from './exit-codes.ts';
import { loadGenesis } from './files.ts';
import type { JobOf } from './job-process.ts';
import { closed, type Ending, faultReport, report, reporter } from './job-report.ts';
import { openChain } from './opening.ts';

/** What is wrong with the file itself. */
interface FileFault {
  readonly code: ChainFileFault['code'] | 'OTHER_CHAIN';
  readonly height: null;
  readonly what: 'the file';
  readonly detail: string;
}

export async function importFromFile(job: JobOf<'import'>): Promise<Ending> {
  const { genesis } = loadGenesis(job.genesisFile);
  const lock = lockDataDir(job.home);
  if (!lock.ok) {
    throw new CommandError('DATA_UNUSABLE', `Another process (${lock.error.pid}) uses ${job.home}.`, {
      code: lock.error.code,
      advice: 'Stop the node first; a running node gets its blocks from its peers.',
    });
  }
  try {
    const file = openSync(job.file, 'r');
    try {
      return await importFile(job, genesis, file);
    } finally {
      closeSync(file);
    }
  } finally {
    lock.value.release();
  }
}

async function importFile(job: JobOf<'import'>, genesis: Genesis, file: number): Promise<Ending> {
  const { set: authorities, header } = foundLedger(genesis);
  const { store, chain } = await openChain({ storage: job }, genesis);
  report({ kind: 'opened' });
  try {
    const { chainId } = genesis;
    const jurisdiction = { chainId, authorities, check: createSignatureCheck() };
    const blocks = blocksOf(file, chainId, blockHash(header));
    const progress = reporter();
    const run = importChain({ chain, jurisdiction, iriBase: genesis.iriBase, blocks });
    for (;;) {
      const next = await run.next();
      if (next.done !== true) {
        await progress(next.value.height, 0);
        continue;
      }
      if (!next.value.ok) return faultReport(next.value.error);
      const { added, known } = next.value.value;
      const head = { height: chain.head.height, hash: chain.headHash };
      const sentence = `Imported ${counted(added, 'block')} after genesis; ${known} ${known === 1 ? 'was' : 'were'} there. The head is block ${head.height}, ${head.hash}.`;
      return { kind: 'done', answer: { added, known, head }, sentence };
    }
  } finally {
    await closed(store);
  }
}

function* blocksOf(file: number, chainId: Hash, genesisHash: Hash): Generator<ImportedBlock<FileFault>> {
  const records = readChainFile(readerOf(file));
  let last = { height: 0, hash: genesisHash };
  for (;;) {
    const { done, value } = records.next();
    if (done === true) {
      if (value !== undefined) yield fault(value.code, `cannot be read on at byte ${value.offset}: ${value.reason}`);
      return;
    }
    if (value.kind === 'chain' && value.chainId !== chainId) {
      yield fault('OTHER_CHAIN', `is of the chain ${value.chainId}, and this home of ${chainId}`);
      return;
    }
    if (value.kind === 'block') {
      const { kind: _, ...block } = value;
      last = { height: block.block.header.height, hash: blockHash(block.block.header) };
      yield ok(block);
    }
    if (value.kind === 'end' && (value.height !== last.height || value.hash !== last.hash)) {
      yield fault('FILE_DAMAGED', `says that it ends with block ${value.height}, and ends with ${last.height}`);
      return;
    }
  }
}

function fault(code: FileFault['code'], detail: string): ImportedBlock<FileFault> {
  return err({ code, height: null, what: 'the file', detail });
}

/** Gives the next bytes of a file, fewer than asked for at its end. */
function readerOf(file: number): (count: number) => Uint8Array {
  return (count) => {
    const bytes = new Uint8Array(count);
    let length = 0;
    while (length < count) {
      const read = readSync(file, bytes, length, count - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  };
}
