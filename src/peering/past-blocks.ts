/** Whom to know, what to pass on, how to catch up, as pure steps. */
import { isBodyOf } from '../ledger/execute.ts';
import { equalBytes } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { type Block, blockHash, blockLayout, type Header, headerLayout } from '../model/block.ts';
import { type Certificate, certificateLayout, type Jurisdiction } from '../model/certificate.ts';
import { type Codec, encode, list, struct } from '../model/codec.ts';
import type { Hash, Height } from '../model/ids.ts';
import { heightLayout } from '../model/layouts.ts';
import {
  BLOCK_TRANSACTIONS_MAX,
  FINAL_PATH_MAX,
  HISTORY_BLOCKS_MAX,
  HISTORY_BYTES_MAX,
  SYNC_BLOCKS_MAX,
} from '../model/limits.ts';
import { merkleRoot } from '../model/merkle.ts';
import { type Receipt, receiptBytes, receiptLayout } from '../model/receipt.ts';
import { verifyMessage } from '../model/verified.ts';

/** A final block with what executing it yielded: nothing of it need be executed again. */
export interface PastBlock {
  readonly block: Block;
  readonly receipts: readonly Receipt[];
  /** Of the block, or of a descendant that shares it. */
  readonly certificate: Certificate;
  readonly certifiedHeight: Height;
}

/** Consecutive blocks, the highest first. */
export interface PastBlocks {
  /** Headers from the block above the highest up to the one that its certificate is of; often none. */
  readonly path: readonly Header[];
  readonly blocks: readonly PastBlock[];
}

const pastBlockLayout: Codec<PastBlock> = struct<PastBlock>({
  block: blockLayout,
  receipts: list(receiptLayout, BLOCK_TRANSACTIONS_MAX),
  certificate: certificateLayout,
  certifiedHeight: heightLayout,
});

export const pastBlocksLayout: Codec<PastBlocks> = struct<PastBlocks>({
  path: list(headerLayout, FINAL_PATH_MAX),
  blocks: list(pastBlockLayout, HISTORY_BLOCKS_MAX),
});

/**
 * The blocks below a height as somebody is sent them.
 *
 * @param blockAt what is stored; undefined below and above that
 * @returns undefined when there are none
 */
export function cutPastBlocks(
  blockAt: (height: number) => PastBlock | undefined,
  below: number,
  count: number,
): PastBlocks | undefined {
  const blocks: PastBlock[] = [];
  let bytes = 0;
  for (let height = below - 1; height >= 1 && blocks.length < Math.min(count, HISTORY_BLOCKS_MAX); height -= 1) {
    const past = blockAt(height);
    if (past === undefined) break;
    bytes += encode(pastBlockLayout, past).length;
    if (bytes > HISTORY_BYTES_MAX && blocks.length > 0) break;
    blocks.push(past);
  }
  const [first] = blocks;
  if (first === undefined) return undefined;
  const path: Header[] = [];
  for (let height = below; height <= first.certifiedHeight; height += 1) {
    const header = blockAt(height)?.block.header;
    if (header === undefined) return undefined;
    path.push(header);
  }
  return { path, blocks };
}

/** Where blocks are wanted: below `height`, the highest of them with the hash `previous`. */
export interface HistoryLink {
  readonly height: Height;
  readonly previous: Hash;
}

export interface HistoryFault {
  readonly code: 'HISTORY_INVALID';
  readonly reason: string;
}

/**
 * Checks blocks from the highest down: each is the one that the block above names as its parent, its body and receipts are
 * those of its header, and its certificate makes it final.
 *
 * @param certifiedMax no certificate is of a higher block: those are not stored yet
 * @returns the link for those further down
 */
export function checkPastBlocks(
  link: HistoryLink,
  { path, blocks }: PastBlocks,
  jurisdiction: Jurisdiction,
  certifiedMax: Height,
): Result<HistoryLink, HistoryFault> {
  if (blocks.length === 0) return invalid('there are no blocks in it');
  let above = link;
  let last: PastBlock | undefined;
  for (const past of blocks) {
    const { header } = past.block;
    const reason = faultBelow(above, past);
    if (reason !== undefined) return invalid(reason);
    const isProven =
      last !== undefined && past.certifiedHeight !== header.height
        ? isShared(last, past)
        : past.certifiedHeight <= certifiedMax && isFinal(past, last === undefined ? path : [], jurisdiction);
    if (!isProven) return invalid(`the certificate of block ${header.height} does not make it final`);
    above = { height: header.height, previous: header.previous };
    last = past;
  }
  return ok(above);
}

function faultBelow(above: HistoryLink, { block: { header, body }, receipts }: PastBlock): string | undefined {
  const isNext = header.height >= 1 && header.height === above.height - 1 && blockHash(header) === above.previous;
  if (!isNext) return `it is not the block below ${above.height}`;
  if (!isBodyOf(header, body)) return `the transactions of block ${header.height} are not those of its header`;
  const areReceipts = receipts.length === body.length && merkleRoot(receipts.map(receiptBytes)) === header.receiptsRoot;
  return areReceipts ? undefined : `the receipts of block ${header.height} are not those of its header`;
}

function isFinal(past: PastBlock, path: readonly Header[], jurisdiction: Jurisdiction): boolean {
  const { block, certificate, certifiedHeight } = past;
  const message = { kind: 'final', header: block.header, path, certificate } as const;
  return (
    certifiedHeight === certificate.height &&
    certifiedHeight === block.header.height + path.length &&
    verifyMessage(message, jurisdiction).ok
  );
}

/** Blocks of one certificate follow each other, down from the one that it is of. */
function isShared(above: PastBlock, { block, certificate, certifiedHeight }: PastBlock): boolean {
  return (
    certifiedHeight === above.certifiedHeight &&
    certifiedHeight - block.header.height < SYNC_BLOCKS_MAX &&
    equalBytes(encode(certificateLayout, certificate), encode(certificateLayout, above.certificate))
  );
}

function invalid(reason: string): Result<never, HistoryFault> {
  return err({ code: 'HISTORY_INVALID', reason });
}
