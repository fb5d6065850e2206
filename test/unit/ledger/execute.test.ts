import { describe, expect, it } from 'vitest';
import {
  buildBlock,
  checkRoots,
  detachState,
  type ExecutionContext,
  executeBlock,
  isBodyOf,
} from '../../../src/ledger/execute.ts';
import { foundLedger } from '../../../src/ledger/genesis.ts';
import { stateKey } from '../../../src/ledger/records.ts';
import { prove, verifyProof } from '../../../src/ledger/state-proof.ts';
import { TICKET } from '../../../src/ledger/ticket-record.ts';
import { defined } from '../../../src/lib/assert.ts';
import { bodySize, type Header, transactionsRoot } from '../../../src/model/block.ts';
import { BLOCK_TICKETS_MAX } from '../../../src/model/graph-limits.ts';
import { Height, Timestamp, ZERO_HASH } from '../../../src/model/ids.ts';
import { TICKETS_PER_TRANSACTION_MAX } from '../../../src/model/limits.ts';
import { merkleRoot } from '../../../src/model/merkle.ts';
import { receiptBytes } from '../../../src/model/receipt.ts';
import type { Transaction } from '../../../src/model/transaction.ts';
import {
  ARENA,
  BOX_OFFICE,
  CITY,
  FEDERATION,
  GENESIS,
  grant,
  issue,
  newTicket,
  OPENING,
  resolve,
  revoke,
  scan,
  spare,
  TestChain,
  validate,
  type Wish,
} from './fixture.ts';
import { hashOf } from './samples.ts';

const SALE: readonly Wish[] = [
  { by: BOX_OFFICE, operation: issue('a', 'b', 'c') },
  { by: BOX_OFFICE, operation: validate('a', 'b') },
];

const SCANS: readonly Wish[] = [
  { by: ARENA, operation: scan('consume', 'a') },
  { by: ARENA, operation: scan('consume', 'c') },
  { by: ARENA, operation: scan('consume', 'a'), nonce: 1 },
  { by: ARENA, operation: scan('consume', 'forged') },
];

function openedChain(): TestChain {
  const chain = new TestChain();
  chain.run(OPENING.map((wish) => chain.wish(wish)));
  return chain;
}

function bodyOf(chain: TestChain, wishes: readonly Wish[]): Transaction[] {
  return wishes.map((wish) => chain.wish(wish));
}

const NO_LIMITS = { transactionsMax: 1_000, bytesMax: 10_000_000 };

describe('a block', () => {
  it('gives every transaction its receipt, accepted or refused', () => {
    const chain = openedChain();
    chain.run(bodyOf(chain, SALE));
    const body = bodyOf(chain, SCANS);
    const { receipts, receiptsRoot } = chain.run(body);
    expect(receipts.map(({ code }) => code)).toEqual([null, 'NOT_VALIDATED', 'ALREADY_CONSUMED', 'UNKNOWN_TICKET']);
    expect(receipts.map(({ transaction }) => transaction)).toEqual(body.map(({ id }) => id));
    expect(receiptsRoot).toBe(merkleRoot(receipts.map(receiptBytes)));
  });

  it('sees what its earlier transactions did', () => {
    const chain = openedChain();
    const { receipts } = chain.run(bodyOf(chain, [...SALE, ...SCANS.slice(0, 1)]));
    expect(receipts.every(({ accepted }) => accepted)).toBe(true);
  });

  it('without transactions changes nothing', () => {
    const chain = openedChain();
    const before = chain.root;
    const executed = chain.run([]);
    expect(executed).toMatchObject({ stateRoot: before, receiptsRoot: ZERO_HASH, changes: [], receipts: [] });
    expect(executed.pageWrites.size).toBe(0);
  });

  it('that only refuses changes nothing', () => {
    const chain = openedChain();
    const before = chain.root;
    expect(chain.run(bodyOf(chain, SCANS.slice(3))).stateRoot).toBe(before);
  });

  it('leaves the state of its parent as it was', () => {
    const chain = openedChain();
    const context = chain.context();
    const first = executeBlock(context, bodyOf(chain, SALE));
    const second = executeBlock(context, bodyOf(chain, SALE));
    expect(first.ok && second.ok && first.value.stateRoot).toBe(second.ok && second.value.stateRoot);
    expect(context.parent.records.tickets.get('a')).toBeUndefined();
    expect(context.parent.records.changes()).toEqual([]);
  });

  it('can be proven record by record', () => {
    const chain = openedChain();
    chain.run(bodyOf(chain, SALE));
    const key = stateKey(TICKET, 'a');
    expect(verifyProof(chain.root, key, prove(chain.pageReader, key))).toMatchObject({ isPresent: true });
    const absent = stateKey(TICKET, 'forged');
    expect(verifyProof(chain.root, absent, prove(chain.pageReader, absent))).toEqual({ isPresent: false });
  });
});

