import { assert, defined } from '../lib/assert.ts';
import type { Ballot, Certificate, Vote } from '../model/certificate.ts';
import { type Hash, Height, type View } from '../model/ids.ts';
import { compareRank } from '../model/view-change.ts';
import { accuse } from './evidence.ts';
import { disownCertificate } from './own-signatures.ts';
import { halt, type Replica, type SeatVotes, slotKey, votesOf, windowOf } from './replica.ts';

/**
 * Heights above the final block at which votes are kept (docs/consensus.md, "Bounds"), and that of the anchor: when all have lost
 * their power, it may be further above what the stores have kept.
 */
export function isVoteHeight(replica: Replica, height: Height): boolean {
  const { final, anchor } = replica;
  if (height <= final.height) return false;
  return height <= final.height + 2 * windowOf(replica) || height === anchor.height;
}

/** Votes of one kind that one seat can have in one view within the bounds. */
function votesMax(replica: Replica): number {
  return 4 * windowOf(replica) + 2;
}

/** The vote of a seat in this slot, if one is held. */
export function heldVote(replica: Replica, seat: number, ballot: Omit<Ballot, 'digest' | 'epoch'>): Vote | undefined {
  const { current, future, past } = votesOf(replica, seat);
  const key = slotKey(ballot.phase, ballot.height);
  if (ballot.view === replica.view) return current.get(key);
  if (ballot.view > replica.view) return future?.view === ballot.view ? future.votes.get(key) : undefined;
  return past.find(({ view, height }) => view === ballot.view && height === ballot.height && ballot.phase === 'COMMIT');
}

/** Whether a vote would be kept: within its bounds and not held already. A contradiction of a held one is kept as evidence. */
export function isVoteWanted(replica: Replica, vote: Vote): boolean {
  if (vote.epoch !== replica.config.authorities.epoch || !isVoteHeight(replica, vote.height)) return false;
  if (vote.view < replica.config.authorities.startView) return false;
  if (vote.view < replica.view && vote.phase === 'PREPARE') return false;
  const { future } = votesOf(replica, vote.signer);
  if (vote.view > replica.view && future !== null && vote.view < future.view) return false;
  return heldVote(replica, vote.signer, vote)?.digest !== vote.digest;
}

/** Counts a verified vote that `isVoteWanted`. */
export function addVote(replica: Replica, vote: Vote): void {
  noteSeen(replica, vote);
  const held = heldVote(replica, vote.signer, vote);
  if (held !== undefined) {
    accuse(replica, { kind: 'double-vote', first: held, second: vote });
    return;
  }
  const votes = votesOf(replica, vote.signer);
  const key = slotKey(vote.phase, vote.height);
  if (vote.view === replica.view) votes.current.set(key, vote);
  else if (vote.view < replica.view) keepPast(replica, votes, [vote]);
  else if (votes.future?.view === vote.view) votes.future.votes.set(key, vote);
  else votes.future = { view: vote.view, votes: new Map([[key, vote]]) };
  assert(votes.current.size <= votesMax(replica), 'votes of a seat are bounded');
  if (countVotes(replica, vote) >= replica.quorum) learnCertificate(replica, certificateOf(replica, vote));
}

function noteSeen({ seen }: Replica, vote: Vote): void {
  const of = defined(seen[vote.signer], 'a vote is of a seat');
  const kind = vote.phase === 'PREPARE' ? 'prepare' : 'commit';
  const before = of[kind];
  if (before === null || compareRank(vote, before) > 0) of[kind] = vote;
}

/** How many seats voted for exactly this. */
function countVotes(replica: Replica, ballot: Ballot): number {
  let count = 0;
  for (let seat = 0; seat < replica.votes.length; seat += 1) {
    if (heldVote(replica, seat, ballot)?.digest === ballot.digest) count += 1;
  }
  return count;
}

function certificateOf(replica: Replica, ballot: Ballot): Certificate {
  const votes = replica.votes.flatMap((_, seat) => {
    const vote = heldVote(replica, seat, ballot);
    return vote?.digest === ballot.digest ? [vote] : [];
  });
  const { phase, epoch, view, height, digest } = ballot;
  return {
    phase,
    epoch,
    view,
    height,
    digest,
    signers: votes.map(({ signer }) => signer),
    signatures: votes.map(({ signature }) => signature),
  };
}

