import { assert } from '../lib/assert.ts';
import type { Certificate } from '../model/certificate.ts';
import type { MessageOf } from '../model/message.ts';
import { compareRank, type NewView, type ViewChange } from '../model/view-change.ts';
import { trace } from './block-tree.ts';
import { detectAmnesia, detectDoubleNewView, detectDoubleViewChange } from './evidence.ts';
import { retire } from './own-signatures.ts';
import {
  broadcast,
  isPrimary,
  maySign,
  paceOf,
  peerOf,
  pledge,
  primaryOf,
  type Replica,
  setTimer,
  votesOf,
} from './replica.ts';
import { timeoutMs } from './timing.ts';
import { countFailure, enterView, nextView, startViewChange } from './view.ts';
import { learnCertificate } from './votes.ts';

/** PBFT VIEW-CHANGE, verified together with the certificate of its claim. */
export function onViewChange(replica: Replica, message: MessageOf<'view-change'>): void {
  const { viewChange, certificate } = message;
  const seat = viewChange.signer;
  if (seat === replica.config.self) {
    onOwnViewChange(replica, message);
    return;
  }
  noteSeen(replica, viewChange);
  const held = replica.viewChanges.get(seat);
  if (held !== undefined) detectDoubleViewChange(replica, held.viewChange, viewChange);
  const votes = votesOf(replica, seat);
  for (const vote of [...votes.current.values(), ...votes.past]) detectAmnesia(replica, vote, viewChange);
  if (certificate !== null) learnCertificate(replica, certificate);
  if (held !== undefined && held.viewChange.newView >= viewChange.newView) return;
  peerOf(replica, seat).viewChangeAt = replica.now;
  if (viewChange.newView > replica.view || replica.mode === 'changing') replica.viewChanges.set(seat, message);
}

function noteSeen({ seen }: Replica, viewChange: ViewChange): void {
  const of = seen[viewChange.signer];
  if (of !== undefined && viewChange.newView > (of.viewChange?.newView ?? -1)) of.viewChange = viewChange;
}

/** Signed and durable: never to be forgotten, even when the view was entered or left in the meantime. */
function onOwnViewChange(replica: Replica, message: MessageOf<'view-change'>): void {
  const { viewChange } = message;
  if (replica.wish?.newView !== viewChange.newView) return;
  replica.ownViewChange = message;
  if (replica.mode === 'changing') replica.viewChanges.set(viewChange.signer, message);
}

/** The (f+1)-th highest target of others is wanted by an honest node; follow it. */
export function joinViewChange(replica: Replica): boolean {
  const targets = [...replica.viewChanges.values()]
    .filter(({ viewChange }) => viewChange.signer !== replica.config.self)
    .map(({ viewChange }) => viewChange.newView)
    .sort((a, b) => b - a);
  const target = targets[replica.weakQuorum - 1];
  if (target === undefined || target <= replica.view || !maySign(replica)) return false;
  if (replica.mode === 'changing') countFailure(replica);
  startViewChange(replica, target);
  return true;
}

/**
 * The wait for a NEW-VIEW starts once a quorum wants this view or a later one. Whoever says that it is in such a view has
 * wanted it, or followed those who did: its VIEW-CHANGE may have been lost, and it may not send it any more.
 */
export function armNewViewTimer(replica: Replica): void {
  const { config, view, mode } = replica;
  if (mode !== 'changing' || replica.timers.has('new-view')) return;
  const wishes = replica.peers.filter(({ status }, seat) => {
    const wish = replica.viewChanges.get(seat)?.viewChange.newView ?? -1;
    return seat === config.self || wish >= view || (status !== null && status.view >= view);
  });
  if (wishes.length < replica.quorum) return;
  setTimer(replica, 'new-view', timeoutMs(config.timing.newViewMs, paceOf(replica)));
}

export function onNewViewTimer(replica: Replica): void {
  if (replica.mode !== 'changing' || !maySign(replica)) return;
  countFailure(replica);
  startViewChange(replica, nextView(replica.view));
}

export function onResendTimer(replica: Replica): void {
  if (replica.mode !== 'changing') return;
  if (replica.ownViewChange !== null) broadcast(replica, replica.ownViewChange);
  setTimer(replica, 'resend', replica.config.timing.resendMs);
}

