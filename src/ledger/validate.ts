import { type AuthoritySet, authoritySetHash, primaryIndex } from '../model/authorities.ts';
import { HEADER_VERSION, type Header } from '../model/block.ts';
import { type Hash, type Timestamp, ZERO_HASH } from '../model/ids.ts';
import { TIMESTAMP_MS_MAX } from '../model/limits.ts';
import type { Operation } from '../model/operation.ts';
import type { Transaction, TransactionBody } from '../model/transaction.ts';
import type { Iri } from '../provenance/terms.ts';
import { isPermitted } from './permissions.ts';
import type { Overlay } from './state.ts';
import { statementProblem } from './statements.ts';

/** Why a transaction may not stand in a block at all. Stable names. */
export const TRANSACTION_FAULTS = [
  'WRONG_CHAIN',
  'EXPIRED',
  'TOO_FAR_AHEAD',
  'EMPTY_BATCH',
  'BAD_VALUE',
  'UNKNOWN_SIGNER',
  'NOT_PERMITTED',
  'ALREADY_FINAL',
  'BAD_STATEMENTS',
  'SUBJECT_OUT_OF_SCOPE',
  'RESERVED_VOCABULARY',
] as const;
export type TransactionFault = (typeof TRANSACTION_FAULTS)[number];

/** Ids of the transactions in blocks that are less than the longest life of a transaction older than the next one. */
export interface RecentIds {
  has(id: Hash): boolean;
}

/** What a transaction is judged against: the block that would take it, or, at admission, the next one. */
export interface TransactionContext {
  readonly chainId: Hash;
  /** What every IRI of the chain's graphs begins with. */
  readonly iriBase: Iri;
  /** Time of the block. */
  readonly timestamp: Timestamp;
  readonly transactionLifeMsMax: number;
  /** The state that it would execute on. */
  readonly state: Overlay;
  readonly recentIds: RecentIds;
}

/** Why a transaction may not enter; undefined when it may. Its signature is taken as verified. */
export function checkTransaction(transaction: Transaction, context: TransactionContext): TransactionFault | undefined {
  const { body } = transaction;
  if (body.chainId !== context.chainId) return 'WRONG_CHAIN';
  if (body.expiresAt < context.timestamp) return 'EXPIRED';
  if (body.expiresAt > context.timestamp + context.transactionLifeMsMax) return 'TOO_FAR_AHEAD';
  const fault = checkOperation(body.operation);
  if (fault !== undefined) return fault;
  if (context.recentIds.has(transaction.id)) return 'ALREADY_FINAL';
  if (context.state.keys.get(body.signer)?.organisation !== body.organisation) return 'UNKNOWN_SIGNER';
  if (!isPermitted(context.state, body.organisation, body.operation)) return 'NOT_PERMITTED';
  return body.statements === null ? undefined : statementFault(body, context);
}

function statementFault(body: TransactionBody, { state, iriBase }: TransactionContext): TransactionFault | undefined {
  const namespace = state.organisations.get(body.organisation)?.namespace ?? null;
  const problem = statementProblem(body, { iriBase, namespace });
  if (problem === undefined) return undefined;
  return 'iri' in problem ? problem.code : 'BAD_STATEMENTS';
}

/** Faults that an operation has whatever the state. */
function checkOperation(operation: Operation): 'EMPTY_BATCH' | 'BAD_VALUE' | undefined {
  switch (operation.kind) {
    case 'event.create':
      return isNamed(operation) && isInstant(operation.startsAt) ? undefined : 'BAD_VALUE';
    case 'tier.create': {
      const { validFrom, validThrough } = operation;
      const inOrder = validFrom === null || validThrough === null || validFrom <= validThrough;
      const isDated = isInstant(validFrom) && isInstant(validThrough) && isInstant(operation.transfer.until);
      return isNamed(operation) && isDated && inOrder ? undefined : 'BAD_VALUE';
    }
    case 'issue':
    case 'validate':
      return operation.tickets.length === 0 ? 'EMPTY_BATCH' : undefined;
    case 'transfer':
      return operation.channel === 'RESALE' && operation.price === null ? 'BAD_VALUE' : undefined;
    case 'resolve':
      return (operation.outcome === 'REISSUED') === (operation.replacement !== null) ? undefined : 'BAD_VALUE';
    default:
      return undefined;
  }
}

function isNamed(item: { readonly title: string; readonly capacity: number }): boolean {
  return item.title !== '' && item.capacity > 0;
}

function isInstant(timestamp: Timestamp | null): boolean {
  return timestamp === null || timestamp <= TIMESTAMP_MS_MAX;
}

/** Why a header cannot follow its parent, whatever its body is. Stable names. */
export const HEADER_FAULTS = [
  'WRONG_VERSION',
  'WRONG_CHAIN',
  'WRONG_HEIGHT',
  'WRONG_PREVIOUS',
  'EPOCH_ENDED',
  'WRONG_EPOCH',
  'WRONG_VIEW',
  'WRONG_PROPOSER',
  'TIME_NOT_LATER',
  'TIME_OUT_OF_RANGE',
  'TOO_MANY_TRANSACTIONS',
  'WRONG_AUTHORITIES',
  'WRONG_NEXT_AUTHORITIES',
] as const;
export type HeaderFault = (typeof HEADER_FAULTS)[number];

/** Where a block stands: on which parent, of which chain, under which set. */
export interface HeaderContext {
  readonly chainId: Hash;
  readonly parent: Header;
  /** Hash of `parent`. */
  readonly parentHash: Hash;
  readonly set: AuthoritySet;
  /** Hash of `set`, when the caller has it at hand. */
  readonly setHash?: Hash;
}

/** The rules of a header that need neither its body nor a state. Timeliness is not among them: it is no validity. */
export function validateHeader(header: Header, context: HeaderContext): HeaderFault | undefined {
  return checkPlace(header, context) ?? checkProposal(header, context) ?? checkContents(header, context);
}

function checkPlace(header: Header, context: HeaderContext): HeaderFault | undefined {
  const { chainId, parent, parentHash, set } = context;
  if (header.version !== HEADER_VERSION) return 'WRONG_VERSION';
  if (header.chainId !== chainId) return 'WRONG_CHAIN';
  if (header.height !== parent.height + 1) return 'WRONG_HEIGHT';
  if (header.previous !== parentHash) return 'WRONG_PREVIOUS';
  if (header.epoch === parent.epoch && parent.nextAuthoritiesHash !== ZERO_HASH) return 'EPOCH_ENDED';
  return header.epoch !== set.epoch || header.height < set.firstHeight ? 'WRONG_EPOCH' : undefined;
}

function checkProposal(header: Header, { parent, set }: HeaderContext): HeaderFault | undefined {
  if (header.view < set.startView || (header.epoch === parent.epoch && header.view < parent.view)) return 'WRONG_VIEW';
  if (header.proposer !== primaryIndex(set, header.view)) return 'WRONG_PROPOSER';
  if (header.timestamp <= parent.timestamp) return 'TIME_NOT_LATER';
  return header.timestamp > TIMESTAMP_MS_MAX ? 'TIME_OUT_OF_RANGE' : undefined;
}

function checkContents(header: Header, { set, setHash }: HeaderContext): HeaderFault | undefined {
  if (header.transactionCount > set.parameters.blockTransactionsMax) return 'TOO_MANY_TRANSACTIONS';
  if (header.authoritiesHash !== (setHash ?? authoritySetHash(set))) return 'WRONG_AUTHORITIES';
  return header.nextAuthoritiesHash !== ZERO_HASH ? 'WRONG_NEXT_AUTHORITIES' : undefined;
}
