import { assert } from '../lib/assert.ts';
import { type Block, blockHash, blockLayout } from '../model/block.ts';
import { type Certificate, certificateLayout } from '../model/certificate.ts';
import { type Codec, decode, encode, list, nullable, struct, u32 } from '../model/codec.ts';
import { type Hash, Height, hexBytes } from '../model/ids.ts';
import { heightLayout } from '../model/layouts.ts';
import { BLOCK_TRANSACTIONS_MAX } from '../model/limits.ts';
import { type Receipt, receiptLayout } from '../model/receipt.ts';
import type { KeyValueChange, KeyValueReads } from './key-value.ts';
import { heightKey, heightOfKey, META, TABLES } from './schema.ts';

/** What made a block final: a certificate of it, or of a descendant. Genesis has none. */
export interface Finality {
  readonly certifiedHeight: Height;
  readonly certificate: Certificate | null;
}

export interface StoredBlock extends Finality, Block {
  readonly hash: Hash;
  readonly receipts: readonly Receipt[];
}

/** A block as the bytes that it is encoded in, for whoever passes it on unread. */
export interface BlockBytes {
  readonly block: Uint8Array;
  readonly certifiedHeight: Height;
  /** As an optional certificate is encoded: with a flag in front. */
  readonly certificate: Uint8Array;
}

/** Where in the chain a transaction is. */
export interface Place {
  readonly height: Height;
  readonly index: number;
}

/** Bytes in the store that cannot be what was written there. */
export class CorruptionError extends Error {
  override readonly name = 'CorruptionError';
  readonly code = 'DATA_CORRUPT';
}

const HEIGHT_BYTES = 8;
const receiptsLayout = list(receiptLayout, BLOCK_TRANSACTIONS_MAX);
const finalityLayout: Codec<Finality> = struct<Finality>({
  certifiedHeight: heightLayout,
  certificate: nullable(certificateLayout),
});
const placeLayout: Codec<Place> = struct<Place>({ height: heightLayout, index: u32 });

function read<T>(layout: Codec<T>, bytes: Uint8Array, what: string): T {
  const decoded = decode(layout, bytes);
  if (!decoded.ok) throw new CorruptionError(`${what} is damaged: ${decoded.error.reason}`);
  return decoded.value;
}

/** What one block adds to the block tables. */
export function blockChanges(stored: StoredBlock): readonly KeyValueChange[] {
  const { header, body, receipts, hash, certificate, certifiedHeight } = stored;
  assert(body.length === receipts.length, 'one receipt for each transaction');
  const key = heightKey(header.height);
  return [
    { table: TABLES.blocks, key, value: encode(blockLayout, { header, body }) },
    { table: TABLES.receipts, key, value: encode(receiptsLayout, receipts) },
    { table: TABLES.certificates, key, value: encode(finalityLayout, { certifiedHeight, certificate }) },
    { table: TABLES.heights, key: hexBytes(hash), value: key },
    ...body.map(({ id }, index) => ({
      table: TABLES.transactions,
      key: hexBytes(id),
      value: encode(placeLayout, { height: header.height, index }),
    })),
  ];
}

/** @throws CorruptionError when what is stored is not a block. */
export function readBlock(reads: KeyValueReads, height: number): StoredBlock | undefined {
  const key = heightKey(height);
  const bytes = reads.get(TABLES.blocks, key);
  if (bytes === undefined) return undefined;
  const block = read(blockLayout, bytes, `block ${height}`);
  const receipts = reads.get(TABLES.receipts, key);
  const finality = reads.get(TABLES.certificates, key);
  if (receipts === undefined || finality === undefined) throw new CorruptionError(`block ${height} is incomplete`);
  return {
    hash: blockHash(block.header),
    ...block,
    receipts: read(receiptsLayout, receipts, `the receipts of block ${height}`),
    ...read(finalityLayout, finality, `the certificate of block ${height}`),
  };
}

/** @throws CorruptionError when something of the block is missing; its bytes are taken as they are. */
export function readBlockBytes(reads: KeyValueReads, height: number): BlockBytes | undefined {
  const key = heightKey(height);
  const block = reads.get(TABLES.blocks, key);
  if (block === undefined) return undefined;
  const finality = reads.get(TABLES.certificates, key);
  if (finality === undefined) throw new CorruptionError(`block ${height} is incomplete`);
  const what = `the certificate of block ${height}`;
  const certifiedHeight = read(heightLayout, finality.subarray(0, HEIGHT_BYTES), what);
  return { block, certifiedHeight, certificate: finality.subarray(HEIGHT_BYTES) };
}

export function readHeight(reads: KeyValueReads, hash: Hash): Height | undefined {
  const key = reads.get(TABLES.heights, hexBytes(hash));
  return key === undefined ? undefined : storedHeight(key, `the height of block ${hash}`);
}

function storedHeight(key: Uint8Array, what: string): Height {
  const height = heightOfKey(key);
  if (height === undefined) throw new CorruptionError(`${what} is damaged`);
  return height;
}

export function readPlace(reads: KeyValueReads, id: Hash): Place | undefined {
  const bytes = reads.get(TABLES.transactions, hexBytes(id));
  return bytes === undefined ? undefined : read(placeLayout, bytes, `the place of transaction ${id}`);
}

/** Height of the newest block, or undefined in an empty store. @throws CorruptionError */
export function readHeadHeight(reads: KeyValueReads): Height | undefined {
  for (const { key } of reads.range(TABLES.blocks, { reverse: true, limit: 1 }))
    return storedHeight(key, 'the newest key');
  return undefined;
}

/**
 * Height from which on every block is stored: 0 in an archive. Below it there is genesis alone; what the blocks there
 * did is in the state.
 *
 * @throws CorruptionError
 */
export function readOldest(reads: KeyValueReads): Height {
  const key = reads.get(TABLES.meta, META.oldest);
  return key === undefined ? Height(0) : storedHeight(key, 'the height of the oldest block');
}

/** Says from which height on every block is stored. */
export function oldestRow(height: number): KeyValueChange {
  const value = height <= 1 ? undefined : heightKey(height);
  return { table: TABLES.meta, key: META.oldest, value };
}