/** PBFT §4.4: the primary of the view that is wanted opens it as soon as it holds a quorum of usable VIEW-CHANGEs. */
export function makeNewView(replica: Replica): boolean {
  if (replica.mode !== 'changing' || !isPrimary(replica) || replica.final.height < replica.voteFloor) return false;
  if (!maySign(replica)) return false;
  const usable: ViewChange[] = [];
  let anchor: Certificate | null = null;
  const seats = [...replica.viewChanges.keys()].sort((a, b) => a - b);
  for (const seat of seats) {
    const message = replica.viewChanges.get(seat);
    if (message === undefined || message.viewChange.newView !== replica.view) continue;
    if (!isUsable(replica, message)) continue;
    usable.push(message.viewChange);
    if (isAbove(message.certificate, anchor)) anchor = message.certificate;
  }
  if (usable.length < replica.quorum || !replica.viewChanges.has(replica.config.self)) return false;
  open(replica, usable, anchor);
  return true;
}

function isAbove(certificate: Certificate | null, anchor: Certificate | null): boolean {
  return certificate !== null && (anchor === null || compareRank(certificate, anchor) > 0);
}

/** A claim whose blocks this node cannot hold is left out: an honest quorum without it exists. */
function isUsable(replica: Replica, message: MessageOf<'view-change'>): boolean {
  const { certificate } = message;
  if (certificate === null) return true;
  const path = trace(replica, certificate);
  return path.state === 'valid';
}

function open(replica: Replica, viewChanges: readonly ViewChange[], anchor: Certificate | null): void {
  const { epoch } = replica.config.authorities;
  const newView: Omit<NewView, 'signature'> = { epoch, view: replica.view, viewChanges, anchor };
  const { header, certificate } = replica.final;
  if (certificate !== null) broadcast(replica, { kind: 'final', header, path: [], certificate });
  replica.signed.newView = replica.view;
  pledge(replica, { kind: 'new-view', newView }, []);
  enterView(replica, replica.view, anchor ?? replica.final, null);
}

/** PBFT NEW-VIEW, verified: a quorum wants the view, and the anchor is the highest that any of them claims. */
export function onNewView(replica: Replica, newView: NewView): void {
  if (newView.view < replica.view) return;
  if (isForged(replica, newView)) {
    retire(replica, `a VIEW-CHANGE to view ${newView.view}`);
    return;
  }
  if (primaryOf(replica, newView.view) === replica.config.self && newView.view > (replica.signed.newView ?? -1)) {
    retire(replica, `a NEW-VIEW of view ${newView.view}`);
    return;
  }
  if (newView.view === replica.view && replica.mode === 'active') {
    if (replica.newView !== null) detectDoubleNewView(replica, replica.newView, newView);
    else if (anchorMatches(replica, newView)) replica.newView = newView;
    return;
  }
  const { anchor } = newView;
  if (anchor !== null) learnCertificate(replica, anchor);
  if (replica.mode === 'halted') return;
  enterView(replica, newView.view, anchor ?? replica.final, newView);
}

/** A NEW-VIEW of the view that this replica is in already: kept to help others when it begins where this one began. */
function anchorMatches(replica: Replica, newView: NewView): boolean {
  return newView.anchor === null || newView.anchor.digest === replica.anchor.digest;
}

/** Whether it holds a VIEW-CHANGE with this node's key that this node never decided: the key is in two places. */
function isForged(replica: Replica, newView: NewView): boolean {
  const { wish, config } = replica;
  const own = newView.viewChanges.find(({ signer }) => signer === config.self);
  if (own === undefined) return false;
  if (wish === null || own.newView > wish.newView) return true;
  if (own.newView < wish.newView) return false;
  const claims = (own.claim?.view ?? -1) === (wish.claim?.view ?? -1) && own.claim?.digest === wish.claim?.digest;
  return !claims || own.finalHash !== wish.finalHash;
}

/** The certified block that an own NEW-VIEW starts from is where the view starts for this replica too. */
export function onOwnNewView(replica: Replica, newView: NewView): void {
  if (newView.view !== replica.view) return;
  assert(replica.mode !== 'changing', 'an own NEW-VIEW opens the view when it is decided');
  replica.newView = newView;
}
