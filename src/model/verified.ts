import { err, ok, type Result } from '../lib/result.ts';
import { primaryIndex, quorumOf } from './authorities.ts';
import { blockHash } from './block.ts';
import { ballotSigningBytes, certifies, isCertificateValid, type Jurisdiction, type Vote } from './certificate.ts';
import { isEvidenceValid } from './evidence.ts';
import type { PublicKey, Signature } from './ids.ts';
import type { Memory, Message, MessageOf } from './message.ts';
import { signedBytesOf, type Transaction } from './transaction.ts';
import {
  checkpointSigningBytes,
  compareRank,
  newViewSigningBytes,
  type ViewChange,
  viewChangeSigningBytes,
} from './view-change.ts';

declare const verified: unique symbol;

/** Something whose every signature has been checked under the authority set in force. Made in this file only. */
export type Verified<T> = T & { readonly [verified]: true };

export interface Unverifiable {
  readonly code: 'BAD_SIGNATURE' | 'BAD_CERTIFICATE' | 'BAD_FORM';
  readonly reason: string;
}

const BAD_SIGNATURE: Unverifiable = { code: 'BAD_SIGNATURE', reason: 'a signature is not of the seat that it names' };
const BAD_CERTIFICATE: Unverifiable = { code: 'BAD_CERTIFICATE', reason: 'a certificate does not prove its ballot' };

function badForm(reason: string): Unverifiable {
  return { code: 'BAD_FORM', reason };
}

/**
 * Checks every signature of a message under one authority set.
 * Kinds that carry none (`status`, requests, bodies) are vouched for by the channel they came through; transactions are
 * checked one by one with `verifyTransaction`.
 */
export function verifyMessage<M extends Message>(
  message: M,
  jurisdiction: Jurisdiction,
): Result<Verified<M>, Unverifiable> {
  const fault = faultOf(message, jurisdiction);
  return fault === undefined ? ok(message as Verified<M>) : err(fault);
}

export function verifyTransaction(
  transaction: Transaction,
  check: Jurisdiction['check'],
): Result<Verified<Transaction>, Unverifiable> {
  const { body, signature } = transaction;
  return check(body.signer, signedBytesOf(transaction), signature)
    ? ok(transaction as Verified<Transaction>)
    : err(BAD_SIGNATURE);
}

function faultOf(message: Message, jurisdiction: Jurisdiction): Unverifiable | undefined {
  switch (message.kind) {
    case 'pre-prepare':
      return prePrepareFault(message, jurisdiction);
    case 'vote':
      return voteFault(message.vote, jurisdiction);
    case 'view-change':
      return viewChangeFault(message, jurisdiction);
    case 'new-view':
      return newViewFault(message, jurisdiction);
    case 'checkpoint': {
      const { checkpoint } = message;
      if (checkpoint.epoch !== jurisdiction.authorities.epoch) return badForm('a checkpoint of another epoch');
      const bytes = checkpointSigningBytes(jurisdiction.chainId, checkpoint);
      return signedBy(jurisdiction, checkpoint.signer, bytes, checkpoint.signature) ? undefined : BAD_SIGNATURE;
    }
    case 'final':
      return finalFault(message, jurisdiction);
    case 'certificate':
      return isCertificateValid(message.certificate, jurisdiction) ? undefined : BAD_CERTIFICATE;
    case 'blocks':
      return blocksFault(message, jurisdiction);
    case 'evidence':
      return isEvidenceValid(message.evidence, jurisdiction) ? undefined : BAD_SIGNATURE;
    case 'memory':
      return memoryFault(message.memory, jurisdiction);
    default:
      return undefined;
  }
}

function signedBy(jurisdiction: Jurisdiction, seat: number, bytes: Uint8Array, signature: Signature): boolean {
  const publicKey: PublicKey | undefined = jurisdiction.authorities.authorities[seat]?.publicKey;
  return publicKey !== undefined && jurisdiction.check(publicKey, bytes, signature);
}

function voteFault(vote: Vote, jurisdiction: Jurisdiction): Unverifiable | undefined {
  if (vote.epoch !== jurisdiction.authorities.epoch) return badForm('a vote of another epoch');
  const bytes = ballotSigningBytes(jurisdiction.chainId, vote);
  return signedBy(jurisdiction, vote.signer, bytes, vote.signature) ? undefined : BAD_SIGNATURE;
}

function prePrepareFault(message: MessageOf<'pre-prepare'>, jurisdiction: Jurisdiction): Unverifiable | undefined {
  const { header, vote } = message;
  if (vote.phase !== 'PREPARE') return badForm('a proposal without a PREPARE');
  if (vote.height !== header.height || vote.epoch !== header.epoch) return badForm('a proposal and a vote that differ');
  if (vote.signer !== primaryIndex(jurisdiction.authorities, vote.view)) return badForm('a proposal of a backup');
  if (vote.digest !== blockHash(header)) return badForm('a vote for another block than the one proposed');
  return voteFault(vote, jurisdiction);
}

function signedViewChange(viewChange: ViewChange, jurisdiction: Jurisdiction): boolean {
  if (viewChange.epoch !== jurisdiction.authorities.epoch) return false;
  const bytes = viewChangeSigningBytes(jurisdiction.chainId, viewChange);
  return signedBy(jurisdiction, viewChange.signer, bytes, viewChange.signature);
}

