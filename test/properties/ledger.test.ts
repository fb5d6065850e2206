import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildBlock,
  checkRoots,
  detachState,
  type ExecutedBlock,
  type ExecutionContext,
  executeBlock,
} from '../../src/ledger/execute.ts';
import { foundLedger } from '../../src/ledger/genesis.ts';
import { EDGES } from '../../src/ledger/lifecycle.ts';
import { tierKey } from '../../src/ledger/records.ts';
import type { Overlay } from '../../src/ledger/state.ts';
import type { TicketRecord } from '../../src/ledger/ticket-record.ts';
import { defined } from '../../src/lib/assert.ts';
import { type Hash, Height, type TicketId, Timestamp } from '../../src/model/ids.ts';
import { type Standing, TICKET_STATES, type TicketChange } from '../../src/model/ticket.ts';
import type { Transaction } from '../../src/model/transaction.ts';
import {
  CITY,
  CUP,
  createStand,
  FEDERATION,
  GENESIS,
  grant,
  OPENING,
  STAND,
  TestChain,
  TRADED,
  type Wish,
} from '../unit/ledger/fixture.ts';
import { blocks, IDS } from './wishes.ts';

const NO_LIMITS = { transactionsMax: 500, bytesMax: 1_000_000 };

/** Capacity that is scarce. */
const openings: readonly Wish[] = [
  ...OPENING.map((wish) =>
    wish.operation.kind === 'tier.create'
      ? { ...wish, operation: { ...createStand, capacity: 6, transfer: TRADED } }
      : wish,
  ),
  { by: FEDERATION, operation: grant(CITY, 'arbiter') },
];

function openedChain(): TestChain {
  const chain = new TestChain();
  chain.run(openings.map((wish) => chain.wish(wish)));
  return chain;
}

function candidatesOf(chain: TestChain, block: readonly Wish[]): Transaction[] {
  return block.map((wish, nonce) => chain.wish({ ...wish, nonce }));
}

/** Runs blocks of whatever may enter, and shows every one of them. */
function play(
  sequence: readonly (readonly Wish[])[],
  watch: (executed: ExecutedBlock, body: readonly Transaction[]) => void = () => undefined,
): TestChain {
  const chain = openedChain();
  for (const block of sequence) {
    const { body, executed } = buildBlock(chain.context(), candidatesOf(chain, block), NO_LIMITS);
    chain.commit(executed, body);
    watch(executed, body);
  }
  return chain;
}

function ticketsIn(state: Overlay): TicketRecord[] {
  return IDS.flatMap((id) => state.tickets.get(id) ?? []);
}

function tierIn(state: Overlay) {
  return defined(state.tiers.get(tierKey(CUP, STAND)), 'the tier');
}

