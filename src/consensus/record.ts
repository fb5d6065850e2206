import { type Block, blockLayout } from '../model/block.ts';
import { type Certificate, certificateLayout, type Vote, voteLayout } from '../model/certificate.ts';
import { type Codec, list, nullable, oneOf, struct, union } from '../model/codec.ts';
import type { Epoch, Hash, Height, Timestamp, View } from '../model/ids.ts';
import { epochLayout, hashLayout, heightLayout, viewLayout } from '../model/layouts.ts';
import { WINDOW_MAX } from '../model/limits.ts';
import {
  type Checkpoint,
  checkpointLayout,
  type NewView,
  newViewLayout,
  type Rank,
  rankLayout,
  type ViewChange,
  viewChangeLayout,
} from '../model/view-change.ts';

/** A block by its place and hash. */
export interface BlockReference {
  readonly height: Height;
  readonly digest: Hash;
}

/** Why a key is dead: it has signed more than its journal holds, or somebody else signs with it. */
const RETIREMENTS = ['JOURNAL_BEHIND', 'DUPLICATE_KEY'] as const;
export type Retirement = (typeof RETIREMENTS)[number];

/** The highest that a seat has signed of each kind; of its VIEW-CHANGEs the newest is kept whole. */
export interface Signed {
  prepare: Rank | null;
  commit: Rank | null;
  newView: View | null;
}

/** The highest statements of another seat. */
export interface Seen {
  prepare: Vote | null;
  commit: Vote | null;
  viewChange: ViewChange | null;
}

/** What an authority hears of itself after a start. */
export interface Hearing {
  /** Its clock at the start: tells answers to this one from those to an earlier one. */
  readonly asked: Timestamp;
  /** Who has answered. */
  readonly heard: Set<number>;
  /** The highest final block that was proven to it meanwhile. */
  height: Height;
}

/** What an authority must not forget, as the journal holds it. */
export type JournalRecord =
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'block'; readonly block: Block }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'view-change'; readonly viewChange: ViewChange; readonly certificate: Certificate | null }
  | { readonly kind: 'new-view'; readonly newView: NewView }
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
  /** This view was entered, and begins at the anchor. */
  | { readonly kind: 'entered'; readonly epoch: Epoch; readonly view: View; readonly anchor: BlockReference }
  /** Stands for everything before it. */
  | {
      readonly kind: 'snapshot';
      readonly epoch: Epoch;
      readonly view: View;
      readonly mode: 'active' | 'changing';
      readonly anchor: BlockReference;
      /** The last own PREPARE of the view. */
      readonly tip: BlockReference | null;
      /** Own votes above the final block, of the current view. */
      readonly votes: readonly Vote[];
      /** The highest votes and NEW-VIEW ever, those of earlier views and final blocks among them. */
      readonly signed: Readonly<Signed>;
      /** The path from the final block to that of `highest`. */
      readonly blocks: readonly Block[];
      readonly highest: Certificate | null;
      readonly viewChange: ViewChange | null;
      /** Backs the claim of `viewChange`, which is said again as it was: `highest` may be another of the same rank. */
      readonly claimed: Certificate | null;
      readonly newView: NewView | null;
      /** The final block when this was written: nothing is signed before the store has reached it again. */
      readonly checkpoint: Height;
    }
  /** Nothing is ever signed again. */
  | { readonly kind: 'retired'; readonly reason: Retirement };

const signedLayout: Codec<Signed> = struct<Signed>({
  prepare: nullable(rankLayout),
  commit: nullable(rankLayout),
  newView: nullable(viewLayout),
});

const referenceLayout: Codec<BlockReference> = struct<BlockReference>({ height: heightLayout, digest: hashLayout });

export const journalRecordLayout: Codec<JournalRecord> = union<JournalRecord>({
  vote: [1, struct({ vote: voteLayout })],
  block: [2, struct({ block: blockLayout })],
  certificate: [3, struct({ certificate: certificateLayout })],
  'view-change': [4, struct({ viewChange: viewChangeLayout, certificate: nullable(certificateLayout) })],
  'new-view': [5, struct({ newView: newViewLayout })],
  checkpoint: [6, struct({ checkpoint: checkpointLayout })],
  entered: [7, struct({ epoch: epochLayout, view: viewLayout, anchor: referenceLayout })],
  snapshot: [
    8,
    struct({
      epoch: epochLayout,
      view: viewLayout,
      mode: oneOf(['active', 'changing']),
      anchor: referenceLayout,
      tip: nullable(referenceLayout),
      votes: list(voteLayout, 4 * WINDOW_MAX),
      signed: signedLayout,
      blocks: list(blockLayout, WINDOW_MAX),
      highest: nullable(certificateLayout),
      viewChange: nullable(viewChangeLayout),
      claimed: nullable(certificateLayout),
      newView: nullable(newViewLayout),
      checkpoint: heightLayout,
    }),
  ],
  retired: [9, struct({ reason: oneOf(RETIREMENTS) })],
});
