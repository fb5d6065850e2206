import { assert } from '../lib/assert.ts';
import { cancelTimer, isPrimary, maySign, paceOf, type Replica, setTimer } from './replica.ts';
import { broadcastStatus, isSuspecting, lapseMs } from './status.ts';
import { remembered, timeoutMs } from './timing.ts';
import { after, countFailure, nextView, startViewChange } from './view.ts';

/** Whether something waits to become final, so that a view without finalisation is a failure. */
function hasWork(replica: Replica): boolean {
  if (replica.anchor.height > replica.final.height || replica.proposals.size > 0) return true;
  if (replica.pending.count > 0) return true;
  for (const { phase } of replica.certificates.values()) if (phase === 'COMMIT') return true;
  return isHeartbeatLate(replica);
}

/** A dead idle primary shows by two missing heartbeats. */
function isHeartbeatLate(replica: Replica): boolean {
  const { blockIntervalMs } = replica.config.authorities.parameters;
  return blockIntervalMs > 0 && replica.now > replica.lastProgressAt + 2 * blockIntervalMs;
}

/** The progress timer runs while there is work in an active view, and only then. */
export function armProgress(replica: Replica): void {
  if (replica.config.self < 0) return;
  if (replica.mode !== 'active' || !hasWork(replica)) {
    cancelTimer(replica, 'progress');
    return;
  }
  if (replica.timers.has('progress')) return;
  replica.progressWaitedMs = progressMs(replica) / 3;
  setTimer(replica, 'progress', replica.progressWaitedMs);
}

function progressMs(replica: Replica): number {
  return timeoutMs(replica.config.timing.progressMs, paceOf(replica));
}

/** A third of the patience is over: ask around. All of it, by what blocks take now: suspect the view, and keep voting. */
export function onProgressTimer(replica: Replica): void {
  if (replica.mode !== 'active') return;
  const wholeMs = progressMs(replica);
  const leftMs = wholeMs - replica.progressWaitedMs;
  if (leftMs > 0 && !replica.suspicion.progress) {
    replica.progressWaitedMs = wholeMs;
    setTimer(replica, 'progress', leftMs);
  } else {
    replica.suspicion.progress = true;
    setTimer(replica, 'progress', wholeMs);
  }
  broadcastStatus(replica);
}

/** The longest that a block took of late counts: what this machine needs is no fault of a primary. */
export function onMeasured(replica: Replica, measuredMs: number): void {
  assert(measuredMs >= 0, 'a measured time is not negative');
  replica.blockMs = remembered(replica.blockMs, measuredMs, replica.config.timing);
}

/** The heartbeat: an idle primary proposes an empty block when none came for the interval. */
export function armHeartbeat(replica: Replica): void {
  const { blockIntervalMs } = replica.config.authorities.parameters;
  const isIdle = replica.building === null && replica.proposals.size === 0 && !replica.isEmptyDue;
  if (blockIntervalMs === 0 || replica.mode !== 'active' || !isPrimary(replica) || !isIdle) return;
  if (replica.timers.has('empty')) return;
  setTimer(replica, 'empty', after(replica.final.header.timestamp, blockIntervalMs) - replica.now);
}

/** A view is left when f+1 authorities, this one among them, suspect it, or when its primary is caught lying. */
export function leaveIfSuspected(replica: Replica): boolean {
  const { suspicion, config, view, mode } = replica;
  if (mode !== 'active' || !maySign(replica) || !isSuspecting(replica)) return false;
  let suspecting = 1;
  for (const [seat, { status, heardAt }] of replica.peers.entries()) {
    if (seat === config.self) continue;
    const isSaid = status?.suspects === view && replica.now - heardAt <= lapseMs(replica);
    const wish = replica.viewChanges.get(seat)?.viewChange.newView ?? 0;
    if (isSaid || wish > view) suspecting += 1;
  }
  if (suspecting < replica.weakQuorum && !suspicion.equivocation) return false;
  countFailure(replica);
  startViewChange(replica, nextView(view));
  return true;
}