/** COMMITs of earlier views may still complete a certificate: the newest are kept, two windows of them. */
function keepPast(replica: Replica, votes: SeatVotes, more: Iterable<Vote>): void {
  const commits = [...votes.past, ...more].filter(
    ({ phase, height }) => phase === 'COMMIT' && height > replica.final.height,
  );
  commits.sort((a, b) => compareRank(b, a));
  votes.past = commits.slice(0, 2 * windowOf(replica));
}

/** Moves the books when the replica's view has become `view`. */
export function turnVotes(replica: Replica, view: View): void {
  for (const votes of replica.votes) {
    keepPast(replica, votes, votes.current.values());
    const { future } = votes;
    votes.current = new Map();
    if (future === null || future.view > view) continue;
    if (future.view === view) votes.current = future.votes;
    else keepPast(replica, votes, future.votes.values());
    votes.future = null;
  }
}

/** After the final block moved. */
export function pruneVotes(replica: Replica): void {
  const isOver = (vote: Vote): boolean => vote.height <= replica.final.height;
  const prune = (votes: Map<number, Vote>): void => {
    for (const [key, vote] of votes) if (isOver(vote)) votes.delete(key);
  };
  for (const votes of replica.votes) {
    prune(votes.current);
    if (votes.future !== null) prune(votes.future.votes);
    if (votes.past.length > 0) votes.past = votes.past.filter((vote) => !isOver(vote));
  }
}

export function certificateKey({ phase, view, height, digest }: Ballot): string {
  return `${phase}/${view}/${height}/${digest}`;
}

/** Takes a verified certificate of this epoch: keeps what can still matter. */
export function learnCertificate(replica: Replica, certificate: Certificate): void {
  if (certificate.epoch !== replica.config.authorities.epoch) return;
  disownCertificate(replica, certificate);
  if (certificate.height <= replica.final.height) {
    learnBelowFinal(replica, certificate);
    return;
  }
  const key = certificateKey(certificate);
  if (replica.certificates.has(key) || !isUseful(replica, certificate)) return;
  replica.certificates.set(key, certificate);
  if (replica.certificates.size > certificatesMax(replica)) forgetLowest(replica);
}

/** The chain at or below the final block is held by definition: such a certificate raises the rank, or convicts a quorum. */
function learnBelowFinal(replica: Replica, certificate: Certificate): void {
  const known = replica.finalDigests.get(certificate.height);
  if (known === undefined) return;
  if (known === certificate.digest) raise(replica, certificate);
  else if (certificate.phase === 'COMMIT') haltForSafety(replica, certificate);
}

/** Two certificates make different blocks final: more than f authorities lie. */
export function haltForSafety(replica: Replica, rival: Certificate): void {
  const { certificate } = replica.final;
  halt(replica, 'SAFETY', certificate === null ? [rival] : [certificate, rival]);
}

/** Rule R5: the highest certificate never decreases, by view before height. */
export function raise(replica: Replica, certificate: Certificate): boolean {
  if (replica.highest !== null && compareRank(certificate, replica.highest) <= 0) return false;
  replica.highest = certificate;
  return true;
}

function isUseful(replica: Replica, certificate: Certificate): boolean {
  if (certificate.height <= replica.final.height) return false;
  if (certificate.phase === 'COMMIT' || certificate.view === replica.view) return true;
  return replica.highest === null || compareRank(certificate, replica.highest) > 0;
}

/** Drops the certificates that the final block or a higher rank has used up. */
export function pruneCertificates(replica: Replica): void {
  for (const [key, certificate] of replica.certificates) {
    if (!isUseful(replica, certificate)) replica.certificates.delete(key);
  }
}

function certificatesMax(replica: Replica): number {
  return 16 * windowOf(replica);
}

function forgetLowest(replica: Replica): void {
  const ascending = [...replica.certificates].sort(([, a], [, b]) => compareRank(a, b));
  const lowest = ascending[0];
  if (lowest !== undefined) replica.certificates.delete(lowest[0]);
}

/** Whether the certificates held cover this block or a descendant of it on a path. */
export function coveredUpTo(replica: Replica, path: readonly { readonly digest: Hash }[]): Height {
  let covered = replica.final.height;
  for (const { height, digest } of replica.certificates.values()) {
    if (height > covered && path[height - replica.final.height - 1]?.digest === digest) covered = height;
  }
  const { highest } = replica;
  if (highest !== null && path[highest.height - replica.final.height - 1]?.digest === highest.digest) {
    covered = Height(Math.max(covered, highest.height));
  }
  return covered;
}
