/** Derives every byte form that the ledger hashes or stores, from values written down once. */
import { foundLedger } from '../../src/ledger/genesis.ts';
import { encodePage } from '../../src/ledger/state-pages.ts';
import { toHex } from '../../src/lib/bytes.ts';
import { blockHash, type Header, headerLayout } from '../../src/model/block.ts';
import { encode } from '../../src/model/codec.ts';
import { Height, View } from '../../src/model/ids.ts';
import { operationLayout } from '../../src/model/operation.ts';
import { receiptBytes } from '../../src/model/receipt.ts';
import { operationHash, transactionSigningBytes } from '../../src/model/transaction.ts';
import { BOX_OFFICE, CHAIN_ID, CREATED, GENESIS, transactionOf } from '../unit/ledger/fixture.ts';
import { hashOf, OPERATIONS, RECEIPTS, SAMPLES } from '../unit/ledger/samples.ts';

const HEADER: Header = {
  ...foundLedger(GENESIS).header,
  chainId: CHAIN_ID,
  height: Height(1_436),
  view: View(6),
  previous: hashOf(0x99),
  proposer: 2,
  transactionsRoot: hashOf(0xaa),
  transactionCount: 3,
  receiptsRoot: hashOf(0xbb),
};

export function deriveVectors(): object {
  const { header, changes, pageWrites } = foundLedger(GENESIS);
  return {
    operations: OPERATIONS.map((operation) => ({
      kind: operation.kind,
      bytes: toHex(encode(operationLayout, operation)),
      hash: operationHash({ operation, statements: null }),
    })),
    transactions: [null, 'scan-1'].map((key) => {
      const wish = { by: BOX_OFFICE, operation: OPERATIONS[6] ?? OPERATIONS[0], nonce: 7, expiresAt: CREATED + 9_000 };
      if (wish.operation === undefined) throw new Error('there are operations');
      const { operation } = wish;
      const transaction = transactionOf({ ...wish, operation, ...(key === null ? {} : { key }) });
      return {
        signed: toHex(transactionSigningBytes(transaction.body)),
        id: transaction.id,
        bytes: toHex(transaction.bytes),
      };
    }),
    receipts: RECEIPTS.map((receipt) => toHex(receiptBytes(receipt))),
    records: SAMPLES.map(({ name, write }) => ({ name, bytes: toHex(write().bytes) })),
    headers: [header, HEADER].map((one) => ({ bytes: toHex(encode(headerLayout, one)), hash: blockHash(one) })),
    genesis: {
      stateRoot: header.stateRoot,
      keys: changes.map(({ key }) => toHex(key)),
      pages: [...pageWrites].map(([path, page]) => ({ path, bytes: toHex(encodePage(page)) })),
    },
  };
}
