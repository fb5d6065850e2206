import { concat, equalBytes, utf8 } from '../lib/bytes.ts';
import { crc32c } from '../lib/crc32c.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { type Block, blockLayout } from '../model/block.ts';
import { certificateLayout } from '../model/certificate.ts';
import { type Codec, decode, encode, nullable, struct, u32, union } from '../model/codec.ts';
import type { Hash, Height } from '../model/ids.ts';
import { hashLayout, heightLayout } from '../model/layouts.ts';
import { CHAIN_FILE_RECORD_BYTES_MAX } from '../model/limits.ts';
import type { Finality } from './blocks.ts';

/**
 * A chain in a file, to be carried to another machine.
 *
 *     magic     16 bytes, "counterfoilchain"
 *     records   length (4 bytes, big-endian), CRC-32C of the payload (4 bytes, big-endian), payload
 *
 * A payload begins with its kind, in one byte, and is written in the layouts of the model, so that there is one form of
 * everything in it:
 *
 *     1  chain   format version (4 bytes), chain id (32 bytes); the first record
 *     2  block   header and transactions, the height that its certificate is of, the certificate; from height 1 on
 *     3  end     height and hash of the last block; the last record, with nothing behind it
 *
 * Genesis is not in it: it follows from the genesis document, whose hash is the chain id. Receipts and state are not in
 * it: whoever imports it executes the blocks. Two nodes may hold different certificates of one block, so their files may
 * differ, and mean the same.
 */
export type ChainFileRecord =
  | { readonly kind: 'chain'; readonly version: number; readonly chainId: Hash }
  | ({ readonly kind: 'block'; readonly block: Block } & Finality)
  | { readonly kind: 'end'; readonly height: Height; readonly hash: Hash };

export const CHAIN_FILE_VERSION = 1;
export const CHAIN_FILE_MAGIC = utf8('counterfoilchain');

/** Why a file is not read on; `offset` is that of the record at fault. */
export interface ChainFileFault {
  readonly code: 'NOT_A_CHAIN_FILE' | 'FILE_CUT' | 'FILE_DAMAGED' | 'FILE_VERSION_UNKNOWN';
  readonly offset: number;
  readonly reason: string;
}

const FRAME_BYTES = 8;

const recordLayout: Codec<ChainFileRecord> = union<ChainFileRecord>({
  chain: [1, struct({ version: u32, chainId: hashLayout })],
  block: [2, struct({ block: blockLayout, certifiedHeight: heightLayout, certificate: nullable(certificateLayout) })],
  end: [3, struct({ height: heightLayout, hash: hashLayout })],
});

const frameLayout = struct<{ readonly length: number; readonly checksum: number }>({ length: u32, checksum: u32 });

/** A record as it stands in the file. */
export function encodeChainFileRecord(record: ChainFileRecord): Uint8Array {
  const payload = encode(recordLayout, record);
  return concat(encode(frameLayout, { length: payload.length, checksum: crc32c(payload) }), payload);
}

/**
 * Reads a file from its beginning to its end record. The first record, `chain`, has a version that is known.
 *
 * @param read gives the next bytes: as many as asked for, fewer at the end
 * @returns the fault that ended it, or undefined
 */
export function* readChainFile(
  read: (count: number) => Uint8Array,
): Generator<ChainFileRecord, ChainFileFault | undefined> {
  if (!equalBytes(read(CHAIN_FILE_MAGIC.length), CHAIN_FILE_MAGIC)) {
    return { code: 'NOT_A_CHAIN_FILE', offset: 0, reason: 'it does not begin as one' };
  }
  let offset = CHAIN_FILE_MAGIC.length;
  for (let isFirst = true; ; isFirst = false) {
    const framed = readFramed(read, offset);
    if (!framed.ok) return framed.error;
    const { record, length } = framed.value;
    if (isFirst !== (record.kind === 'chain')) {
      return { code: 'FILE_DAMAGED', offset, reason: 'its records are out of order' };
    }
    if (record.kind === 'chain' && record.version !== CHAIN_FILE_VERSION) {
      return { code: 'FILE_VERSION_UNKNOWN', offset, reason: `it is of version ${record.version}` };
    }
    yield record;
    offset += length;
    if (record.kind === 'end') break;
  }
  if (read(1).length === 0) return undefined;
  return { code: 'FILE_DAMAGED', offset, reason: 'something follows its end' };
}

interface FramedRecord {
  readonly record: ChainFileRecord;
  /** With its frame. */
  readonly length: number;
}

function readFramed(read: (count: number) => Uint8Array, offset: number): Result<FramedRecord, ChainFileFault> {
  const fault = (code: ChainFileFault['code'], reason: string) => err({ code, offset, reason });
  const frame = decode(frameLayout, read(FRAME_BYTES));
  if (!frame.ok) return fault('FILE_CUT', 'it ends before its end record');
  const { length, checksum } = frame.value;
  if (length > CHAIN_FILE_RECORD_BYTES_MAX) return fault('FILE_DAMAGED', `a record of ${length} bytes`);
  const payload = read(length);
  if (payload.length < length) return fault('FILE_CUT', 'it ends within a record');
  if (crc32c(payload) !== checksum) return fault('FILE_DAMAGED', 'a record does not have its checksum');
  const record = decode(recordLayout, payload);
  if (!record.ok) return fault('FILE_DAMAGED', record.error.reason);
  return ok({ record: record.value, length: FRAME_BYTES + length });
}
