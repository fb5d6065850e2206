import type { TicketRecord } from '../ledger/ticket-record.ts';
import type { Hash, Height, OrganisationId, TicketId, Timestamp } from '../model/ids.ts';
import type { OperationKind } from '../model/operation.ts';
import type { TicketChange, TicketState } from '../model/ticket.ts';

/** A version of the ticket, and what made it. */
export interface ProvenChange extends Omit<TicketChange, 'ticket'> {
  readonly height: Height;
  /** Time of the block. */
  readonly at: Timestamp;
  readonly transaction: Hash;
  readonly type: OperationKind;
  readonly organisation: OrganisationId;
  /** Canonical N-Quads of the transaction's graph, and of what its submitter stated; null when not in the proof. */
  readonly graph: string | null;
  readonly stated: string | null;
}

/** What a proof has proven. */
export interface Verdict {
  readonly chainId: Hash;
  readonly networkId: string;
  readonly ticket: TicketId;
  /** Of the block whose state this is. */
  readonly height: Height;
  readonly at: Timestamp;
  readonly blockHash: Hash;
  /** Null: there is no such ticket. */
  readonly record: TicketRecord | null;
  /** All versions, oldest first; null when the proof does not hold them. */
  readonly history: readonly ProvenChange[] | null;
  /** Names of the authorities whose signatures are in it, and how many authorities there are. */
  readonly signers: readonly string[];
  readonly authorities: number;
}

/** What a ticket was at some height. */
export interface Standing {
  /** Null when the proof does not tell, since it holds no history and the ticket has changed since. */
  readonly state: TicketState | 'ABSENT' | null;
  readonly admitted: boolean;
}

/** What the ticket was as of a height: nothing is ever removed, so the newest state tells of the past. Undefined above the proof's own height. */
export function standingAt(verdict: Verdict, height: number): Standing | undefined {
  const { record, history } = verdict;
  if (height > verdict.height) return undefined;
  if (record === null) return { state: 'ABSENT', admitted: false };
  const admitted = record.firstScan !== null && record.firstScan.height <= height;
  if (height >= record.since) return { state: record.state, admitted };
  // An admission is final, and the record keeps it.
  if (admitted) return { state: 'CONSUMED', admitted };
  if (history === null) return { state: null, admitted };
  return { state: history.findLast((change) => change.height <= height)?.state ?? 'ABSENT', admitted };
}
