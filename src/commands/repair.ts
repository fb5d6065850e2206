import type { Logger } from '../api/settings.ts';
import { type Genesis, genesisSet } from '../ledger/genesis.ts';
import { defined } from '../lib/assert.ts';
import type { Height } from '../model/ids.ts';
import { guardedReads, UnreadableError } from '../node/audit/guarded-reads.ts';
import { beginAgain, finishRebuilding } from '../node/audit/rebuild-chain.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { createSignatureCheck } from '../node/keys/signatures.ts';
import { judgeFork } from '../peering/fork.ts';
import { carryAgain, isArrived } from '../store/arriving.ts';
import { CorruptionError, readHeadHeight } from '../store/blocks.ts';
import type { KeyValue } from '../store/key-value.ts';
import { openLmdb, tellsOfDamage } from '../store/lmdb.ts';
import {
  beginOpening,
  DAMAGED_FILE,
  dropReplacement,
  hasData,
  installReplacement,
  noteDamage,
  notedDamage,
  replacementDir,
  setAside,
} from '../store/replacement.ts';
import { META, TABLES } from '../store/schema.ts';
import { CommandError } from './exit-codes.ts';
import { type JobOutcome, JobProcess } from './job-process.ts';
import { closed } from './job-report.ts';
import { type OpenedChain, openChain } from './opening.ts';

/** How often a long rebuilding is logged. */
const LOGGED_EVERY_MS = 5_000;

export interface RepairParts {
  readonly config: Pick<NodeConfig, 'storage' | 'node' | 'consensus'>;
  readonly genesis: Genesis;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** The program that is running, for a process of its own: LMDB may end the one that reads a damaged file. */
  readonly program?: string;
}

/**
 * Opens the chain of a data directory. One that is damaged is cut back to the last block that is whole and final: what
 * follows comes from the peers again. The journal beside it is not looked at. Until `endOpening`, the next start takes
 * this one for ended by the data.
 *
 * @throws CommandError when the directory is of another chain or layout
 * @throws StoreError when the disk fails
 */
export async function openOrRepairChain(parts: RepairParts): Promise<OpenedChain> {
  const { config, genesis, logger } = parts;
  const { dataDir } = config.storage;
  const isSuspect = beginOpening(dataDir);
  await finishReplacement(parts, isSuspect);
  const damage = notedDamage(dataDir) ?? (isSuspect ? await damageFound(parts) : null);
  const opened = damage ?? (await openUndamaged(parts));
  if (typeof opened !== 'string') return await onTrustedChain(parts, opened);
  logger.warn(
    { directory: dataDir, reason: opened },
    'the stored chain is damaged: it is cut back to what is in order',
  );
  await dropArrival(dataDir);
  const outcome = await work(parts, 'rebuild');
  // Reading on after a crash would end the process at the same place again; what was read before it is in order.
  if (outcome.kind === 'interrupted') throw interrupted(outcome.how, dataDir);
  if (outcome.kind === 'failed') throw interrupted(outcome.message, dataDir);
  const height = await takeRebuilt(dataDir);
  const reason = outcome.kind === 'done' ? outcome.answer['reason'] : 'it cannot be read on';
  const kept = `${dataDir}/${DAMAGED_FILE}`;
  logger.warn({ height, reason, kept }, 'the stored chain ends at this height; what follows comes from the peers');
  const oldest = outcome.kind === 'done' ? Number(outcome.answer['oldest']) : 0;
  if (oldest > 1 && height < oldest) {
    const { sync } = config.storage;
    logger.warn({ oldest, sync }, sync === 'snapshot' ? SNAPSHOT_AGAIN : NO_EARLIER_BLOCKS);
  }
  return await openChain(config, genesis);
}

/** Leaves a chain that is not the one which the operator vouches for: the trust root was wrong, or its keys were stolen. */
async function onTrustedChain(parts: RepairParts, opened: OpenedChain): Promise<OpenedChain> {
  const { config, genesis, logger } = parts;
  const { dataDir } = config.storage;
  const trusted = config.consensus.trustedCheckpoint;
  const { store, chain } = opened;
  if (trusted === undefined) return opened;
  const jurisdiction = { chainId: genesis.chainId, authorities: genesisSet(genesis), check: createSignatureCheck() };
  const final = { height: chain.head.height, hash: chain.headHash };
  const held = { final, jurisdiction, earlier: () => undefined, blockAt: (height: Height) => chain.block(height) };
  const verdict = judgeFork(held, { kind: 'checkpoint', trusted });
  if (verdict.action === 'unknown')
    logger.warn({ ...trusted }, 'the trusted checkpoint is older than what is kept here');
  if (verdict.action !== 'roll-back') return opened;
  const kept = `${dataDir}/${DAMAGED_FILE}`;
  logger.warn(
    { ...trusted, kept },
    'the stored chain is not the trusted one: it is set aside, and the peers are asked for theirs',
  );
  dropReplacement(dataDir);
  const into = openLmdb(replacementDir(dataDir), Object.values(TABLES));
  await beginAgain({ damaged: store, into, genesis });
  await closed(into);
  await closed(store);
  installReplacement(dataDir, 'is kept');
  return await openChain(config, genesis);
}

const SNAPSHOT_AGAIN =
  'the damaged directory began with this block, and a state is only rebuilt from the first one on: a snapshot is fetched again';

