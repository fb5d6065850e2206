import { defined } from '../lib/assert.ts';
import { applyReplacement } from './issuing.ts';
import { type Act, accepted, refused, type Scene } from './outcome.ts';
import type { Outcome } from './records.ts';
import type { CaseRecord } from './ticket-record.ts';
import { judge } from './tickets.ts';
import { move } from './versions.ts';

/** A dispute keeps a ticket from being admitted; a case about one that was admitted changes nothing of that. */
export function applyCase(act: Act<'dispute' | 'case.open'>): Outcome {
  const judged = judge(act, act.operation);
  if ('code' in judged) return judged;
  const { operation } = act;
  const opened: CaseRecord = {
    ...stepOf(act, operation.note),
    reason: operation.reason,
    gate: operation.kind === 'dispute' ? operation.gate : null,
    evidence: operation.kind === 'case.open' ? operation.evidence : null,
    resolution: null,
  };
  move(act, operation.ticket, judged.path, { case: opened });
  return accepted(operation.ticket);
}

/** Nobody decides what his own organisation has opened. */
export function applyResolve(act: Act<'resolve'>): Outcome {
  const judged = judge(act, act.operation);
  if ('code' in judged) return judged;
  const { operation, transaction } = act;
  const { ticket, path } = judged;
  const open = defined(ticket.case, 'a case that can be resolved is there');
  if (open.organisation === transaction.body.organisation) return refused('SELF_ARBITRATION', ticket.ticket);
  const problem = applyReplacement(act, ticket);
  if (problem !== undefined) return problem;
  const resolution = { ...stepOf(act, operation.note), outcome: operation.outcome };
  const replacedBy = operation.replacement?.ticket ?? ticket.replacedBy;
  move(act, ticket.ticket, path, { case: { ...open, resolution }, replacedBy });
  return accepted(ticket.ticket);
}

function stepOf({ transaction, block }: Scene, note: string) {
  return {
    note,
    organisation: transaction.body.organisation,
    at: block.timestamp,
    height: block.height,
    transaction: transaction.id,
  };
}
