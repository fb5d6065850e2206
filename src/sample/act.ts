import type { TicketId } from '../model/ids.ts';
import { type Operation, ticketsNamed } from '../model/operation.ts';
import type { Iris } from '../provenance/iris.ts';
import type { Iri } from '../provenance/terms.ts';
import { ACTIVITIES, expand, OUTCOME_NAMES, type PrefixedName } from '../provenance/vocabulary.ts';
import type { PlannedVersion } from './intent.ts';
import type { Recorded } from './record.ts';

/** Something that was done or tried, as it was planned, and what a question may want to know of it. */
export interface Act {
  readonly id: Iri;
  readonly kind: PrefixedName;
  readonly agent: Iri;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** When the ledger heard of it. */
  readonly heard: number;
  readonly height: number | null;
  readonly index: number;
  readonly tickets: readonly TicketId[];
  /** Where a ticket was presented. */
  readonly gate: Iri | null;
  readonly key: string | null;
  readonly code: string | null;
  readonly price: number | null;
  readonly reason: string | null;
  readonly outcome: Iri | null;
  readonly versions: readonly PlannedVersion[];
}

export const REJECTED = 'cf:RejectedAttempt';
export const REPETITION = 'cf:Repetition';

/** A step of the sample, and where in a chain it is: its receipt does not matter. */
export type Placed = Omit<Recorded, 'receipt'>;

/** What a step was to do, and where it is. */
export function actOf({ intent, transaction, height, index, timestamp }: Placed, iris: Iris): Act {
  const { operation, organisation, idempotencyKey, code, repeats, versions } = intent;
  const isScan = operation.kind === 'consume' || operation.kind === 'admit';
  return {
    id: iris.transaction(transaction.id),
    kind: repeats ? REPETITION : code === null ? ACTIVITIES[operation.kind] : REJECTED,
    agent: iris.agent(organisation),
    at: timestamp,
    heard: timestamp,
    height,
    index,
    tickets: ticketsNamed(operation),
    gate: isScan && !repeats ? iris.gate(operation.gate) : null,
    key: idempotencyKey,
    code,
    ...decisionOf(operation),
    versions,
  };
}

function decisionOf(operation: Operation): Pick<Act, 'price' | 'reason' | 'outcome'> {
  return {
    price: operation.kind === 'transfer' ? operation.price : null,
    reason: 'reason' in operation ? operation.reason : null,
    outcome: operation.kind === 'resolve' ? expand(OUTCOME_NAMES[operation.outcome]) : null,
  };
}
