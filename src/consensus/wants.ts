import type { Certificate, Vote } from '../model/certificate.ts';
import type { Message, MessageOf } from '../model/message.ts';
import { compareRank, type NewView } from '../model/view-change.ts';
import { isCheckpointWanted } from './checkpoint.ts';
import { areAlike, isAccusedOf } from './evidence.ts';
import { isMemoryWanted } from './hearing.ts';
import { peerOf, primaryOf, type Replica } from './replica.ts';
import { certificateKey, heldVote, isVoteHeight, isVoteWanted } from './votes.ts';

/**
 * Whether a message of another authority can matter now: height, view, sender, not yet seen, within the bounds of
 * docs/consensus.md, "Bounds". Pure and cheap; asked before any signature is checked, and again before the message is used.
 */
export function wants(replica: Replica, from: number, message: Message): boolean {
  const { config, mode } = replica;
  if (from === config.self || from < 0 || from >= replica.peers.length || mode === 'halted') return false;
  switch (message.kind) {
    case 'pre-prepare':
      return message.vote.signer === from && wantsPrePrepare(replica, message);
    case 'vote':
      return message.vote.signer === from && wantsVote(replica, message.vote);
    case 'view-change':
      return message.viewChange.signer === from && wantsViewChange(replica, message);
    case 'new-view':
      return wantsNewView(replica, message.newView);
    case 'checkpoint':
      return message.checkpoint.signer === from && isCheckpointWanted(replica, message.checkpoint);
    case 'final':
      return wantsCertificate(replica, message.certificate);
    case 'certificate':
      return wantsCertificate(replica, message.certificate);
    case 'body':
      return replica.fetches.size > 0;
    case 'blocks':
      return replica.sync?.peer === from && replica.importing === null;
    case 'status':
    case 'body-request':
    case 'blocks-request':
    case 'new-view-request':
    case 'memory-request':
      return true;
    case 'memory':
      return isMemoryWanted(replica, from, message.asked);
    case 'evidence':
      return !isAccusedOf(replica, message.evidence);
    case 'transactions':
      return false;
  }
}

function isAccused(replica: Replica, kind: string, seat: number): boolean {
  return replica.accused.has(`${kind}/${seat}`);
}

function wantsPrePrepare(replica: Replica, message: MessageOf<'pre-prepare'>): boolean {
  const { header, body, vote } = message;
  if (vote.view < replica.view || vote.signer !== primaryOf(replica, vote.view)) return false;
  if (vote.epoch !== replica.config.authorities.epoch || !isVoteHeight(replica, header.height)) return false;
  if (header.view > vote.view) return false;
  if (vote.view > replica.view || replica.mode === 'changing') {
    const early = replica.early.get(vote.signer);
    if (early === undefined || early.vote.view < vote.view) return true;
    return early.vote.view === vote.view && header.height < early.header.height;
  }
  const held = replica.proposals.get(header.height);
  if (held === undefined) return true;
  if (held.digest !== vote.digest) return !isAccused(replica, 'double-vote', vote.signer);
  return body !== null && replica.tree.get(vote.digest)?.body === null;
}

/** A primary's PREPARE counts only with its proposal. */
function wantsVote(replica: Replica, vote: Vote): boolean {
  if (vote.phase === 'PREPARE' && vote.signer === primaryOf(replica, vote.view)) return false;
  if (!isVoteWanted(replica, vote)) return false;
  return heldVote(replica, vote.signer, vote) === undefined || !isAccused(replica, 'double-vote', vote.signer);
}

function wantsViewChange(replica: Replica, { viewChange }: MessageOf<'view-change'>): boolean {
  const { authorities, timing } = replica.config;
  const { newView, signer } = viewChange;
  if (viewChange.epoch !== authorities.epoch || newView <= authorities.startView) return false;
  if (newView < replica.view || (newView === replica.view && replica.mode === 'active')) return false;
  const held = replica.viewChanges.get(signer)?.viewChange;
  if (held === undefined) return true;
  if (held.newView === newView) {
    return !areAlike(held, viewChange) && !isAccused(replica, 'double-view-change', signer);
  }
  return newView > held.newView && replica.now - peerOf(replica, signer).viewChangeAt >= timing.resendMs / 2;
}

function wantsNewView(replica: Replica, newView: NewView): boolean {
  const { view, mode, config } = replica;
  if (newView.epoch !== config.authorities.epoch || newView.view < view) return false;
  if (newView.view > view || mode === 'changing') return true;
  if (replica.newView === null) return view > config.authorities.startView;
  return (
    replica.newView.signature !== newView.signature && !isAccused(replica, 'double-new-view', primaryOf(replica, view))
  );
}

function wantsCertificate(replica: Replica, certificate: Certificate): boolean {
  if (certificate.epoch !== replica.config.authorities.epoch) return false;
  if (certificate.height > replica.final.height) return !replica.certificates.has(certificateKey(certificate));
  return replica.highest === null || compareRank(certificate, replica.highest) > 0;
}
