import type { Lack } from '../ledger/permissions.ts';
import type { TransactionFault } from '../ledger/validate.ts';
import type { Timestamp } from '../model/ids.ts';
import type { Transaction } from '../model/transaction.ts';

/** What this node goes by when it judges a transaction that somebody brings. */
export interface Ground {
  /** The time of this node. */
  readonly now: Timestamp;
  readonly transactionLifeMsMax: number;
  /** What the organisation lacks for the operation; undefined when it lacks nothing. */
  readonly lack: Lack | undefined;
}

/** Why a transaction may be in no block now, in words for whoever sent it, with what to do. */
export function faultDetail(fault: TransactionFault, { body }: Transaction, ground: Ground): string {
  switch (fault) {
    case 'WRONG_CHAIN':
      return 'the transaction names another chain; sign it for the chain id that /api/v1/status shows';
    case 'EXPIRED':
      return `the transaction expired at ${clockSentence(body.expiresAt, ground)}; sign it again with a later expiry`;
    case 'TOO_FAR_AHEAD': {
      const most = `at most ${seconds(ground.transactionLifeMsMax)} ahead are taken`;
      return `the transaction expires at ${clockSentence(body.expiresAt, ground)}, and ${most}; sign it again with an earlier expiry`;
    }
    case 'EMPTY_BATCH':
      return 'the operation names no ticket';
    case 'BAD_VALUE':
      return 'a value of the operation is outside what the ledger records';
    case 'UNKNOWN_SIGNER':
      return `the signer ${body.signer} is not a key of ${body.organisation}, the organisation that the transaction names`;
    case 'NOT_PERMITTED':
      return permissionSentence(body, ground.lack);
    case 'ALREADY_FINAL':
      return 'the transaction is final already';
    case 'BAD_STATEMENTS':
      return 'the statements are not canonical N-Triples; send Turtle to a node, which converts it';
    case 'RESERVED_VOCABULARY':
      return 'the statements use words of the ledger: say it in another vocabulary, such as schema.org or your own';
    case 'SUBJECT_OUT_OF_SCOPE':
      return `${body.organisation} may describe only what this transaction is about, and what its own namespace in genesis names`;
  }
}

/** Clocks that differ are the usual reason: both times, and how far they are apart. */
function clockSentence(expiresAt: Timestamp, { now }: Ground): string {
  const apart = seconds(Math.abs(expiresAt - now));
  const side = expiresAt < now ? `${apart} ago` : `${apart} from now`;
  return `${timeText(expiresAt)}, ${side} by the clock of this node, which shows ${timeText(now)} (compare yours)`;
}

function permissionSentence({ organisation, operation }: Transaction['body'], lack: Lack | undefined): string {
  if (lack === undefined) return `${organisation} may not do this: ${operation.kind}`;
  const roles = lack.roles.join(' or ');
  if (lack.event === null) {
    return `${operation.kind} takes an organisation that genesis lets be ${roles}, and ${organisation} is none`;
  }
  return (
    `${organisation} does not hold the role ${roles} at the event ${lack.event}, which ${operation.kind} takes; an ` +
    `organiser of the event can grant it, or ask a node of an organisation that holds it`
  );
}

function timeText(at: Timestamp): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? `${at} ms after 1970` : time.toISOString();
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}
