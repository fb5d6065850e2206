import { checkBlock } from '../../ledger/check-block.ts';
import { storedState } from '../../ledger/execute.ts';
import { foundLedger, type Genesis } from '../../ledger/genesis.ts';
import { defined } from '../../lib/assert.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { type AuthoritySet, authoritySetHash } from '../../model/authorities.ts';
import { blockHash, type Header } from '../../model/block.ts';
import type { Jurisdiction, SignatureCheck } from '../../model/certificate.ts';
import { type Hash, hexBytes } from '../../model/ids.ts';
import { SYNC_BLOCKS_MAX, VERIFIED_SIGNATURES_KEPT_MAX } from '../../model/limits.ts';
import type { Receipt } from '../../model/receipt.ts';
import { CorruptionError, readBlock, readOldest, type StoredBlock } from '../../store/blocks.ts';
import { type FinalityCheck, finalityCheck } from '../../store/finality.ts';
import type { KeyValue, KeyValueReads } from '../../store/key-value.ts';
import { heightOfKey, TABLES } from '../../store/schema.ts';
import { memoizedCheck } from '../keys/signatures.ts';
import { type ChainFault, faultOfBlock, missingBlock } from './chain-fault.ts';
import { guardedReads, UnreadableError } from './guarded-reads.ts';
import { ReplayedState } from './replayed-state.ts';
import { keptBlocks, rebuildState } from './verify-kept.ts';
import { evidenceFault, metaFault, stateFault } from './verify-rest.ts';
import {
  blockRowsFault,
  COUNTED_TABLES,
  COUNTED_TABLES_OF_KEPT,
  extraRowFault,
  placeOf,
  type RowCounts,
} from './verify-rows.ts';

export interface VerifyOptions {
  /** One moment of the store: it must not change meanwhile. */
  readonly reads: KeyValueReads;
  readonly genesis: Genesis;
  /** The full rule of every consensus decision. */
  readonly check: SignatureCheck;
  /** Gives an empty store for a state that is too large for memory; asked at most once. */
  readonly openScratch: () => KeyValue;
  /** What is too large; unless told otherwise REPLAYED_STATE_BYTES_MAX. */
  readonly stateBytesMax?: number;
}

export interface VerifyProgress {
  /** The newest block that was found in order. */
  readonly height: number;
  readonly of: number;
}

export interface VerifiedChain {
  /** Height from which on all blocks are there and were checked; 0 unless older ones are not kept. */
  readonly oldest: number;
  /** Genesis included. */
  readonly blocks: number;
  readonly transactions: number;
  /** Of transactions and in certificates. */
  readonly signatures: number;
  readonly tickets: number;
  readonly head: { readonly height: number; readonly hash: Hash };
}

/** A replay on its way: everything below `parent` is in order. */
interface Replay {
  readonly options: VerifyOptions;
  readonly reads: KeyValueReads;
  readonly set: AuthoritySet;
  readonly setHash: Hash;
  readonly jurisdiction: Jurisdiction;
  readonly state: ReplayedState;
  readonly counts: RowCounts;
  readonly finality: FinalityCheck;
  parent: { readonly header: Header; readonly hash: Hash } | undefined;
  /** The height that is being looked at. */
  height: number;
  /** The newest height of which anything is stored. */
  head: number;
  /** From which height on all blocks are stored. */
  oldest: number;
  transactions: number;
  signatures: number;
}

/**
 * Checks a stored chain from genesis on, as if nothing in the store could be believed: every rule of every header, every
 * signature and certificate, what executing each block yields against its roots, its receipts and every row that is kept
 * beside it, and in the end every record and page of the state. Holds one block and the state at a time.
 *
 * @returns counts of what was checked, or the first fault
 * @throws what the scratch store throws
 */
export async function* verifyChain(
  options: VerifyOptions,
): AsyncGenerator<VerifyProgress, Result<VerifiedChain, ChainFault>> {
  const replay = startReplay(options);
  try {
    const fault = yield* run(replay);
    return fault === undefined ? ok(summary(replay)) : err(fault);
  } catch (error) {
    const { height } = replay;
    if (error instanceof UnreadableError) {
      return err({ code: 'DATABASE_DAMAGED', height, what: 'the database', detail: `is damaged: ${error.message}` });
    }
    if (error instanceof CorruptionError) {
      return err({
        code: 'BLOCK_DAMAGED',
        height,
        what: `block ${height}`,
        detail: `cannot be read: ${error.message}`,
      });
    }
    throw error;
  } finally {
    await replay.state.close();
  }
}

