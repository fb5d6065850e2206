import type { Header } from '../model/block.ts';
import type { Vote } from '../model/certificate.ts';
import type { Evidence } from '../model/evidence.ts';
import { type Hash, Height } from '../model/ids.ts';
import { compareRank, type NewView, type ViewChange } from '../model/view-change.ts';
import { retire } from './own-signatures.ts';
import { primaryOf, type Replica, votesOf } from './replica.ts';

function offenderSeat(replica: Replica, evidence: Evidence): number {
  switch (evidence.kind) {
    case 'double-vote':
    case 'double-view-change':
      return evidence.first.signer;
    case 'double-new-view':
      return primaryOf(replica, evidence.first.view);
    case 'amnesia':
      return evidence.commit.signer;
    case 'branch':
      return evidence.lower.signer;
  }
}

function accusation(replica: Replica, evidence: Evidence): string {
  return `${evidence.kind}/${offenderSeat(replica, evidence)}`;
}

/** Whether this kind of lie of this authority has been reported already. */
export function isAccusedOf(replica: Replica, evidence: Evidence): boolean {
  return replica.accused.has(accusation(replica, evidence));
}

/** Reports statements that no honest authority makes, once for each offender and kind. */
export function accuse(replica: Replica, evidence: Evidence): void {
  const seat = offenderSeat(replica, evidence);
  if (evidence.kind === 'double-vote' && isOfThisPrimary(replica, evidence.first)) {
    replica.suspicion.equivocation = true;
  }
  if (seat === replica.config.self) {
    retire(replica, `what convicts it of ${evidence.kind}`);
    return;
  }
  if (isAccusedOf(replica, evidence)) return;
  replica.accused.add(accusation(replica, evidence));
  replica.out.push({ type: 'evidence', evidence });
}

function isOfThisPrimary(replica: Replica, vote: Vote): boolean {
  return (
    replica.mode === 'active' &&
    vote.phase === 'PREPARE' &&
    vote.view === replica.view &&
    vote.signer === primaryOf(replica, vote.view)
  );
}

/** A PREPARE beside another of its signer's in the same view (rule R1), as far as the headers between them are here. */
export function detectBranch(replica: Replica, vote: Vote): void {
  if (vote.phase !== 'PREPARE' || vote.view !== replica.view) return;
  for (const other of votesOf(replica, vote.signer).current.values()) {
    if (other.phase !== 'PREPARE' || other.height === vote.height) continue;
    const [lower, upper] = other.height < vote.height ? [other, vote] : [vote, other];
    const headers = headersBetween(replica, upper, lower.height);
    const oldest = headers?.at(-1);
    if (headers === undefined || oldest === undefined || oldest.previous === lower.digest) continue;
    accuse(replica, { kind: 'branch', lower, upper, headers });
  }
}

function headersBetween(replica: Replica, upper: Vote, height: Height): Header[] | undefined {
  const headers: Header[] = [];
  let digest: Hash = upper.digest;
  for (let at = upper.height; at > height; at = Height(at - 1)) {
    const block = replica.tree.get(digest);
    if (block === undefined || block.header.height !== at) return undefined;
    headers.push(block.header);
    digest = block.header.previous;
  }
  return headers;
}

/** A COMMIT against the newest VIEW-CHANGE of its signer, or the reverse: the claim must not be below what was committed. */
export function detectAmnesia(replica: Replica, commit: Vote, viewChange: ViewChange): void {
  if (commit.phase !== 'COMMIT' || commit.view >= viewChange.newView) return;
  if (viewChange.claim !== null && compareRank(viewChange.claim, commit) >= 0) return;
  accuse(replica, { kind: 'amnesia', commit, viewChange });
}

/** Two VIEW-CHANGEs of one authority for one view. */
export function detectDoubleViewChange(replica: Replica, first: ViewChange, second: ViewChange): void {
  if (first.newView !== second.newView || areAlike(first, second)) return;
  accuse(replica, { kind: 'double-view-change', first, second });
}

/** Whether two VIEW-CHANGEs for one view say the same; only what is signed counts. */
export function areAlike(a: ViewChange, b: ViewChange): boolean {
  const sameClaim =
    a.claim === null || b.claim === null
      ? a.claim === b.claim
      : compareRank(a.claim, b.claim) === 0 && a.claim.digest === b.claim.digest && a.claim.phase === b.claim.phase;
  return a.newView === b.newView && a.finalHeight === b.finalHeight && a.finalHash === b.finalHash && sameClaim;
}

/** Two NEW-VIEWs of one view that differ in what is signed: which VIEW-CHANGEs they hold, and the anchor. */
export function detectDoubleNewView(replica: Replica, first: NewView, second: NewView): void {
  if (first.view !== second.view) return;
  const sameAnchor =
    first.anchor === null || second.anchor === null
      ? first.anchor === second.anchor
      : compareRank(first.anchor, second.anchor) === 0 &&
        first.anchor.phase === second.anchor.phase &&
        first.anchor.digest === second.anchor.digest &&
        first.anchor.signatures.join() === second.anchor.signatures.join();
  const sameWishes =
    first.viewChanges.length === second.viewChanges.length &&
    first.viewChanges.every((one, index) => one.signature === second.viewChanges[index]?.signature);
  if (sameAnchor && sameWishes) return;
  accuse(replica, { kind: 'double-new-view', first, second });
}
