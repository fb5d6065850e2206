import { describe, expect, it } from 'vitest';
import { SIGNATURES_PER_TURN } from '../../../src/model/limits.ts';
import { sealTransaction, type Transaction } from '../../../src/model/transaction.ts';
import { verifyTransaction } from '../../../src/model/verified.ts';
import { Mempool } from '../../../src/node/mempool.ts';
import { SignaturesAhead } from '../../../src/node/signatures-ahead.ts';
import { issue } from '../../support/small-office.ts';
import { SmallWorld } from '../../support/small-world.ts';

const WORLD = new SmallWorld({ nodes: 1 });

/** Other threads whose answers come when the test says so, each true or false as `accepts` has it. */
function bench(accepts: (index: number) => boolean = () => true) {
  const mempool = new Mempool();
  const answers: (() => void)[] = [];
  const told: [number, boolean][] = [];
  const made = { handed: 0, asked: 0 };
  const begin = (bodies: readonly (readonly Transaction[])[]): SignaturesAhead =>
    new SignaturesAhead(
      {
        mempool,
        jurisdiction: {
          ...WORLD.jurisdiction,
          check: (...signed) => {
            made.asked += 1;
            return WORLD.jurisdiction.check(...signed);
          },
        },
        checkLater: (_key, _message, _signature, done) => {
          const index = made.handed;
          made.handed += 1;
          answers.push(() => done(accepts(index)));
        },
      },
      bodies,
    );
  const wait = (checks: SignaturesAhead, place: number): void =>
    checks.whenChecked(place, (areValid) => void told.push([place, areValid]));
  return { mempool, answers, told, made, begin, wait };
}

function body(name: string, count: number): Transaction[] {
  return Array.from({ length: count }, (_, index) => WORLD.transaction('boxoffice', issue(`${name}-${index}`)));
}

function forged(transaction: Transaction, other: Transaction): Transaction {
  return sealTransaction(transaction.body, other.signature);
}

describe('signatures of blocks that are executed later', () => {
  it('are checked in the order of the blocks, some at a time, and each body is told of once it is whole', () => {
    const { answers, told, made, begin, wait } = bench();
    const checks = begin([body('a', SIGNATURES_PER_TURN), body('b', 2)]);
    expect(made.handed).toBe(SIGNATURES_PER_TURN);
    wait(checks, 0);
    for (let count = 1; count < SIGNATURES_PER_TURN; count += 1) answers.shift()?.();
    expect(told).toEqual([]);
    // The others were handed over as room was made.
    expect(made.handed).toBe(SIGNATURES_PER_TURN + 2);
    answers.shift()?.();
    expect(told).toEqual([[0, true]]);
    while (answers.length > 0) answers.shift()?.();
    wait(checks, 1);
    expect(told).toEqual([
      [0, true],
      [1, true],
    ]);
    expect(made.asked).toBe(0);
  });

  it('of an empty body, and of transactions that were let in, are known at once', () => {
    const { mempool, told, made, begin, wait } = bench();
    const [known] = body('known', 1) as [Transaction];
    const verified = verifyTransaction(known, WORLD.jurisdiction.check);
    if (verified.ok) mempool.add(verified.value, 0);
    const checks = begin([[], [known]]);
    wait(checks, 0);
    wait(checks, 1);
    expect(told).toEqual([
      [0, true],
      [1, true],
    ]);
    expect(made.handed).toBe(0);
  });

  it('are judged by the rule of the chain when those threads refuse them', () => {
    const { answers, told, made, begin, wait } = bench(() => false);
    const [first, second, third] = body('odd', 3) as [Transaction, Transaction, Transaction];
    const checks = begin([[first], [forged(second, third)]]);
    while (answers.length > 0) answers.shift()?.();
    wait(checks, 0);
    wait(checks, 1);
    expect(told).toEqual([
      [0, true],
      [1, false],
    ]);
    expect(made.asked).toBe(2);
  });

  it('tell nobody anything when they are no longer wanted, and no more of them are begun', () => {
    const { answers, told, made, begin, wait } = bench();
    const checks = begin([body('gone', SIGNATURES_PER_TURN + 5)]);
    wait(checks, 0);
    checks.stop();
    while (answers.length > 0) answers.shift()?.();
    expect(told).toEqual([]);
    expect(made.handed).toBe(SIGNATURES_PER_TURN);
  });
});
