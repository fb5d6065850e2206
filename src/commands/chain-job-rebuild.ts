import { foundLedger } from '../ledger/genesis.ts';
import { VERIFIED_SIGNATURES_KEPT_MAX } from '../model/limits.ts';
import { rebuildChain } from '../node/audit/rebuild-chain.ts';
import { createSignatureCheck, memoizedCheck } from '../node/keys/signatures.ts';
import { readHeadHeight } from '../store/blocks.ts';
import { openLmdb } from '../store/lmdb.ts';
import { replacementDir } from '../store/replacement.ts';
import { TABLES } from '../store/schema.ts';
import { loadGenesis } from './files.ts';
import type { JobOf } from './job-process.ts';
import { closed, type Ending, reporter, withSnapshot } from './job-report.ts';

/** Puts together beside a damaged data directory what of its chain is in order. */
export async function rebuild({ dataDir, genesisFile }: JobOf<'rebuild'>): Promise<Ending> {
  const { genesis } = loadGenesis(genesisFile);
  const { set: authorities } = foundLedger(genesis);
  const { check } = memoizedCheck(createSignatureCheck(), VERIFIED_SIGNATURES_KEPT_MAX);
  const progress = reporter();
  return await withSnapshot(dataDir, async (damaged) => {
    const of = readHeadHeight(damaged) ?? 0;
    const into = openLmdb(replacementDir(dataDir), Object.values(TABLES));
    try {
      const jurisdiction = { chainId: genesis.chainId, authorities, check };
      const run = rebuildChain({ damaged, into, genesis, jurisdiction });
      for (;;) {
        const next = await run.next();
        if (next.done !== true) {
          await progress(next.value.height, of);
          continue;
        }
        const { height, fault } = next.value;
        const reason = fault === null ? null : `${fault.what} ${fault.detail}`;
        return { kind: 'done', answer: { height, reason }, sentence: `Rebuilt up to block ${height}.` };
      }
    } finally {
      await closed(into);
    }
  });
}
