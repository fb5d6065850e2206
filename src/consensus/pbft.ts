import { assert, unreachable } from '../lib/assert.ts';
import type { Vote } from '../model/certificate.ts';
import type { View } from '../model/ids.ts';
import type { Message } from '../model/message.ts';
import { validateBlocks } from './block-tree.ts';
import { onCheckpoint, onExecuted, signCheckpoints, truncate } from './checkpoint.ts';
import { commit, finalise, joinByCertificate, onImported, onStored, raiseHighest, rotate } from './commit.ts';
import type { Effect } from './effect.ts';
import type { Event, LocalEvent, Timer } from './event.ts';
import { accuse, detectAmnesia, detectBranch } from './evidence.ts';
import { armFetch, onBlocks, onBody, onBodyRequest, onFetched, onFetchTimer, onImportFailed } from './fetch.ts';
import { beginHearing, endHearing, onMemory, onMemoryRequest } from './hearing.ts';
import { retire } from './own-signatures.ts';
import { onBuilt, onPrePrepare, prepare, propose, takeEarlyProposals } from './proposals.ts';
import { broadcast, halt, primaryOf, type Replica, send, setTimer, slotKey } from './replica.ts';
import { broadcastStatus, isSuspecting, onStatus, onStatusTimer, proofOfView, statusOf } from './status.ts';
import { armHeartbeat, armProgress, leaveIfSuspected, onMeasured, onProgressTimer } from './suspicion.ts';
import {
  armNewViewTimer,
  joinViewChange,
  makeNewView,
  onNewView,
  onNewViewTimer,
  onOwnNewView,
  onResendTimer,
  onViewChange,
} from './view-change.ts';
import { addVote, haltForSafety, isVoteWanted, learnCertificate } from './votes.ts';
import { wants } from './wants.ts';

/** Rounds after which rules that keep triggering each other are taken for a bug; each view or height takes a few. */
const ROUNDS_MAX = 200;

/**
 * One step of chained PBFT: takes what happened, changes the replica, and says what to do, in order.
 * Deterministic: it has no clock, no randomness and no I/O. Messages have been verified; those of other authorities that
 * `wants` declines are ignored.
 */
export function step(replica: Replica, event: Event): readonly Effect[] {
  setClock(replica, event);
  replica.out = [];
  if (replica.mode === 'halted') {
    if (event.type !== 'message') whileHalted(replica, event);
  } else {
    const { view, mode } = replica;
    const wasSuspecting = isSuspecting(replica);
    if (event.type === 'message') onMessage(replica, event.from, event.message);
    else onLocalEvent(replica, event);
    advance(replica);
    const hasEntered = replica.view !== view || (replica.mode !== mode && replica.mode === 'active');
    // What is suspected no more is said as well: a later doubt of another must not meet a stale one and leave alone.
    const hasCalmed = wasSuspecting && !isSuspecting(replica);
    if (hasEntered || hasCalmed || isHalted(replica)) broadcastStatus(replica);
    assert(replica.view >= view, 'views never go back');
  }
  return replica.out;
}

/** A wall clock can be set back: nothing may then seem to have happened in the future. */
function setClock(replica: Replica, { now }: Event): void {
  if (now < replica.now) {
    for (const peer of replica.peers) {
      if (peer.heardAt > now) peer.heardAt = now;
      peer.answeredAt = Math.min(peer.answeredAt, now);
      peer.viewChangeAt = Math.min(peer.viewChangeAt, now);
      peer.rememberedAt = Math.min(peer.rememberedAt, now);
    }
    if (replica.lastProgressAt > now) replica.lastProgressAt = now;
    if (replica.sync !== null && replica.sync.askedAt > now) replica.sync = { ...replica.sync, askedAt: now };
    replica.askedNewViewAt = Math.min(replica.askedNewViewAt, now);
  }
  replica.now = now;
}

/** Applies every rule until none has anything more to say: rules are level-triggered, so the order of messages does not matter. */
function advance(replica: Replica): void {
  const rules = [
    endHearing,
    raiseHighest,
    finalise,
    joinByCertificate,
    rotate,
    joinViewChange,
    leaveIfSuspected,
    makeNewView,
    takeEarlyProposals,
    commit,
    prepare,
  ];
  for (let round = 0; ; round += 1) {
    assert(round < ROUNDS_MAX, 'the rules come to rest');
    if (!rules.some((rule) => replica.mode !== 'halted' && rule(replica))) break;
  }
  if (replica.mode === 'halted') return;
  suspectInvalid(replica);
  validateBlocks(replica);
  propose(replica);
  signCheckpoints(replica);
  truncate(replica);
  armProgress(replica);
  armNewViewTimer(replica);
  armHeartbeat(replica);
  armFetch(replica);
}

