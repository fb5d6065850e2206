import { parseStateKey, stateKey, treeKey } from '../../ledger/records.ts';
import { TICKET } from '../../ledger/ticket-record.ts';
import { createBoundedMap } from '../../lib/bounded.ts';
import { equalBytes, fromUtf8, toHex } from '../../lib/bytes.ts';
import { hashOfBytes } from '../../model/ids.ts';
import type { Receipt } from '../../model/receipt.ts';
import { blockChanges, CorruptionError, readBlock, readPlace, type StoredBlock } from '../../store/blocks.ts';
import type { KeyValueChange, KeyValueEntry, KeyValueReads } from '../../store/key-value.ts';
import { heightOfKey, TABLES } from '../../store/schema.ts';
import { historyChanges, stateIndexChanges } from '../../store/tickets.ts';
import { type ChainFault, codeOfTable, faultOfBlock } from './chain-fault.ts';

/** How many rows each table should have, as far as the replay has come. */
export type RowCounts = Map<number, number>;

/** Blocks whose rows are kept while a row is looked for that none of them yields. */
const BLOCKS_KEPT = 256;
const PLACE_BYTES = 12;
/** Rows after which a long search lets others have a turn. */
export const ROWS_PER_TURN = 4_096;

/** Tables of which the number of rows is known: of a whole chain, and of one that lacks its older blocks. */
export const COUNTED_TABLES: readonly number[] = [
  TABLES.blocks,
  TABLES.receipts,
  TABLES.certificates,
  TABLES.heights,
  TABLES.transactions,
  TABLES.history,
  TABLES.ticketsByState,
  TABLES.treeKeys,
];
export const COUNTED_TABLES_OF_KEPT: readonly number[] = [TABLES.ticketsByState, TABLES.treeKeys];

/** The rows that a block yields by itself, in every table but those of the state. */
function rowsOf(stored: StoredBlock): readonly KeyValueChange[] {
  return [...blockChanges(stored), ...historyChanges(stored)];
}

/** Compares what is stored beside a block with what executing it yields, and counts it. */
export function blockRowsFault(
  reads: KeyValueReads,
  stored: StoredBlock,
  receipts: readonly Receipt[],
  counts: RowCounts,
): ChainFault | undefined {
  for (const row of rowsOf({ ...stored, receipts })) {
    counts.set(row.table, (counts.get(row.table) ?? 0) + 1);
    // Both were just read, and read in one way only.
    if (row.table === TABLES.blocks || row.table === TABLES.certificates) continue;
    const fault = rowFault(reads, row, stored.header.height);
    if (fault !== undefined) return repetitionFault(reads, row, stored.header.height) ?? fault;
  }
  return undefined;
}

/** The index holds one place of a transaction: when a later block has it again, that block is the one at fault. */
function repetitionFault(reads: KeyValueReads, row: KeyValueChange, height: number): ChainFault | undefined {
  const place = row.table === TABLES.transactions ? placeOf(reads, row.key) : undefined;
  if (place === undefined || place.height <= height) return undefined;
  const { index } = place;
  const body = readBlock(reads, place.height)?.body ?? [];
  if (body[index]?.id !== toHex(row.key)) return undefined;
  return faultOfBlock(place.height, body, { code: 'TRANSACTION_INVALID', reason: 'ALREADY_FINAL', index });
}

/** @param height where to look for the cause */
export function rowFault(reads: KeyValueReads, row: KeyValueChange, height: number): ChainFault | undefined {
  const found = reads.get(row.table, row.key);
  if (found !== undefined && equalBytes(found, row.value ?? new Uint8Array())) return undefined;
  const detail = found === undefined ? 'is missing' : 'is not what the blocks yield';
  return { code: codeOfTable(row.table), height, what: nameOfRow(row.table, row.key), detail };
}

/** @returns the row that no block yields, when a table has more than it should; all that it should have are there */
export function* extraRowFault(
  reads: KeyValueReads,
  {
    expected,
    head,
    tables,
  }: { readonly expected: RowCounts; readonly head: number; readonly tables: readonly number[] },
): Generator<undefined, ChainFault | undefined> {
  for (const table of tables) {
    let count = 0;
    for (const _ of reads.range(table, {})) {
      count += 1;
      if (count % ROWS_PER_TURN === 0) yield;
    }
    if (count !== (expected.get(table) ?? 0)) return yield* findExtraRow(reads, table, head);
  }
  return undefined;
}

