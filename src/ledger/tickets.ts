import type { TicketId } from '../model/ids.ts';
import type { Operation } from '../model/operation.ts';
import type { FirstScan } from '../model/receipt.ts';
import type { TicketState } from '../model/ticket.ts';
import { decide, type Move } from './lifecycle.ts';
import { type Act, accepted, refused, type Scene } from './outcome.ts';
import type { Outcome, TierRecord } from './records.ts';
import type { TicketRecord } from './ticket-record.ts';
import { move, tierOf } from './versions.ts';

/** All of the tickets or none. */
export function applyValidate(act: Act<'validate'>): Outcome {
  const { state, operation, block } = act;
  const seen = new Set<TicketId>();
  for (const id of operation.tickets) {
    if (seen.has(id)) return refused('DUPLICATE_ID', id);
    seen.add(id);
    const ticket = state.tickets.get(id);
    if (ticket === undefined) return refused('UNKNOWN_TICKET', id);
    const verdict = decide('validate', ticket, { tier: tierOf(state, ticket), at: block.timestamp, gate: null });
    if (typeof verdict === 'string') return refused(verdict, id, ticket.firstScan);
  }
  for (const id of operation.tickets) move(act, id, ['VALIDATED']);
  return accepted(null);
}

/** A ticket that an operation may move, and along which states. */
export interface Movable {
  readonly ticket: TicketRecord;
  readonly tier: TierRecord;
  readonly path: readonly TicketState[];
}

/** Operations that move one ticket. */
type OnOneTicket = Extract<Operation, { kind: Exclude<Move, 'validate'> }>;

/** The one ticket of an operation, or why it is refused. */
export function judge({ state, block }: Scene, operation: OnOneTicket): Movable | Outcome {
  const { kind, ticket: id } = operation;
  const ticket = state.tickets.get(id);
  if (ticket === undefined) return refused('UNKNOWN_TICKET', id);
  const tier = tierOf(state, ticket);
  const gate = 'gate' in operation ? operation.gate : null;
  const path = decide(kind, ticket, { tier, at: block.timestamp, gate });
  return typeof path === 'string' ? refused(path, id, ticket.firstScan) : { ticket, tier, path };
}

export function applyScan(act: Act<'consume' | 'admit'>): Outcome {
  const judged = judge(act, act.operation);
  if ('code' in judged) return judged;
  const { operation, transaction, block } = act;
  const firstScan: FirstScan = {
    at: block.timestamp,
    height: block.height,
    gate: operation.gate,
    organisation: transaction.body.organisation,
    transaction: transaction.id,
  };
  move(act, operation.ticket, judged.path, { firstScan });
  return accepted(operation.ticket);
}

/** The old barcode is worthless from now on. */
export function applyTransfer(act: Act<'transfer'>): Outcome {
  const judged = judge(act, act.operation);
  if ('code' in judged) return judged;
  const { operation, block } = act;
  const { ticket, tier, path } = judged;
  const { allowed, transfersMax, until, resalePercentMax } = tier.transfer;
  const isLate = until !== null && block.timestamp > until;
  if (!allowed || ticket.transfers >= transfersMax || isLate) return refused('TRANSFER_NOT_ALLOWED', ticket.ticket);
  const { price, holder } = operation;
  // Prices may be as large as a number is exact, and their multiples are not.
  const isDear = price !== null && BigInt(price) * 100n > BigInt(tier.price) * BigInt(resalePercentMax);
  if (isDear) return refused('PRICE_ABOVE_CAP', ticket.ticket);
  move(act, ticket.ticket, path, { holder, epoch: ticket.epoch + 1, transfers: ticket.transfers + 1 });
  return accepted(ticket.ticket);
}

export function applyStanding(act: Act<'hold' | 'release' | 'revoke'>): Outcome {
  const judged = judge(act, act.operation);
  if ('code' in judged) return judged;
  const { ticket, path } = judged;
  switch (act.operation.kind) {
    case 'hold':
      move(act, ticket.ticket, path, { standing: 'HELD' });
      break;
    case 'release':
      move(act, ticket.ticket, path, { standing: 'GOOD' });
      break;
    case 'revoke':
      move(act, ticket.ticket, path, { standing: 'REVOKED', epoch: ticket.epoch + 1 });
  }
  return accepted(ticket.ticket);
}
