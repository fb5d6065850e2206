import { decode, encode } from '../model/codec.ts';
import { type Evidence, evidenceHash, evidenceLayout } from '../model/evidence.ts';
import { hexBytes } from '../model/ids.ts';
import { CorruptionError } from './blocks.ts';
import type { KeyValue, KeyValueReads, WriteOutcome } from './key-value.ts';
import { TABLES } from './schema.ts';

/** Keeps a piece of evidence; the same piece is kept once. */
export function writeEvidence(store: KeyValue, evidence: Evidence, outcome: WriteOutcome): void {
  const key = hexBytes(evidenceHash(evidence));
  store.write([{ table: TABLES.evidence, key, value: encode(evidenceLayout, evidence) }], outcome);
}

/** What is kept, in the order of its hashes, `limit` pieces at most. */
export function readEvidence(reads: KeyValueReads, limit: number): readonly Evidence[] {
  return [...reads.range(TABLES.evidence, { limit })].map(({ value }) => {
    const evidence = decode(evidenceLayout, value);
    if (!evidence.ok) throw new CorruptionError(`a piece of evidence is damaged: ${evidence.error.reason}`);
    return evidence.value;
  });
}
