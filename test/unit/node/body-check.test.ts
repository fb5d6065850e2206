import { describe, expect, it } from 'vitest';
import { SIGNATURES_PER_TURN } from '../../../src/model/limits.ts';
import { sealTransaction, type Transaction } from '../../../src/model/transaction.ts';
import { verifyTransaction } from '../../../src/model/verified.ts';
import { checkBody } from '../../../src/node/body-check.ts';
import { Mempool } from '../../../src/node/mempool.ts';
import { issue } from '../../support/small-office.ts';
import { SmallWorld } from '../../support/small-world.ts';

const WORLD = new SmallWorld({ nodes: 1 });

interface Bench {
  readonly mempool: Mempool;
  readonly turns: (() => void)[];
  readonly verdicts: boolean[];
  checks: number;
  readonly check: (body: readonly Transaction[]) => () => void;
}

function bench(): Bench {
  const mempool = new Mempool();
  const turns: (() => void)[] = [];
  const made: Bench = {
    mempool,
    turns,
    verdicts: [],
    checks: 0,
    check: (body) =>
      checkBody(
        {
          mempool,
          jurisdiction: {
            ...WORLD.jurisdiction,
            check: (...signed) => {
              made.checks += 1;
              return WORLD.jurisdiction.check(...signed);
            },
          },
          timers: { after: () => () => undefined, soon: (turn) => void turns.push(turn) },
        },
        body,
        (areValid) => made.verdicts.push(areValid),
      ),
  };
  return made;
}

function body(count: number): Transaction[] {
  return Array.from({ length: count }, (_, index) => WORLD.transaction('boxoffice', issue(`t${index}`)));
}

function admitted(mempool: Mempool, transaction: Transaction): void {
  const verified = verifyTransaction(transaction, WORLD.jurisdiction.check);
  if (verified.ok) mempool.add(verified.value, 0);
}

describe('the signatures of a body', () => {
  it('that were checked at admission are not checked again', () => {
    const { mempool, check, verdicts, ...made } = bench();
    const transactions = body(3);
    for (const transaction of transactions) admitted(mempool, transaction);
    check(transactions);
    expect(verdicts).toEqual([true]);
    expect(made.checks).toBe(0);
  });

  it('are checked when they are others than those of the transactions that were admitted', () => {
    const made = bench();
    const [first, second] = body(2) as [Transaction, Transaction];
    admitted(made.mempool, first);
    made.check([sealTransaction(first.body, second.signature)]);
    expect(made.verdicts).toEqual([false]);
    expect(made.checks).toBe(1);
  });

  it('are checked in portions, and the first wrong one ends it', () => {
    const made = bench();
    const transactions = body(3 * SIGNATURES_PER_TURN);
    made.check(transactions);
    expect(made.checks).toBe(SIGNATURES_PER_TURN);
    made.turns.shift()?.();
    expect(made.checks).toBe(2 * SIGNATURES_PER_TURN);
    expect(made.verdicts).toEqual([]);
    made.turns.shift()?.();
    expect(made.verdicts).toEqual([true]);
    expect(made.turns).toEqual([]);
    const [first] = transactions;
    const wrong = transactions.map((one) =>
      one === first ? one : sealTransaction(one.body, first?.signature ?? one.signature),
    );
    made.check(wrong);
    expect(made.verdicts).toEqual([true, false]);
    expect(made.checks).toBe(3 * SIGNATURES_PER_TURN + 2);
  });

  it('are not checked any further when nobody wants to know any more', () => {
    const made = bench();
    const end = made.check(body(2 * SIGNATURES_PER_TURN));
    end();
    made.turns.shift()?.();
    expect(made.checks).toBe(SIGNATURES_PER_TURN);
    expect(made.verdicts).toEqual([]);
  });
});
