import { concat } from '../lib/bytes.ts';
import {
  type Block,
  type Body,
  blockLayout,
  bodyLayout,
  type Header,
  headerLayout,
  transactionLayout,
} from './block.ts';
import { type Certificate, certificateLayout, type Vote, voteLayout } from './certificate.ts';
import { type Codec, encode, list, nullable, oneOf, struct, u8, u32, union } from './codec.ts';
import { type Evidence, evidenceLayout } from './evidence.ts';
import type { Epoch, Hash, Height, Timestamp, View } from './ids.ts';
import { epochLayout, hashLayout, heightLayout, timestampLayout, viewLayout } from './layouts.ts';
import { FINAL_PATH_MAX, SYNC_BLOCKS_MAX, WINDOW_MAX } from './limits.ts';
import type { Transaction } from './transaction.ts';
import {
  type Checkpoint,
  checkpointLayout,
  type NewView,
  newViewLayout,
  type Rank,
  rankLayout,
  type ViewChange,
  viewChangeLayout,
} from './view-change.ts';

/** How an authority sees itself; proven by the channel it came through, not by a signature. */
export interface Status {
  readonly epoch: Epoch;
  readonly view: View;
  /** `observer`: a key that must not vote any more. */
  readonly mode: 'active' | 'changing' | 'observer' | 'halted';
  readonly finalHeight: Height;
  readonly finalHash: Hash;
  /** Rank of its highest certificate. */
  readonly highest: Rank | null;
  /** The view that it suspects, which is then its own view. */
  readonly suspects: View | null;
  /** Heights above its final one at which it lacks votes. */
  readonly missing: readonly Height[];
  /** Its clock. */
  readonly now: Timestamp;
}

/** The highest that one authority has seen signed by another, and what is certain to exist. */
export interface Memory {
  readonly prepare: Vote | null;
  readonly commit: Vote | null;
  readonly viewChange: ViewChange | null;
  /** Of the newest final block. */
  readonly final: Certificate | null;
  /** The highest by rank. */
  readonly highest: Certificate | null;
}

export type Message =
  /** `body` is left out when an anchor is proposed again. */
  | { readonly kind: 'pre-prepare'; readonly header: Header; readonly body: Body | null; readonly vote: Vote }
  | { readonly kind: 'vote'; readonly vote: Vote }
  /** `certificate` backs the claim; it is not under the signature. */
  | { readonly kind: 'view-change'; readonly viewChange: ViewChange; readonly certificate: Certificate | null }
  | { readonly kind: 'new-view'; readonly newView: NewView }
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'status'; readonly status: Status }
  /** The block and the certificate of it or of a descendant; `path` leads from the block's child to the certified one. */
  | {
      readonly kind: 'final';
      readonly header: Header;
      readonly path: readonly Header[];
      readonly certificate: Certificate;
    }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'body-request'; readonly digest: Hash }
  | { readonly kind: 'body'; readonly block: Block }
  | { readonly kind: 'blocks-request'; readonly from: Height; readonly count: number }
  /** Consecutive blocks; the certificate is of the last one and thereby of all. */
  | { readonly kind: 'blocks'; readonly blocks: readonly Block[]; readonly certificate: Certificate | null }
  | { readonly kind: 'new-view-request'; readonly epoch: Epoch; readonly view: View }
  | { readonly kind: 'transactions'; readonly transactions: readonly Transaction[] }
  | { readonly kind: 'evidence'; readonly evidence: Evidence }
  /** What has the receiver seen of the sender? `asked` tells one start of the sender from another. */
  | { readonly kind: 'memory-request'; readonly asked: Timestamp }
  | { readonly kind: 'memory'; readonly asked: Timestamp; readonly memory: Memory };

export type MessageKind = Message['kind'];
export type MessageOf<Kind extends MessageKind> = Extract<Message, { kind: Kind }>;

const statusLayout: Codec<Status> = struct<Status>({
  epoch: epochLayout,
  view: viewLayout,
  mode: oneOf(['active', 'changing', 'observer', 'halted']),
  finalHeight: heightLayout,
  finalHash: hashLayout,
  highest: nullable(rankLayout),
  suspects: nullable(viewLayout),
  missing: list(heightLayout, 2 * WINDOW_MAX),
  now: timestampLayout,
});

const memoryLayout: Codec<Memory> = struct<Memory>({
  prepare: nullable(voteLayout),
  commit: nullable(voteLayout),
  viewChange: nullable(viewChangeLayout),
  final: nullable(certificateLayout),
  highest: nullable(certificateLayout),
});

const BODY = 10;
const BLOCKS = 12;

/** Tags are never reused; a later protocol minor may add some, which older nodes refuse as malformed. */
export const messageLayout: Codec<Message> = union<Message>({
  'pre-prepare': [1, struct({ header: headerLayout, body: nullable(bodyLayout), vote: voteLayout })],
  vote: [2, struct({ vote: voteLayout })],
  'view-change': [3, struct({ viewChange: viewChangeLayout, certificate: nullable(certificateLayout) })],
  'new-view': [4, struct({ newView: newViewLayout })],
  checkpoint: [5, struct({ checkpoint: checkpointLayout })],
  status: [6, struct({ status: statusLayout })],
  final: [
    7,
    struct({ header: headerLayout, path: list(headerLayout, FINAL_PATH_MAX), certificate: certificateLayout }),
  ],
  certificate: [8, struct({ certificate: certificateLayout })],
  'body-request': [9, struct({ digest: hashLayout })],
  body: [BODY, struct({ block: blockLayout })],
  'blocks-request': [11, struct({ from: heightLayout, count: u8 })],
  blocks: [BLOCKS, struct({ blocks: list(blockLayout, SYNC_BLOCKS_MAX), certificate: nullable(certificateLayout) })],
  'new-view-request': [13, struct({ epoch: epochLayout, view: viewLayout })],
  transactions: [14, struct({ transactions: list(transactionLayout, 500) })],
  evidence: [15, struct({ evidence: evidenceLayout })],
  'memory-request': [16, struct({ asked: timestampLayout })],
  memory: [17, struct({ asked: timestampLayout, memory: memoryLayout })],
});

/** The bytes of a `body` with a block that is encoded already. */
export function bodyFrame(block: Uint8Array): Uint8Array {
  return concat(encode(u8, BODY), block);
}

/** The bytes of `blocks` with blocks that are encoded already, and so is their certificate, with its flag. */
export function blocksFrame(blocks: readonly Uint8Array[], certificate: Uint8Array): Uint8Array {
  return concat(encode(u8, BLOCKS), encode(u32, blocks.length), ...blocks, certificate);
}