function onLocalEvent(replica: Replica, event: LocalEvent): void {
  switch (event.type) {
    case 'start':
      onStart(replica);
      return;
    case 'pending':
      replica.pending = event.pending;
      replica.drained = null;
      return;
    case 'built':
      onBuilt(replica, event);
      return;
    case 'validated':
      onValidated(replica, event);
      return;
    case 'persisted':
      assert(replica.outstanding.delete(event.token), 'what is durable was asked for');
      return;
    case 'stored':
      onStored(replica, event.height);
      onExecuted(replica, event.executed);
      return;
    case 'imported':
      onImported(replica, event.header, event.certificate);
      return;
    case 'import-failed':
      if (event.reason === 'diverged') halt(replica, 'DIVERGED', []);
      onImportFailed(replica);
      return;
    case 'timer':
      replica.timers.delete(event.timer);
      onTimer(replica, event.timer);
      return;
    case 'measured':
      onMeasured(replica, event.blockMs);
      return;
    case 'peer':
      onPeer(replica, event.seat, event.connected);
      return;
    case 'fetched':
      onFetched(replica, event.message);
      return;
    case 'sync-taken-over':
      replica.isSyncTakenOver = event.isTakenOver;
      return;
    case 'conflict':
      haltForSafety(replica, event.certificate);
      return;
    case 'starved':
      if (event.view === replica.view && replica.mode === 'active') onStarved(replica);
      return;
    default:
      unreachable(event);
  }
}

/** What was signed before is said again, byte for byte. */
function onStart(replica: Replica): void {
  const { config, mode, ownViewChange, newView, ownVotes } = replica;
  replica.lastProgressAt = replica.now;
  beginHearing(replica);
  broadcastStatus(replica);
  setTimer(replica, 'status', config.timing.statusMs);
  if (mode === 'changing') {
    if (ownViewChange !== null) broadcast(replica, ownViewChange);
    setTimer(replica, 'resend', config.timing.resendMs);
  }
  if (newView !== null) broadcast(replica, { kind: 'new-view', newView });
  for (const vote of ownVotes) {
    const proposal = replica.proposals.get(vote.height);
    const block = replica.tree.get(vote.digest);
    if (vote.phase === 'COMMIT' || proposal === undefined) broadcast(replica, { kind: 'vote', vote });
    else if (block !== undefined) {
      const body = block.header.view === replica.view ? block.body : null;
      broadcast(replica, { kind: 'pre-prepare', header: block.header, body, vote });
    }
  }
}

function onValidated(replica: Replica, event: Extract<LocalEvent, { type: 'validated' }>): void {
  const block = replica.tree.get(event.digest);
  if (block === undefined || block.overlay !== 'running') return;
  if (event.verdict === 'aborted') {
    block.overlay = 'postponed';
    return;
  }
  assert(block.verdict === 'unknown' || block.verdict === event.verdict, 'a verdict on a block does not change');
  block.verdict = event.verdict;
  block.overlay = event.verdict === 'valid' ? 'ready' : 'none';
}

/** An invalid block that the primary of this view made is a reason to leave. */
function suspectInvalid(replica: Replica): void {
  if (replica.mode !== 'active' || replica.suspicion.fault) return;
  for (const { digest } of replica.proposals.values()) {
    if (replica.tree.get(digest)?.verdict !== 'invalid') continue;
    replica.suspicion.fault = true;
    broadcastStatus(replica);
    return;
  }
}

function onTimer(replica: Replica, timer: Timer): void {
  switch (timer) {
    case 'progress':
      onProgressTimer(replica);
      return;
    case 'new-view':
      onNewViewTimer(replica);
      return;
    case 'resend':
      onResendTimer(replica);
      return;
    case 'status':
      onStatusTimer(replica);
      return;
    case 'empty':
      replica.isEmptyDue = replica.mode === 'active';
      return;
    case 'batch':
      replica.isBatchDue = true;
      return;
    case 'fetch':
      onFetchTimer(replica);
      return;
    default:
      unreachable(timer);
  }
}

function isHalted({ mode }: Replica): boolean {
  return mode === 'halted';
}

/** Others are told, so that nobody waits for this one: of all that a replica does, only this goes on. */
function whileHalted(replica: Replica, event: LocalEvent): void {
  if (event.type === 'peer') onPeer(replica, event.seat, event.connected);
  else if (event.type === 'start' || (event.type === 'timer' && event.timer === 'status')) onStatusTimer(replica);
}

