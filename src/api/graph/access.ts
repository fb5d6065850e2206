import type { IndexStatus } from '../../node/indexing.ts';
import type { QuadView } from '../../store/quad-view.ts';

/** The graph of a node, as an index of what is final: it may lag behind the chain, and never says anything else. */
export interface GraphAccess {
  /** What the genesis document has every IRI of the chain's things begin with; ends with a slash. */
  readonly iriBase: string;
  /** How far the index is, and how many blocks it lags behind; null when this node keeps no graph. */
  status(): (IndexStatus & { readonly lagBlocks: number }) | null;
  /** Resolves when the index has what is final now, or after a moment: who has just written wants to see it. */
  fresh(): Promise<void>;
  /** Runs `use` on the index at one moment; undefined when this node keeps no graph. */
  read<T>(use: (view: QuadView) => T): T | undefined;
}
