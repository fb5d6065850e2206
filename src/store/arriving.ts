import type { CheckedChunk, ChunkPlace } from '../ledger/state-chunks.ts';
import { assert } from '../lib/assert.ts';
import { fromUtf8, utf8 } from '../lib/bytes.ts';
import { blockHash, headerLayout } from '../model/block.ts';
import { certificateLayout } from '../model/certificate.ts';
import { type Codec, decode, encode, struct } from '../model/codec.ts';
import { type Hash, hashOfBytes, hexBytes } from '../model/ids.ts';
import { hashLayout, heightLayout } from '../model/layouts.ts';
import type { HistoryLink, PastBlock } from '../peering/past-blocks.ts';
import { type SnapshotProgress, type SnapshotTarget, snapshotBeginning } from '../peering/snapshot.ts';
import { blockChanges, CorruptionError, oldestRow, readHeadHeight, type StoredBlock } from './blocks.ts';
import type { KeyValue, KeyValueChange, KeyValueReads } from './key-value.ts';
import { heightKey, heightOfKey, META, SCHEMA_VERSION, TABLES } from './schema.ts';
import { pageKey, stateRows } from './state-rows.ts';
import { historyChanges } from './tickets.ts';
import { written } from './written.ts';

const targetLayout: Codec<Omit<SnapshotTarget, 'hash'>> = struct<Omit<SnapshotTarget, 'hash'>>({
  header: headerLayout,
  certificate: certificateLayout,
});
const linkLayout: Codec<HistoryLink> = struct<HistoryLink>({ height: heightLayout, previous: hashLayout });

/** A snapshot on its way into a store of its own, and how far it is. */
export interface Arrival {
  readonly target: SnapshotTarget;
  readonly progress: SnapshotProgress;
}

/** Begins a snapshot in an empty store. @throws StoreError */
export async function beginArrival(store: KeyValue, target: SnapshotTarget): Promise<Arrival> {
  const progress = snapshotBeginning(target);
  await written(store, [
    { table: TABLES.meta, key: META.unfinished, value: encode(targetLayout, target) },
    ...linkRows(progress.history),
    ...progress.places.map(missingRow),
  ]);
  return { target, progress };
}

/** What an interrupted snapshot goes on from; undefined when there is none. @throws CorruptionError */
export function readArrival(reads: KeyValueReads): Arrival | undefined {
  const bytes = reads.get(TABLES.meta, META.unfinished);
  if (bytes === undefined || bytes.length === 0) return undefined;
  const target = decode(targetLayout, bytes);
  const link = reads.get(TABLES.meta, META.history);
  const history = link === undefined ? undefined : decode(linkLayout, link);
  if (!target.ok || history?.ok === false) throw new CorruptionError('what a snapshot is of is damaged');
  const places: ChunkPlace[] = [];
  for (const { key, value } of reads.range(TABLES.missing, {})) {
    const path = fromUtf8(key)?.slice(1);
    if (path === undefined || value.length !== 32) throw new CorruptionError('what a snapshot lacks is damaged');
    places.push({ path, hash: hashOfBytes(value) });
  }
  const { header } = target.value;
  return {
    target: { ...target.value, hash: blockHash(header) },
    progress: { places, history: history?.value ?? null },
  };
}

function missingRow({ path, hash }: ChunkPlace): KeyValueChange {
  return { table: TABLES.missing, key: pageKey(path), value: hexBytes(hash) };
}

function linkRows(link: HistoryLink | null): readonly KeyValueChange[] {
  return [{ table: TABLES.meta, key: META.history, value: link === null ? undefined : encode(linkLayout, link) }];
}

/** Stores a part of the state, together with what is to be had below it. @throws StoreError */
export function storeChunk(store: KeyValue, place: ChunkPlace, chunk: CheckedChunk): Promise<void> {
  return written(store, [
    ...stateRows(chunk.records, chunk.pages, () => undefined),
    { ...missingRow(place), value: undefined },
    ...chunk.places.map(missingRow),
  ]);
}

/** Stores blocks below the snapshot, together with where those further down begin. @throws StoreError */
export function storePastBlocks(
  store: KeyValue,
  blocks: readonly PastBlock[],
  next: HistoryLink | null,
): Promise<void> {
  return written(store, [...pastBlockRows(blocks), ...linkRows(next)]);
}

/** Every row that past blocks yield. */
export function pastBlockRows(blocks: readonly PastBlock[]): readonly KeyValueChange[] {
  return blocks.flatMap(({ block, receipts, certificate, certifiedHeight }) => {
    const stored: StoredBlock = { ...block, hash: blockHash(block.header), receipts, certificate, certifiedHeight };
    return [...blockChanges(stored), ...historyChanges(stored)];
  });
}

export interface Completion {
  readonly chainId: Hash;
  readonly genesis: StoredBlock;
  /** Of the directory that this one takes the place of. */
  readonly carried: readonly KeyValueChange[];
}

/** Makes a whole chain of a snapshot of which everything is there. @throws StoreError */
export async function completeArrival(store: KeyValue, { chainId, genesis, carried }: Completion): Promise<void> {
  const arrival = readArrival(store);
  assert(arrival !== undefined, 'a snapshot is under way');
  const { places, history } = arrival.progress;
  assert(places.length === 0 && history === null, 'everything of the snapshot is there');
  const { target } = arrival;
  assert(readHeadHeight(store) === target.header.height, 'the block of the snapshot is there');
  const meta = (key: Uint8Array, value: Uint8Array | undefined) => ({ table: TABLES.meta, key, value });
  await written(store, [
    ...carried,
    ...blockChanges(genesis),
    meta(META.schema, heightKey(SCHEMA_VERSION)),
    meta(META.chainId, utf8(chainId)),
    oldestRow(lowestBlock(store, target.header.height)),
    meta(META.arrived, new Uint8Array()),
    meta(META.unfinished, undefined),
  ]);
}

/** Whether a chain that is whole came as a snapshot, however far its history reaches. */
export function isArrived(reads: KeyValueReads): boolean {
  return reads.get(TABLES.meta, META.arrived) !== undefined;
}

function lowestBlock(reads: KeyValueReads, head: number): number {
  for (const { key } of reads.range(TABLES.blocks, { limit: 1 })) {
    const height = heightOfKey(key);
    if (height !== undefined) return height;
  }
  return head;
}

/** What is not of the chain, and outlives it: how far the journal was, why the node halted, who misbehaved, whom it knows. */
export function* carriedRows(reads: KeyValueReads): Generator<KeyValueChange> {
  for (const key of [META.witness, META.halt]) {
    const value = reads.get(TABLES.meta, key);
    if (value !== undefined) yield { table: TABLES.meta, key, value };
  }
  for (const table of [TABLES.evidence, TABLES.addresses, TABLES.bans]) {
    for (const row of reads.range(table, {})) yield { table, ...row };
  }
}

/**
 * Brings what is carried up to what it is by now: the node went on after the snapshot was whole.
 *
 * @throws StoreError of `into`, and what reading `from` throws
 */
export function carryAgain(from: KeyValueReads, into: KeyValue): Promise<void> {
  const earlier = [...carriedRows(into)].map((row) => ({ ...row, value: undefined }));
  return written(into, [...earlier, ...carriedRows(from)]);
}
