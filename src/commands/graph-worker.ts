/** The first module of the thread that indexes: see `graph-thread`. */
import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { z } from 'zod';
import { parseGenesis } from '../ledger/genesis-document.ts';
import { defined } from '../lib/assert.ts';
import { describerOf, graphIdentity } from './graph-describer.ts';
import { runGraphThread } from './graph-thread.ts';

const data = z.object({ dataDir: z.string(), graphDir: z.string(), genesisFile: z.string() });

const { dataDir, graphDir, genesisFile } = data.parse(workerData);
const parsed = parseGenesis(readFileSync(genesisFile));
const genesis = defined(parsed.ok ? parsed.value : undefined, 'the node that starts the thread has read genesis');
await runGraphThread({
  dataDir,
  graphDir,
  identity: graphIdentity(genesis),
  describe: describerOf(genesis),
});
