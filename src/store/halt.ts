import { type Certificate, certificateLayout } from '../model/certificate.ts';
import { decode, encode, list, oneOf, struct } from '../model/codec.ts';
import { CorruptionError } from './blocks.ts';
import type { KeyValue, KeyValueReads, WriteOutcome } from './key-value.ts';
import { META, TABLES } from './schema.ts';

/** A halt that a restart does not end: two blocks at one height are certified, and people must decide. */
export interface LastingHalt {
  readonly reason: 'SAFETY';
  /** What proves it. */
  readonly certificates: readonly Certificate[];
}

const haltLayout = struct<LastingHalt>({ reason: oneOf(['SAFETY']), certificates: list(certificateLayout, 2) });

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