function startReplay(options: VerifyOptions): Replay {
  const { genesis, check, openScratch, stateBytesMax } = options;
  const { set } = foundLedger(genesis);
  const memoized = memoizedCheck(check, VERIFIED_SIGNATURES_KEPT_MAX);
  const jurisdiction: Jurisdiction = { chainId: genesis.chainId, authorities: set, check: memoized.check };
  const replay: Replay = {
    options,
    reads: guardedReads(options.reads),
    set,
    setHash: authoritySetHash(set),
    jurisdiction,
    finality: finalityCheck((height) => headerAt(replay, height), jurisdiction),
    state: new ReplayedState(openScratch, stateBytesMax),
    counts: new Map(),
    parent: undefined,
    height: 0,
    head: 0,
    oldest: 0,
    transactions: 0,
    signatures: 0,
  };
  return replay;
}

async function* run(replay: Replay): AsyncGenerator<VerifyProgress, ChainFault | undefined> {
  const { reads, state, counts } = replay;
  const meta = metaFault(reads, replay.options.genesis.chainId);
  if (meta !== undefined) return meta;
  const head = newestHeight(reads);
  replay.head = head;
  replay.oldest = readOldest(reads);
  const fault = replay.oldest === 0 ? yield* replayBlocks(replay) : yield* checkKept(replay);
  if (fault !== undefined) return fault;
  replay.height = head;
  const progress = { height: head, of: head };
  const tables = replay.oldest === 0 ? COUNTED_TABLES : COUNTED_TABLES_OF_KEPT;
  const searches = [
    stateFault(reads, await state.rows(), { head, counts }),
    extraRowFault(reads, { expected: counts, head, tables }),
  ];
  for (const search of searches) {
    for (;;) {
      const { done, value: fault } = search.next();
      if (fault !== undefined) return fault;
      if (done === true) break;
      yield progress;
    }
  }
  return evidenceFault(reads, replay.jurisdiction);
}

async function* replayBlocks(replay: Replay): AsyncGenerator<VerifyProgress, ChainFault | undefined> {
  for (; replay.height <= replay.head; replay.height += 1) {
    const fault = nextBlockFault(replay);
    if (fault !== undefined) return fault;
    await replay.state.settle();
    yield { height: replay.height, of: replay.head };
  }
  return undefined;
}

/** Without the older blocks, what those that are kept did to the state is taken from their certificates. */
async function* checkKept(replay: Replay): AsyncGenerator<VerifyProgress, ChainFault | undefined> {
  const { reads, jurisdiction, oldest, head, counts, state } = replay;
  const { header } = foundLedger(replay.options.genesis);
  if (readBlock(reads, 0)?.hash !== blockHash(header)) return otherGenesis();
  if (oldest > head || (oldest > 1 && readBlock(reads, oldest - 1) !== undefined)) {
    return { code: 'META_WRONG', height: null, what: 'the height of the oldest block', detail: `is not ${oldest}` };
  }
  for (const step of keptBlocks({ reads, jurisdiction, oldest, head, counts })) {
    if ('fault' in step) return step.fault;
    passed(replay, step.block);
    replay.height = step.block.header.height;
    yield { height: replay.height, of: head };
  }
  const search = rebuildState({ reads, head }, state);
  for (;;) {
    const next = await search.next();
    if (next.done === true) return next.value;
    yield { height: head, of: head };
  }
}

/** The largest height of which anything is stored: when the newest block itself is gone, the rows beside it tell. */
function newestHeight(reads: KeyValueReads): number {
  const heights = [TABLES.blocks, TABLES.receipts, TABLES.certificates].map((table) => {
    for (const { key } of reads.range(table, { reverse: true, limit: 1 })) return heightOfKey(key) ?? 0;
    return 0;
  });
  return Math.max(...heights);
}

