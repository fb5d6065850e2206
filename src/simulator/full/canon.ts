import { toHex } from '../../lib/bytes.ts';
import type { SignatureCheck } from '../../model/certificate.ts';
import { encode } from '../../model/codec.ts';
import type { Hash } from '../../model/ids.ts';
import { merkleRoot } from '../../model/merkle.ts';
import { type Receipt, receiptBytes, receiptLayout } from '../../model/receipt.ts';
import type { Transaction } from '../../model/transaction.ts';
import { verifyTransaction } from '../../model/verified.ts';
import type { FinalOutcome } from '../../node/intake.ts';
import type { ChainEntry } from '../../store/chain.ts';
import { Violation } from '../checkers.ts';

interface CanonicalBlock {
  readonly hash: Hash;
  readonly stateRoot: Hash;
  readonly receipts: ReadonlyMap<Hash, string>;
}

/** The one chain, as the first honest node to reach each height tells it, and what may be in it at most once. */
export class CanonicalChain {
  readonly #check: SignatureCheck;
  readonly #blocks = new Map<number, CanonicalBlock>();
  readonly #heights = new Map<Hash, number>();
  /** Tickets that were admitted, by the transaction that did it. */
  readonly #admitted = new Map<string, Hash>();
  /** What was done under an idempotency key, by the transaction that did it. */
  readonly #keys = new Map<string, Hash>();
  transactions = 0;

  constructor(check: SignatureCheck) {
    this.#check = check;
  }

  get height(): number {
    return this.#blocks.size;
  }

  /** @throws Violation when it differs from what another node told, or breaks a rule of the whole chain */
  add(name: string, { stored }: ChainEntry): void {
    const { header, hash, body, receipts } = stored;
    const { height, stateRoot, receiptsRoot } = header;
    const known = this.#blocks.get(height);
    if (known !== undefined) {
      const isSame = known.hash === hash && known.stateRoot === stateRoot && this.#areKnown(known, receipts);
      if (!isSame) throw new Violation('agreement', `${name} has another block or receipts at height ${height}`);
      return;
    }
    if (height !== this.#blocks.size + 1) throw new Violation('no gaps', `${name} made ${height} final too early`);
    if (merkleRoot(receipts.map(receiptBytes)) !== receiptsRoot) {
      throw new Violation('receipts are those of the header', `${name} at height ${height}`);
    }
    for (const [index, transaction] of body.entries()) this.#enter(height, transaction, receipts[index]);
    this.#blocks.set(height, {
      hash,
      stateRoot,
      receipts: new Map(receipts.map((one) => [one.transaction, textOf(one)])),
    });
  }

  #areKnown({ receipts: known }: CanonicalBlock, receipts: readonly Receipt[]): boolean {
    return known.size === receipts.length && receipts.every((one) => known.get(one.transaction) === textOf(one));
  }

  #enter(height: number, transaction: Transaction, receipt: Receipt | undefined): void {
    const { id, body } = transaction;
    const before = this.#heights.get(id);
    if (before !== undefined) throw new Violation('a transaction is final once', `${id} at ${before} and ${height}`);
    this.#heights.set(id, height);
    this.transactions += 1;
    if (!verifyTransaction(transaction, this.#check).ok) {
      throw new Violation('what is final was signed by its client', `${id} at height ${height}`);
    }
    if (receipt === undefined || !receipt.accepted || receipt.replayOf !== null) return;
    const { operation, organisation, idempotencyKey } = body;
    if (operation.kind === 'consume' || operation.kind === 'admit') {
      this.#once(this.#admitted, operation.ticket, id, 'a ticket is admitted once');
    }
    if (idempotencyKey !== null) this.#once(this.#keys, `${organisation}/${idempotencyKey}`, id, 'a key is used once');
  }

  #once(done: Map<string, Hash>, what: string, id: Hash, invariant: string): void {
    const before = done.get(what);
    if (before !== undefined) throw new Violation(invariant, `${what} by ${before} and ${id}`);
    done.set(what, id);
  }

  /** @throws Violation when a transaction is not where a client was told that it is, or came to something else */
  confirm(name: string, id: Hash, { height, blockHash, receipt }: FinalOutcome): void {
    const block = this.#blocks.get(height);
    if (block?.hash === blockHash && block.receipts.get(id) === textOf(receipt)) return;
    throw new Violation('what is acknowledged is final', `${name} told of ${id} at height ${height}`);
  }
}

function textOf(receipt: Receipt): string {
  return toHex(encode(receiptLayout, receipt));
}
