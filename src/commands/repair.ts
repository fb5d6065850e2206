import type { Logger } from '../api/settings.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { defined } from '../lib/assert.ts';
import { finishRebuilding } from '../node/audit/rebuild-chain.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { readHeadHeight } from '../store/blocks.ts';
import { openLmdb } from '../store/lmdb.ts';
import { dropReplacement, hasData, installReplacement, replacementDir, setAside } from '../store/replacement.ts';
import { META, TABLES } from '../store/schema.ts';
import { CommandError } from './exit-codes.ts';
import { type JobOutcome, JobProcess } from './job-process.ts';
import { closed } from './job-report.ts';
import { type OpenedChain, openChain } from './opening.ts';

/** How often a long rebuilding is logged. */
const LOGGED_EVERY_MS = 5_000;

export interface RepairParts {
  readonly config: Pick<NodeConfig, 'storage' | 'node'>;
  readonly genesis: Genesis;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** The program that is running, for a process of its own: LMDB may end the one that reads a damaged file. */
  readonly program?: string;
}

/**
 * Opens the chain of a data directory. One that is damaged is cut back to the last block that is whole and final: what
 * follows comes from the peers again. The journal beside it is not looked at.
 *
 * @throws CommandError when the directory is of another chain or layout
 * @throws StoreError when the disk fails
 */
export async function openOrRepairChain(parts: RepairParts): Promise<OpenedChain> {
  const { config, genesis, logger } = parts;
  const { dataDir } = config.storage;
  await finishReplacement(dataDir);
  try {
    return await openChain(config, genesis);
  } catch (error) {
    if (!isDamage(error)) throw error;
    logger.warn(
      { directory: dataDir, reason: sentenceOf(error) },
      'the stored chain is damaged: it is cut back to what is in order',
    );
  }
  const outcome = await rebuild(parts);
  if (!isAtItsEnd(outcome)) throw interrupted(outcome, dataDir);
  const height = await takeRebuilt(dataDir);
  const lost = outcome.kind === 'done' ? outcome.answer['reason'] : `reading it ended the process`;
  logger.warn(
    { height, from: height + 1, reason: lost, kept: `${dataDir}/damaged.mdb` },
    'the stored chain goes on from this height; what follows comes from the peers',
  );
  return await openChain(config, genesis);
}

/** MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH and MDB_BAD_TXN: the file is none that LMDB wrote. */
const LMDB_DAMAGE: readonly unknown[] = [-30_796, -30_797, -30_793, -30_794, -30_782];

function isDamage(error: unknown): boolean {
  if (error instanceof CommandError) return error.code === 'DATA_CORRUPT';
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && LMDB_DAMAGE.includes(cause.code);
}

function sentenceOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

async function rebuild({ config, logger, program = process.argv[1] }: RepairParts): Promise<JobOutcome> {
  const worker = new JobProcess({ program: defined(program, 'a program was started') });
  let loggedAt = performance.now();
  const { genesisFile } = config.node;
  try {
    return await worker.run({ kind: 'rebuild', dataDir: config.storage.dataDir, genesisFile }, (height, of) => {
      const now = performance.now();
      if (now - loggedAt < LOGGED_EVERY_MS) return;
      loggedAt = now;
      logger.info({ height, of }, 'rebuilding the stored chain');
    });
  } finally {
    worker.end();
  }
}

/** Reading on would end the process at the same place again; what was read before it is in order. */
function isAtItsEnd(outcome: JobOutcome): boolean {
  return outcome.kind === 'done' || (outcome.kind === 'crashed' && !['SIGINT', 'SIGTERM'].includes(outcome.how));
}

function interrupted(outcome: JobOutcome, dataDir: string): CommandError {
  const reason = outcome.kind === 'failed' ? outcome.message : 'it was interrupted';
  return new CommandError('DATA_UNUSABLE', `The chain in ${dataDir} could not be rebuilt: ${reason}.`, {
    code: 'DATA_CORRUPT',
    advice: 'Start the node again: it goes on where it was.',
  });
}

/** Puts what was rebuilt in the place of what is damaged, however little it is. @returns its height */
async function takeRebuilt(dataDir: string): Promise<number> {
  if (!hasData(replacementDir(dataDir))) {
    setAside(dataDir);
    return 0;
  }
  const into = openLmdb(replacementDir(dataDir), Object.values(TABLES));
  const height = readHeadHeight(into);
  await finishRebuilding(into);
  await closed(into);
  if (height === undefined) {
    setAside(dataDir);
    dropReplacement(dataDir);
    return 0;
  }
  installReplacement(dataDir, 'is kept');
  return height;
}

/** What was whole when the process ended between its last row and its taking the place of the other. */
async function finishReplacement(dataDir: string): Promise<void> {
  if (!hasData(replacementDir(dataDir))) return;
  const replacement = openLmdb(replacementDir(dataDir), Object.values(TABLES));
  const isWhole =
    replacement.get(TABLES.meta, META.schema) !== undefined &&
    replacement.get(TABLES.meta, META.unfinished) === undefined;
  await closed(replacement);
  if (isWhole) installReplacement(dataDir, 'is kept');
}