function onPeer(replica: Replica, seat: number, connected: boolean): void {
  const peer = replica.peers[seat];
  if (peer === undefined || seat === replica.config.self) return;
  peer.connected = connected;
  // What it asks after a start of its own is answered at once.
  peer.rememberedAt = Number.NEGATIVE_INFINITY;
  if (!connected) return;
  send(replica, seat, { kind: 'status', status: statusOf(replica) });
  const { hearing } = replica;
  if (hearing !== null) send(replica, seat, { kind: 'memory-request', asked: hearing.asked });
}

function onStarved(replica: Replica): void {
  const isNew = replica.suspicion.starvedAt === null;
  replica.suspicion.starvedAt = replica.now;
  if (isNew) broadcastStatus(replica);
}

function onMessage(replica: Replica, from: number, message: Message): void {
  const isOwn = from === replica.config.self;
  if (isOwn ? !isOwnKind(message) : !wants(replica, from, message)) return;
  switch (message.kind) {
    case 'pre-prepare':
      if (isOwn && !takeOwnVote(replica, message.vote)) return;
      onPrePrepare(replica, message);
      askForNewView(replica, from, message.vote.view);
      return;
    case 'vote':
      onVote(replica, from, message.vote);
      return;
    case 'view-change':
      onViewChange(replica, message);
      return;
    case 'new-view':
      if (isOwn) onOwnNewView(replica, message.newView);
      else onNewView(replica, message.newView);
      return;
    case 'checkpoint':
      onCheckpoint(replica, message.checkpoint);
      return;
    case 'status':
      onStatus(replica, from, message.status);
      return;
    case 'final':
    case 'certificate':
      learnCertificate(replica, message.certificate);
      return;
    case 'body-request':
      onBodyRequest(replica, from, message.digest);
      return;
    case 'body':
      onBody(replica, message);
      return;
    case 'blocks-request':
      replica.out.push({ type: 'serve', to: from, request: message });
      return;
    case 'blocks':
      onBlocks(replica, from, message);
      return;
    case 'new-view-request':
      onNewViewRequest(replica, from, message.view);
      return;
    case 'evidence':
      accuse(replica, message.evidence);
      return;
    case 'memory-request':
      onMemoryRequest(replica, from, message.asked);
      return;
    case 'memory':
      onMemory(replica, from, message);
      return;
    case 'transactions':
      return;
    default:
      unreachable(message);
  }
}

/** What comes back from the journal. */
function isOwnKind({ kind }: Message): boolean {
  return (
    kind === 'vote' || kind === 'pre-prepare' || kind === 'view-change' || kind === 'new-view' || kind === 'checkpoint'
  );
}

function onVote(replica: Replica, from: number, vote: Vote): void {
  if (from === replica.config.self && !takeOwnVote(replica, vote)) return;
  if (!isVoteWanted(replica, vote)) return;
  addVote(replica, vote);
  detectBranch(replica, vote);
  const wish = replica.viewChanges.get(vote.signer);
  if (wish !== undefined) detectAmnesia(replica, vote, wish.viewChange);
  askForNewView(replica, from, vote.view);
}

/** A vote of this seat: decided here, or the key is in two places. False when its time is over. */
function takeOwnVote(replica: Replica, vote: Vote): boolean {
  if (vote.view !== replica.view || vote.height <= replica.final.height) return false;
  if (replica.decided.get(slotKey(vote.phase, vote.height)) !== vote.digest) {
    retire(replica, `a ${vote.phase} of view ${vote.view} at height ${vote.height}`);
    return false;
  }
  if (replica.ownVotes.some(({ phase, height }) => phase === vote.phase && height === vote.height)) return false;
  replica.ownVotes.push(vote);
  return true;
}

/** Others are at work in the view that this replica waits for, or in a later one. */
function askForNewView(replica: Replica, from: number, view: View): void {
  const { config, mode, now } = replica;
  const isBehind = view > replica.view || (view === replica.view && mode === 'changing');
  if (!isBehind || from === config.self || now - replica.askedNewViewAt < config.timing.resendMs) return;
  replica.askedNewViewAt = now;
  const { epoch } = config.authorities;
  const asked = new Set([from, primaryOf(replica, view)]);
  for (const seat of asked) if (seat !== config.self) send(replica, seat, { kind: 'new-view-request', epoch, view });
}

function onNewViewRequest(replica: Replica, from: number, view: View): void {
  const peer = replica.peers[from];
  if (peer === undefined || view > replica.view || replica.now - peer.answeredAt < replica.config.timing.statusMs / 2)
    return;
  for (const message of proofOfView(replica)) {
    peer.answeredAt = replica.now;
    send(replica, from, message);
  }
}
