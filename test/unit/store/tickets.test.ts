import { describe, expect, it } from 'vitest';
import { parseStateKey } from '../../../src/ledger/records.ts';
import { TICKET } from '../../../src/ledger/ticket-record.ts';
import { defined } from '../../../src/lib/assert.ts';
import { TicketId } from '../../../src/model/ids.ts';
import { TICKET_STATES, type TicketState } from '../../../src/model/ticket.ts';
import type { ChainEntry } from '../../../src/store/chain.ts';
import { TABLES } from '../../../src/store/schema.ts';
import { decodeTicket, readHistory, readTicketIds, readTicketIdsOfAll } from '../../../src/store/tickets.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { copyOf, memoryStore } from '../../support/stores.ts';

const ALL = 10_000;
const WHOLE = { after: 0, limit: ALL };
const STORE = memoryStore();
const GENERATOR = await ChainGenerator.open(STORE, { seed: 5, transactions: 30 });
const ENTRIES: readonly ChainEntry[] = await GENERATOR.grow(20, 'keep');

/** Tickets as whoever replays every block knows them. */
const TICKETS = new Map<string, { state: TicketState; readonly moves: string[] }>();
for (const { changes, stored } of ENTRIES) {
  for (const { key, value } of changes) {
    const parsed = parseStateKey(key);
    if (parsed?.tag !== TICKET.tag) continue;
    const { state } = decodeTicket(value, parsed.id);
    const known = TICKETS.get(parsed.id);
    if (known === undefined) TICKETS.set(parsed.id, { state, moves: [] });
    else known.state = state;
  }
  for (const [index, { id, body }] of stored.body.entries()) {
    const receipt = defined(stored.receipts[index], 'a receipt');
    for (const { ticket } of receipt.changes) TICKETS.get(ticket)?.moves.push(`${body.operation.kind} ${id}`);
  }
}

function idsIn(state: TicketState): readonly string[] {
  return [...TICKETS]
    .filter(([, ticket]) => ticket.state === state)
    .map(([id]) => id)
    .sort();
}

describe('the tickets of a chain', () => {
  it.each(TICKET_STATES)('that are %s are all found, once and in order, in pages of any size', (state) => {
    const expected = idsIn(state);
    expect(readTicketIds(STORE, { state, after: null, limit: ALL })).toEqual(expected);
    for (const limit of [1, 3, 7]) {
      const found: string[] = [];
      for (;;) {
        const after = found.at(-1);
        const page = readTicketIds(STORE, { state, after: after === undefined ? null : TicketId(after), limit });
        found.push(...page);
        if (page.length < limit) break;
      }
      expect(found).toEqual(expected);
    }
  });

  it('are all found whatever their state', () => {
    const expected = [...TICKETS.keys()].sort();
    expect(expected.length).toBeGreaterThan(100);
    expect(readTicketIdsOfAll(STORE, { after: null, limit: ALL })).toEqual(expected);
    const [first] = expected;
    const after = TicketId(defined(first, 'a ticket'));
    expect(readTicketIdsOfAll(STORE, { after, limit: 2 })).toEqual(expected.slice(1, 3));
    expect(TICKET_STATES.flatMap(idsIn).sort()).toEqual(expected);
  });

  it('have their own moves in the order of the chain, and nobody else’s', () => {
    for (const [id, { moves }] of TICKETS) {
      const history = readHistory(STORE, TicketId(id), WHOLE);
      expect(history.map(({ type, transaction }) => `${type} ${transaction}`)).toEqual(moves);
      for (const { transaction, height, at } of history) {
        const entry = defined(ENTRIES[height - 1], 'the block of the move');
        expect(entry.stored.body.map((one) => one.id)).toContain(transaction);
        expect(at).toBe(entry.stored.header.timestamp);
      }
    }
  });

  it('whose names begin alike are told apart', () => {
    const names = [...TICKETS.keys()];
    const [short, long] = names.flatMap((name) => {
      const longer = names.find((other) => other !== name && other.startsWith(name));
      return longer === undefined ? [] : [[name, longer] as const];
    })[0] ?? ['', ''];
    expect(long.length).toBeGreaterThan(short.length);
    expect(readHistory(STORE, TicketId(short), WHOLE)).toHaveLength(TICKETS.get(short)?.moves.length ?? -1);
  });

  it('have histories as long as is asked for', () => {
    const [id] = [...TICKETS].find(([, { moves }]) => moves.length > 1) ?? [''];
    const [first, ...rest] = readHistory(STORE, TicketId(id), WHOLE);
    expect(readHistory(STORE, TicketId(id), { after: 0, limit: 1 })).toEqual([first]);
    expect(readHistory(STORE, TicketId(id), { after: 1, limit: ALL })).toEqual(rest);
    expect(readHistory(STORE, TicketId(id), { after: 1 + rest.length, limit: ALL })).toEqual([]);
    expect(readHistory(STORE, TicketId('nobody'), WHOLE)).toEqual([]);
  });

  it('that are damaged are told of, and not guessed', async () => {
    const [row] = STORE.range(TABLES.history, { limit: 1 });
    const { key, value } = defined(row, 'a move');
    const damaged = await copyOf(STORE, [{ table: TABLES.history, key, value: value.slice(1) }]);
    const name = Buffer.from(key).toString('latin1').split('\0')[0] ?? '';
    expect(() => readHistory(damaged, TicketId(name), WHOLE)).toThrow(`the history of ticket ${name} is damaged`);
  });
});
