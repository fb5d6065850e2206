import type { Ballot, Certificate } from '../model/certificate.ts';
import { compareRank } from '../model/view-change.ts';
import type { Replica } from './replica.ts';

/*
 * Signatures of this seat that come from elsewhere. Nobody can forge them: what this replica does not know of, its key
 * has signed without it. Its journal was put back from an older time then, or the key is in two places, and whoever
 * cannot know what the key has signed must not sign with it (docs/consensus.md, "Memory").
 */

/** Takes note of an own vote, as decided or as the journal has it. */
export function noteSigned({ signed }: Pick<Replica, 'signed'>, { phase, view, height }: Ballot): void {
  const kind = phase === 'PREPARE' ? 'prepare' : 'commit';
  const before = signed[kind];
  if (before === null || compareRank({ view, height }, before) > 0) signed[kind] = { view, height };
}

/** A vote with the key of this seat: one above all that this replica knows to have signed ends its part. @returns whether it did */
export function disownVote(replica: Replica, ballot: Omit<Ballot, 'digest'>): boolean {
  if (replica.config.self < 0 || ballot.epoch !== replica.config.authorities.epoch) return false;
  const known = ballot.phase === 'PREPARE' ? replica.signed.prepare : replica.signed.commit;
  if (known !== null && compareRank(ballot, known) <= 0) return false;
  retire(replica, `a ${ballot.phase} of view ${ballot.view} at height ${ballot.height}`);
  return true;
}

/** The same for a certificate that holds a vote of this seat. */
export function disownCertificate(replica: Replica, certificate: Certificate): boolean {
  return certificate.signers.includes(replica.config.self) && disownVote(replica, certificate);
}

/**
 * Gives the seat up, for this run and, by the journal, for every later one. Before anything was signed in this run the
 * journal is behind; afterwards somebody else signs too.
 */
export function retire(replica: Replica, statement: string): void {
  const { config, mode, nextToken } = replica;
  if (config.self < 0 || mode === 'halted') return;
  const reason = nextToken === 1 ? 'JOURNAL_BEHIND' : 'DUPLICATE_KEY';
  replica.config = { ...config, self: -1 };
  replica.retired = reason;
  replica.hearing = null;
  replica.nextToken += 1;
  replica.outstanding.add(nextToken);
  replica.out.push({ type: 'record', token: nextToken, records: [{ kind: 'retired', reason }] });
  replica.out.push({ type: 'retire', reason, statement });
}
