import { describe, expect, it } from 'vitest';
import { Timestamp } from '../../src/model/ids.ts';
import { MEMPOOL_PER_SIGNER_MAX, MEMPOOL_TRANSACTIONS_MAX } from '../../src/model/limits.ts';
import { HEARD_VERIFICATIONS_IN_FLIGHT_MAX } from '../../src/model/peer-limits.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../../src/model/transaction.ts';
import type { Verified } from '../../src/model/verified.ts';
import type { PeerId } from '../../src/network/transport.ts';
import { Intake, type SubmitOutcome } from '../../src/node/intake.ts';
import { createSigner, generateKeyPair } from '../../src/node/keys/key-pair.ts';
import { Mempool } from '../../src/node/mempool.ts';
import type { Passing } from '../support/small-network.ts';
import { admit, createCup, createStand, grant, issue, openWorld, revoke, validate } from '../support/small-office.ts';
import { frameOf, SmallWorld } from '../support/small-world.ts';

function sizes(world: SmallWorld): readonly number[] {
  return world.machines.map(({ running }) => running.parts.mempool.size);
}

function isFinal(world: SmallWorld, { id }: Transaction): boolean {
  return world.running().every(({ chain }) => chain.place(id) !== undefined);
}

/** Frames with transactions from one seat are lost. */
function loseGossipOf(world: SmallWorld, seat: number): void {
  world.network.passes = ({ from, message }) => from !== seat || message.kind !== 'transactions';
}

/** Signed by somebody whom the chain does not know. */
function byStranger(world: SmallWorld, transaction: Transaction, index: number): Transaction {
  const signer = createSigner(generateKeyPair((count) => new Uint8Array(count).fill(index)).secretKey);
  const body = { ...transaction.body, signer: signer.publicKey, expiresAt: Timestamp(world.now() + 1e12) };
  return sealTransaction(body, signer.sign(transactionSigningBytes(body)));
}

describe('a transaction that only one node has', () => {
  it('is passed on to the primary again when the first time was lost', () => {
    const world = openWorld({}, 'a1');
    loseGossipOf(world, 2);
    const transaction = world.transaction('venue', admit('a1'));
    void world.submit(2, transaction);
    world.run(50);
    expect(sizes(world)).toEqual([0, 0, 1, 0]);
    world.network.passes = () => true;
    world.until(() => isFinal(world, transaction), 500);
  });

  it('reaches the next primary when the first one dies before it has it', () => {
    const world = openWorld({}, 'a1');
    loseGossipOf(world, 2);
    const transaction = world.transaction('venue', admit('a1'));
    void world.submit(2, transaction);
    world.run(150);
    world.network.passes = () => true;
    world.network.isolate(0);
    world.until(() => world.machine(2).chain.place(transaction.id) !== undefined, 4_000);
  });

  it('is passed on again over a new session', () => {
    const world = openWorld({}, 'a1');
    const transaction = world.transaction('venue', admit('a1'));
    loseGossipOf(world, 2);
    void world.submit(2, transaction);
    const { mempool } = world.node(2).parts;
    world.until(() => (mempool.oldest()?.forwarded ?? null) !== null);
    // What was on its way to the primary is lost with the session.
    world.network.cut(0, 2);
    world.network.passes = () => true;
    world.network.heal();
    const start = world.time.now;
    world.until(() => isFinal(world, transaction));
    expect(world.time.now - start).toBeLessThan(5 * world.timing.forwardMs);
  });
});

describe('what a block has made impossible', () => {
  it('is dropped everywhere, and nobody suspects the primary of it', () => {
    const world = openWorld({}, 'a1');
    loseGossipOf(world, 1);
    const scan = world.transaction('venue', admit('a1'));
    void world.submit(1, scan);
    world.run(20);
    world.network.passes = ({ message }) => message.kind !== 'transactions';
    const revoked = world.transaction('federation', revoke('venue', 'gate'));
    void world.submit(0, revoked);
    world.until(() => isFinal(world, revoked));
    world.network.passes = () => true;
    world.run(10_000);
    expect(isFinal(world, scan)).toBe(false);
    expect(sizes(world)).toEqual([0, 0, 0, 0]);
    expect(world.node(1).replica.view).toBe(0);
  });

  it('is dropped when it expires, although no block comes', () => {
    const world = openWorld({ parameters: { blockIntervalMs: 60_000 } }, 'a1');
    world.network.passes = ({ message }) => message.kind === 'status';
    void world.submit(1, world.transaction('venue', admit('a1'), { lifeMs: 3_000 }), 100);
    world.run(2_500);
    expect(sizes(world)[1]).toBe(1);
    world.run(2_000);
    world.network.passes = () => true;
    void world.submit(1, world.transaction('boxoffice', issue('b1')));
    world.run(500);
    expect(sizes(world)).toEqual([0, 0, 0, 0]);
  });
});

