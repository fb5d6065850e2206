import type { Executed, Proposal, Verdict } from '../consensus/event.ts';
import {
  buildBlock,
  checkRoots,
  detachState,
  type ExecutedBlock,
  type ExecutionContext,
  executeBlock,
  isBodyOf,
  type LedgerState,
  storedState,
} from '../ledger/execute.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { type Lack, lackOf } from '../ledger/permissions.ts';
import { checkTransaction, type TransactionFault, validateHeader } from '../ledger/validate.ts';
import { assert, defined } from '../lib/assert.ts';
import { type AuthoritySet, authoritySetHash } from '../model/authorities.ts';
import { type Block, type Body, blockHash, type Header } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import { type Hash, Height, Timestamp, ZERO_HASH } from '../model/ids.ts';
import { BLOCK_BYTES_MAX } from '../model/limits.ts';
import type { Transaction } from '../model/transaction.ts';
import type { Chain, ChainEntry, CommitOutcome } from '../store/chain.ts';
import type { JournalPosition } from '../store/journal.ts';

interface Execution {
  readonly header: Header;
  readonly body: Body;
  readonly executed: ExecutedBlock;
}

/** A proposal, if there was anything to propose, and the candidates that no block may take now. */
export interface Built {
  readonly proposal: Proposal | null;
  readonly skipped: ReturnType<typeof buildBlock>['skipped'];
}

/** Executes blocks above the final one in memory, and moves them into the chain once they are final. */
export class Executor {
  readonly #chain: Chain;
  readonly #set: AuthoritySet;
  readonly #setHash: Hash;
  readonly #genesis: Pick<Genesis, 'chainId' | 'iriBase'>;
  readonly #executions = new Map<Hash, Execution>();
  /** What was built and is not yet known by a hash: the core makes the header. */
  #built: { readonly parent: Hash; readonly proposal: Proposal; readonly executed: ExecutedBlock } | undefined;

  constructor(chain: Chain, set: AuthoritySet, genesis: Pick<Genesis, 'chainId' | 'iriBase'>) {
    this.#chain = chain;
    this.#set = set;
    this.#setHash = authoritySetHash(set);
    this.#genesis = genesis;
  }

