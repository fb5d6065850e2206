import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { foundLedger, type Genesis } from '../ledger/genesis.ts';
import { parseGenesis } from '../ledger/genesis-document.ts';
import { defined } from '../lib/assert.ts';
import { fromHex, toHex } from '../lib/bytes.ts';
import { seatOf } from '../model/authorities.ts';
import { hexBytes, type PublicKey } from '../model/ids.ts';
import { guardedReads } from '../node/audit/guarded-reads.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { checkPins } from '../node/config/pins.ts';
import { readKeyFile } from '../node/keys/key-file.ts';
import type { Key } from '../node/keys/key-format.ts';
import type { KeyKind } from '../node/keys/key-pair.ts';
import { createSignatureCheck } from '../node/keys/signatures.ts';
import { beginChain, UnknownRecordError } from '../node/recovery.ts';
import { CorruptionError } from '../store/blocks.ts';
import { type Chain, ForeignDataError } from '../store/chain.ts';
import type { Journal, JournalPosition, JournalProblem } from '../store/journal.ts';
import type { KeyValue } from '../store/key-value.ts';
import { openLmdb } from '../store/lmdb.ts';
import { checkNewestBlocks } from '../store/newest-blocks.ts';
import { openNodeDisk } from '../store/node-disk.ts';
import { openJournal } from '../store/open-journal.ts';
import { TABLES } from '../store/schema.ts';
import { CommandError } from './exit-codes.ts';

/** Tells the passphrase of an encrypted key; asked at most once. */
export type AskPassphrase = (question: string) => Promise<string>;

export interface OpenedGenesis {
  readonly genesis: Genesis;
  readonly bytes: Uint8Array;
}

/** @throws CommandError when the document is missing, wrong, or not the one that the configuration pins */
export function openGenesis(config: NodeConfig): OpenedGenesis {
  const path = config.node.genesisFile;
  const bytes = readGenesisFile(path);
  const parsed = parseGenesis(bytes);
  if (!parsed.ok) {
    const [first] = parsed.error;
    throw new CommandError(
      'CONFIG_INVALID',
      `${path} is no valid genesis document: ${first?.path}: ${first?.message}`,
      {
        advice: `counterfoil genesis verify ${path} lists everything that is wrong with it.`,
      },
    );
  }
  const genesis = parsed.value;
  const pinned = checkPins(config, {
    networkId: genesis.networkId,
    authorityKeys: genesis.authorities.map(({ publicKey }) => publicKey),
  });
  if (!pinned.ok) throw new CommandError('CONFIG_INVALID', pinned.error);
  return { genesis, bytes };
}

function readGenesisFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CommandError('CONFIG_INVALID', `Cannot read the genesis document ${path}.`, {
      advice: 'Every node of a network has a copy of the same file; counterfoil init makes one for a new network.',
      cause,
    });
  }
}

/** @throws CommandError when the key cannot be used; undefined when there is none */
export async function openKey(path: string, kind: KeyKind, ask: AskPassphrase): Promise<Key | undefined> {
  let read = readKeyFile(path, undefined, kind);
  if (!read.ok && read.error.code === 'KEY_ENCRYPTED') {
    read = readKeyFile(path, await ask(`Passphrase of ${path}`), kind);
  }
  if (read.ok) return read.value;
  if (read.error.code === 'KEY_MISSING') return undefined;
  throw new CommandError('CONFIG_INVALID', `${read.error.reason}.`, { code: read.error.code });
}

export interface OpenedChain {
  readonly store: KeyValue;
  readonly chain: Chain;
}

/**
 * The store with its chain, begun from genesis when it is empty.
 *
 * @throws CommandError when what is stored is of another chain, or its newest blocks are not whole and final
 */
export async function openChain(
  config: { readonly storage: Pick<NodeConfig['storage'], 'dataDir'> },
  genesis: Genesis,
): Promise<OpenedChain> {
  const store = openLmdb(config.storage.dataDir, Object.values(TABLES));
  try {
    const chain = await new Promise<Chain>((resolve, reject) =>
      beginChain(store, genesis, (begun) => (begun.ok ? resolve(begun.value) : reject(begun.error))),
    );
    const { set: authorities } = foundLedger(genesis);
    checkNewestBlocks(store, { chainId: genesis.chainId, authorities, check: createSignatureCheck() });
    readSmallTables(store);
    return { store, chain };
  } catch (error) {
    await new Promise((resolve) => store.close(resolve));
    if (!(error instanceof CorruptionError || error instanceof ForeignDataError)) throw error;
    const { dataDir } = config.storage;
    throw new CommandError('DATA_UNUSABLE', `The data in ${dataDir} cannot be used: ${error.message}.`, {
      code: error.code,
      advice: dataAdvice(error, dataDir),
      cause: error,
    });
  }
}

/**
 * Reads every row of what a node reads all of as it starts: what is found damaged here is mended, later it would end it.
 *
 * @throws UnreadableError
 */
