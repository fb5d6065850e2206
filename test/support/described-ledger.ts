/** A small ledger whose blocks are described as soon as they are executed: what the tests of graphs and questions share. */

import { foundLedger, type GenesisDocument } from '../../src/ledger/genesis.ts';
import { authoritySetHash, primaryIndex } from '../../src/model/authorities.ts';
import { blockHash, HEADER_VERSION, type Header, transactionsRoot } from '../../src/model/block.ts';
import { type Hash, Height, Signature, type Timestamp, View } from '../../src/model/ids.ts';
import type { Receipt } from '../../src/model/receipt.ts';
import type { Transaction } from '../../src/model/transaction.ts';
import { type DescribableBlock, describeBlock, type Founding } from '../../src/provenance/describe-block.ts';
import { CHAIN_ID, GENESIS, MARKET, TestChain, transactionOf, type Wish } from '../unit/ledger/fixture.ts';

/** The consortium of the ledger's tests, whose market may trade and whose members have namespaces. */
const DESCRIBED_GENESIS: GenesisDocument = {
  ...GENESIS,
  organisations: GENESIS.organisations.map((one) => ({
    ...one,
    roles: one.id === MARKET ? ['marketplace'] : one.roles,
    namespace: `https://${one.id}.example/`,
  })),
};

export const BASE = DESCRIBED_GENESIS.iriBase;

const SIGNATURE = Signature('ab'.repeat(64));

/** What happened to one transaction. */
export interface Described {
  readonly transaction: Transaction;
  readonly receipt: Receipt;
  readonly height: Height;
  readonly timestamp: Timestamp;
}

export class DescribedLedger {
  readonly founding: Founding = DESCRIBED_GENESIS;
  /** In order. */
  readonly all: Described[] = [];
  /** Every graph of every block, in order. */
  readonly documents: string[] = [];
  readonly #chain = new TestChain(DESCRIBED_GENESIS);
  readonly #set = foundLedger(DESCRIBED_GENESIS).set;
  #previous: Hash;
  #nonce = 0;

  constructor() {
    const { header } = foundLedger(DESCRIBED_GENESIS);
    this.#previous = blockHash(header);
    const genesis = { header, hash: this.#previous, body: [], receipts: [] };
    this.#describe({ ...genesis, certificate: null, certifiedHeight: Height(0) });
  }

  /** Lets time pass before the next block, which is a second later still. */
  pass(milliseconds: number): void {
    this.#chain.timestamp += milliseconds;
  }

  /** Executes wishes as one block. @param signers the seats that its certificate has */
  block(wishes: readonly Wish[], signers = [0, 1, 2]): readonly Described[] {
    const body = wishes.map((wish) => {
      this.#nonce += 1;
      return transactionOf({ expiresAt: this.#chain.timestamp + 30_000, nonce: this.#nonce, ...wish });
    });
    const { height, timestamp } = this.#chain.context();
    const { stateRoot, receiptsRoot, graphRoot, receipts } = this.#chain.run(body);
    const view = View(height);
    const header: Header = {
      ...foundLedger(DESCRIBED_GENESIS).header,
      version: HEADER_VERSION,
      chainId: CHAIN_ID,
      height,
      view,
      previous: this.#previous,
      timestamp,
      proposer: primaryIndex(this.#set, view),
      transactionsRoot: transactionsRoot(body),
      transactionCount: body.length,
      stateRoot,
      receiptsRoot,
      graphRoot,
      authoritiesHash: authoritySetHash(this.#set),
    };
    const hash = blockHash(header);
    this.#previous = hash;
    const ballot = { phase: 'COMMIT', epoch: header.epoch, view, height, digest: hash } as const;
    const certificate = { ...ballot, signers, signatures: signers.map(() => SIGNATURE) };
    this.#describe({ header, hash, body, receipts, certificate, certifiedHeight: height });
    const described = body.flatMap((transaction, index): readonly Described[] => {
      const receipt = receipts[index];
      return receipt === undefined ? [] : [{ transaction, receipt, height, timestamp }];
    });
    this.all.push(...described);
    return described;
  }

  #describe(block: DescribableBlock): void {
    this.documents.push(...describeBlock(block, this.founding));
  }
}