describe('any history', () => {
  it('tells of every version in its receipts, one further each, along the edges only', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        const told = new Map<TicketId, TicketChange>();
        play(sequence, ({ state, receipts }) => {
          for (const { accepted, replayOf, changes } of receipts) {
            if (!accepted || replayOf !== null) expect(changes).toEqual([]);
            for (const change of changes) {
              expectNextVersion(told.get(change.ticket), change);
              told.set(change.ticket, change);
            }
          }
          expect(new Map(ticketsIn(state.records).map((ticket) => [ticket.ticket, changeOf(ticket)]))).toEqual(told);
        });
      }),
    );
  });

  it('leaves a ticket alone that no receipt tells of', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        let before = new Map<TicketId, TicketRecord>();
        play(sequence, ({ state, receipts }) => {
          const changed = new Set(receipts.flatMap(({ changes }) => changes.map(({ ticket }) => ticket)));
          const now = new Map(ticketsIn(state.records).map((ticket) => [ticket.ticket, ticket]));
          for (const [id, ticket] of before) if (!changed.has(id)) expect(now.get(id)).toEqual(ticket);
          before = now;
        });
      }),
    );
  });

  it('admits no ticket that is held or revoked, and takes no revocation back', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        const standings = new Map<TicketId, Standing>();
        play(sequence, ({ receipts }) => {
          for (const { ticket, state, standing } of receipts.flatMap(({ changes }) => changes)) {
            if (state === 'CONSUMED') expect(standing).toBe('GOOD');
            if (standings.get(ticket) === 'REVOKED') expect(standing).toBe('REVOKED');
            standings.set(ticket, standing);
          }
        });
      }),
    );
  });

  it('links every replacement with the ticket whose place it takes', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        const tickets = ticketsIn(play(sequence).context().parent.records);
        const byId = new Map(tickets.map((ticket) => [ticket.ticket, ticket]));
        for (const { ticket, holder, replaces, replacedBy } of tickets) {
          const old = replaces === null ? undefined : byId.get(replaces);
          if (replaces !== null) expect(defined(old, 'what it replaces').state).not.toBe('ISSUED');
          if (replacedBy !== null) expect(byId.get(replacedBy)?.replaces).toBe(ticket);
          if (old?.state === 'DISPUTED') expect([ticket, holder]).toEqual([old.replacedBy, old.holder ?? holder]);
        }
      }),
    );
  });

  it('consumes a ticket at most once, and remembers by which transaction', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        const admissions = new Map<string, Hash>();
        const chain = play(sequence, ({ receipts }, body) => {
          receipts.forEach(({ accepted, replayOf, transaction, firstScan, subject }, index) => {
            const { operation: done } = defined(body[index], 'a transaction for each receipt').body;
            if (firstScan !== null) expect(admissions.get(subject ?? '')).toBe(firstScan.transaction);
            if (!accepted || replayOf !== null || (done.kind !== 'consume' && done.kind !== 'admit')) return;
            expect(admissions.has(done.ticket)).toBe(false);
            admissions.set(done.ticket, transaction);
          });
        });
        const consumed = ticketsIn(chain.context().parent.records).filter(({ state }) => state === 'CONSUMED');
        expect(new Map(consumed.map(({ ticket, firstScan }) => [ticket as string, firstScan?.transaction]))).toEqual(
          admissions,
        );
      }),
    );
  });

  it('counts every ticket once, within the capacity', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        play(sequence, ({ state }) => {
          const tickets = ticketsIn(state.records);
          const tier = tierIn(state.records);
          const counted = TICKET_STATES.map((name) => tickets.filter((ticket) => ticket.state === name).length);
          const { issued, validated, consumed, disputed, capacity } = tier;
          expect(counted).toEqual([issued - validated - consumed - disputed, validated, consumed, disputed]);
          expect(issued).toBeLessThanOrEqual(capacity);
          expect(state.records.events.get(CUP)?.issued).toBe(issued);
          const seated = tickets.filter(({ state: at, replacedBy }) => at !== 'DISPUTED' || replacedBy === null);
          const seats = seated.flatMap(({ seat }) => seat ?? []);
          expect(new Set(seats).size).toBe(seats.length);
        });
      }),
    );
  });

  it('does an operation with one idempotency key once', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        const first = new Map<string, Hash>();
        play(sequence, ({ receipts }, body) => {
          receipts.forEach((receipt, index) => {
            const { organisation: by, idempotencyKey } = defined(body[index], 'a transaction').body;
            if (idempotencyKey === null) return;
            const known = first.get(`${by} ${idempotencyKey}`);
            if (known === undefined) first.set(`${by} ${idempotencyKey}`, receipt.transaction);
            else expect(receipt.replayOf === known || receipt.code === 'IDEMPOTENCY_KEY_REUSED').toBe(true);
            expect(receipt.replayOf).not.toBe(receipt.transaction);
          });
        });
      }),
    );
  });

  it('gives the same roots when any prefix of it is played again', () => {
    fc.assert(
      fc.property(blocks, fc.nat(), (sequence, cut) => {
        const roots: unknown[] = [];
        play(sequence, (executed) => roots.push(rootsOf(executed)));
        const length = cut % (sequence.length + 1);
        const again: unknown[] = [];
        const chain = play(sequence.slice(0, length), (executed) => again.push(rootsOf(executed)));
        expect(again).toEqual(roots.slice(0, length));
        if (length === 0) expect(chain.root).toBe(openedChain().root);
      }),
      { numRuns: 50 },
    );
  });

  it('of built blocks is what executing them gives', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        const chain = openedChain();
        for (const block of sequence) {
          const { body, executed } = buildBlock(chain.context(), candidatesOf(chain, block), NO_LIMITS);
          const again = executeBlock(chain.context(), body);
          if (!again.ok) throw new Error(JSON.stringify(again.error));
          const { stateRoot, receiptsRoot, graphRoot } = executed;
          const header = { ...foundLedger(GENESIS).header, stateRoot, receiptsRoot, graphRoot };
          expect(checkRoots(header, again.value)).toBeUndefined();
          chain.commit(again.value, body);
        }
      }),
    );
  });

  it('is the same on overlays of a pipeline, however late they are stored', () => {
    fc.assert(
      fc.property(blocks, fc.integer({ min: 1, max: 4 }), (sequence, window) => {
        const bodies: (readonly Transaction[])[] = [];
        const plain = play(sequence, (_, body) => bodies.push(body));
        const chain = openedChain();
        const inFlight: { readonly executed: ExecutedBlock; readonly body: readonly Transaction[] }[] = [];
        let context: ExecutionContext = chain.context();
        for (const body of bodies) {
          const executed = executeBlock(context, body);
          if (!executed.ok) throw new Error(JSON.stringify(executed.error));
          inFlight.push({ executed: executed.value, body });
          context = {
            ...context,
            height: Height(context.height + 1),
            timestamp: Timestamp(context.timestamp + 1_000),
            parent: executed.value.state,
          };
          if (inFlight.length < window) continue;
          const oldest = defined(inFlight.shift(), 'a block in flight');
          chain.commit(oldest.executed, oldest.body);
          const next = inFlight[0];
          if (next !== undefined) detachState(next.executed.state);
        }
        expect(context.parent.root).toBe(plain.root);
        for (const { executed, body } of inFlight) chain.commit(executed, body);
        expect(chain.records()).toEqual(plain.records());
      }),
    );
  });
});

function expectNextVersion(earlier: TicketChange | undefined, change: TicketChange): void {
  expect(change.version).toBe((earlier?.version ?? 0) + 1);
  if (earlier === undefined) {
    expect(change).toMatchObject({ state: 'ISSUED', standing: 'GOOD', epoch: 0 });
    return;
  }
  expect([earlier.state, ...EDGES[earlier.state]]).toContain(change.state);
  expect([0, 1]).toContain(change.epoch - earlier.epoch);
  if (change.holder !== earlier.holder) expect(change.epoch).toBe(earlier.epoch + 1);
}

function rootsOf({ stateRoot, receiptsRoot, graphRoot }: ExecutedBlock) {
  return { stateRoot, receiptsRoot, graphRoot };
}

function changeOf({ ticket, version, state, standing, epoch, holder }: TicketRecord): TicketChange {
  return { ticket, version, state, standing, epoch, holder };
}