function readSmallTables(store: KeyValue): void {
  const reads = guardedReads(store);
  for (const table of [TABLES.meta, TABLES.evidence, TABLES.addresses, TABLES.bans]) Array.from(reads.range(table, {}));
}

function dataAdvice(error: CorruptionError | ForeignDataError, dataDir: string): string {
  if (error.code === 'OTHER_CHAIN') {
    return 'Name the directory that belongs to this genesis document: [storage] data_dir.';
  }
  if (error.code === 'UNKNOWN_LAYOUT') {
    return `Run the version that wrote it; or remove ${dataDir}, never the journal: the node gets the chain from its peers again.`;
  }
  return 'Start the node: it keeps what is in order and gets the rest from its peers.';
}

export interface OpenedVoter {
  readonly journal: Journal;
  readonly records: Iterable<Uint8Array>;
}

/**
 * The journal of an authority's key, or why the key must not vote any more.
 *
 * @throws Error when the disk fails
 */
export function openVoter(
  config: NodeConfig,
  key: PublicKey,
  more: {
    readonly genesis: Genesis;
    readonly witness: JournalPosition | undefined;
    readonly onFatal: (error: Error) => void;
  },
): Promise<OpenedVoter | { readonly reason: string }> {
  const disk = openNodeDisk(config.storage.journalDir);
  const publicKey = defined(fromHex(key), 'a public key is hex');
  return new Promise((resolve, reject) => {
    const onFatal = (error: Error): void => {
      reject(error);
      more.onFatal(error);
    };
    const chainId = hexBytes(more.genesis.chainId);
    openJournal({ disk, publicKey, chainId, witness: more.witness, onFatal }, (opened) => {
      if (opened.ok) resolve(opened.value);
      else if (opened.error.code === 'JOURNAL_FORMAT') reject(foreignJournal(config, opened.error));
      else if (opened.error.code === 'JOURNAL_OF_ANOTHER_CHAIN') reject(otherChain(config, opened.error.chainId));
      else resolve({ reason: problemSentence(opened.error) });
    });
  });
}

const DEAD = 'this key never votes again, and the node follows without a vote';

/** A journal of another version is whole: the key lives, and this program must not touch it. */
function foreignJournal(
  { storage }: NodeConfig,
  { file, found, wanted }: Extract<JournalProblem, { code: 'JOURNAL_FORMAT' }>,
): CommandError {
  const path = join(storage.journalDir, file);
  return new CommandError('DATA_UNUSABLE', `${path} has format ${found}, and this version reads format ${wanted}.`, {
    code: 'JOURNAL_FORMAT',
    advice: `Run the version of counterfoil that wrote it. Never remove ${storage.journalDir}: without it the authority's key is lost.`,
  });
}

/** What a key has signed for one chain says nothing of another: mixed up, it would forget both. */
function otherChain({ storage, node, consensus }: NodeConfig, chainId: Uint8Array): CommandError {
  const sentence = `The journal in ${storage.journalDir} belongs to chain ${toHex(chainId)}, and ${node.genesisFile} founds another one.`;
  return new CommandError('DATA_UNUSABLE', sentence, {
    code: 'JOURNAL_OF_ANOTHER_CHAIN',
    advice: `Put back the genesis document that the key of ${consensus.authorityKeyFile} voted with; for a new network make a new key. Never remove ${storage.journalDir}.`,
  });
}

/** @throws CommandError when a record cannot be read, which `read` finds out */
export function withReadableJournal<T>({ storage }: Pick<NodeConfig, 'storage'>, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnknownRecordError)) throw error;
    throw new CommandError('DATA_UNUSABLE', `The journal in ${storage.journalDir} cannot be read: ${error.message}.`, {
      code: 'JOURNAL_UNKNOWN_RECORD',
      advice: `Its checksums are right, so another version wrote it: run that one. Never remove ${storage.journalDir}: without it the authority's key is lost.`,
      cause: error,
    });
  }
}

function problemSentence(
  problem: Exclude<JournalProblem, { code: 'JOURNAL_FORMAT' | 'JOURNAL_OF_ANOTHER_CHAIN' }>,
): string {
  switch (problem.code) {
    case 'JOURNAL_MISSING':
      return `the journal of the authority key is gone, so nobody knows what it has signed: ${DEAD}`;
    case 'JOURNAL_CORRUPT':
      return `the journal is damaged at byte ${problem.offset} of ${problem.file} (${problem.reason}): ${DEAD}`;
    case 'JOURNAL_OF_ANOTHER_KEY':
      return 'the journal is that of another key: put the right one beside this key, or make a new key';
    case 'JOURNAL_COPIED':
      return `the journal was restored from a copy (${problem.file}), and the copy may lack votes: ${DEAD}`;
    case 'JOURNAL_CUT':
      return `the journal ends before what the data directory, or a later file of its own, has seen of it: an older copy was put back, ${DEAD}`;
  }
}

/** The seat that a key has in genesis; -1 for none. */
export function seatOfKey(genesis: Genesis, key: PublicKey): number {
  return seatOf(foundLedger(genesis).set, key);
}
