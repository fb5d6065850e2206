import type { Epoch, Hash, Height, View } from '../model/ids.ts';
import type { Rank } from '../model/view-change.ts';
import type { BlockReference } from './record.ts';
import { primaryOf, type Replica } from './replica.ts';
import { isSuspecting } from './status.ts';

/** What a replica shows of itself: for status pages, explanations and checkers. */
export interface Inspection {
  readonly epoch: Epoch;
  readonly view: View;
  readonly mode: Replica['mode'];
  readonly primary: number;
  readonly self: number;
  readonly final: BlockReference;
  readonly highest: (Rank & { readonly digest: Hash }) | null;
  readonly anchor: BlockReference;
  /** Last own PREPARE of the view. */
  readonly tip: BlockReference | null;
  readonly isSuspecting: boolean;
  readonly failures: number;
  readonly isSyncing: boolean;
  /** Nothing is signed before the final block is there. */
  readonly voteFloor: Height;
  readonly pendingBlocks: number;
  readonly certificates: number;
  readonly votes: number;
  /** Votes held of each seat on the lowest height above the final block, in this view. */
  readonly waiting: readonly { readonly seat: number; readonly prepared: boolean; readonly committed: boolean }[];
  /** Seats whose VIEW-CHANGE for this view or a later one is held. */
  readonly wishes: readonly number[];
  readonly isQuorumHeard: boolean;
  readonly stableCheckpoint: Height;
}

/** A snapshot; cheap enough to be taken after every step. */
export function inspect(replica: Replica): Inspection {
  const { final, highest, anchor, tip, view } = replica;
  const next = 2 * (final.height + 1);
  let votes = 0;
  for (const { current, future, past } of replica.votes) {
    votes += current.size + (future?.votes.size ?? 0) + past.length;
  }
  return {
    epoch: replica.config.authorities.epoch,
    view,
    mode: replica.mode,
    primary: primaryOf(replica, view),
    self: replica.config.self,
    final: { height: final.height, digest: final.digest },
    highest: highest === null ? null : { view: highest.view, height: highest.height, digest: highest.digest },
    anchor,
    tip,
    isSuspecting: isSuspecting(replica),
    failures: replica.failures,
    isSyncing: replica.sync !== null || replica.importing !== null,
    voteFloor: replica.voteFloor,
    pendingBlocks: replica.tree.size,
    certificates: replica.certificates.size,
    votes,
    waiting: replica.votes.map(({ current }, seat) => ({
      seat,
      prepared: current.has(next),
      committed: current.has(next + 1),
    })),
    wishes: [...replica.viewChanges.values()]
      .filter(({ viewChange }) => viewChange.newView >= view)
      .map(({ viewChange }) => viewChange.signer),
    isQuorumHeard: replica.wasQuorumHeard,
    stableCheckpoint: replica.stableCheckpoint,
  };
}
