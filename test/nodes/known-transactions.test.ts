import { describe, expect, it } from 'vitest';
import { defined } from '../../src/lib/assert.ts';
import { Signature } from '../../src/model/ids.ts';
import { sealTransaction, type Transaction } from '../../src/model/transaction.ts';
import { readBlock, readHeadHeight } from '../../src/store/blocks.ts';
import { pruneChanges } from '../../src/store/prune.ts';
import { admit, issue, openWorld } from '../support/small-office.ts';
import { LOSE_NOTHING, type SmallWorld } from '../support/small-world.ts';

/** The same transaction under a signature that differs in one digit; the id is the same. */
function forgedCopy(transaction: Transaction): Transaction {
  const { signature } = transaction;
  const digit = signature.endsWith('0') ? '1' : '0';
  const forged = sealTransaction(transaction.body, Signature(signature.slice(0, -1) + digit));
  expect(forged.id).toBe(transaction.id);
  return forged;
}

async function answered(world: SmallWorld, transaction: Transaction, waitMs = 5_000) {
  const outcome = world.submit(1, transaction, waitMs);
  world.run(5);
  return await outcome;
}

describe('a transaction that the node knows already', () => {
  it('is answered with its receipt to whoever shows its signature, and to nobody else', async () => {
    const world = openWorld({}, 'a1');
    const scan = world.transaction('venue', admit('a1'));
    const first = await world.decide(1, scan);
    expect(await answered(world, scan)).toEqual(first);
    expect(await answered(world, forgedCopy(scan))).toMatchObject({ outcome: 'not-admitted', code: 'BAD_SIGNATURE' });
  });

  it('is not waited for under a signature that is none, while it waits itself', async () => {
    const world = openWorld({}, 'a1');
    world.network.passes = () => false;
    const scan = world.transaction('venue', admit('a1'));
    expect(await answered(world, scan, 0)).toEqual({ outcome: 'pending' });
    expect(await answered(world, scan, 0)).toEqual({ outcome: 'pending' });
    expect(await answered(world, forgedCopy(scan), 0)).toMatchObject({ code: 'BAD_SIGNATURE' });
  });
});

describe('a transaction whose block is not kept any more', () => {
  it('is final, and nobody hears that it has expired', async () => {
    const world = openWorld({}, 'a1', 'a2', 'a3', 'a4');
    const scan = world.transaction('venue', admit('a1'));
    world.finalise(1, scan);
    for (const ticket of ['a2', 'a3']) world.finalise(1, world.transaction('venue', admit(ticket)));
    const machine = world.machine(1);
    machine.crash(LOSE_NOTHING);
    const head = defined(readHeadHeight(machine.store), 'it has blocks');
    const since = defined(readBlock(machine.store, head), 'the newest is there').header.timestamp;
    let isPruned = false;
    machine.store.write(pruneChanges(machine.store, { below: head, since }, head), {
      durable: () => {
        isPruned = true;
      },
      failed: (error) => {
        throw error;
      },
    });
    world.until(() => isPruned);
    machine.boot();
    world.until(() => machine.node?.connectedAuthorities() === 4);
    world.run(scan.body.expiresAt - world.now() + 1);
    const outcome = world.submit(1, scan, 10_000);
    world.finalise(1, world.transaction('venue', admit('a4')));
    world.run(10_000);
    expect(await outcome).toMatchObject({
      code: 'ALREADY_FINAL',
      detail: expect.stringMatching(/final in block \d+, which is not kept here/),
    });
  });
});

describe('the reason that a transaction is not taken', () => {
  it('names the organisation, the event and the role', async () => {
    const world = openWorld({}, 'a1');
    const refused = await answered(world, world.transaction('venue', issue('b1')));
    expect(refused).toMatchObject({
      code: 'NOT_PERMITTED',
      detail: expect.stringMatching(/^venue does not hold the role issuer at the event cup, which issue takes;/),
    });
  });

  it('tells both times when it is the clock', async () => {
    const world = openWorld({}, 'a1');
    const expired = await answered(world, world.transaction('venue', admit('a1'), { lifeMs: -90_000 }));
    expect(expired).toMatchObject({
      code: 'EXPIRED',
      detail: expect.stringMatching(/expired at \d{4}-.*Z, 90 s ago by the clock of this node, which shows \d{4}-.*Z/),
    });
    const early = await answered(world, world.transaction('venue', admit('a1'), { lifeMs: 86_400_000 }));
    expect(early).toMatchObject({
      code: 'TOO_FAR_AHEAD',
      detail: expect.stringMatching(/86400 s from now by the clock of this node.*at most \d+ s ahead are taken/),
    });
  });
});
