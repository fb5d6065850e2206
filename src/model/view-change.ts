import { concat } from '../lib/bytes.ts';
import { type Certificate, certificateLayout, PHASES, type Phase } from './certificate.ts';
import { type Codec, encode, list, nullable, oneOf, struct, u8 } from './codec.ts';
import { domain, sha256 } from './hash.ts';
import { type Epoch, type Hash, type Height, hashOfBytes, hexBytes, type Signature, type View } from './ids.ts';
import { epochLayout, hashLayout, heightLayout, signatureLayout, viewLayout } from './layouts.ts';
import { AUTHORITIES_MAX } from './limits.ts';

/** Where a certificate stands: compared by view first, then by height (never the other way round). */
export interface Rank {
  readonly view: View;
  readonly height: Height;
}

/** The highest certificate that a VIEW-CHANGE claims. */
export interface Claim extends Rank {
  readonly digest: Hash;
  readonly phase: Phase;
}

/** A signed wish to leave every view below `newView`, with what must not be lost. */
export interface ViewChange {
  readonly epoch: Epoch;
  readonly newView: View;
  readonly signer: number;
  /** A hint only. */
  readonly finalHeight: Height;
  readonly finalHash: Hash;
  readonly claim: Claim | null;
  readonly signature: Signature;
}

/** A primary's proof that a quorum wants its view, and where the view must begin. */
export interface NewView {
  readonly epoch: Epoch;
  readonly view: View;
  /** At least a quorum, by strictly ascending signer. */
  readonly viewChanges: readonly ViewChange[];
  /** Of the highest claim among them; null when none claims anything. */
  readonly anchor: Certificate | null;
  readonly signature: Signature;
}

/** A signed statement that this block was executed and stored, for retention and divergence alarms. */
export interface Checkpoint {
  readonly epoch: Epoch;
  readonly height: Height;
  readonly digest: Hash;
  readonly stateRoot: Hash;
  readonly signer: number;
  readonly signature: Signature;
}

export const rankLayout: Codec<Rank> = struct<Rank>({ view: viewLayout, height: heightLayout });

const claimLayout: Codec<Claim> = struct<Claim>({
  view: viewLayout,
  height: heightLayout,
  digest: hashLayout,
  phase: oneOf(PHASES),
});

const unsignedViewChangeFields = {
  epoch: epochLayout,
  newView: viewLayout,
  finalHeight: heightLayout,
  finalHash: hashLayout,
  claim: nullable(claimLayout),
} as const;

export const viewChangeLayout: Codec<ViewChange> = struct<ViewChange>({
  ...unsignedViewChangeFields,
  signer: u8,
  signature: signatureLayout,
});

export const newViewLayout: Codec<NewView> = struct<NewView>({
  epoch: epochLayout,
  view: viewLayout,
  viewChanges: list(viewChangeLayout, AUTHORITIES_MAX),
  anchor: nullable(certificateLayout),
  signature: signatureLayout,
});

const unsignedCheckpointFields = {
  epoch: epochLayout,
  height: heightLayout,
  digest: hashLayout,
  stateRoot: hashLayout,
} as const;

export const checkpointLayout: Codec<Checkpoint> = struct<Checkpoint>({
  ...unsignedCheckpointFields,
  signer: u8,
  signature: signatureLayout,
});

const VIEWCHANGE = domain('VIEWCHANGE');
const NEWVIEW = domain('NEWVIEW');
const CHECKPOINT = domain('CHECKPOINT');

const unsignedViewChangeLayout = struct<Omit<ViewChange, 'signer' | 'signature'>>(unsignedViewChangeFields);
const unsignedCheckpointLayout = struct<Omit<Checkpoint, 'signer' | 'signature'>>(unsignedCheckpointFields);
const unsignedNewViewLayout = struct<{ epoch: Epoch; view: View; viewChanges: Hash; anchor: Hash }>({
  epoch: epochLayout,
  view: viewLayout,
  viewChanges: hashLayout,
  anchor: hashLayout,
});

export function viewChangeSigningBytes(chainId: Hash, viewChange: Omit<ViewChange, 'signature'>): Uint8Array {
  return concat(VIEWCHANGE, hexBytes(chainId), encode(unsignedViewChangeLayout, viewChange));
}

/** Binds the exact VIEW-CHANGEs, signatures included, and the anchor's certificate. */
export function newViewSigningBytes(chainId: Hash, newView: Omit<NewView, 'signature'>): Uint8Array {
  const viewChanges = encode(list(viewChangeLayout, AUTHORITIES_MAX), newView.viewChanges);
  const anchor = encode(nullable(certificateLayout), newView.anchor);
  const bound = {
    epoch: newView.epoch,
    view: newView.view,
    viewChanges: hashOfBytes(sha256(viewChanges)),
    anchor: hashOfBytes(sha256(anchor)),
  };
  return concat(NEWVIEW, hexBytes(chainId), encode(unsignedNewViewLayout, bound));
}

export function checkpointSigningBytes(chainId: Hash, checkpoint: Omit<Checkpoint, 'signature'>): Uint8Array {
  return concat(CHECKPOINT, hexBytes(chainId), encode(unsignedCheckpointLayout, checkpoint));
}

/** Negative, zero or positive as `a` stands below, level with or above `b`: by view first, then by height. */
export function compareRank(a: Rank, b: Rank): number {
  return a.view - b.view || a.height - b.height;
}
