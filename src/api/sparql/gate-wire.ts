import { z } from 'zod';

/** A text for the gate in its thread. */
export const gateQuestion = z.object({ number: z.number(), query: z.string() });
export type GateQuestion = z.infer<typeof gateQuestion>;

const refusal = z.object({
  code: z.enum(['BAD_QUERY', 'READ_ONLY', 'SERVICE_NOT_ALLOWED', 'QUERY_TOO_EXPENSIVE']),
  detail: z.string(),
  place: z.object({ line: z.number(), column: z.number() }).optional(),
});
const admitted = z.object({
  form: z.enum(['SELECT', 'CONSTRUCT', 'ASK', 'DESCRIBE']),
  hasDataset: z.boolean(),
  takesLimit: z.boolean(),
});

/** What the gate says of it. */
export const gateAnswer = z.object({
  number: z.number(),
  verdict: z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), value: admitted }),
    z.object({ ok: z.literal(false), error: refusal }),
  ]),
});
export type GateAnswer = z.infer<typeof gateAnswer>;
