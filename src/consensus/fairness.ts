import type { Timestamp, View } from '../model/ids.ts';
import { type Pace, timeoutMs } from './timing.ts';

/** A transaction that this node handed to the primary. Times are of this node's clock. */
export interface Forwarded {
  readonly firstSeenAt: Timestamp;
  /** When it went to the primary over an open link. */
  readonly forwardedAt: Timestamp;
  /** The view whose primary it went to. */
  readonly view: View;
}

/** A block that just became final, as far as the rule needs it. */
export interface FinalisedBlock {
  /** The view in which it was first proposed. */
  readonly view: View;
  readonly headerArrivedAt: Timestamp;
  /** When this node first saw the block's latest transaction that it knew before; null when it knew none. */
  readonly newestFirstSeenAt: Timestamp | null;
  /** Whether the waiting transaction would have fitted as well: transactions and bytes. */
  readonly hadRoom: boolean;
  /** Whether it is valid as the next one after the block: its state, its time, the limits. */
  readonly isNextValid: boolean;
}

export interface Fairness {
  /** The view this node is in, active. */
  readonly view: View;
  readonly pace: Pace;
  /** Round trip to the primary, in milliseconds. */
  readonly roundTripMs: number;
}

/**
 * Whether a final block shows that its primary passes a forwarded transaction over (docs/consensus.md, "Fairness"): it was
 * there in good time and is valid, and the block either had room or took one that came much later. A deep queue alone is
 * no ground, and neither is a block of another view.
 */
export function isPassedOver(waiting: Forwarded, block: FinalisedBlock, circumstances: Fairness): boolean {
  const { view, pace, roundTripMs } = circumstances;
  if (block.view !== view || waiting.view !== view || !block.isNextValid) return false;
  const inTime = waiting.forwardedAt + pace.timing.forwardMs + 2 * roundTripMs;
  if (block.headerArrivedAt < inTime) return false;
  if (block.hadRoom) return true;
  const patienceMs = timeoutMs(pace.timing.requestMs, pace);
  return block.newestFirstSeenAt !== null && block.newestFirstSeenAt > waiting.firstSeenAt + patienceMs;
}