const NO_EARLIER_BLOCKS =
  'the damaged directory began with this block, and a state is only rebuilt from the first one on: the node needs a peer ' +
  'that keeps everything (retain_blocks = 0), or [storage] sync = "snapshot"';

const READING_ENDS = 'reading it ends the process';

/** What a process of its own says of the data; null when it finds nothing. */
async function damageFound(parts: RepairParts): Promise<string | null> {
  if (!hasData(parts.config.storage.dataDir)) return null;
  const outcome = await work(parts, 'check');
  if (outcome.kind === 'interrupted') throw interrupted(outcome.how, parts.config.storage.dataDir);
  // Whatever else it says is found again, and told, by this process.
  return outcome.kind === 'crashed' ? READING_ENDS : null;
}

/** The chain, or what is wrong with it. */
async function openUndamaged({ config, genesis }: RepairParts): Promise<OpenedChain | string> {
  try {
    return await openChain(config, genesis);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return sentenceOf(error);
  }
}

/** Whether an error says that stored data are not what was written. */
export function isDamage(error: unknown): boolean {
  if (error instanceof CommandError) return error.code === 'DATA_CORRUPT';
  return error instanceof CorruptionError || error instanceof UnreadableError || tellsOfDamage(error);
}

/** What a node ends with that finds its data damaged when they are open already; any other error as it is. */
export function explainDamage(error: unknown, dataDir: string): unknown {
  if (!isDamage(error)) return error;
  noteDamage(dataDir, sentenceOf(error));
  return damageError(error, dataDir);
}

/** What a command ends with that cannot read the data. */
export function damageError(error: unknown, dataDir: string): CommandError {
  return new CommandError('DATA_UNUSABLE', `The data in ${dataDir} are damaged: ${sentenceOf(error)}.`, {
    code: 'DATABASE_DAMAGED',
    advice: 'Start the node again: they are checked and mended then, and what is missing comes from the peers.',
    cause: error,
  });
}

function sentenceOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

async function work(
  { config, logger, program = process.argv[1] }: RepairParts,
  kind: 'check' | 'rebuild',
): Promise<JobOutcome> {
  const worker = new JobProcess({ program: defined(program, 'a program was started') });
  let loggedAt = performance.now();
  const { genesisFile } = config.node;
  try {
    return await worker.run({ kind, dataDir: config.storage.dataDir, genesisFile }, (at) => {
      const now = performance.now();
      if (now - loggedAt < LOGGED_EVERY_MS) return;
      loggedAt = now;
      if (kind === 'rebuild') logger.info({ height: at }, 'rebuilding the stored chain');
      else logger.info({ rows: at }, 'bringing the stored data to the layout of this version');
    });
  } finally {
    worker.end();
  }
}

function interrupted(reason: string, dataDir: string): CommandError {
  const sentence = `Checking or rebuilding the chain in ${dataDir} was interrupted, and nothing of it was replaced: ${reason}.`;
  return new CommandError('DATA_UNUSABLE', sentence, {
    code: 'INTERRUPTED',
    advice:
      'Look for a lack of memory or room, or a slow disk, and start the node again: it goes on where it was. If it is ' +
      `interrupted each time, remove ${dataDir}, never the journal: the node gets the chain from its peers again.`,
  });
}

/** A snapshot that is on its way is put together where the chain is to be rebuilt, and is no part of that. */
async function dropArrival(dataDir: string): Promise<void> {
  if (!hasData(replacementDir(dataDir))) return;
  const replacement = openLmdb(replacementDir(dataDir), Object.values(TABLES));
  const isArrival = (replacement.get(TABLES.meta, META.unfinished)?.length ?? 0) > 0;
  await closed(replacement);
  if (isArrival) dropReplacement(dataDir);
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

/** Installs what is whole: a snapshot that has arrived, or what a process rebuilt that ended right after its last row. */
async function finishReplacement(parts: RepairParts, isSuspect: boolean): Promise<void> {
  const { dataDir } = parts.config.storage;
  if (!hasData(replacementDir(dataDir))) return;
  const replacement = openLmdb(replacementDir(dataDir), Object.values(TABLES));
  const isWhole =
    replacement.get(TABLES.meta, META.schema) !== undefined &&
    replacement.get(TABLES.meta, META.unfinished) === undefined;
  const isSnapshot = isArrived(replacement);
  try {
    if (isWhole && isSnapshot && hasData(dataDir)) {
      // Data that end whoever reads them have nothing to say any more.
      const isReadable = !isSuspect || (await damageFound(parts)) === null;
      if (isReadable) await carryFrom(dataDir, replacement, parts.logger);
    }
  } finally {
    await closed(replacement);
  }
  if (isWhole) installReplacement(dataDir, isSnapshot ? 'goes' : 'is kept');
}

/** A halt, say, that came between the last row of the snapshot and the end of the node. */
async function carryFrom(dataDir: string, replacement: KeyValue, logger: RepairParts['logger']): Promise<void> {
  try {
    const store = openLmdb(dataDir, Object.values(TABLES));
    try {
      await carryAgain(guardedReads(store), replacement);
    } finally {
      await closed(store);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    logger.warn({ reason: sentenceOf(error) }, 'what the old data say of bans, evidence and a halt cannot be read');
  }
}