function viewChangeFault(message: MessageOf<'view-change'>, jurisdiction: Jurisdiction): Unverifiable | undefined {
  const { viewChange, certificate } = message;
  const { claim } = viewChange;
  if (viewChange.newView <= jurisdiction.authorities.startView) return badForm('a view change to the first view');
  if (claim !== null && claim.view >= viewChange.newView) return badForm('a claim from the view that it asks for');
  if ((claim === null) !== (certificate === null)) return badForm('a claim without its certificate');
  if (!signedViewChange(viewChange, jurisdiction)) return BAD_SIGNATURE;
  if (claim === null || certificate === null) return undefined;
  const matches =
    certificate.phase === claim.phase && certificate.digest === claim.digest && compareRank(certificate, claim) === 0;
  return matches && isCertificateValid(certificate, jurisdiction) ? undefined : BAD_CERTIFICATE;
}

/** PBFT §4.4: a quorum of VIEW-CHANGEs for this view, and the certificate of the highest claim among them. */
function newViewFault(message: MessageOf<'new-view'>, jurisdiction: Jurisdiction): Unverifiable | undefined {
  const { newView } = message;
  const { authorities, chainId } = jurisdiction;
  const { viewChanges } = newView;
  if (newView.epoch !== authorities.epoch) return badForm('a new view of another epoch');
  if (newView.view <= authorities.startView) return badForm('the first view needs no NEW-VIEW');
  if (viewChanges.length < quorumOf(authorities.authorities.length)) return badForm('too few view changes');
  const ascending = viewChanges.every(
    (one, index) => index === 0 || one.signer > (viewChanges[index - 1]?.signer ?? one.signer),
  );
  if (!ascending) return badForm('view changes out of order');
  if (viewChanges.some((one) => one.newView !== newView.view)) return badForm('a view change to another view');
  const bytes = newViewSigningBytes(chainId, newView);
  if (!signedBy(jurisdiction, primaryIndex(authorities, newView.view), bytes, newView.signature)) return BAD_SIGNATURE;
  if (!viewChanges.every((one) => signedViewChange(one, jurisdiction))) return BAD_SIGNATURE;
  return anchorFault(message, jurisdiction);
}

function anchorFault(message: MessageOf<'new-view'>, jurisdiction: Jurisdiction): Unverifiable | undefined {
  const { viewChanges, anchor, view } = message.newView;
  const claims = viewChanges.flatMap(({ claim }) => (claim === null ? [] : [claim]));
  if (claims.some((claim) => claim.view >= view)) return badForm('a claim from the new view itself');
  const highest = claims.reduce<(typeof claims)[number] | null>(
    (best, claim) => (best === null || compareRank(claim, best) > 0 ? claim : best),
    null,
  );
  if (highest === null || anchor === null) {
    return highest === null && anchor === null
      ? undefined
      : badForm('an anchor that no claim asks for, or the reverse');
  }
  const rivals = claims.some((claim) => compareRank(claim, highest) === 0 && claim.digest !== highest.digest);
  if (rivals) return badForm('two claims of one rank for different blocks');
  const matches = anchor.digest === highest.digest && compareRank(anchor, highest) === 0;
  return matches && isCertificateValid(anchor, jurisdiction) ? undefined : BAD_CERTIFICATE;
}

function memoryFault(memory: Memory, jurisdiction: Jurisdiction): Unverifiable | undefined {
  const { prepare, commit, viewChange, final, highest } = memory;
  if (prepare !== null && prepare.phase !== 'PREPARE') return badForm('another vote where a PREPARE belongs');
  if (commit !== null && commit.phase !== 'COMMIT') return badForm('another vote where a COMMIT belongs');
  if (final !== null && final.phase !== 'COMMIT') return badForm('only COMMITs make a block final');
  for (const vote of [prepare, commit]) {
    const fault = vote === null ? undefined : voteFault(vote, jurisdiction);
    if (fault !== undefined) return fault;
  }
  if (viewChange !== null && !signedViewChange(viewChange, jurisdiction)) return BAD_SIGNATURE;
  const areValid = [final, highest].every((one) => one === null || isCertificateValid(one, jurisdiction));
  return areValid ? undefined : BAD_CERTIFICATE;
}

function finalFault(message: MessageOf<'final'>, jurisdiction: Jurisdiction): Unverifiable | undefined {
  const { header, path, certificate } = message;
  if (certificate.phase !== 'COMMIT') return badForm('only COMMITs make a block final');
  let last = header;
  for (const next of path) {
    if (next.previous !== blockHash(last) || next.height !== last.height + 1) return badForm('a path with a gap');
    last = next;
  }
  if (!certifies(certificate, last, blockHash(last), jurisdiction.authorities)) return BAD_CERTIFICATE;
  return isCertificateValid(certificate, jurisdiction) ? undefined : BAD_CERTIFICATE;
}

function blocksFault(message: MessageOf<'blocks'>, jurisdiction: Jurisdiction): Unverifiable | undefined {
  const { blocks, certificate } = message;
  const last = blocks.at(-1);
  if (last === undefined || certificate === null) {
    return last === undefined && certificate === null ? undefined : badForm('blocks without a certificate');
  }
  if (certificate.phase !== 'COMMIT') return badForm('only COMMITs make a block final');
  const linked = blocks.every(({ header }, index) => {
    const before = blocks[index - 1]?.header;
    return before === undefined || (header.previous === blockHash(before) && header.height === before.height + 1);
  });
  if (!linked) return badForm('blocks that do not follow each other');
  const { header } = last;
  if (!certifies(certificate, header, blockHash(header), jurisdiction.authorities)) return BAD_CERTIFICATE;
  return isCertificateValid(certificate, jurisdiction) ? undefined : BAD_CERTIFICATE;
}
