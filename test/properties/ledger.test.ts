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
import { type Hash, Height, OrganisationId, TicketId, Timestamp } from '../../src/model/ids.ts';
import { type Operation, ROLES } from '../../src/model/operation.ts';
import { TICKET_STATES } from '../../src/model/ticket.ts';
import type { Transaction } from '../../src/model/transaction.ts';
import {
  ARENA,
  BOX_OFFICE,
  CITY,
  CUP,
  createStand,
  FEDERATION,
  GATE_A,
  GATE_B,
  GENESIS,
  grant,
  issue,
  MARKET,
  newTicket,
  OPENING,
  PROMOTER,
  revoke,
  STAND,
  TestChain,
  type Wish,
} from '../unit/ledger/fixture.ts';

const IDS = Array.from({ length: 8 }, (_, index) => TicketId(`t-${index}`));
const ORGANISATIONS = [FEDERATION, BOX_OFFICE, ARENA, CITY, MARKET, PROMOTER];

const ticketId = fc.constantFrom(...IDS);
const gate = fc.constantFrom(GATE_A, GATE_B);
const organisation = fc.constantFrom(...ORGANISATIONS, OrganisationId('nobody'));
const role = fc.constantFrom(...ROLES);
const scanKind = fc.constantFrom('consume' as const, 'admit' as const);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.array(seatedTicket(), { minLength: 1, maxLength: 4 }).map((list) => issue(...list)) },
  {
    weight: 4,
    arbitrary: fc
      .array(ticketId, { minLength: 1, maxLength: 4 })
      .map((tickets): Operation => ({ kind: 'validate', tickets })),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: scanKind, ticket: ticketId, gate }).map((scan): Operation => scan),
  },
  {
    weight: 2,
    arbitrary: ticketId.map(
      (ticket): Operation => ({ kind: 'dispute', ticket, reason: 'OTHER', note: '', gate: null }),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(organisation, role).map(([to, given]) => grant(to, given)) },
  { weight: 1, arbitrary: fc.tuple(organisation, role).map(([from, taken]) => revoke(from, taken)) },
);

function seatedTicket() {
  const seat = fc.constantFrom(null, 'A-1', 'A-2', 'A-3', 'A-4');
  const bound = fc.constantFrom(null, null, GATE_A);
  return fc.record({ ticket: ticketId, seat, gate: bound }).map(({ ticket, ...more }) => newTicket(ticket, more));
}

/** Mostly who has the right to it, sometimes anybody. */
const maker = fc.oneof(
  { weight: 5, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(...ORGANISATIONS) },
);

function usualMaker(wanted: Operation): OrganisationId {
  if (wanted.kind === 'issue' || wanted.kind === 'validate') return BOX_OFFICE;
  return wanted.kind === 'consume' || wanted.kind === 'admit' || wanted.kind === 'dispute' ? ARENA : FEDERATION;
}

const wishes: fc.Arbitrary<Wish> = fc
  .record({ operation, maker, key: fc.option(fc.constantFrom('k-1', 'k-2', 'k-3'), { nil: undefined, freq: 4 }) })
  .map(({ operation: wanted, maker: by, key }) => ({
    by: by ?? usualMaker(wanted),
    operation: wanted,
    ...(key === undefined ? {} : { key }),
  }));

const blocks = fc.array(fc.array(wishes, { maxLength: 10 }), { minLength: 1, maxLength: 6 });

const NO_LIMITS = { transactionsMax: 500, bytesMax: 1_000_000 };

/** Capacity that is scarce. */
const openings: readonly Wish[] = OPENING.map((wish) =>
  wish.operation.kind === 'tier.create' ? { ...wish, operation: { ...createStand, capacity: 6 } } : wish,
);

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
  it('moves tickets along the edges only, one version for each', () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        let before = new Map<TicketId, TicketRecord>();
        play(sequence, ({ state }) => {
          const now = ticketsIn(state.records);
          for (const ticket of now) {
            const earlier = before.get(ticket.ticket);
            const distances = distancesFrom(earlier?.state);
            expect(distances.get(ticket.state)).toBe(ticket.version - (earlier?.version ?? 0));
            if (earlier !== undefined && ticket.version === earlier.version) expect(ticket).toEqual(earlier);
          }
          expect([...before.keys()].every((id) => now.some(({ ticket }) => ticket === id))).toBe(true);
          before = new Map(now.map((ticket) => [ticket.ticket, ticket]));
        });
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
          const seats = tickets.flatMap(({ seat }) => seat ?? []);
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
        const roots: Hash[] = [];
        play(sequence, ({ stateRoot }) => roots.push(stateRoot));
        const length = cut % (sequence.length + 1);
        const again: Hash[] = [];
        const chain = play(sequence.slice(0, length), ({ stateRoot }) => again.push(stateRoot));
        expect(again).toEqual(roots.slice(0, length));
        expect(chain.root).toBe(length === 0 ? openedChain().root : roots[length - 1]);
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
          const { stateRoot, receiptsRoot } = executed;
          const header = { ...foundLedger(GENESIS).header, stateRoot, receiptsRoot };
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

/** How many edges lead from a state, or from before the issue, to each state that can be reached. */
function distancesFrom(from: TicketRecord['state'] | undefined): ReadonlyMap<TicketRecord['state'], number> {
  const distances = new Map<TicketRecord['state'], number>([[from ?? 'ISSUED', from === undefined ? 1 : 0]]);
  for (const [state, distance] of distances) {
    for (const next of EDGES[state]) if (!distances.has(next)) distances.set(next, distance + 1);
  }
  return distances;
}
