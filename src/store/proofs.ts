import { AUTHORITIES, AUTHORITIES_KEY, stateKey, treeKey } from '../ledger/records.ts';
import { prove } from '../ledger/state-proof.ts';
import { TICKET } from '../ledger/ticket-record.ts';
import { defined } from '../lib/assert.ts';
import { concat, toHex } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { quorumOf } from '../model/authorities.ts';
import { headerLayout } from '../model/block.ts';
import { decode, encode } from '../model/codec.ts';
import { type Hash, hashOfBytes, type TicketId } from '../model/ids.ts';
import { merklePath } from '../model/merkle.ts';
import { receiptBytes } from '../model/receipt.ts';
import { describeStatements, describeTransaction, graphLeaf } from '../provenance/describe.ts';
import type { Iri } from '../provenance/terms.ts';
import { type BlockPart, type Bundle, type ChangePart, FORMAT, type GraphsPart } from '../verifier/bundle.ts';
import { CorruptionError, readBlock, readHeadHeight, readPlace, type StoredBlock } from './blocks.ts';
import type { KeyValueReads } from './key-value.ts';
import { TABLES } from './schema.ts';
import { readPage } from './state-rows.ts';

/** Why nothing can be proven here: no block after genesis is final, or one that is needed is not kept. */
export type Unprovable = 'NOTHING_FINAL' | 'NOT_KEPT';

/** What the newest state holds of a ticket, proven. `reads` are of one moment, as is everything that is read of it. */
export function proveTicket(reads: KeyValueReads, ticket: TicketId): Result<Bundle, Unprovable> {
  const block = readBlock(reads, defined(readHeadHeight(reads), 'a chain has a genesis block'));
  if (block === undefined || block.certificate === null) return err('NOTHING_FINAL');
  const part = blockPart(reads, block, quorumIn(reads));
  if (part === undefined) return err('NOT_KEPT');
  const key = stateKey(TICKET, ticket);
  const record = reads.get(TABLES.state, key);
  const { siblings, end } = prove({ page: (path) => readPage(reads, path) }, key);
  return ok({
    format: FORMAT,
    ticket,
    record: record === undefined ? null : toHex(record),
    siblings: siblings.join(''),
    absence: record === undefined ? { key: hashOfBytes(treeKey(key)), leaf: end && end.key + end.recordHash } : null,
    block: part,
    handovers: [],
    history: null,
  });
}

/** A final transaction and what it did, proven. `iriBase`: that of genesis, when its graphs are wanted. */
export function proveChange(reads: KeyValueReads, id: Hash, iriBase: Iri | null): Result<ChangePart, Unprovable> {
  const place = readPlace(reads, id);
  const block = place === undefined ? undefined : readBlock(reads, place.height);
  const part = block === undefined ? undefined : blockPart(reads, block, quorumIn(reads));
  if (place === undefined || block === undefined || part === undefined) return err('NOT_KEPT');
  const { index } = place;
  const transactions = block.body.map(({ bytes }) => bytes);
  const receipts = block.receipts.map(receiptBytes);
  return ok({
    block: part,
    index,
    transaction: toHex(defined(transactions[index], 'the place of a transaction is in its block')),
    transaction_path: merklePath(transactions, index).join(''),
    receipt: toHex(defined(receipts[index], 'a block has a receipt for each transaction')),
    receipt_path: merklePath(receipts, index).join(''),
    graphs: iriBase === null ? null : graphsPart(block, index, iriBase),
  });
}

function graphsPart({ header, body, receipts }: StoredBlock, index: number, iriBase: Iri): GraphsPart {
  const place = { iriBase, height: header.height, timestamp: header.timestamp };
  const receiptOf = (at: number) => defined(receipts[at], 'a block has a receipt for each transaction');
  const transaction = defined(body[index], 'the place of a transaction is in its block');
  const leaves = body.map((one, at) => graphLeaf(place, one, receiptOf(at)));
  const stated = describeStatements(place, transaction, receiptOf(index));
  return {
    graph: describeTransaction(place, transaction, receiptOf(index)),
    stated: stated === '' ? null : stated,
    path: merklePath(leaves, index).join(''),
  };
}

function quorumIn(reads: KeyValueReads): number {
  const bytes = reads.get(TABLES.state, stateKey(AUTHORITIES, AUTHORITIES_KEY));
  const set = bytes === undefined ? undefined : decode(AUTHORITIES.layout, bytes);
  if (!set?.ok) throw new CorruptionError('the record of the authorities is damaged');
  return quorumOf(set.value.authorities.length);
}

/** Of the signatures no more than a quorum; undefined when a block that leads to them is not here. */
function blockPart(reads: KeyValueReads, block: StoredBlock, quorum: number): BlockPart | undefined {
  const { header, certificate, certifiedHeight } = block;
  if (certificate === null) return undefined;
  const path: Uint8Array[] = [];
  for (let height = header.height + 1; height <= certifiedHeight; height += 1) {
    const next = readBlock(reads, height);
    if (next === undefined) return undefined;
    path.push(encode(headerLayout, next.header));
  }
  return {
    header: toHex(encode(headerLayout, header)),
    path: toHex(concat(...path)),
    view: certificate.view,
    seats: certificate.signers.slice(0, quorum),
    signatures: certificate.signatures.slice(0, quorum).join(''),
  };
}
