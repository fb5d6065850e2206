import { z } from 'zod';
import type { IndexStatus } from './indexing.ts';

/** What a thread that indexes is told. */
export type IndexOrder =
  /** The chain shows a block of this height. */
  { readonly kind: 'head'; readonly height: number } | { readonly kind: 'stop' };

const status = z.object({
  indexedFrom: z.number().nullable(),
  indexedTo: z.number().nullable(),
  quads: z.number(),
  bytes: z.number(),
}) satisfies z.ZodType<IndexStatus>;

export const indexReport = z.discriminatedUnion('kind', [
  /** It can be read from here on; `dropped` says why what was there was removed, if it was. */
  z.object({ kind: z.literal('opened'), status, dropped: z.string().nullable() }),
  z.object({ kind: z.literal('indexed'), status }),
]);
/** What it tells. */
export type IndexReport = z.infer<typeof indexReport>;

export const indexOrder = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('head'), height: z.number() }),
  z.object({ kind: z.literal('stop') }),
]) satisfies z.ZodType<IndexOrder>;
