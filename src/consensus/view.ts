import { assert } from '../lib/assert.ts';
import { Timestamp, View } from '../model/ids.ts';
import type { NewView } from '../model/view-change.ts';
import { dropBesideAnchor, journalBlocks, trace } from './block-tree.ts';
import type { BlockReference } from './record.ts';
import { cancelTimer, maySign, noSuspicion, pledge, type Replica, setTimer } from './replica.ts';
import { failuresCounted } from './timing.ts';
import { pruneCertificates, turnVotes } from './votes.ts';

/** Forgets what belonged to the view that ends; the books of votes move to `view`. */
function turn(replica: Replica, view: View): void {
  assert(view >= replica.view, 'views never go back');
  replica.tip = null;
  replica.isTipForsaken = false;
  replica.decided.clear();
  replica.ownVotes = [];
  replica.proposals.clear();
  replica.building = null;
  replica.drained = null;
  replica.isBatchDue = false;
  replica.isEmptyDue = false;
  replica.suspicion = noSuspicion();
  replica.lastProgressAt = replica.now;
  for (const timer of ['progress', 'new-view', 'resend', 'batch', 'empty'] as const) cancelTimer(replica, timer);
  if (view > replica.view) turnVotes(replica, view);
  replica.view = view;
  pruneCertificates(replica);
}

/** Counts a failed view: timeouts grow with it. */
export function countFailure(replica: Replica): void {
  replica.failures = failuresCounted(replica.failures + 1, replica.config.timing);
}

/**
 * Leaves every view below `target` for good (rule R4) and says what must not be lost (rule R5).
 * What the claim rests on is durable no later than the statement.
 */
export function startViewChange(replica: Replica, target: View): void {
  assert(target > replica.view, 'a view change goes forward');
  if (!maySign(replica)) return;
  turn(replica, target);
  replica.mode = 'changing';
  replica.newView = null;
  const { highest, final, config } = replica;
  assert(highest === null || highest.view < target, 'no certificate is of a view that nobody has entered');
  const path = highest === null ? [] : heldPath(replica, highest);
  replica.wish = {
    epoch: config.authorities.epoch,
    newView: target,
    signer: config.self,
    finalHeight: final.height,
    finalHash: final.digest,
    claim:
      highest === null
        ? null
        : { view: highest.view, height: highest.height, digest: highest.digest, phase: highest.phase },
  };
  replica.ownViewChange = null;
  pledge(
    replica,
    { kind: 'view-change', viewChange: replica.wish, certificate: highest },
    journalBlocks(replica, path),
  );
  setTimer(replica, 'resend', config.timing.resendMs);
}

function heldPath(replica: Replica, reference: BlockReference): Parameters<typeof journalBlocks>[1] {
  const path = trace(replica, reference);
  return path.state === 'held' || path.state === 'valid' ? path.blocks : [];
}

/** Takes part in a view from here on; `anchor` is what every block of it must extend (rule R2). */
export function enterView(replica: Replica, view: View, anchor: BlockReference, newView: NewView | null): void {
  assert(
    view > replica.view || (view === replica.view && replica.mode === 'changing'),
    'a view is entered once, and never backwards',
  );
  turn(replica, view);
  replica.mode = 'active';
  replica.anchor = { height: anchor.height, digest: anchor.digest };
  replica.newView = newView;
  replica.isEntryRecorded = false;
  for (const [seat, { viewChange }] of replica.viewChanges) {
    if (viewChange.newView <= view) replica.viewChanges.delete(seat);
  }
  for (const [seat, { vote }] of replica.early) if (vote.view < view) replica.early.delete(seat);
  dropBesideAnchor(replica);
}

export function nextView(view: View): View {
  return View(view + 1);
}

/** A time `ms` after another one. */
export function after(time: Timestamp, ms: number): Timestamp {
  return Timestamp(time + ms);
}