describe('what another authority passes on', () => {
  it('is not taken from strangers, so that nobody else is shut out', async () => {
    const world = openWorld({ mempool: () => new Counter() }, 'a1');
    const { mempool } = world.node(1).parts;
    const before = mempool instanceof Counter ? mempool.offered : -1;
    const scan = world.transaction('venue', admit('a1'));
    const transactions = Array.from({ length: 100 }, (_, index) => byStranger(world, scan, index + 1));
    for (let frame = 0; frame < 20; frame += 1) {
      world.network.deliver(3, 1, frameOf({ kind: 'transactions', transactions }));
    }
    world.run(20);
    expect(mempool).toMatchObject({ offered: before, size: 0 });
    expect(await world.decide(1, scan)).toMatchObject({ outcome: 'final' });
    expect(world.network.penalties).toEqual([]);
  });

  it('may be based on a block that this node has not seen yet', () => {
    const world = SmallWorld.started();
    for (const operation of [createCup, createStand]) {
      world.finalise(0, world.transaction('federation', operation));
    }
    const late: Passing[] = [];
    world.network.passes = (frame) => {
      const { to, message } = frame;
      const isLate = to === 0 && message.kind === 'vote' && message.vote.phase === 'COMMIT';
      if (isLate) late.push(frame);
      return !isLate;
    };
    const granted = world.transaction('federation', grant('boxoffice', 'issuer'));
    void world.submit(1, granted);
    world.until(() => world.machine(1).chain.place(granted.id) !== undefined);
    const transaction = world.transaction('boxoffice', issue('a1'));
    void world.submit(1, transaction);
    world.run(3);
    expect(world.node(0).parts.mempool.has(transaction.id)).toBe(false);
    world.network.passes = () => true;
    for (const { from, to, message } of late) world.network.deliver(from, to, frameOf(message));
    world.until(() => isFinal(world, transaction), 50);
  });

  it('costs a peer its session when nobody has signed it, and once only', () => {
    const world = openWorld({}, 'a1');
    const scan = world.transaction('venue', admit('a1'));
    const forged = Array.from({ length: 50 }, (_, nonce) =>
      sealTransaction({ ...scan.body, nonce: nonce + 1_000 }, scan.signature),
    );
    world.network.deliver(3, 1, frameOf({ kind: 'transactions', transactions: forged }));
    world.run(20);
    expect(world.network.penalties).toEqual([{ by: 1, seat: 3, reason: 'MALFORMED_FRAME' }]);
    expect(sizes(world)).toEqual([0, 0, 0, 0]);
  });

  it('may expire a little later than this clock allows, and then waits until it does not', () => {
    const world = openWorld({ parameters: { transactionLifeMsMax: 60_000 } }, 'a1');
    world.machine(2).skewMs = 400;
    const late = world.transaction('venue', admit('a1'), { lifeMs: 60_300 });
    void world.submit(2, late);
    world.run(50);
    expect(isFinal(world, late)).toBe(false);
    world.until(() => isFinal(world, late), 2_000);
    expect(world.node(1).replica.view).toBe(0);
  });
});

describe('a mempool at its limits', () => {
  it('refuses a key that has too much waiting, and nobody else', async () => {
    const world = openWorld({}, 'a1');
    fill(world, 1, 'boxoffice', MEMPOOL_PER_SIGNER_MAX);
    const refused = await world.submit(1, world.transaction('boxoffice', issue('more')));
    expect(refused).toMatchObject({ outcome: 'not-admitted', code: 'OVERLOADED' });
    const taken = world.submit(1, world.transaction('venue', admit('a1')), 0);
    world.run(1);
    expect(await taken).toEqual({ outcome: 'pending' });
  });

  it('refuses everybody when it is full, and takes again when blocks have come', async () => {
    const world = openWorld({}, 'a1');
    fill(world, 1, 'boxoffice', MEMPOOL_TRANSACTIONS_MAX / 2);
    fill(world, 1, 'city', MEMPOOL_TRANSACTIONS_MAX / 2);
    const scan = world.transaction('venue', admit('a1'));
    expect(await world.submit(1, scan)).toMatchObject({ outcome: 'not-admitted', code: 'OVERLOADED' });
    const notPermitted = world.transaction('venue', issue('b1'));
    expect(await world.submit(1, notPermitted), 'the ledger is not even asked').toMatchObject({ code: 'OVERLOADED' });
    const { mempool } = world.node(1).parts;
    for (const { id } of [...mempool.waiting()]) mempool.remove(id);
    world.network.passes = () => true;
    expect(await world.decide(1, scan)).toMatchObject({ outcome: 'final' });
  });
});

