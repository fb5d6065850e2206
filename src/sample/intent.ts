import { defined } from '../lib/assert.ts';
import type { Hash, TicketId } from '../model/ids.ts';
import type { Operation } from '../model/operation.ts';
import type { Refusal } from '../model/receipt.ts';
import type { Standing, TicketState } from '../model/ticket.ts';
import type { SampleStep } from './catalogue.ts';

/** A version that a step is to give a ticket. */
export interface PlannedVersion {
  readonly ticket: TicketId;
  readonly version: number;
  readonly state: TicketState;
  readonly standing: Standing;
}

/** A transaction of the sample, and what a correct ledger makes of it. */
export interface Intent extends SampleStep {
  /** Milliseconds after genesis. */
  readonly at: number;
  /** Why it is to be refused; null when it is to be accepted. */
  readonly code: Refusal | null;
  /** Whether its key was used before for the same: nothing is done, and `code` is that of the first. */
  readonly repeats: boolean;
  readonly versions: readonly PlannedVersion[];
  /** Idempotency keys of what has to be final before it. */
  readonly after: readonly string[];
  /** Of those the one whose transaction speaks for the case that is opened; it has no id before it is signed. */
  readonly evidence: string | null;
}

/** The parts of an intent that most leave out. */
export interface IntentMore {
  readonly code?: Refusal | null;
  readonly repeats?: boolean;
  readonly versions?: readonly PlannedVersion[];
  readonly after?: readonly string[];
  readonly evidence?: string | null;
}

export function intentOf(at: number, step: SampleStep, more: IntentMore = {}): Intent {
  return { ...step, at, code: null, repeats: false, versions: [], after: [], evidence: null, ...more };
}

/** What is to be signed. @param idOf the first transaction under each idempotency key, of all that are final */
export function operationOf({ operation, evidence }: Intent, idOf: ReadonlyMap<string, Hash>): Operation {
  if (operation.kind !== 'case.open' || evidence === null) return operation;
  return { ...operation, evidence: defined(idOf.get(evidence), `${evidence} came before`) };
}
