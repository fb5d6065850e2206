import { Height } from '../model/ids.ts';
import type { Message, Status } from '../model/message.ts';
import { askForMemory } from './hearing.ts';
import { broadcast, type Peer, peerOf, type Replica, send, setTimer, windowOf } from './replica.ts';
import { STATUS_LAPSE_INTERVALS } from './timing.ts';

/** Whether this node suspects its view now. */
export function isSuspecting(replica: Replica): boolean {
  const { progress, fault, starvedAt, equivocation } = replica.suspicion;
  if (progress || fault || equivocation) return true;
  return starvedAt !== null && replica.now - starvedAt <= lapseMs(replica);
}

/** How long what another said about itself counts. */
export function lapseMs(replica: Replica): number {
  return STATUS_LAPSE_INTERVALS * replica.config.timing.statusMs;
}

/** How this authority sees itself. */
export function statusOf(replica: Replica): Status {
  const { view, mode, final, highest, config, now } = replica;
  const missing: Height[] = [];
  if (mode === 'active') {
    for (let step = 1; step <= windowOf(replica); step += 1) missing.push(Height(final.height + step));
    if (replica.anchor.height > final.height + windowOf(replica)) missing.push(replica.anchor.height);
  }
  return {
    epoch: config.authorities.epoch,
    view,
    mode: config.self < 0 && mode !== 'halted' ? 'observer' : mode,
    finalHeight: final.height,
    finalHash: final.digest,
    highest: highest === null ? null : { view: highest.view, height: highest.height },
    suspects: mode === 'active' && config.self >= 0 && isSuspecting(replica) ? view : null,
    missing,
    now,
  };
}

/** How one says of itself that it takes no part any more, for a reason that the core does not know. */
export function haltedStatus(replica: Replica): Status {
  return { ...statusOf(replica), mode: 'halted', suspects: null, missing: [] };
}

export function broadcastStatus(replica: Replica): void {
  broadcast(replica, { kind: 'status', status: statusOf(replica) });
}

export function onStatusTimer(replica: Replica): void {
  broadcastStatus(replica);
  askForMemory(replica);
  replica.mayPropose = true;
  for (const block of replica.tree.values()) if (block.overlay === 'postponed') block.overlay = 'none';
  setTimer(replica, 'status', replica.config.timing.statusMs);
}

/** A peer's view of itself: helps it with what it lacks, at most once in half a Status interval. */
export function onStatus(replica: Replica, from: number, status: Status): void {
  const peer = peerOf(replica, from);
  peer.status = status;
  peer.heardAt = replica.now;
  if (status.epoch !== replica.config.authorities.epoch) return;
  hear(replica);
  if (replica.now - peer.answeredAt < replica.config.timing.statusMs / 2) return;
  const answers = [...answersAbout(replica, status)];
  if (answers.length > 0) peer.answeredAt = replica.now;
  for (const message of answers) send(replica, from, message);
}

/** With a quorum in reach again, what failed before says nothing about the future. */
function hear(replica: Replica): void {
  const isHeard = (peer: Peer, seat: number): boolean =>
    seat === replica.config.self || (peer.status !== null && replica.now - peer.heardAt <= lapseMs(replica));
  const isQuorumHeard = replica.peers.filter(isHeard).length >= replica.quorum;
  if (isQuorumHeard && !replica.wasQuorumHeard) {
    replica.failures = 0;
    replica.mayPropose = true;
  }
  replica.wasQuorumHeard = isQuorumHeard;
}

function* answersAbout(replica: Replica, status: Status): Generator<Message> {
  const { final, view, mode } = replica;
  if (status.finalHeight < final.height && final.certificate !== null) {
    yield { kind: 'final', header: final.header, path: [], certificate: final.certificate };
  }
  const isBehind = status.view < view || (status.view === view && status.mode !== 'active' && mode === 'active');
  if (isBehind) yield* proofOfView(replica);
  else if (status.view === view && mode === 'active') yield* ownVotesAt(replica, status.missing);
}

/**
 * What shows a peer that this replica is in its view for a reason: the NEW-VIEW, else a certificate of the view. The own
 * VIEW-CHANGE goes with it: after a restart it may be all that is left to bring a stuck view to its end.
 */
export function* proofOfView(replica: Replica): Generator<Message> {
  const { newView, highest, mode, ownViewChange, view } = replica;
  if (mode === 'halted') return;
  if (mode === 'active' && newView !== null) {
    yield { kind: 'new-view', newView };
    return;
  }
  if (mode === 'active' && highest !== null && highest.view === view)
    yield { kind: 'certificate', certificate: highest };
  if (ownViewChange?.viewChange.newView === view) yield ownViewChange;
}

function* ownVotesAt(replica: Replica, heights: readonly Height[]): Generator<Message> {
  for (const vote of replica.ownVotes) {
    if (!heights.includes(vote.height)) continue;
    const proposal = replica.proposals.get(vote.height);
    if (vote.phase === 'PREPARE' && proposal?.vote.signer === vote.signer) {
      const block = replica.tree.get(vote.digest);
      if (block === undefined) continue;
      const body = block.header.view === replica.view ? block.body : null;
      yield { kind: 'pre-prepare', header: block.header, body, vote };
    } else {
      yield { kind: 'vote', vote };
    }
  }
}
