import type { TicketRecord } from '../ledger/ticket-record.ts';
import type { Standing as TicketStanding } from '../model/ticket.ts';
import type { Fault } from './faults.ts';
import { standingAt, type Verdict } from './verdict.ts';

/** What a proof has proven, in sentences for people; none of them says more than that. */
export function verdictLines(verdict: Verdict): readonly string[] {
  const { ticket, record, history, height, at, blockHash, signers, authorities, networkId, chainId } = verdict;
  const signed = `${signers.length} of ${authorities} authorities: ${signers.join(', ')}`;
  return [
    ...(record === null ? [`There is no ticket ${ticket}, and there was none before.`] : recordLines(record, height)),
    ...(history ?? []).map(
      (change) =>
        `Version ${change.version}: ${change.state}, ${change.standing}, by ${change.type} of ${change.organisation} ` +
        `in block ${change.height} at ${time(change.at)}, transaction ${change.transaction}.`,
    ),
    ...(history === null ? [] : ['These are all its versions.']),
    `That is the state of block ${height} of ${time(at)}, ${blockHash}, signed by ${signed}.`,
    `The chain is ${chainId} of ${networkId}: its genesis document has this SHA-256.`,
  ];
}

const STANDINGS: Readonly<Record<TicketStanding, string>> = {
  GOOD: 'in good standing',
  HELD: 'held back',
  REVOKED: 'revoked',
};

function recordLines(record: TicketRecord, height: number): readonly string[] {
  const { ticket, event, tier, seat, state, standing, firstScan } = record;
  const place = seat === null ? '' : `, seat ${seat}`;
  const scan =
    firstScan === null
      ? `It was not admitted, up to block ${height}.`
      : `It was admitted at ${time(firstScan.at)}, gate ${firstScan.gate}, by ${firstScan.organisation}, in block ${firstScan.height}.`;
  const opened = record.case;
  const isOpen = opened !== null && opened.resolution === null;
  return [
    `Ticket ${ticket} of event ${event}, tier ${tier}${place}: ${state}, ${STANDINGS[standing]}.`,
    scan,
    ...(isOpen ? [`A case of ${opened.reason} about it is open since block ${opened.height}.`] : []),
    ...(record.replacedBy === null ? [] : [`Ticket ${record.replacedBy} stands in its place.`]),
  ];
}

/** The same about an earlier height. */
export function asOfLine(verdict: Verdict, height: number): string {
  const { ticket } = verdict;
  const standing = standingAt(verdict, height);
  if (standing === undefined) return `The proof is of block ${verdict.height}, and says nothing of block ${height}.`;
  const { state, admitted } = standing;
  if (state === 'ABSENT') return `As of block ${height} there was no ticket ${ticket}.`;
  if (state !== null) return `As of block ${height} ticket ${ticket} was ${state}.`;
  return `As of block ${height} ticket ${ticket} was ${admitted ? '' : 'not '}admitted; more takes a proof with its history.`;
}

export function faultLine({ code, path, message }: Fault): string {
  return `${path} ${message} (${code})`;
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