  /** Transactions of the blocks in memory from `digest` down to the final one. */
  idsInFlight(digest: Hash): ReadonlySet<Hash> {
    const ids = new Set<Hash>();
    for (const { body } of this.#path(digest)) for (const { id } of body) ids.add(id);
    return ids;
  }

  header(digest: Hash): Header | undefined {
    return digest === this.#chain.headHash ? this.#chain.head : this.#executions.get(digest)?.header;
  }

  /** Judges a block on its parent's state and keeps what executing it yields. Signatures are taken as verified. */
  validate(digest: Hash, block: Block): Verdict {
    if (this.#executions.has(digest)) return 'valid';
    const { header, body } = block;
    const parent = this.header(header.previous);
    const state = this.#stateAfter(header.previous);
    if (parent === undefined || state === undefined || !isBodyOf(header, body)) return 'aborted';
    const fault = validateHeader(header, {
      chainId: this.#genesis.chainId,
      parent,
      parentHash: header.previous,
      set: this.#set,
      setHash: this.#setHash,
    });
    if (fault !== undefined) return 'invalid';
    const executed = executeBlock(this.#context(header.previous, state, header), body);
    if (!executed.ok || checkRoots(header, executed.value) !== undefined) return 'invalid';
    this.#executions.set(digest, { header, body, executed: executed.value });
    return 'valid';
  }

  /** Fills a block on top of `parent`; undefined when the parent is gone. */
  build(parentHash: Hash, candidates: Iterable<Transaction>, now: Timestamp, empty: boolean): Built | undefined {
    const parent = this.header(parentHash);
    const state = this.#stateAfter(parentHash);
    if (parent === undefined || state === undefined) return undefined;
    const timestamp = Timestamp(Math.max(now, parent.timestamp + 1));
    const context = this.#context(parentHash, state, { height: Height(parent.height + 1), timestamp });
    const { blockTransactionsMax } = this.#set.parameters;
    const limits = { transactionsMax: blockTransactionsMax, bytesMax: BLOCK_BYTES_MAX };
    const { body, executed, transactionsRoot, skipped } = buildBlock(context, candidates, limits);
    const proposal: Proposal = {
      timestamp,
      body,
      roots: {
        transactionsRoot,
        transactionCount: body.length,
        stateRoot: executed.stateRoot,
        receiptsRoot: executed.receiptsRoot,
        graphRoot: executed.graphRoot,
        nextAuthoritiesHash: ZERO_HASH,
      },
    };
    if (body.length === 0 && !empty) return { proposal: null, skipped };
    this.#built = { parent: parentHash, proposal, executed };
    return { proposal, skipped };
  }

  /** The core has made a header for what was built: from now on it is known by its hash. */
  adopt(header: Header, body: Body): void {
    const digest = blockHash(header);
    if (this.#executions.has(digest)) return;
    const built = this.#built;
    const matches =
      built !== undefined &&
      built.parent === header.previous &&
      built.proposal.timestamp === header.timestamp &&
      built.proposal.roots.stateRoot === header.stateRoot;
    assert(matches, 'only what was just built is proposed for the first time');
    this.#executions.set(digest, { header, body, executed: built.executed });
    this.#built = undefined;
  }

  drop(digests: readonly Hash[]): void {
    for (const digest of digests) this.#executions.delete(digest);
  }

  /** Moves executed blocks, oldest first, into the chain; the last one's certificate makes all of them final. */
  commit(
    blocks: readonly Block[],
    certificate: Certificate,
    witness: JournalPosition | undefined,
    outcome: CommitOutcome,
  ): readonly ChainEntry[] {
    const certifiedHeight = certificate.height;
    const entries = blocks.map((block): ChainEntry => {
      const hash = blockHash(block.header);
      const { executed } = defined(
        this.#executions.get(hash),
        `block ${block.header.height} was executed before it became final`,
      );
      const { changes, pageWrites, receipts } = executed;
      return { stored: { ...block, hash, receipts, certificate, certifiedHeight }, changes, pageWrites };
    });
    this.#chain.commit(entries, witness, outcome);
    for (const { stored } of entries) {
      this.#executions.delete(stored.hash);
      for (const { header, executed: child } of this.#executions.values()) {
        if (header.previous === stored.hash) detachState(child.state);
      }
    }
    return entries;
  }

  /** What executing a block in memory yielded. */
  outcome(digest: Hash): Executed {
    const { header, executed } = defined(this.#executions.get(digest), 'a block was executed before it became final');
    return { height: header.height, digest, stateRoot: executed.stateRoot };
  }

  /** The newest final state. */
  finalState(): LedgerState {
    return storedState(this.#chain, this.#chain, this.#chain.head.stateRoot);
  }

  /** Says why a transaction could not be in the next block, were its time `timestamp`; of this turn of the loop only. */
  judge(timestamp: Timestamp): (transaction: Transaction) => TransactionFault | undefined {
    const context = {
      chainId: this.#genesis.chainId,
      iriBase: this.#genesis.iriBase,
      timestamp: Timestamp(Math.max(timestamp, this.#chain.head.timestamp + 1)),
      transactionLifeMsMax: this.#set.parameters.transactionLifeMsMax,
      state: this.finalState().records,
      recentIds: this.#chain,
    };
    return (transaction) => checkTransaction(transaction, context);
  }

  /** What the organisation of a transaction lacks for it in the newest final state. */
  lackOf({ body }: Transaction): Lack | undefined {
    return lackOf(this.finalState().records, body.organisation, body.operation);
  }

  /** Whether a block in memory holds a transaction. */
  isInFlight(id: Hash): boolean {
    for (const { body } of this.#executions.values()) if (body.some((one) => one.id === id)) return true;
    return false;
  }

  #stateAfter(digest: Hash): LedgerState | undefined {
    return digest === this.#chain.headHash ? this.finalState() : this.#executions.get(digest)?.executed.state;
  }

  #context(
    parent: Hash,
    state: LedgerState,
    at: { readonly height: Height; readonly timestamp: Timestamp },
  ): ExecutionContext {
    const inFlight = this.idsInFlight(parent);
    return {
      height: at.height,
      timestamp: at.timestamp,
      chainId: this.#genesis.chainId,
      iriBase: this.#genesis.iriBase,
      parameters: this.#set.parameters,
      parent: state,
      // An id stays in the index for ever, which is the same rule: a transaction older than its longest life has expired.
      recentIds: { has: (id) => inFlight.has(id) || this.#chain.has(id) },
    };
  }

  *#path(digest: Hash): Generator<Execution> {
    let next = this.#executions.get(digest);
    while (next !== undefined) {
      yield next;
      next = this.#executions.get(next.header.previous);
    }
  }
}
