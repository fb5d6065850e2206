import { parseStateKey } from '../ledger/records.ts';
import type { StateChange } from '../ledger/state.ts';
import { TICKET, type TicketRecord } from '../ledger/ticket-record.ts';
import { assert } from '../lib/assert.ts';
import { concat, fromUtf8, utf8 } from '../lib/bytes.ts';
import { type Codec, decode, encode, nullable, oneOf, struct, u32 } from '../model/codec.ts';
import type { GateId, Hash, Height, OrganisationId, TicketId, Timestamp } from '../model/ids.ts';
import { gateIdLayout, hashLayout, heightLayout, organisationIdLayout, timestampLayout } from '../model/layouts.ts';
import type { OperationKind } from '../model/operation.ts';
import { STANDINGS, TICKET_STATES, type TicketChange, type TicketState } from '../model/ticket.ts';
import { CorruptionError, type StoredBlock } from './blocks.ts';
import type { KeyValueChange, KeyValueReads } from './key-value.ts';
import { afterPrefix, heightKey, nameKey, TABLES } from './schema.ts';

/** One version in the life of a ticket, and what made it. */
export interface TicketEvent extends Omit<TicketChange, 'ticket'> {
  readonly type: OperationKind;
  readonly transaction: Hash;
  readonly height: Height;
  readonly at: Timestamp;
  readonly agent: OrganisationId;
  readonly gate: GateId | null;
}

/** Operations that make versions of tickets; the place in the list is stored. Appended to only. */
const MOVES = [
  'issue',
  'validate',
  'consume',
  'admit',
  'dispute',
  'transfer',
  'hold',
  'release',
  'revoke',
  'case.open',
  'resolve',
] as const satisfies readonly OperationKind[];

const eventLayout: Codec<TicketEvent> = struct<TicketEvent>({
  type: oneOf<OperationKind>(MOVES),
  version: u32,
  state: oneOf(TICKET_STATES),
  standing: oneOf(STANDINGS),
  epoch: u32,
  holder: nullable(hashLayout),
  transaction: hashLayout,
  height: heightLayout,
  at: timestampLayout,
  agent: organisationIdLayout,
  gate: nullable(gateIdLayout),
});

/** Four bytes of the version, so that byte order is the order of versions. */
function historyKey(ticket: TicketId, version: number): Uint8Array {
  return nameKey(ticket, heightKey(version).slice(4));
}

/** What one block adds to the histories of the tickets that it changed. */
export function historyChanges({ header, body, receipts }: StoredBlock): readonly KeyValueChange[] {
  return body.flatMap(({ id, body: { operation, organisation } }, index) =>
    (receipts[index]?.changes ?? []).map(({ ticket, ...change }) => ({
      table: TABLES.history,
      key: historyKey(ticket, change.version),
      value: encode(eventLayout, {
        ...change,
        type: operation.kind,
        transaction: id,
        height: header.height,
        at: header.timestamp,
        agent: organisation,
        gate: 'gate' in operation ? operation.gate : null,
      }),
    })),
  );
}

/** Which versions of a ticket are asked for: those above `after`, `limit` at most. */
export interface HistoryPage {
  readonly after: number;
  readonly limit: number;
}

/** Versions of one ticket, oldest first. */
export function readHistory(
  reads: KeyValueReads,
  ticket: TicketId,
  { after, limit }: HistoryPage,
): readonly TicketEvent[] {
  const from = historyKey(ticket, after + 1);
  const to = afterPrefix(nameKey(ticket));
  const range = to === undefined ? { from, limit } : { from, to, limit };
  const events: TicketEvent[] = [];
  for (const { value } of reads.range(TABLES.history, range)) {
    const row = decode(eventLayout, value);
    if (!row.ok) throw new CorruptionError(`the history of ticket ${ticket} is damaged`);
    events.push(row.value);
  }
  return events;
}

function stateIndexKey(state: TicketState, ticket: string): Uint8Array {
  return concat(Uint8Array.of(TICKET_STATES.indexOf(state)), utf8(ticket));
}

/** How a block's changes of ticket records move them in the index by state. */
export function stateIndexChanges(
  changes: readonly StateChange[],
  before: (key: Uint8Array) => Uint8Array | undefined,
): readonly KeyValueChange[] {
  return changes.flatMap(({ key, value }) => {
    const parsed = parseStateKey(key);
    if (parsed === undefined || parsed.tag !== TICKET.tag) return [];
    const now = decodeTicket(value, parsed.id).state;
    const old = before(key);
    const then = old === undefined ? undefined : decodeTicket(old, parsed.id).state;
    if (now === then) return [];
    const added = { table: TABLES.ticketsByState, key: stateIndexKey(now, parsed.id), value: new Uint8Array(0) };
    return then === undefined
      ? [added]
      : [{ table: TABLES.ticketsByState, key: stateIndexKey(then, parsed.id), value: undefined }, added];
  });
}

export function decodeTicket(bytes: Uint8Array, id: string): TicketRecord {
  const record = decode(TICKET.layout, bytes);
  if (!record.ok) throw new CorruptionError(`the record of ticket ${id} is damaged`);
  return record.value;
}

/** Ids of tickets in one state, ascending, after `after`. */
export function readTicketIds(
  reads: KeyValueReads,
  query: { readonly state: TicketState; readonly after: TicketId | null; readonly limit: number },
): readonly string[] {
  const prefix = Uint8Array.of(TICKET_STATES.indexOf(query.state));
  const from = query.after === null ? prefix : concat(prefix, utf8(query.after), Uint8Array.of(0));
  const to = afterPrefix(prefix);
  assert(to !== undefined, 'a state is not the last byte');
  return [...reads.range(TABLES.ticketsByState, { from, to, limit: query.limit })].map(
    ({ key }) => fromUtf8(key.subarray(1)) ?? '',
  );
}

/** Ids of all tickets, ascending, after `after`. */
export function readTicketIdsOfAll(
  reads: KeyValueReads,
  query: { readonly after: TicketId | null; readonly limit: number },
): readonly string[] {
  const prefix = Uint8Array.of(TICKET.tag);
  const from = query.after === null ? prefix : concat(prefix, utf8(query.after), Uint8Array.of(0));
  const to = afterPrefix(prefix);
  assert(to !== undefined, 'a tag is not the last byte');
  return [...reads.range(TABLES.state, { from, to, limit: query.limit })].map(
    ({ key }) => parseStateKey(key)?.id ?? '',
  );
}
