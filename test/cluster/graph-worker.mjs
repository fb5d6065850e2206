// The first module of a thread that indexes, with a describer of the tests. It fails once where the file `fail` names a height.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { describePlainly } from '../support/plain-describer.mjs';

/** @type {typeof import('../../src/commands/graph-thread.ts')} */
const { runGraphThread } = await import(new URL('../../dist/commands/graph-thread.js', import.meta.url).href);

const { dataDir, graphDir, source, iriBase } = workerData;
const fail = join(dataDir, 'fail');
await runGraphThread({
  dataDir,
  graphDir,
  identity: { source, iriBase },
  describe: (block) => {
    if (existsSync(fail) && block.header.height >= Number(readFileSync(fail, 'utf8'))) {
      rmSync(fail);
      throw new Error(`cannot describe block ${block.header.height}`);
    }
    return describePlainly(block);
  },
});