function nextBlockFault(replay: Replay): ChainFault | undefined {
  const { reads, height } = replay;
  const stored = readBlock(reads, height);
  if (stored === undefined) return missingBlock(height);
  const receipts = replay.parent === undefined ? foundingReceipts(replay, stored) : replayBlock(replay, stored);
  if (!receipts.ok) return receipts.error;
  const fault = blockRowsFault(reads, stored, receipts.value, replay.counts);
  if (fault !== undefined) return fault;
  passed(replay, stored);
  return undefined;
}

function passed(replay: Replay, stored: StoredBlock): void {
  replay.parent = stored;
  replay.transactions += stored.body.length;
  replay.signatures += stored.body.length + (stored.certificate?.signatures.length ?? 0);
}

function otherGenesis(): ChainFault {
  return { code: 'GENESIS_WRONG', height: 0, what: 'block 0', detail: 'is not that of the genesis document' };
}

function foundingReceipts(replay: Replay, stored: StoredBlock): Result<readonly Receipt[], ChainFault> {
  const { header, changes, pageWrites } = foundLedger(replay.options.genesis);
  const { body, certificate, certifiedHeight } = stored;
  if (stored.hash !== blockHash(header) || body.length > 0 || certificate !== null || certifiedHeight !== 0) {
    return err(otherGenesis());
  }
  replay.state.put(changes, pageWrites);
  return ok([]);
}

function replayBlock(replay: Replay, stored: StoredBlock): Result<readonly Receipt[], ChainFault> {
  const { reads, set, setHash, state, height, options } = replay;
  const parent = defined(replay.parent, 'the block before was replayed');
  const executed = checkBlock(stored, {
    chainId: options.genesis.chainId,
    parent: parent.header,
    parentHash: parent.hash,
    set,
    setHash,
    iriBase: options.genesis.iriBase,
    state: storedState(state, state, parent.header.stateRoot),
    recentIds: { has: (id) => isEarlier(reads, id, height) },
    check: options.check,
  });
  if (!executed.ok) return err(faultOfBlock(height, stored.body, executed.error));
  const unproven = certificateFault(replay, stored);
  if (unproven !== undefined) return err(unproven);
  state.put(executed.value.changes, executed.value.pageWrites);
  return ok(executed.value.receipts);
}

function certificateFault(replay: Replay, stored: StoredBlock): ChainFault | undefined {
  const { height, reads } = replay;
  const reason = replay.finality(stored);
  if (reason === undefined) return undefined;
  const { certifiedHeight } = stored;
  // The certificate may be of a descendant, and a block on the way there be the one that was changed.
  const last = certifiedHeight - height > SYNC_BLOCKS_MAX ? height : Math.min(certifiedHeight, replay.head);
  for (let at = height + 1; at <= last; at += 1) {
    const header = headerAt(replay, at);
    if (header === undefined) return missingBlock(at);
    if (reads.get(TABLES.heights, hexBytes(blockHash(header))) !== undefined) continue;
    const detail = `is not on the way to block ${certifiedHeight}, whose certificate makes it final`;
    return { code: 'CERTIFICATE_INVALID', height: at, what: `block ${at}`, detail };
  }
  const what = `the certificate of block ${height}`;
  return { code: 'CERTIFICATE_INVALID', height, what, detail: `does not make it final: ${reason}` };
}

/** The header above the block that is being looked at; should it be damaged, the fault is there. */
function headerAt(replay: Replay, height: number): Header | undefined {
  const { height: own } = replay;
  replay.height = height;
  const header = readBlock(replay.reads, height)?.header;
  replay.height = own;
  return header;
}

/** Whether a block below `height`, all of which are in order, holds a transaction. */
function isEarlier(reads: KeyValueReads, id: Hash, height: number): boolean {
  const place = placeOf(reads, hexBytes(id));
  if (place === undefined || place.height >= height) return false;
  return readBlock(reads, place.height)?.body[place.index]?.id === id;
}

function summary(replay: Replay): VerifiedChain {
  const { header, hash } = defined(replay.parent, 'a chain has a genesis');
  return {
    oldest: replay.oldest,
    blocks: header.height + 1 - Math.max(0, replay.oldest - 1),
    transactions: replay.transactions,
    signatures: replay.signatures,
    tickets: replay.counts.get(TABLES.ticketsByState) ?? 0,
    head: { height: header.height, hash },
  };
}
