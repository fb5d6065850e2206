/**
 * How authorities come to hold one chain, as one pure step.
 * This file names everything that can happen to a replica.
 */
import type { Body, Header } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import type { Hash, Height, Timestamp, View } from '../model/ids.ts';
import type { Message, MessageOf } from '../model/message.ts';
import type { Verified } from '../model/verified.ts';
import type { Checkpoint } from '../model/view-change.ts';

/** One timer of each name runs at most. */
const TIMERS = ['progress', 'new-view', 'resend', 'status', 'empty', 'batch', 'fetch'] as const;
export type Timer = (typeof TIMERS)[number];

/** What the mempool could fill a block with now. */
export interface Pending {
  readonly count: number;
  readonly bytes: number;
}

/** A block that this node built and executed on top of `parent`. */
export interface Proposal {
  readonly timestamp: Timestamp;
  readonly body: Body;
  readonly roots: Pick<
    Header,
    'transactionsRoot' | 'transactionCount' | 'stateRoot' | 'receiptsRoot' | 'graphRoot' | 'nextAuthoritiesHash'
  >;
}

/** What executing a block yielded on this machine, whatever its header says. */
export type Executed = Pick<Checkpoint, 'height' | 'digest' | 'stateRoot'>;

/**
 * `invalid` is a pure function of the block, its parent's state and the authority set, and accuses the proposer;
 * `aborted` concludes nothing (a body that does not match, a parent that is gone, a time-out) and is tried again.
 */
export type Verdict = 'valid' | 'invalid' | 'aborted';

/** What the world outside consensus reports. */
export type LocalEvent =
  /** Once, first: the replica was made from what survived, and may act. */
  | { readonly type: 'start' }
  /** Whenever it grows, and again after every `commit`, `import` and `drop`; the first two set it to nothing here. */
  | { readonly type: 'pending'; readonly pending: Pending }
  /**
   * Answers `build`; null when there was nothing to build, or the parent is gone. When the step that takes it pledges a
   * `proposal`, the execution is that block's from then on; otherwise it is forgotten.
   */
  | {
      readonly type: 'built';
      readonly view: View;
      readonly parent: Hash;
      readonly proposal: Proposal | null;
    }
  /** Answers `validate`. */
  | { readonly type: 'validated'; readonly digest: Hash; readonly verdict: Verdict }
  /** Answers `pledge` and `record`: durable; the signed message itself comes back as a message from this seat. */
  | { readonly type: 'persisted'; readonly token: number }
  /** Answers `commit`: in the store, durably, up to this height; and what these blocks led to. */
  | { readonly type: 'stored'; readonly height: Height; readonly executed: readonly Executed[] }
  /** Answers `import`: in the store up to `header`, the last of the blocks (`stored` tells when durably); or what was wrong with them. */
  | { readonly type: 'imported'; readonly header: Header; readonly certificate: Certificate }
  | { readonly type: 'import-failed'; readonly from: number; readonly reason: 'invalid' | 'aborted' | 'diverged' }
  | { readonly type: 'timer'; readonly timer: Timer }
  /** By this machine's own measure a block takes as long as this: to be executed, or to arrive. Timeouts follow it. */
  | { readonly type: 'measured'; readonly blockMs: number }
  /** An authority's channel opened or closed. */
  | { readonly type: 'peer'; readonly seat: number; readonly connected: boolean }
  /** Certified blocks above the final one that the shell has fetched from whoever had them. */
  | { readonly type: 'fetched'; readonly message: Verified<MessageOf<'blocks'>> }
  /** The shell fetches what is missing here, or does no more: meanwhile this replica asks no seat for it. */
  | { readonly type: 'sync-taken-over'; readonly isTakenOver: boolean }
  /** Valid, and of another history than the one that is final here. */
  | { readonly type: 'conflict'; readonly certificate: Certificate }
  /** By the rule of fairness (`fairness.ts`), the primary of this view passes a transaction over. */
  | { readonly type: 'starved'; readonly view: View };

/** What another authority said, or this one (its own pledges come back the same way). */
interface PeerEvent {
  readonly type: 'message';
  readonly from: number;
  readonly message: Verified<Message>;
}

/** `now` is the node's wall clock; the core has no other. */
export type Event = (LocalEvent | PeerEvent) & { readonly now: Timestamp };
