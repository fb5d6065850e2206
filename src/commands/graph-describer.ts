import type { Genesis } from '../ledger/genesis.ts';
import type { BlockDescriber } from '../node/indexing.ts';
import type { GraphIdentity } from '../store/quad-rows.ts';

interface GraphDescriber {
  /** Changes with whatever it says: an index that an earlier one filled is begun anew. */
  readonly version: string;
  readonly of: (genesis: Genesis) => BlockDescriber;
}

/** Says what is in the graph of a block; null as long as nothing does, and then there is no graph. */
export const GRAPH_DESCRIBER: GraphDescriber | null = null;

export function graphIdentity({ chainId, iriBase }: Genesis, { version }: GraphDescriber): GraphIdentity {
  return { source: `chain ${chainId}, description ${version}`, iriBase };
}