/** Puts transactions into one mempool that no other node has, and that the tests never let through. */
function fill(world: SmallWorld, seat: number, organisation: string, count: number): void {
  loseGossipOf(world, seat);
  const { mempool } = world.node(seat).parts;
  const model = world.transaction(organisation, validate('nothing'));
  for (let nonce = 0; nonce < count; nonce += 1) {
    const sealed = sealTransaction({ ...model.body, nonce: 1e6 + nonce }, model.signature);
    mempool.add(sealed as Verified<Transaction>, world.time.now);
  }
}

/** Knows how many were let in, however short they stayed. */
class Counter extends Mempool {
  offered = 0;

  override add(transaction: Verified<Transaction>, nowMs: number) {
    this.offered += 1;
    return super.add(transaction, nowMs);
  }
}

/** A primary that never proposes what one organisation asks for. */
class Censor extends Mempool {
  override *waiting(): Generator<Verified<Transaction>> {
    for (const transaction of super.waiting()) if (transaction.body.organisation !== 'venue') yield transaction;
  }
}

describe('a primary that passes a transaction over', () => {
  it('is replaced by the others while it goes on making blocks, and the transaction becomes final', () => {
    const world = openWorld({ mempool: (seat) => (seat === 0 ? new Censor() : new Mempool()) });
    void world.submit(0, world.transaction('boxoffice', issue('a1')));
    void world.submit(0, world.transaction('boxoffice', validate('a1')));
    world.run(100);
    const scan = world.transaction('venue', admit('a1'));
    void world.submit(1, scan);
    for (let block = 0; !isFinal(world, scan) && block < 200; block += 1) {
      void world.submit(2, world.transaction('boxoffice', issue(`b${block}`)));
      world.run(50);
    }
    expect(isFinal(world, scan)).toBe(true);
    expect(world.node(1).replica.view).toBeGreaterThan(0);
  });

  it('is not one that has just much to do', () => {
    const world = openWorld({ parameters: { blockTransactionsMax: 2 } }, 'a1');
    for (let index = 0; index < 200; index += 1) {
      void world.submit(index % 4, world.transaction('boxoffice', issue(`c${index}`)), 30_000);
      if (index % 4 === 0) world.run(1);
    }
    world.until(() => sizes(world).every((size) => size === 0));
    expect(world.node(1).replica.view).toBe(0);
  });
});

describe('what those without a vote pass on', () => {
  it('keeps a quarter of the signature checks busy at most, so that clients and authorities find room', async () => {
    const world = openWorld({}, 'a1');
    const { parts } = world.node(1);
    const checks: ((valid: boolean) => void)[] = [];
    const ignore = (): void => undefined;
    const intake = new Intake({
      ...parts,
      host: { transactionsArrived: ignore, broadcast: ignore, send: ignore },
      checkLater: (_key, _message, _signature, done) => void checks.push(done),
      refusal: () => undefined,
      primary: () => undefined,
    });
    const scan = world.transaction('venue', admit('a1'));
    const copies = (from: number, count: number): Transaction[] =>
      Array.from({ length: count }, (_, index) =>
        sealTransaction({ ...scan.body, nonce: from + index }, scan.signature),
      );
    let blamed = 0;
    const hear = (peer: string, transactions: readonly Transaction[]): void =>
      intake.fromPeer({ peer: peer as PeerId, hops: 3 }, transactions, () => {
        blamed += 1;
      });
    for (let peer = 0; peer < 16; peer += 1) hear(`follower ${peer}`, copies(500 * (peer + 1), 500));
    expect(checks.length).toBe(HEARD_VERIFICATIONS_IN_FLIGHT_MAX);
    const answers: SubmitOutcome[] = [];
    intake.submit(scan, 0, (outcome) => answers.push(outcome));
    intake.fromPeer(3, copies(20_000, 500), ignore);
    expect(checks.length).toBe(HEARD_VERIFICATIONS_IN_FLIGHT_MAX + 501);
    for (const done of checks.splice(0)) done(false);
    expect(answers).toMatchObject([{ code: 'BAD_SIGNATURE' }]);
    expect(blamed).toBeGreaterThan(0);
    hear('another', copies(30_000, 10));
    expect(checks.length).toBe(10);
  });
});