function* findExtraRow(reads: KeyValueReads, table: number, head: number): Generator<undefined, ChainFault> {
  const rows = createBoundedMap<number, ReadonlySet<string>>(BLOCKS_KEPT);
  const isYielded = (height: number | undefined, key: Uint8Array): boolean => {
    if (height === undefined || height > head) return false;
    let names = rows.get(height);
    if (names === undefined) {
      const stored = readBlock(reads, height);
      const own = stored === undefined ? [] : rowsOf(stored).filter((row) => row.table === table);
      names = new Set(own.map((row) => toHex(row.key)));
      rows.set(height, names);
    }
    return names.has(toHex(key));
  };
  for (const row of reads.range(table, {})) {
    const height = claimedHeight(reads, table, row);
    const isExpected = isOfState(table) ? isStateIndexed(reads, table, row) : isYielded(height, row.key);
    if (!isExpected) return extra(table, row.key, height ?? head);
    yield;
  }
  return extra(table, new Uint8Array(), head);
}

export function extra(table: number, key: Uint8Array, height: number | null): ChainFault {
  return { code: codeOfTable(table), height, what: nameOfRow(table, key), detail: 'should not be there' };
}

/** The height that a row says it is of. */
function claimedHeight(reads: KeyValueReads, table: number, { key, value }: KeyValueEntry): number | undefined {
  if (isOfState(table)) return undefined;
  if (table === TABLES.heights) return heightOfKey(value);
  if (table === TABLES.history) return heightOfKey(key.subarray(-PLACE_BYTES, -4));
  if (table !== TABLES.transactions) return heightOfKey(key);
  return key.length === 32 ? placeOf(reads, key)?.height : undefined;
}

/** Where the index says that a transaction is; undefined when it says nothing that can be read. */
export function placeOf(reads: KeyValueReads, id: Uint8Array): ReturnType<typeof readPlace> {
  try {
    return readPlace(reads, hashOfBytes(id));
  } catch (error) {
    if (error instanceof CorruptionError) return undefined;
    throw error;
  }
}

/** Whether a table says where records of the state are. */
function isOfState(table: number): boolean {
  return table === TABLES.ticketsByState || table === TABLES.treeKeys;
}

/** The state was compared before: what it says of a record is right. */
function isStateIndexed(reads: KeyValueReads, table: number, { key, value }: KeyValueEntry): boolean {
  if (table === TABLES.treeKeys) {
    return equalBytes(key, treeKey(value)) && reads.get(TABLES.state, value) !== undefined;
  }
  const id = fromUtf8(key.subarray(1));
  const record = id === undefined ? undefined : reads.get(TABLES.state, stateKey(TICKET, id));
  if (id === undefined || record === undefined) return false;
  return ticketIndexRows({ key: stateKey(TICKET, id), value: record }).some((row) => equalBytes(row.key, key));
}

/** The row of the index by state for a record of a ticket; none for other records. */
export function ticketIndexRows(record: KeyValueEntry): readonly KeyValueChange[] {
  return stateIndexChanges([record], () => undefined);
}

const KINDS = ['event', 'tier', 'seat', 'ticket', 'organisation', 'key', 'role', 'authority set', 'idempotency key'];

function nameOfRow(table: number, key: Uint8Array): string {
  switch (table) {
    case TABLES.receipts:
      return `the receipts row ${nameOfHeight(key)}`;
    case TABLES.blocks:
      return `the block row ${nameOfHeight(key)}`;
    case TABLES.certificates:
      return `the certificate row ${nameOfHeight(key)}`;
    case TABLES.heights:
      return `the height of block ${toHex(key)}`;
    case TABLES.transactions:
      return `the place of transaction ${toHex(key)}`;
    case TABLES.history:
      return `the history of ticket ${fromUtf8(key.subarray(0, key.indexOf(0))) ?? toHex(key)}`;
    case TABLES.state:
      return nameOfRecord(key);
    case TABLES.pages:
      return `page ${JSON.stringify(fromUtf8(key.subarray(1)) ?? toHex(key))} of the state tree`;
    case TABLES.treeKeys:
      return `the entry of ${toHex(key)} in the index by tree key`;
    case TABLES.ticketsByState:
      return `the entry of ticket ${fromUtf8(key.subarray(1)) ?? toHex(key)} in the index by state`;
    case TABLES.evidence:
      return `the evidence ${toHex(key)}`;
    default:
      return `the row ${fromUtf8(key) ?? toHex(key)}`;
  }
}

function nameOfHeight(key: Uint8Array): string {
  return `${heightOfKey(key) ?? toHex(key)}`;
}

function nameOfRecord(key: Uint8Array): string {
  const parsed = parseStateKey(key);
  const kind = parsed === undefined ? undefined : KINDS[parsed.tag - 1];
  return kind === undefined ? `the state record ${toHex(key)}` : `the record of ${kind} ${named(parsed?.id ?? '')}`;
}

function named(id: string): string {
  return id.replaceAll('\0', '/');
}
