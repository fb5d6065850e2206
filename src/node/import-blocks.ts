import { isBodyOf } from '../ledger/execute.ts';
import { type Block, blockHash } from '../model/block.ts';
import type { Hash } from '../model/ids.ts';
import type { Chain } from '../store/chain.ts';
import type { Executor } from './executor.ts';
import type { Timers } from './ports.ts';
import { SignaturesAhead, type SignaturesAheadParts } from './signatures-ahead.ts';

export interface ImportParts extends SignaturesAheadParts {
  readonly timers: Timers;
  readonly executor: Executor;
  readonly chain: Chain;
}

/**
 * `invalid`: the peer sent other bodies than the certified headers name. `diverged`: a certified block is invalid by this
 * node's own execution. `aborted`: nothing can be said.
 */
export type ImportOutcome = 'executed' | 'invalid' | 'diverged' | 'aborted';

/**
 * Executes certified blocks of a peer, one in a turn of the loop, so that what else waits gets its turn between them. The
 * signatures in those that follow are checked meanwhile.
 *
 * @returns what ends it, so that `done` is not called any more
 */
export function importBlocks(
  parts: ImportParts,
  all: readonly Block[],
  done: (outcome: ImportOutcome) => void,
): () => void {
  const { executor, chain, timers } = parts;
  const blocks = all.filter(({ header }) => header.height > chain.head.height);
  const checks = new SignaturesAhead(
    parts,
    blocks.map(({ body }) => body),
  );
  const executed: Hash[] = [];
  let isOver = false;
  const fail = (outcome: ImportOutcome): void => {
    checks.stop();
    executor.drop(executed);
    done(outcome);
  };
  const proceed = (index: number): void => {
    const block = blocks[index];
    if (isOver) return;
    if (block === undefined) done('executed');
    // The certificate says nothing of a body that is not the header's.
    else if (!isBodyOf(block.header, block.body)) fail('invalid');
    else checks.whenChecked(index, (areValid) => execute(index, block, areValid));
  };
  const execute = (index: number, block: Block, areValid: boolean): void => {
    const digest = blockHash(block.header);
    const verdict = areValid ? executor.validate(digest, block) : 'invalid';
    if (verdict !== 'valid') {
      fail(verdict === 'invalid' ? 'diverged' : 'aborted');
      return;
    }
    executed.push(digest);
    timers.soon(() => proceed(index + 1));
  };
  proceed(0);
  return () => {
    isOver = true;
    checks.stop();
  };
}
