import type {
  BlockAnswer,
  BlockSummaryAnswer,
  CaseAnswer,
  CertificateAnswer,
  FirstScanAnswer,
  HeaderAnswer,
  HistoryAnswer,
  ReceiptAnswer,
  TicketAnswer,
  TransactionAnswer,
  TransactionStateAnswer,
} from '../client/answers.ts';
import type { CaseRecord, Resolution, TicketRecord } from '../ledger/ticket-record.ts';
import { defined } from '../lib/assert.ts';
import type { Header } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import type { Hash, Timestamp } from '../model/ids.ts';
import type { NewTicket, Operation, Replacement } from '../model/operation.ts';
import type { FirstScan, Receipt } from '../model/receipt.ts';
import type { Transaction } from '../model/transaction.ts';
import type { TicketEvent } from '../store/tickets.ts';
import type { FinalBlock, TransactionState } from './ports.ts';

/** How the model is shown: snake_case, times in RFC 3339 in UTC, hashes in hex, bytes in base64. */

export function timeView(time: Timestamp): string {
  return new Date(time).toISOString();
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

export function headerView(header: Header): HeaderAnswer {
  return {
    version: header.version,
    chain_id: header.chainId,
    height: header.height,
    epoch: header.epoch,
    view: header.view,
    previous: header.previous,
    timestamp: timeView(header.timestamp),
    proposer: header.proposer,
    transactions_root: header.transactionsRoot,
    transaction_count: header.transactionCount,
    state_root: header.stateRoot,
    receipts_root: header.receiptsRoot,
    graph_root: header.graphRoot,
    authorities_hash: header.authoritiesHash,
    next_authorities_hash: header.nextAuthoritiesHash,
  };
}

export function firstScanView(scan: FirstScan): FirstScanAnswer {
  return {
    at: timeView(scan.at),
    height: scan.height,
    gate: scan.gate,
    organisation: scan.organisation,
    transaction_id: scan.transaction,
  };
}

function receiptView(receipt: Receipt): ReceiptAnswer {
  return {
    accepted: receipt.accepted,
    ...(receipt.code === null ? {} : { code: receipt.code }),
    ...(receipt.subject === null ? {} : { subject: receipt.subject }),
    ...(receipt.firstScan === null ? {} : { first_scan: firstScanView(receipt.firstScan) }),
    ...(receipt.replayOf === null ? {} : { replay_of: receipt.replayOf }),
  };
}

function newTicketView(ticket: NewTicket): Readonly<Record<string, unknown>> {
  return {
    ticket_id: ticket.ticket,
    seat: ticket.seat,
    gate: ticket.gate,
    holder: ticket.holder,
    data: base64(ticket.data),
  };
}

function replacementView({ event, tier, ticket, seat, gate, data }: Replacement): Readonly<Record<string, unknown>> {
  return { event_id: event, tier_id: tier, ticket_id: ticket, seat, gate, data: base64(data) };
}

function operationView(operation: Operation): Readonly<Record<string, unknown>> {
  switch (operation.kind) {
    case 'event.create': {
      const { event, title, startsAt, capacity } = operation;
      return { event_id: event, title, starts_at: timeView(startsAt), capacity };
    }
    case 'tier.create': {
      const { event, tier, title, price, currency, capacity, validFrom, validThrough, transfer } = operation;
      return {
        event_id: event,
        tier_id: tier,
        title,
        price,
        currency,
        capacity,
        valid_from: validFrom === null ? null : timeView(validFrom),
        valid_through: validThrough === null ? null : timeView(validThrough),
        transfer: {
          allowed: transfer.allowed,
          transfers_max: transfer.transfersMax,
          until: transfer.until === null ? null : timeView(transfer.until),
          resale_percent_max: transfer.resalePercentMax,
        },
      };
    }
    case 'role.grant':
    case 'role.revoke':
      return { event_id: operation.event, organisation: operation.organisation, role: operation.role };
    case 'issue':
      return { event_id: operation.event, tier_id: operation.tier, tickets: operation.tickets.map(newTicketView) };
    case 'validate':
      return { tickets: operation.tickets };
    case 'consume':
    case 'admit':
      return { ticket_id: operation.ticket, gate: operation.gate };
    case 'dispute': {
      const { ticket, reason, note, gate } = operation;
      return { ticket_id: ticket, reason, note, gate };
    }
    case 'transfer': {
      const { ticket, holder, price, channel } = operation;
      return { ticket_id: ticket, holder, price, channel };
    }
    case 'hold':
    case 'release':
      return { ticket_id: operation.ticket, note: operation.note };
    case 'revoke':
      return { ticket_id: operation.ticket, reason: operation.reason, note: operation.note };
    case 'case.open': {
      const { ticket, reason, note, evidence } = operation;
      return { ticket_id: ticket, reason, note, evidence };
    }
    case 'resolve': {
      const { ticket, outcome, note, replacement } = operation;
      const replaced = replacement === null ? null : replacementView(replacement);
      return { ticket_id: ticket, outcome, note, replacement: replaced };
    }
  }
}

function transactionView(transaction: Transaction, receipt: Receipt): TransactionAnswer {
  const { body } = transaction;
  return {
    id: transaction.id,
    type: body.operation.kind,
    organisation: body.organisation,
    signer: body.signer,
    expires_at: timeView(body.expiresAt),
    nonce: body.nonce,
    idempotency_key: body.idempotencyKey,
    operation: operationView(body.operation),
    statements: body.statements,
    signature: transaction.signature,
    receipt: receiptView(receipt),
  };
}

export function transactionStateView(id: Hash, found: TransactionState): TransactionStateAnswer | undefined {
  if (found.state === 'unknown' || found.state === 'pruned') return undefined;
  if (found.state === 'pending') return { id, state: 'pending' };
  return {
    id,
    state: 'final',
    height: found.height,
    block_hash: found.blockHash,
    receipt: receiptView(found.receipt),
    transaction: transactionView(found.transaction, found.receipt),
  };
}

export function blockSummaryView(block: FinalBlock): BlockSummaryAnswer {
  return { hash: block.hash, header: headerView(block.header) };
}

export function blockView(block: FinalBlock): BlockAnswer {
  return {
    ...blockSummaryView(block),
    transactions: block.body.map((transaction, index) =>
      transactionView(transaction, defined(block.receipts[index], 'a final block has a receipt for each transaction')),
    ),
    certificate: block.header.height === 0 ? null : `/api/v1/blocks/${block.header.height}/certificate`,
  };
}

/** `nameOf`: the authority of a seat, as far as this node knows the epoch's set. */
export function certificateView(
  certificate: Certificate,
  nameOf: (seat: number) => string | null,
): CertificateAnswer['certificate'] {
  return {
    phase: certificate.phase,
    epoch: certificate.epoch,
    view: certificate.view,
    height: certificate.height,
    digest: certificate.digest,
    signatures: certificate.signers.map((seat, index) => ({
      seat,
      authority: nameOf(seat),
      signature: defined(certificate.signatures[index], 'a certificate has a signature for each signer'),
    })),
  };
}

export function ticketView(ticket: TicketRecord): TicketAnswer {
  const { firstScan } = ticket;
  const opened = ticket.case === null ? null : caseView(ticket.case);
  return {
    id: ticket.ticket,
    state: ticket.state,
    standing: ticket.standing,
    version: ticket.version,
    event_id: ticket.event,
    tier_id: ticket.tier,
    seat: ticket.seat,
    gate: ticket.gate,
    holder: ticket.holder,
    epoch: ticket.epoch,
    transfers: ticket.transfers,
    data: base64(ticket.data),
    since: ticket.since,
    first_scan: firstScan === null ? null : firstScanView(firstScan),
    dispute: ticket.state === 'DISPUTED' ? opened : null,
    case: opened,
    replaces: ticket.replaces,
    replaced_by: ticket.replacedBy,
  };
}

export function versionView(version: TicketEvent): HistoryAnswer['versions'][number] {
  return {
    version: version.version,
    state: version.state,
    standing: version.standing,
    epoch: version.epoch,
    holder: version.holder,
    transaction_id: version.transaction,
    type: version.type,
    at: timeView(version.at),
    height: version.height,
    agent: version.agent,
    ...(version.gate === null ? {} : { gate: version.gate }),
  };
}

function caseView({ resolution, ...opened }: CaseRecord): CaseAnswer {
  return {
    reason: opened.reason,
    gate: opened.gate,
    evidence: opened.evidence,
    ...stepView(opened),
    resolution: resolution === null ? null : { outcome: resolution.outcome, ...stepView(resolution) },
  };
}

function stepView(step: Omit<Resolution, 'outcome'>) {
  return {
    note: step.note,
    organisation: step.organisation,
    at: timeView(step.at),
    height: step.height,
    transaction_id: step.transaction,
  };
}
