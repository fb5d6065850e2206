import type { Genesis } from '../ledger/genesis.ts';
import type { BlockDescriber } from '../node/indexing.ts';
import { describeBlock } from '../provenance/describe-block.ts';
import type { GraphIdentity } from '../store/quad-rows.ts';

/** Changes with whatever a block's graphs say: an index that an earlier description filled is begun anew. */
const DESCRIPTION_VERSION = '1';

/** Says what is in the graphs of a block. */
export function describerOf(genesis: Genesis): BlockDescriber {
  return (block) => describeBlock(block, genesis);
}

export function graphIdentity({ chainId, iriBase }: Genesis): GraphIdentity {
  return { source: `chain ${chainId}, description ${DESCRIPTION_VERSION}`, iriBase };
}
