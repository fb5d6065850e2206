import type { TicketRecord } from '../ledger/ticket-record.ts';
import { concat, utf8 } from '../lib/bytes.ts';
import { ok, type Result } from '../lib/result.ts';
import type { Header } from '../model/block.ts';
import { decode } from '../model/codec.ts';
import { sha256 } from '../model/hash.ts';
import { Hash } from '../model/ids.ts';
import { merklePathRoot } from '../model/merkle.ts';
import { type Receipt, receiptLayout } from '../model/receipt.ts';
import { parseTransaction, signedBytesOf, type Transaction } from '../model/transaction.ts';
import type { ChangePart, GraphsPart } from './bundle.ts';
import { type Fault, fault } from './faults.ts';
import { bytesOf, type OpenBlock, openBlock, pieces, type Signed } from './final-block.ts';
import type { Trust } from './trust.ts';
import type { ProvenChange } from './verdict.ts';

export interface OpenHistory {
  readonly changes: readonly ProvenChange[];
  readonly signed: readonly Signed[];
}

/** Checks all changes of a ticket, less their signatures: that they happened, and that there are no others. */
export function openHistory(
  parts: readonly ChangePart[],
  record: TicketRecord,
  newest: Header,
  trust: Trust,
): Result<OpenHistory, Fault> {
  const changes: ProvenChange[] = [];
  const signed: Signed[] = [];
  for (const [index, part] of parts.entries()) {
    const path = `$.history[${index}]`;
    const opened = openChange(part, path, trust);
    if (!opened.ok) return opened;
    const { block, transaction, receipt } = opened.value;
    const { height, timestamp } = block.header;
    const made = receipt.changes.filter(({ ticket }) => ticket === record.ticket);
    if (made.length === 0) return fault('INCOMPLETE_HISTORY', path, 'this transaction did not change the ticket');
    const [before] = changes.slice(-1);
    if (height > newest.height || height < (before?.height ?? 0)) {
      return fault('INCOMPLETE_HISTORY', path, `block ${height} does not belong here`);
    }
    const { operation, organisation } = transaction.body;
    for (const { ticket: _, ...change } of made) {
      if (change.version !== changes.length + 1) {
        return fault('INCOMPLETE_HISTORY', path, `version ${changes.length + 1} is missing`);
      }
      const { graph, stated } = part.graphs ?? { graph: null, stated: null };
      const by = { height, at: timestamp, transaction: transaction.id, type: operation.kind, organisation };
      changes.push({ ...change, ...by, graph, stated });
    }
    signed.push(...block.signed, signatureOf(transaction, path));
  }
  return isWhole(changes, record)
    ? ok({ changes, signed })
    : fault('INCOMPLETE_HISTORY', '$.history', `it does not lead to version ${record.version} of the record`);
}

/** A receipt tells the number of each version that it made, and the newest is in the state: none can be left out. */
function isWhole(changes: readonly ProvenChange[], record: TicketRecord): boolean {
  const last = changes.at(-1);
  return (
    last !== undefined &&
    last.version === record.version &&
    last.height === record.since &&
    last.state === record.state &&
    last.standing === record.standing &&
    last.epoch === record.epoch &&
    last.holder === record.holder
  );
}

interface OpenChange {
  readonly block: OpenBlock;
  readonly transaction: Transaction;
  readonly receipt: Receipt;
}

function openChange(part: ChangePart, path: string, trust: Trust): Result<OpenChange, Fault> {
  const block = openBlock(part.block, `${path}.block`, trust);
  if (!block.ok) return block;
  const { header } = block.value;
  const leads = (content: Uint8Array, way: string, root: Hash): boolean =>
    merklePathRoot(content, { index: part.index, count: header.transactionCount }, hashesOf(way)) === root;
  const bytes = bytesOf(part.transaction);
  const transaction = parseTransaction(bytes);
  if (!transaction.ok) return fault('BAD_TRANSACTION', `${path}.transaction`, transaction.error.reason);
  if (!leads(bytes, part.transaction_path, header.transactionsRoot)) {
    return fault('NOT_IN_BLOCK', `${path}.transaction`, 'its path does not lead to the transactions root');
  }
  const receiptBytes = bytesOf(part.receipt);
  const receipt = decode(receiptLayout, receiptBytes);
  if (!receipt.ok) return fault('BAD_RECEIPT', `${path}.receipt`, receipt.error.reason);
  if (receipt.value.transaction !== transaction.value.id) {
    return fault('BAD_RECEIPT', `${path}.receipt`, 'it is of another transaction');
  }
  if (!leads(receiptBytes, part.receipt_path, header.receiptsRoot)) {
    return fault('NOT_IN_RECEIPTS', `${path}.receipt`, 'its path does not lead to the receipts root');
  }
  if (part.graphs !== null && !leads(leafOf(part.graphs), part.graphs.path, header.graphRoot)) {
    return fault('NOT_IN_GRAPHS', `${path}.graphs`, 'the path of the two graphs does not lead to the graph root');
  }
  return ok({ block: block.value, transaction: transaction.value, receipt: receipt.value });
}

function leafOf({ graph, stated }: GraphsPart): Uint8Array {
  return concat(sha256(utf8(graph)), stated === null ? new Uint8Array(32) : sha256(utf8(stated)));
}

function signatureOf(transaction: Transaction, path: string): Signed {
  const { signature, body } = transaction;
  return {
    publicKey: body.signer,
    message: signedBytesOf(transaction),
    signature,
    path: `${path}.transaction`,
  };
}

export function hashesOf(text: string): readonly Hash[] {
  return pieces(text, 64).map(Hash);
}
