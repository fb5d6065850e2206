import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hash, PublicKey, Timestamp, View } from '../../../src/model/ids.ts';
import { MEMPOOL_PER_SIGNER_MAX, MEMPOOL_TRANSACTIONS_MAX } from '../../../src/model/limits.ts';
import type { Transaction } from '../../../src/model/transaction.ts';
import type { Verified } from '../../../src/model/verified.ts';
import { Mempool } from '../../../src/node/mempool.ts';
import { issue, openWorld } from '../../support/small-office.ts';

const MODEL = openWorld({ nodes: 1 }).transaction('boxoffice', issue('a1')) as Verified<Transaction>;

/** A transaction as far as a mempool looks at it. */
function made(index: number, more: { signer?: number; expiresAt?: number } = {}): Verified<Transaction> {
  const id = Hash(index.toString(16).padStart(64, '0'));
  const signer = PublicKey((more.signer ?? 1).toString(16).padStart(64, '0'));
  const expiresAt = Timestamp(more.expiresAt ?? 60_000);
  return { ...MODEL, id, body: { ...MODEL.body, signer, expiresAt } };
}

type Action =
  | { readonly kind: 'add'; readonly index: number; readonly signer: number; readonly expiresAt: number }
  | { readonly kind: 'remove'; readonly index: number }
  | { readonly kind: 'expire'; readonly time: number }
  | { readonly kind: 'overdue'; readonly view: number; readonly waitMs: number; readonly most: number }
  | { readonly kind: 'forget' };

const AGE_MS = 100;
const index = fc.nat(30);
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), index, signer: fc.nat(3), expiresAt: fc.nat(6_000) }),
  fc.record({ kind: fc.constant('remove' as const), index }),
  fc.record({ kind: fc.constant('expire' as const), time: fc.nat(6_000) }),
  fc.record({
    kind: fc.constant('overdue' as const),
    view: fc.nat(2),
    waitMs: fc.nat(600),
    most: fc.integer({ min: 1, max: 4 }),
  }),
  fc.constant({ kind: 'forget' as const }),
);

interface Row {
  readonly transaction: Verified<Transaction>;
  readonly arrivedMs: number;
  forwarded: { view: number; lastMs: number } | null;
}

/** A mempool as a list that is searched from end to end. */
class NaiveMempool {
  rows: Row[] = [];

  overdue(nowMs: number, view: number, most: number) {
    const first: Hash[] = [];
    const again: Hash[] = [];
    for (const row of this.rows) {
      if (nowMs - row.arrivedMs < AGE_MS || first.length + again.length === most) break;
      const isAgain = row.forwarded?.view === view;
      if (isAgain && nowMs - (row.forwarded?.lastMs ?? 0) < 10 * AGE_MS) continue;
      (isAgain ? again : first).push(row.transaction.id);
      row.forwarded = { view, lastMs: nowMs };
    }
    return { first, again };
  }
}

describe('a mempool', () => {
  it('does what a list does that is searched from end to end', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const mempool = new Mempool();
        const naive = new NaiveMempool();
        let nowMs = 0;
        for (const one of actions) {
          nowMs += one.kind === 'overdue' ? one.waitMs : 10;
          perform(one, { mempool, naive, nowMs });
          expect([...mempool.waiting()].map(({ id }) => id)).toEqual(
            naive.rows.map(({ transaction }) => transaction.id),
          );
          expect(mempool.size).toBe(naive.rows.length);
          expect(mempool.bytes).toBe(naive.rows.length * MODEL.bytes.length);
          expect(mempool.oldest()?.arrivedMs).toBe(naive.rows[0]?.arrivedMs);
        }
      }),
      { numRuns: 300 },
    );
  });

  function perform(one: Action, world: { mempool: Mempool; naive: NaiveMempool; nowMs: number }): void {
    const { mempool, naive, nowMs } = world;
    switch (one.kind) {
      case 'add': {
        const transaction = made(one.index, one);
        const isKnown = naive.rows.some(({ transaction: { id } }) => id === transaction.id);
        expect(mempool.add(transaction, nowMs)).toBe(isKnown ? 'known' : 'added');
        if (!isKnown) naive.rows.push({ transaction, arrivedMs: nowMs, forwarded: null });
        return;
      }
      case 'remove': {
        const { id } = made(one.index);
        mempool.remove(id);
        naive.rows = naive.rows.filter(({ transaction }) => transaction.id !== id);
        return;
      }
      case 'expire': {
        const isOver = ({ transaction }: Row): boolean => transaction.body.expiresAt <= one.time;
        const expected = naive.rows.filter(isOver).map(({ transaction }) => transaction.id);
        expect([...mempool.expire(Timestamp(one.time))].sort()).toEqual(expected.sort());
        naive.rows = naive.rows.filter((row) => !isOver(row));
        return;
      }
      case 'overdue': {
        const { first, again } = mempool.overdue(nowMs, { ageMs: AGE_MS, view: View(one.view), most: one.most });
        const ids = { first: first.map(({ id }) => id), again: again.map(({ id }) => id) };
        expect(ids).toEqual(naive.overdue(nowMs, one.view, one.most));
        return;
      }
      case 'forget':
        mempool.forgetForwards();
        for (const row of naive.rows) row.forwarded = null;
    }
  }

  it('keeps a key from taking all the room, and gives the room back', () => {
    const mempool = new Mempool();
    for (let at = 0; at < MEMPOOL_PER_SIGNER_MAX; at += 1) mempool.add(made(at), 0);
    expect(mempool.add(made(MEMPOOL_PER_SIGNER_MAX), 0)).toBe('quota');
    expect(mempool.add(made(MEMPOOL_PER_SIGNER_MAX, { signer: 2 }), 0)).toBe('added');
    mempool.remove(made(7).id);
    expect(mempool.add(made(MEMPOOL_PER_SIGNER_MAX + 1), 0)).toBe('added');
    expect(mempool.add(made(8), 0)).toBe('known');
  });

  it('is full at its bound, and takes again when something has left or expired', () => {
    const mempool = new Mempool();
    for (let at = 0; at < MEMPOOL_TRANSACTIONS_MAX; at += 1) {
      mempool.add(made(at, { signer: at % 7, expiresAt: at < 10 ? 1_000 : 90_000 }), at);
    }
    expect(mempool.size).toBe(MEMPOOL_TRANSACTIONS_MAX);
    expect(mempool.add(made(1_000_000), 0)).toBe('full');
    expect(mempool.expire(Timestamp(999))).toHaveLength(0);
    expect(mempool.expire(Timestamp(1_000))).toHaveLength(10);
    expect(mempool.add(made(1_000_000), 0)).toBe('added');
  });

  it('knows when a transaction was first passed on in a view, however often it was', () => {
    const mempool = new Mempool();
    mempool.add(made(1), 0);
    const pass = (nowMs: number, view: number) => mempool.overdue(nowMs, { ageMs: AGE_MS, view: View(view), most: 9 });
    expect(pass(99, 0).first).toHaveLength(0);
    expect(pass(100, 0).first).toHaveLength(1);
    expect(pass(1_099, 0).again).toHaveLength(0);
    expect(pass(1_100, 0).again).toHaveLength(1);
    expect(mempool.oldest()?.forwarded).toEqual({ view: 0, firstMs: 100, lastMs: 1_100 });
    expect(pass(1_101, 1).first).toHaveLength(1);
    expect(mempool.oldest()?.forwarded).toEqual({ view: 1, firstMs: 1_101, lastMs: 1_101 });
  });
});
