import { parseStateKey } from '../../ledger/records.ts';
import { TICKET } from '../../ledger/ticket-record.ts';
import { compareBytes, equalBytes, toHex, utf8 } from '../../lib/bytes.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import { decode } from '../../model/codec.ts';
import { evidenceHash, evidenceLayout, isEvidenceValid } from '../../model/evidence.ts';
import { hexBytes } from '../../model/ids.ts';
import { CorruptionError } from '../../store/blocks.ts';
import { readWitness } from '../../store/chain.ts';
import { readHalt } from '../../store/halt.ts';
import type { KeyValueEntry, KeyValueReads } from '../../store/key-value.ts';
import { heightKey, META, SCHEMA_VERSION, TABLES } from '../../store/schema.ts';
import { treeKeyRow } from '../../store/state-rows.ts';
import { type ChainFault, codeOfTable } from './chain-fault.ts';
import { extra, ROWS_PER_TURN, type RowCounts, rowFault, ticketIndexRows } from './verify-rows.ts';

/** What the directory says of itself: its layout, its chain, how far its journal was. */
export function metaFault(reads: KeyValueReads, chainId: string): ChainFault | undefined {
  const fault = (code: 'META_WRONG' | 'OTHER_CHAIN', what: string, detail: string): ChainFault => {
    return { code, height: null, what, detail };
  };
  const schema = reads.get(TABLES.meta, META.schema);
  if (schema === undefined) return fault('META_WRONG', 'the layout version', 'is missing');
  if (!equalBytes(schema, heightKey(SCHEMA_VERSION))) {
    return fault('META_WRONG', 'the layout version', `is ${toHex(schema)}, which this program does not know`);
  }
  const chain = reads.get(TABLES.meta, META.chainId);
  if (chain === undefined) return fault('META_WRONG', 'the chain id', 'is missing');
  if (!equalBytes(chain, utf8(chainId)))
    return fault('OTHER_CHAIN', 'the directory', 'is not of the chain of this genesis');
  try {
    readWitness(reads);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    return fault('META_WRONG', 'the journal witness', 'is damaged');
  }
  try {
    readHalt(reads);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    return fault('META_WRONG', 'the lasting halt', 'is damaged');
  }
  const known = [META.schema, META.chainId, META.witness, META.oldest, META.halt, META.arrived];
  for (const { key } of reads.range(TABLES.meta, {})) {
    if (!known.some((name) => equalBytes(name, key))) return extra(TABLES.meta, key, null);
  }
  return undefined;
}

/** Every piece of evidence convicts, and is found under its hash. */
export function evidenceFault(reads: KeyValueReads, jurisdiction: Jurisdiction): ChainFault | undefined {
  for (const { key, value } of reads.range(TABLES.evidence, {})) {
    const evidence = decode(evidenceLayout, value);
    const isSound =
      evidence.ok &&
      equalBytes(hexBytes(evidenceHash(evidence.value)), key) &&
      isEvidenceValid(evidence.value, jurisdiction);
    if (isSound) continue;
    return { code: 'EVIDENCE_WRONG', height: null, what: `the evidence ${toHex(key)}`, detail: 'convicts nobody' };
  }
  return undefined;
}

/** Compares the stored state and its index by state with the replayed one, and counts the tickets. */
export function* stateFault(
  reads: KeyValueReads,
  replayed: ReadonlyMap<number, Iterable<KeyValueEntry>>,
  { head, counts }: { readonly head: number; readonly counts: RowCounts },
): Generator<undefined, ChainFault | undefined> {
  let seen = 0;
  for (const [table, rows] of replayed) {
    const stored = reads.range(table, {})[Symbol.iterator]();
    let found = stored.next();
    for (const expected of rows) {
      const order = found.done === true ? 1 : compareBytes(found.value.key, expected.key);
      if (order < 0 && found.done !== true) return extra(table, found.value.key, head);
      if (order > 0 || found.done === true || !equalBytes(found.value.value, expected.value)) {
        return rowFault(reads, { table, ...expected }, head) ?? unordered(table, head);
      }
      const fault = table === TABLES.state ? recordFault(reads, expected, { head, counts }) : undefined;
      if (fault !== undefined) return fault;
      found = stored.next();
      seen += 1;
      if (seen % ROWS_PER_TURN === 0) yield;
    }
    if (found.done !== true) return extra(table, found.value.key, head);
  }
  return undefined;
}

function unordered(table: number, head: number): ChainFault {
  return { code: codeOfTable(table), height: head, what: 'a row', detail: 'is found by its key and not in its order' };
}

function recordFault(
  reads: KeyValueReads,
  record: KeyValueEntry,
  { head, counts }: { readonly head: number; readonly counts: RowCounts },
): ChainFault | undefined {
  const isTicket = parseStateKey(record.key)?.tag === TICKET.tag;
  for (const row of [treeKeyRow(record.key), ...(isTicket ? ticketIndexRows(record) : [])]) {
    counts.set(row.table, (counts.get(row.table) ?? 0) + 1);
    const fault = rowFault(reads, row, head);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
