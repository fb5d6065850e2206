import { join } from 'node:path';
import { counted } from '../lib/words.ts';
import { verifyChain } from '../node/audit/verify-chain.ts';
import { createSignatureCheck } from '../node/keys/signatures.ts';
import { openLmdb } from '../store/lmdb.ts';
import { TABLES } from '../store/schema.ts';
import { loadGenesis } from './files.ts';
import type { JobOf } from './job-process.ts';
import { type Ending, faultReport, reporter, withSnapshot } from './job-report.ts';

export async function verify({ dataDir, genesisFile, scratchDir }: JobOf<'verify'>): Promise<Ending> {
  const { genesis } = loadGenesis(genesisFile);
  const progress = reporter();
  return await withSnapshot(dataDir, async (reads) => {
    const run = verifyChain({
      reads,
      genesis,
      check: createSignatureCheck(),
      openScratch: () => openLmdb(join(scratchDir, 'state'), [TABLES.state, TABLES.pages]),
    });
    for (;;) {
      const next = await run.next();
      if (next.done !== true) {
        await progress(next.value.height, next.value.of);
        continue;
      }
      if (!next.value.ok) return faultReport(next.value.error);
      const { head, ...counts } = next.value.value;
      const { blocks, transactions, signatures, tickets, oldest } = counts;
      const kept =
        oldest === 0
          ? ''
          : `\nBlocks below ${oldest} are not kept here: that the state follows from them is vouched for by certificates alone.`;
      const sentence =
        `The chain in ${dataDir} is in order: ${counted(blocks, 'block')} with genesis, ${counted(transactions, 'transaction')}, ` +
        `${counted(signatures, 'signature')}, ${counted(tickets, 'ticket')}.\nIts head is block ${head.height}, ${head.hash}.${kept}`;
      return { kind: 'done', answer: { valid: true, ...counts, head }, sentence };
    }
  });
}
