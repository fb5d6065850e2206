import type { FeedEvent } from '../client/answers.ts';
import { defined } from '../lib/assert.ts';
import type { TicketId } from '../model/ids.ts';
import { type OperationKind, ticketsNamed } from '../model/operation.ts';
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
  const tell = (type: Told['type'], ticket: TicketId, data: Told['data']): Told => ({
    type,
    ticket,
    data: { ticket_id: ticket, ...data, ...common },
  });
  switch (operation.kind) {
    case 'event.create':
    case 'tier.create':
    case 'role.grant':
    case 'role.revoke':
      return [];
    case 'issue': {
      const place = { event_id: operation.event, tier_id: operation.tier };
      return operation.tickets.map(({ ticket }) => tell('ticket_issued', ticket, place));
    }
    case 'validate':
      return operation.tickets.map((ticket) => tell('ticket_validated', ticket, {}));
    case 'consume':
    case 'admit':
      return [tell('ticket_consumed', operation.ticket, { gate: operation.gate, by: operation.kind })];
    case 'resolve': {
      const { ticket, outcome, note, replacement } = operation;
      const closed = tell('case_resolved', ticket, { outcome, note, replacement: replacement?.ticket ?? null });
      if (replacement === null) return [closed];
      const place = { event_id: replacement.event, tier_id: replacement.tier, replaces: ticket };
      return [closed, tell('ticket_issued', replacement.ticket, place)];
    }
    default: {
      const { kind, ticket, ...said } = operation;
      return [tell(TOLD[kind], ticket, said)];
    }
  }
}

/** Operations on one ticket whose event tells exactly what was asked. */
const TOLD = {
  dispute: 'ticket_disputed',
  transfer: 'ticket_transferred',
  hold: 'ticket_held',
  release: 'ticket_released',
  revoke: 'ticket_revoked',
  'case.open': 'case_opened',
} as const satisfies Partial<Record<OperationKind, Told['type']>>;

/** A refused batch is about the ticket that made it fail, a refused replacement about the ticket that it was to replace. */
function refusedEvents({ id, body }: Transaction, { code, subject, firstScan }: Receipt): Told[] {
  const { operation, organisation } = body;
  const tickets = ticketsNamed(operation);
  const [first] = tickets;
  if (first === undefined) return [];
  const isOfOne = 'ticket' in operation || tickets.length === 1;
  const ticket = isOfOne ? first : (tickets.find((one) => one === subject) ?? null);
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
