import { type Certificate, certificateLayout } from '../model/certificate.ts';
import { decode, encode, list, oneOf, struct } from '../model/codec.ts';
import { AUTHORITIES_MAX } from '../model/limits.ts';
import { type Checkpoint, checkpointLayout } from '../model/view-change.ts';
import { CorruptionError } from './blocks.ts';
import type { KeyValue, KeyValueReads, WriteOutcome } from './key-value.ts';
import { META, TABLES } from './schema.ts';

/** A halt, which no restart ends: two blocks at one height are certified, or what is executed here is not what others have. */
export interface LastingHalt {
  readonly reason: 'DIVERGED' | 'SAFETY';
  /** Those that contradict each other, or what was executed here. */
  readonly certificates: readonly Certificate[];
  /** What others state against what was executed here. */
  readonly checkpoints: readonly Checkpoint[];
}

const haltLayout = struct<LastingHalt>({
  reason: oneOf(['DIVERGED', 'SAFETY']),
  certificates: list(certificateLayout, 2),
  checkpoints: list(checkpointLayout, AUTHORITIES_MAX),
});

/** Remembers a halt for as long as the data directory exists. */
export function writeHalt(store: KeyValue, halt: LastingHalt, outcome: WriteOutcome): void {
  store.write([{ table: TABLES.meta, key: META.halt, value: encode(haltLayout, halt) }], outcome);
}

/** @throws CorruptionError when what is stored cannot be read */
export function readHalt(store: KeyValueReads): LastingHalt | undefined {
  const bytes = store.get(TABLES.meta, META.halt);
  if (bytes === undefined) return undefined;
  const halt = decode(haltLayout, bytes);
  if (!halt.ok) throw new CorruptionError(`the record of a halt is damaged: ${halt.error.reason}`);
  return halt.value;
}
