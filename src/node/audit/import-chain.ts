import { checkBlock } from '../../ledger/check-block.ts';
import { type ExecutedBlock, storedState } from '../../ledger/execute.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { authoritySetHash } from '../../model/authorities.ts';
import { type Block, blockHash, type Header } from '../../model/block.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import type { Hash } from '../../model/ids.ts';
import { IMPORT_BLOCKS_IN_FLIGHT_MAX, SYNC_BLOCKS_MAX } from '../../model/limits.ts';
import type { Iri } from '../../provenance/terms.ts';
import type { Finality } from '../../store/blocks.ts';
import type { Chain, ChainEntry } from '../../store/chain.ts';
import { finalityCheck } from '../../store/finality.ts';
import { type ChainFault, faultOfBlock } from './chain-fault.ts';

/** The next thing of a chain that comes from elsewhere, or why nothing more comes. */
export type ImportedBlock<Fault> = Result<{ readonly block: Block } & Finality, Fault>;

export interface ImportOptions<Fault> {
  readonly chain: Chain;
  readonly jurisdiction: Jurisdiction;
  /** Of the genesis document. */
  readonly iriBase: Iri;
  /** From height 1 on, without a gap. */
  readonly blocks: Iterable<ImportedBlock<Fault>>;
}

export interface ImportProgress {
  readonly height: number;
}

export interface ImportedChain {
  /** Blocks that the chain did not have before. */
  readonly added: number;
  /** Blocks that it had: an import that was interrupted goes on where it was. */
  readonly known: number;
}

/** What is wrong with a chain that is imported. */
export interface ImportFault extends Omit<ChainFault, 'code'> {
  readonly code: ChainFault['code'] | 'OTHER_HISTORY' | 'NOT_FINAL';
}

interface Executed {
  readonly block: Block;
  readonly hash: Hash;
  readonly executed: ExecutedBlock;
}

interface Import {
  readonly chain: Chain;
  readonly jurisdiction: Jurisdiction;
  readonly setHash: Hash;
  readonly iriBase: Iri;
  /** Executed, and waiting for the block whose certificate makes them final. */
  pending: Executed[];
  writes: Promise<void>;
  inFlight: number;
}

/**
 * Appends blocks from elsewhere to a chain, each of them judged by every rule that a block of this node's own consensus
 * is judged by. Nothing is stored that is not final: when it fails or is interrupted, what was stored is a chain.
 *
 * @throws StoreError
 */
export async function* importChain<Fault>(
  options: ImportOptions<Fault>,
): AsyncGenerator<ImportProgress, Result<ImportedChain, ImportFault | Fault>> {
  const { chain, jurisdiction, iriBase } = options;
  const state: Import = {
    chain,
    jurisdiction,
    setHash: authoritySetHash(jurisdiction.authorities),
    iriBase,
    pending: [],
    writes: Promise.resolve(),
    inFlight: 0,
  };
  const before = chain.head.height;
  let known = 0;
  for (const next of options.blocks) {
    const fault = next.ok ? takeBlock(state, next.value) : next.error;
    if (fault !== undefined) {
      await state.writes;
      return err(fault);
    }
    if (!next.ok) continue;
    if (next.value.block.header.height <= before) known += 1;
    if (state.inFlight >= IMPORT_BLOCKS_IN_FLIGHT_MAX) await settle(state);
    yield { height: next.value.block.header.height };
  }
  await state.writes;
  const [open] = state.pending;
  return open === undefined ? ok({ added: chain.head.height - before, known }) : err(notFinal(open.block.header));
}

async function settle(state: Import): Promise<void> {
  await state.writes;
  state.inFlight = 0;
}

function takeBlock(state: Import, { block, ...finality }: { block: Block } & Finality): ImportFault | undefined {
  const { header } = block;
  const hash = blockHash(header);
  if (header.height <= state.chain.head.height && state.pending.length === 0) {
    return state.chain.heightOf(hash) === header.height ? undefined : otherHistory(header);
  }
  const executed = execute(state, block);
  if (!executed.ok) return executed.error;
  state.pending.push({ block, hash, executed: executed.value });
  if (finality.certifiedHeight !== header.height) {
    return state.pending.length < SYNC_BLOCKS_MAX ? undefined : notFinal(header);
  }
  const reason = finalityCheck(() => undefined, state.jurisdiction)({ header, hash, ...finality });
  if (reason !== undefined) {
    const what = `the certificate of block ${header.height}`;
    const detail = `does not make it final: ${reason}`;
    return { code: 'CERTIFICATE_INVALID', height: header.height, what, detail };
  }
  commit(state, finality);
  return undefined;
}

function execute(
  { chain, pending, jurisdiction, setHash, iriBase }: Import,
  block: Block,
): Result<ExecutedBlock, ImportFault> {
  const last = pending.at(-1);
  const parent = last?.block.header ?? chain.head;
  const ids = new Set(pending.flatMap((one) => one.block.body.map(({ id }) => id)));
  const executed = checkBlock(block, {
    chainId: jurisdiction.chainId,
    parent,
    parentHash: last?.hash ?? chain.headHash,
    set: jurisdiction.authorities,
    setHash,
    iriBase,
    state: last?.executed.state ?? storedState(chain, chain, parent.stateRoot),
    recentIds: { has: (id) => ids.has(id) || chain.has(id) },
    check: jurisdiction.check,
  });
  return executed.ok ? executed : err(faultOfBlock(parent.height + 1, block.body, executed.error));
}

/** Everything that waits has become final by the certificate of its last block. */
function commit(state: Import, finality: Finality): void {
  const entries = state.pending.map(({ block, hash, executed }): ChainEntry => {
    const { receipts, changes, pageWrites } = executed;
    return { stored: { ...block, hash, receipts, ...finality }, changes, pageWrites };
  });
  state.pending = [];
  state.inFlight += entries.length;
  const written = new Promise<void>((resolve, reject) => {
    state.chain.commit(entries, undefined, { visible: () => undefined, durable: resolve, failed: reject });
  });
  state.writes = Promise.all([state.writes, written]).then(() => undefined);
  // Whoever waits next is told.
  state.writes.catch(() => undefined);
}

function otherHistory({ height }: Header): ImportFault {
  const detail = 'is another one than the block at this height here: two histories of one chain';
  return { code: 'OTHER_HISTORY', height, what: `block ${height}`, detail };
}

function notFinal({ height }: Header): ImportFault {
  const detail = 'has no certificate, and neither has a block soon after it';
  return { code: 'NOT_FINAL', height, what: `block ${height}`, detail };
}
