import { foundLedger } from '../ledger/genesis.ts';
import { VERIFIED_SIGNATURES_KEPT_MAX } from '../model/limits.ts';
import { rebuildChain } from '../node/audit/rebuild-chain.ts';
import { createSignatureCheck, memoizedCheck } from '../node/keys/signatures.ts';
import { type KeyValueReads, StoreError } from '../store/key-value.ts';
import { openLmdb, tellsOfDamage } from '../store/lmdb.ts';
import { replacementDir } from '../store/replacement.ts';
import { TABLES } from '../store/schema.ts';
import { loadGenesis } from './files.ts';
import type { JobOf } from './job-process.ts';
import { closed, type Ending, faultReport, reporter, withDamaged } from './job-report.ts';
import { openChain } from './opening.ts';

/** Opens a chain as a node does at its start: whoever gives the job learns whether a process lives through it. */
export async function check({ dataDir, genesisFile }: JobOf<'check'>): Promise<Ending> {
  const { genesis } = loadGenesis(genesisFile);
  const { store, chain } = await openChain({ storage: { dataDir } }, genesis);
  const { height } = chain.head;
  await closed(store);
  return { kind: 'done', answer: { height }, sentence: `The newest block is ${height}.` };
}

/** Puts together beside a damaged data directory what of its chain is in order. */
export async function rebuild(job: JobOf<'rebuild'>): Promise<Ending> {
  let isOpen = false;
  try {
    return await withDamaged(job.dataDir, async (damaged) => {
      isOpen = true;
      return await rebuildFrom(damaged, job);
    });
  } catch (error) {
    if (isOpen || !(error instanceof StoreError && tellsOfDamage(error))) throw error;
    return faultReport({ code: 'DATABASE_DAMAGED', height: null, what: 'the database', detail: `: ${error.message}` });
  }
}

async function rebuildFrom(damaged: KeyValueReads, { dataDir, genesisFile }: JobOf<'rebuild'>): Promise<Ending> {
  const { genesis } = loadGenesis(genesisFile);
  const { set: authorities } = foundLedger(genesis);
  const { check } = memoizedCheck(createSignatureCheck(), VERIFIED_SIGNATURES_KEPT_MAX);
  const jurisdiction = { chainId: genesis.chainId, authorities, check };
  const progress = reporter();
  const into = openLmdb(replacementDir(dataDir), Object.values(TABLES));
  try {
    const run = rebuildChain({ damaged, into, genesis, jurisdiction });
    for (;;) {
      const next = await run.next();
      if (next.done !== true) {
        await progress(next.value.height, 0);
        continue;
      }
      const { height, oldest, fault } = next.value;
      const reason = fault === null ? null : `${fault.what} ${fault.detail}`;
      return { kind: 'done', answer: { height, oldest, reason }, sentence: `Rebuilt up to block ${height}.` };
    }
  } finally {
    await closed(into);
  }
}
