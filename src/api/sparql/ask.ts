import type { Result } from '../../lib/result.ts';
import type { Problem } from '../problems.ts';
import type { Format } from './negotiate.ts';
import type { Question } from './protocol.ts';

/** A question of one caller, and what it takes for an answer. */
export interface SparqlRequest extends Question {
  /** Undefined when the caller takes none of ours. */
  readonly rowFormat: Format | undefined;
  readonly graphFormat: Format | undefined;
  /** Who counts as one: see `callerOf`. */
  readonly caller: string;
  /** Whether nobody waits for the answer any more. */
  readonly isGone?: () => boolean;
}

export interface SparqlAnswer {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Of the newest block that the answer is about. */
  readonly height: number;
}

/** Answers questions about the graph: at a process of its own one at a time, or at a store elsewhere. */
export interface SparqlService {
  ask(request: SparqlRequest): Promise<Result<SparqlAnswer, Problem>>;
  /** For the description of the service; null when the graph may have any size. */
  readonly limits: { readonly deadlineMs: number; readonly quadsMax: number | null };
  /** Of the engine's process; undefined while there is none. */
  readonly pid: number | undefined;
  /** Ends the engine, and answers all that wait. */
  close(): void;
}
