import { z } from 'zod';
import type { Question } from './protocol.ts';
import type { Statistics } from './statistics.ts';

/** What the node asks of the process in which the engine runs: one thing at a time. */
export type ToEngine =
  | { readonly kind: 'load'; readonly nquads: string | Uint8Array }
  | { readonly kind: 'count' }
  | ({ readonly kind: 'query' } & EngineQuery);

export interface EngineQuery extends Question {
  /** Formats that the client takes, by the engine's names; null for none. */
  readonly rowFormat: string | null;
  readonly graphFormat: string | null;
  readonly statistics: Statistics;
}

const counts = z.object({ triples: z.number(), subjects: z.number(), objects: z.number() });

export const fromEngineSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('loaded'), quads: z.number() }),
  z.object({
    kind: z.literal('counted'),
    statistics: z.object({ quads: z.number(), countedQuads: z.number(), predicates: z.record(z.string(), counts) }),
  }),
  /** A piece of the answer that is under way. */
  z.object({ kind: z.literal('piece'), bytes: z.instanceof(Uint8Array) }),
  z.object({ kind: z.literal('answered'), isGraph: z.boolean() }),
  z.object({
    kind: z.literal('refused'),
    code: z.enum(['BAD_QUERY', 'READ_ONLY', 'SERVICE_NOT_ALLOWED', 'QUERY_TOO_EXPENSIVE', 'NOT_ACCEPTABLE']),
    detail: z.string(),
    place: z.object({ line: z.number(), column: z.number() }).optional(),
  }),
  /** The engine can do nothing any more: its process ends. */
  z.object({ kind: z.literal('broken'), reason: z.string(), memoryBytes: z.number() }),
]);
export type FromEngine = z.infer<typeof fromEngineSchema>;
export type EngineRefusal = Extract<FromEngine, { kind: 'refused' }>;

/** The process sends this signal to itself when it has more memory than it may. */
export const MEMORY_SIGNAL = 'SIGUSR2';
