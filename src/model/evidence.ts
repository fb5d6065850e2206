import { primaryIndex } from './authorities.ts';
import { blockHash, type Header, headerLayout } from './block.ts';
import { ballotSigningBytes, type Jurisdiction, type Vote, voteLayout } from './certificate.ts';
import { type Codec, encode, list, struct, union } from './codec.ts';
import { domain, taggedHash } from './hash.ts';
import type { Hash } from './ids.ts';
import { WINDOW_MAX } from './limits.ts';
import {
  compareRank,
  type NewView,
  newViewLayout,
  newViewSigningBytes,
  type ViewChange,
  viewChangeLayout,
  viewChangeSigningBytes,
} from './view-change.ts';

/** Signed statements of one authority that no honest authority makes: enough to convict it with its keys alone. */
export type Evidence =
  /** Two votes of one phase, view and height on different blocks. */
  | { readonly kind: 'double-vote'; readonly first: Vote; readonly second: Vote }
  /** Two different VIEW-CHANGEs for one view. */
  | { readonly kind: 'double-view-change'; readonly first: ViewChange; readonly second: ViewChange }
  /** Two different NEW-VIEWs of one view. */
  | { readonly kind: 'double-new-view'; readonly first: NewView; readonly second: NewView }
  /** A COMMIT, and a VIEW-CHANGE for a later view that claims less than what was committed. */
  | { readonly kind: 'amnesia'; readonly commit: Vote; readonly viewChange: ViewChange }
  /** Two PREPAREs of one view that are not on one branch: `headers` lead from the upper block down to the lower height. */
  | { readonly kind: 'branch'; readonly lower: Vote; readonly upper: Vote; readonly headers: readonly Header[] };

export const evidenceLayout: Codec<Evidence> = union<Evidence>({
  'double-vote': [1, struct({ first: voteLayout, second: voteLayout })],
  'double-view-change': [2, struct({ first: viewChangeLayout, second: viewChangeLayout })],
  'double-new-view': [3, struct({ first: newViewLayout, second: newViewLayout })],
  amnesia: [4, struct({ commit: voteLayout, viewChange: viewChangeLayout })],
  branch: [5, struct({ lower: voteLayout, upper: voteLayout, headers: list(headerLayout, 4 * WINDOW_MAX) })],
});

const EVIDENCE = domain('EVIDENCE');

export function evidenceHash(evidence: Evidence): Hash {
  return taggedHash(EVIDENCE, encode(evidenceLayout, evidence));
}

/** Seat of the accused. */
export function offenderOf(evidence: Evidence, jurisdiction: Jurisdiction): number {
  switch (evidence.kind) {
    case 'double-vote':
    case 'double-view-change':
      return evidence.first.signer;
    case 'double-new-view':
      return primaryIndex(jurisdiction.authorities, evidence.first.view);
    case 'amnesia':
      return evidence.commit.signer;
    case 'branch':
      return evidence.lower.signer;
  }
}

/** Whether the statements contradict each other and are of one authority; signatures apart. */
function contradicts(evidence: Evidence, chainId: Hash): boolean {
  switch (evidence.kind) {
    case 'double-vote': {
      const { first, second } = evidence;
      const sameSlot =
        first.phase === second.phase &&
        first.epoch === second.epoch &&
        first.view === second.view &&
        first.height === second.height &&
        first.signer === second.signer;
      return sameSlot && first.digest !== second.digest;
    }
    case 'double-view-change': {
      const { first, second } = evidence;
      const sameSlot =
        first.epoch === second.epoch && first.newView === second.newView && first.signer === second.signer;
      return sameSlot && differ(viewChangeSigningBytes(chainId, first), viewChangeSigningBytes(chainId, second));
    }
    case 'double-new-view': {
      const { first, second } = evidence;
      const sameSlot = first.epoch === second.epoch && first.view === second.view;
      return sameSlot && differ(newViewSigningBytes(chainId, first), newViewSigningBytes(chainId, second));
    }
    case 'amnesia': {
      const { commit, viewChange } = evidence;
      const sameSigner =
        commit.phase === 'COMMIT' && commit.epoch === viewChange.epoch && commit.signer === viewChange.signer;
      const left = viewChange.newView > commit.view;
      return sameSigner && left && (viewChange.claim === null || compareRank(viewChange.claim, commit) < 0);
    }
    case 'branch':
      return leavesBranch(evidence.lower, evidence.upper, evidence.headers);
  }
}

function differ(a: Uint8Array, b: Uint8Array): boolean {
  return a.length !== b.length || a.some((byte, index) => byte !== b[index]);
}

function leavesBranch(lower: Vote, upper: Vote, headers: readonly Header[]): boolean {
  const sameSigner =
    lower.phase === 'PREPARE' &&
    upper.phase === 'PREPARE' &&
    lower.epoch === upper.epoch &&
    lower.view === upper.view &&
    lower.signer === upper.signer;
  if (!sameSigner || lower.height >= upper.height || headers.length !== upper.height - lower.height) return false;
  let digest = upper.digest;
  for (const [index, header] of headers.entries()) {
    if (blockHash(header) !== digest || header.height !== upper.height - index) return false;
    digest = header.previous;
  }
  return digest !== lower.digest;
}

/** Whether this evidence convicts: it contradicts itself and every signature in it is the accused's. */
export function isEvidenceValid(evidence: Evidence, jurisdiction: Jurisdiction): boolean {
  const { chainId, authorities, check } = jurisdiction;
  const accused = authorities.authorities[offenderOf(evidence, jurisdiction)];
  if (accused === undefined || !contradicts(evidence, chainId)) return false;
  const voted = (vote: Vote): boolean =>
    vote.epoch === authorities.epoch && check(accused.publicKey, ballotSigningBytes(chainId, vote), vote.signature);
  const wished = (viewChange: ViewChange): boolean =>
    viewChange.epoch === authorities.epoch &&
    check(accused.publicKey, viewChangeSigningBytes(chainId, viewChange), viewChange.signature);
  const opened = (newView: NewView): boolean =>
    newView.epoch === authorities.epoch &&
    check(accused.publicKey, newViewSigningBytes(chainId, newView), newView.signature);
  switch (evidence.kind) {
    case 'double-vote':
      return voted(evidence.first) && voted(evidence.second);
    case 'double-view-change':
      return wished(evidence.first) && wished(evidence.second);
    case 'double-new-view':
      return opened(evidence.first) && opened(evidence.second);
    case 'amnesia':
      return voted(evidence.commit) && wished(evidence.viewChange);
    case 'branch':
      return voted(evidence.lower) && voted(evidence.upper);
  }
}
