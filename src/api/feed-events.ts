import type { FeedEvent } from '../client/answers.ts';
import { defined } from '../lib/assert.ts';
import { ticketsNamed } from '../model/operation.ts';
import type { Receipt } from '../model/receipt.ts';
import type { Transaction } from '../model/transaction.ts';
import type { FinalBlock } from './ports.ts';
import { firstScanView, timeView } from './views.ts';

/** An event, and the ticket it is about, by which readers choose. */
export interface ChainEvent {
  readonly event: FeedEvent;
  readonly ticket: string | null;
}

type Told = Pick<FeedEvent, 'type' | 'data'> & { readonly ticket: string | null };

/**
 * What happened in a final block, in order: the block itself, then what befell each ticket. A function of the block
 * alone, so every node tells the same events under the same numbers, now and whenever the block is read again.
 */
export function eventsOf(block: FinalBlock): readonly ChainEvent[] {
  const told: Told[] = [blockEvent(block)];
  for (const [index, transaction] of block.body.entries()) {
    const receipt = defined(block.receipts[index], 'a final block has a receipt for each transaction');
    // A repeated outcome is no new event.
    if (receipt.replayOf !== null) continue;
    if (receipt.accepted) told.push(...acceptedEvents(transaction));
    else told.push(...refusedEvents(transaction, receipt));
  }
  const { height } = block.header;
  return told.map(({ type, data, ticket }, seq) => ({ event: { type, height, seq, data }, ticket }));
}

function blockEvent({ hash, header }: FinalBlock): Told {
  const { view, proposer, previous, timestamp, transactionCount } = header;
  return {
    type: 'block_finalised',
    ticket: null,
    data: { hash, previous, time: timeView(timestamp), view, proposer, transactions: transactionCount },
  };
}

function acceptedEvents({ id, body }: Transaction): Told[] {
  const { operation, organisation } = body;
  const common = { transaction_id: id, organisation };
  switch (operation.kind) {
    case 'issue':
      return operation.tickets.map(({ ticket }) => ({
        type: 'ticket_issued',
        ticket,
        data: { ticket_id: ticket, event_id: operation.event, tier_id: operation.tier, ...common },
      }));
    case 'validate':
      return operation.tickets.map((ticket) => ({
        type: 'ticket_validated',
        ticket,
        data: { ticket_id: ticket, ...common },
      }));
    case 'consume':
    case 'admit': {
      const { ticket, gate, kind } = operation;
      return [{ type: 'ticket_consumed', ticket, data: { ticket_id: ticket, gate, by: kind, ...common } }];
    }
    case 'dispute': {
      const { ticket, reason, note, gate } = operation;
      return [{ type: 'ticket_disputed', ticket, data: { ticket_id: ticket, reason, note, gate, ...common } }];
    }
    default:
      return [];
  }
}

/** A refused batch is about the ticket that made it fail; a refusal of no ticket is told without one. */
function refusedEvents({ id, body }: Transaction, { code, subject, firstScan }: Receipt): Told[] {
  const { operation, organisation } = body;
  const tickets = ticketsNamed(operation);
  const [only] = tickets;
  if (only === undefined) return [];
  const ticket = tickets.length === 1 ? only : (tickets.find((one) => one === subject) ?? null);
  const data = {
    ticket_id: ticket,
    type: operation.kind,
    code,
    subject,
    ...('gate' in operation && operation.gate !== null ? { gate: operation.gate } : {}),
    ...(firstScan === null ? {} : { first_scan: firstScanView(firstScan) }),
    transaction_id: id,
    organisation,
  };
  return [{ type: 'ticket_refused', ticket, data }];
}
