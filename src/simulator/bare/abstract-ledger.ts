import type { Proposal } from '../../consensus/event.ts';
import { utf8 } from '../../lib/bytes.ts';
import type { AuthoritySet } from '../../model/authorities.ts';
import { authoritySetHash } from '../../model/authorities.ts';
import { type Block, type Body, HEADER_VERSION, type Header, transactionsRoot } from '../../model/block.ts';
import { domain, taggedHash } from '../../model/hash.ts';
import {
  type Hash,
  Height,
  OrganisationId,
  PublicKey,
  Signature,
  Timestamp,
  View,
  ZERO_HASH,
} from '../../model/ids.ts';
import { sealTransaction, type Transaction } from '../../model/transaction.ts';

const STATE = domain('SIMULATED-STATE');

/** The state after a block: a hash chain over bodies, so that any difference in history shows. */
function stateAfter(parentState: Hash, bodyRoot: Hash): Hash {
  return taggedHash(STATE, utf8(`${parentState}${bodyRoot}`));
}

/** A transaction that differs from every other number's. */
export function makeTransaction(chainId: Hash, nonce: number): Transaction {
  return sealTransaction(
    {
      chainId,
      organisation: OrganisationId('simulated'),
      signer: PublicKey('11'.repeat(32)),
      expiresAt: Timestamp(1_000_000_000_000),
      nonce,
      idempotencyKey: null,
      operation: { kind: 'validate', tickets: [] },
      statements: null,
    },
    Signature('22'.repeat(64)),
  );
}

export function makeGenesis(chainId: Hash, authorities: AuthoritySet): Header {
  return {
    version: HEADER_VERSION,
    chainId,
    height: Height(0),
    epoch: authorities.epoch,
    view: View(0),
    previous: ZERO_HASH,
    timestamp: Timestamp(0),
    proposer: 0,
    transactionsRoot: transactionsRoot([]),
    transactionCount: 0,
    stateRoot: stateAfter(ZERO_HASH, transactionsRoot([])),
    receiptsRoot: ZERO_HASH,
    graphRoot: ZERO_HASH,
    authoritiesHash: authoritySetHash(authorities),
    nextAuthoritiesHash: ZERO_HASH,
  };
}

/** What executing a body on a parent yields. */
export function rootsOf(parent: Header, body: Body): Proposal['roots'] {
  const root = transactionsRoot(body);
  return {
    transactionsRoot: root,
    transactionCount: body.length,
    stateRoot: stateAfter(parent.stateRoot, root),
    receiptsRoot: ZERO_HASH,
    graphRoot: ZERO_HASH,
    nextAuthoritiesHash: ZERO_HASH,
  };
}

/** Executions above the final block, as a node holds them in memory. */
export class Overlays {
  readonly #held = new Map<Hash, Block>();

  get(digest: Hash): Block | undefined {
    return this.#held.get(digest);
  }

  put(digest: Hash, block: Block): void {
    this.#held.set(digest, block);
  }

  drop(digests: readonly Hash[]): void {
    for (const digest of digests) this.#held.delete(digest);
  }

  clear(): void {
    this.#held.clear();
  }

  /** Ids of the transactions from `digest` down to a block that is not held. */
  idsFrom(digest: Hash): Set<Hash> {
    const ids = new Set<Hash>();
    for (let block = this.#held.get(digest); block !== undefined; block = this.#held.get(block.header.previous)) {
      for (const { id } of block.body) ids.add(id);
    }
    return ids;
  }
}

/** Whether a body is valid on its parent: roots agree, and no transaction is there twice. */
export function isBodyValid(header: Header, body: Body, parent: Header, taken: (id: Hash) => boolean): boolean {
  if (header.stateRoot !== stateAfter(parent.stateRoot, transactionsRoot(body))) return false;
  const seen = new Set<Hash>();
  for (const { id } of body) {
    if (seen.has(id) || taken(id)) return false;
    seen.add(id);
  }
  return true;
}