describe('a block is invalid', () => {
  const execute = (chain: TestChain, wishes: readonly Wish[], more: Partial<ExecutionContext> = {}) =>
    executeBlock({ ...chain.context(), ...more }, bodyOf(chain, wishes));

  it('with the index of the transaction that may not stand in it', () => {
    const chain = openedChain();
    const bad: Wish = { by: CITY, operation: issue('x') };
    expect(execute(chain, [...SALE, bad])).toEqual({ ok: false, error: { code: 'NOT_PERMITTED', index: 2 } });
  });

  it('with a transaction twice', () => {
    const chain = openedChain();
    const [sale] = SALE;
    const result = execute(chain, [...SALE, ...(sale === undefined ? [] : [sale])]);
    expect(result).toEqual({ ok: false, error: { code: 'ALREADY_FINAL', index: 2 } });
  });

  it('with a transaction of an ancestor', () => {
    const chain = openedChain();
    const body = bodyOf(chain, SALE);
    chain.run(body);
    expect(executeBlock(chain.context(), body)).toEqual({ ok: false, error: { code: 'ALREADY_FINAL', index: 0 } });
  });

  it('with a transaction whose right its earlier ones took away', () => {
    const chain = openedChain();
    const wishes: Wish[] = [{ by: FEDERATION, operation: revoke(BOX_OFFICE, 'issuer') }, ...SALE];
    expect(execute(chain, wishes)).toEqual({ ok: false, error: { code: 'NOT_PERMITTED', index: 1 } });
  });

  it('at a time when a transaction has expired', () => {
    const chain = openedChain();
    const late = Timestamp(chain.timestamp + 30_001);
    expect(execute(chain, SALE, { timestamp: late })).toEqual({ ok: false, error: { code: 'EXPIRED', index: 0 } });
  });

  it('with more transactions or bytes than the parameters allow', () => {
    const chain = openedChain();
    const { parameters } = GENESIS;
    const size = bodySize(bodyOf(chain, SALE));
    const few = { ...parameters, blockTransactionsMax: 1 };
    const small = { ...parameters, blockBytesMax: size - 1 };
    const exact = { ...parameters, blockTransactionsMax: 2, blockBytesMax: size };
    expect(execute(chain, SALE, { parameters: few })).toEqual({ ok: false, error: { code: 'TOO_MANY_TRANSACTIONS' } });
    expect(execute(chain, SALE, { parameters: small })).toEqual({ ok: false, error: { code: 'BLOCK_TOO_LARGE' } });
    expect(execute(chain, SALE, { parameters: exact }).ok).toBe(true);
  });
});

describe('a block that is built', () => {
  it('leaves out what may not enter, and says why', () => {
    const chain = openedChain();
    const candidates = bodyOf(chain, [
      ...SALE,
      { by: CITY, operation: issue('x') },
      ...SALE.slice(0, 1),
      { by: BOX_OFFICE, operation: issue('y'), expiresAt: chain.timestamp },
      { by: BOX_OFFICE, operation: issue('z'), expiresAt: chain.timestamp + 90_000 },
      ...SCANS,
    ]);
    const built = buildBlock(chain.context(), candidates, NO_LIMITS);
    expect(built.skipped.map(({ fault }) => fault)).toEqual([
      'NOT_PERMITTED',
      'ALREADY_FINAL',
      'EXPIRED',
      'TOO_FAR_AHEAD',
    ]);
    expect(built.skipped.map(({ transaction }) => transaction)).toEqual(candidates.slice(2, 6));
    expect(built.body).toEqual([...candidates.slice(0, 2), ...candidates.slice(6)]);
    expect(built.transactionsRoot).toBe(transactionsRoot(built.body));
  });

  it('is what executing it gives', () => {
    const chain = openedChain();
    const { body, executed } = buildBlock(chain.context(), bodyOf(chain, [...SALE, ...SCANS]), NO_LIMITS);
    const again = executeBlock(chain.context(), body);
    expect(again.ok && again.value.stateRoot).toBe(executed.stateRoot);
    expect(again.ok && again.value.receiptsRoot).toBe(executed.receiptsRoot);
    expect(again.ok && again.value.changes).toEqual(executed.changes);
  });

  it('ends where the next one does not fit, by number or by bytes, and lets nothing overtake it', () => {
    const chain = openedChain();
    const large = issue(newTicket('large', { data: new Uint8Array(1_000) }));
    const candidates = bodyOf(chain, [
      ...SALE,
      { by: BOX_OFFICE, operation: large },
      { by: BOX_OFFICE, operation: issue('s') },
    ]);
    const build = (transactionsMax: number, bytesMax: number) =>
      buildBlock(chain.context(), candidates, { transactionsMax, bytesMax }).body.length;
    expect(build(1, 1_000_000)).toBe(1);
    expect(build(0, 1_000_000)).toBe(0);
    const twoFit = bodySize(candidates.slice(0, 2));
    expect(build(9, twoFit)).toBe(2);
    expect(build(9, twoFit - 1)).toBe(1);
    expect(build(9, twoFit + 500)).toBe(2);
    expect(build(9, bodySize(candidates))).toBe(4);
  });

  it('keeps to the parameters whatever its maker allows', () => {
    const chain = openedChain();
    const parameters = { ...GENESIS.parameters, blockTransactionsMax: 1 };
    expect(buildBlock({ ...chain.context(), parameters }, bodyOf(chain, SALE), NO_LIMITS).body).toHaveLength(1);
  });
});

describe('a pipeline of blocks', () => {
  it('executes on states that are not stored yet', () => {
    const plain = openedChain();
    plain.run(bodyOf(plain, SALE));
    plain.run(bodyOf(plain, SCANS));

    const chain = openedChain();
    const context = chain.context();
    const saleBody = bodyOf(chain, SALE);
    const sale = executeBlock(context, saleBody);
    if (!sale.ok) throw new Error(sale.error.code);
    const next = {
      ...context,
      height: Height(context.height + 1),
      timestamp: Timestamp(context.timestamp + 1_000),
      parent: sale.value.state,
    };
    const scans = SCANS.map((wish) => chain.wish({ expiresAt: context.timestamp + 30_000, ...wish }));
    const before = executeBlock(next, scans);
    expect(before.ok && before.value.stateRoot).toBe(plain.root);

    chain.commit(sale.value, saleBody);
    detachState(sale.value.state);
    const after = executeBlock(next, scans);
    expect(after.ok && after.value.stateRoot).toBe(plain.root);
    if (after.ok) detachState(after.value.state);
    expect(after.ok && after.value.state.records.tickets.get('a')?.state).toBe('CONSUMED');
  });
});

describe('the tickets that a block names', () => {
  const batch = (by: number, length = TICKETS_PER_TRANSACTION_MAX): Wish => ({
    by: BOX_OFFICE,
    operation: validate(...Array.from({ length }, (_, index) => `f-${by}-${index}`)),
  });
  const batches = Array.from({ length: BLOCK_TICKETS_MAX / TICKETS_PER_TRANSACTION_MAX }, (_, index) => batch(index));
  const one: Wish = { by: ARENA, operation: scan('consume', 'forged') };

  it('are bounded, refused ones included', () => {
    const chain = openedChain();
    expect(executeBlock(chain.context(), bodyOf(chain, batches)).ok).toBe(true);
    const more = executeBlock(chain.context(), bodyOf(chain, [...batches, one]));
    expect(more).toEqual({ ok: false, error: { code: 'TOO_MANY_TICKETS' } });
  });

  it('end the block that is built: what does not fit is first in the next one, and nothing overtakes it', () => {
    const chain = openedChain();
    const [first, ...rest] = batches;
    const queue = bodyOf(chain, [defined(first, 'a batch'), batch(98, 1), ...rest, one]);
    const { body, executed } = buildBlock(chain.context(), queue, NO_LIMITS);
    expect(body).toEqual(queue.slice(0, batches.length));
    chain.commit(executed, body);
    const next = buildBlock(chain.context(), queue.slice(body.length), NO_LIMITS);
    expect(next.body).toEqual(queue.slice(body.length));
  });

  it('are counted with their replacements', () => {
    const chain = openedChain();
    const replace: Wish = { by: CITY, operation: resolve('forged', 'REISSUED', spare('n')) };
    chain.run([chain.wish({ by: FEDERATION, operation: grant(CITY, 'arbiter') })]);
    const all = [...batches.slice(1), batch(99, TICKETS_PER_TRANSACTION_MAX - 1), replace];
    const tooMany = executeBlock(chain.context(), bodyOf(chain, all));
    expect(tooMany).toEqual({ ok: false, error: { code: 'TOO_MANY_TICKETS' } });
  });
});

describe('what a header says of its block', () => {
  const chain = openedChain();
  const body = bodyOf(chain, SALE);
  const executed = chain.run(body);
  const header: Header = {
    ...foundLedger(GENESIS).header,
    transactionsRoot: transactionsRoot(body),
    transactionCount: body.length,
    stateRoot: executed.stateRoot,
    receiptsRoot: executed.receiptsRoot,
    graphRoot: executed.graphRoot,
  };

  it('is compared with what its execution gave', () => {
    expect(checkRoots(header, executed)).toBeUndefined();
    expect(checkRoots({ ...header, stateRoot: hashOf(1) }, executed)).toBe('WRONG_STATE_ROOT');
    expect(checkRoots({ ...header, receiptsRoot: hashOf(1) }, executed)).toBe('WRONG_RECEIPTS_ROOT');
    expect(checkRoots({ ...header, graphRoot: hashOf(1) }, executed)).toBe('WRONG_GRAPH_ROOT');
  });

  it('is compared with the body that came with it', () => {
    expect(isBodyOf(header, body)).toBe(true);
    expect(isBodyOf(header, body.slice(1))).toBe(false);
    expect(isBodyOf(header, [...body].reverse())).toBe(false);
    expect(isBodyOf({ ...header, transactionCount: 3 }, body)).toBe(false);
  });
});
