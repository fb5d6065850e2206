import { describe, expect, it } from 'vitest';
import type { SubmitOutcome } from '../../src/node/intake.ts';
import { admit, createCup, openWorld, validate } from '../support/small-office.ts';
import { SmallWorld } from '../support/small-world.ts';

function heights(world: SmallWorld): readonly number[] {
  return world.running().map(({ height }) => height);
}

/** Receipt of an outcome that must be final. */
function receiptOf(outcome: SubmitOutcome) {
  if (outcome.outcome !== 'final') throw new Error(JSON.stringify(outcome));
  return outcome.receipt;
}

describe.each([
  { nodes: 1, window: 1 },
  { nodes: 2, window: 1 },
  { nodes: 4, window: 1 },
  { nodes: 4, window: 4 },
  { nodes: 7, window: 1 },
])('$nodes nodes with a window of $window', (options) => {
  it('make a transaction final on every node, with one receipt', async () => {
    const world = openWorld(options, 'a1');
    const outcome = await world.decide(options.nodes - 1, world.transaction('venue', admit('a1')));
    expect(outcome).toMatchObject({ outcome: 'final', receipt: { accepted: true } });
    world.run(100);
    expect(new Set(heights(world)).size).toBe(1);
    world.checkAgreement();
  });
});

describe('a transaction that everybody gets at once', () => {
  it('admits a ticket once, and says so alike on every node', async () => {
    const world = openWorld({}, 'a1');
    const scans = [0, 1, 2, 3].map((seat) => world.submit(seat, world.transaction('venue', admit('a1'))));
    world.run(1_000);
    const receipts = (await Promise.all(scans)).map(receiptOf);
    expect(receipts.filter(({ accepted }) => accepted)).toHaveLength(1);
    expect(receipts.filter(({ code }) => code === 'ALREADY_CONSUMED')).toHaveLength(3);
    world.checkAgreement();
  });

  it('is one transaction, however many nodes are told of it', async () => {
    const world = openWorld({}, 'a1');
    const transaction = world.transaction('venue', admit('a1'));
    const told = [0, 1, 2, 3].map((seat) => world.submit(seat, transaction));
    world.run(1_000);
    const outcomes = await Promise.all(told);
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    expect(receiptOf(outcomes[0] as SubmitOutcome).accepted).toBe(true);
  });

  it('is answered alike by two nodes under one idempotency key', async () => {
    const world = openWorld({}, 'a1');
    const first = world.submit(1, world.transaction('venue', admit('a1'), { key: 'lane-7' }));
    const second = world.submit(2, world.transaction('venue', admit('a1'), { key: 'lane-7' }));
    world.run(1_000);
    const receipts = (await Promise.all([first, second])).map(receiptOf);
    expect(receipts.map(({ accepted }) => accepted)).toEqual([true, true]);
    expect(receipts.filter(({ replayOf }) => replayOf !== null)).toHaveLength(1);
    const [replay] = receipts.filter(({ replayOf }) => replayOf !== null);
    expect(receipts.map(({ transaction }) => transaction)).toContain(replay?.replayOf);
    const third = await world.decide(3, world.transaction('venue', admit('a2'), { key: 'lane-7' }));
    expect(receiptOf(third).code).toBe('IDEMPOTENCY_KEY_REUSED');
  });
});

describe('a refusal', () => {
  it('is a receipt when the rules of tickets refuse it', async () => {
    const world = openWorld({}, 'a1');
    expect(receiptOf(await world.decide(2, world.transaction('venue', admit('nobody')))).code).toBe('UNKNOWN_TICKET');
    expect(receiptOf(await world.decide(1, world.transaction('boxoffice', validate('a1')))).code).toBe(
      'ALREADY_VALIDATED',
    );
  });

  it.each([
    ['NOT_PERMITTED', (world: SmallWorld) => world.transaction('city', admit('a1'))],
    ['EXPIRED', (world: SmallWorld) => world.transaction('venue', admit('a1'), { lifeMs: -1 })],
    ['TOO_FAR_AHEAD', (world: SmallWorld) => world.transaction('venue', admit('a1'), { lifeMs: 3_600_000 })],
    ['EMPTY_BATCH', (world: SmallWorld) => world.transaction('boxoffice', validate())],
    [
      'BAD_SIGNATURE',
      (world: SmallWorld) => ({
        ...world.transaction('venue', admit('a1')),
        signature: world.transaction('venue', admit('a1')).signature,
      }),
    ],
  ] as const)('at the door is %s, and leaves nothing behind', async (code, make) => {
    const world = openWorld({}, 'a1');
    expect(await world.decide(1, make(world))).toMatchObject({ outcome: 'not-admitted', code });
    expect(world.machines.map(({ running }) => running.parts.mempool.size)).toEqual([0, 0, 0, 0]);
  });
});

describe('a node that is asked again', () => {
  it('says final for what is final, at once and after a restart', async () => {
    const world = openWorld({}, 'a1');
    const transaction = world.transaction('venue', admit('a1'));
    const first = await world.decide(1, transaction);
    expect(await world.submit(2, transaction, 0)).toEqual(first);
    world.machine(2).crash({ bytesKept: () => 0, keeps: () => false, keepsVisible: false });
    world.machine(2).boot();
    world.until(() => world.machine(2).node !== undefined);
    expect(await world.submit(2, transaction, 0)).toEqual(first);
  });

  it('waits with whoever asks between commit and disk, and never says unknown', async () => {
    const world = openWorld({}, 'a1');
    const transaction = world.transaction('venue', admit('a1'));
    const reader = world.reader(1);
    const first = world.submit(1, transaction);
    const asked: Promise<SubmitOutcome>[] = [];
    const states = new Set<string>();
    let isAdmitted = false;
    for (let step = 0; step < 400; step += 1) {
      world.run(0.1);
      const { state } = reader.transaction(transaction.id);
      isAdmitted ||= state !== 'unknown';
      if (!isAdmitted) continue;
      states.add(state);
      asked.push(world.submit(1, transaction));
    }
    world.run(10_000);
    const outcome = await first;
    expect(states).toEqual(new Set(['pending', 'final']));
    expect(outcome.outcome).toBe('final');
    for (const again of asked) expect(await again).toEqual(outcome);
  });
});

describe('a wait', () => {
  it('of nothing is pending at once, and the transaction becomes final all the same', async () => {
    const world = openWorld({}, 'a1');
    const transaction = world.transaction('venue', admit('a1'));
    const outcome = world.submit(3, transaction, 0);
    world.run(1);
    expect(await outcome).toEqual({ outcome: 'pending' });
    world.until(() => world.machine(3).chain.place(transaction.id) !== undefined);
  });

  it('ends as pending when the quorum is lost after admission, and never as refused', async () => {
    const world = openWorld({}, 'a1');
    const transaction = world.transaction('venue', admit('a1'));
    world.network.passes = ({ message }) => message.kind !== 'vote';
    const outcome = world.submit(1, transaction, 2_000);
    world.run(2);
    world.network.isolate(1);
    world.run(2_100);
    expect(await outcome).toEqual({ outcome: 'pending' });
    world.network.passes = () => true;
    world.network.heal();
    world.until(() => world.machine(1).chain.place(transaction.id) !== undefined);
    world.checkAgreement();
  });

  it('is refused with NO_QUORUM when the quorum is lost before it', async () => {
    const world = openWorld({}, 'a1');
    world.network.isolate(1);
    const transaction = world.transaction('venue', admit('a1'));
    expect(await world.submit(1, transaction, 5_000)).toMatchObject({ outcome: 'not-admitted', code: 'NO_QUORUM' });
    world.network.heal();
    world.run(5_000);
    expect(world.reader(1).transaction(transaction.id)).toEqual({ state: 'unknown' });
  });

  it('ends for everybody when the node stops, and nobody waits any more', async () => {
    const world = openWorld({}, 'a1');
    world.network.passes = ({ message }) => message.kind !== 'vote';
    const waiting = world.submit(1, world.transaction('venue', admit('a1')));
    world.run(5);
    const node = world.node(1);
    void node.stop();
    expect(await waiting).toEqual({ outcome: 'pending' });
    expect(await node.submit(world.transaction('venue', admit('a1')), 5_000)).toMatchObject({ code: 'STOPPING' });
  });
});

describe('what is told', () => {
  it('is every height, once and in order, on each node', async () => {
    const world = openWorld({ window: 4 }, 'a1', 'a2');
    await world.decide(1, world.transaction('venue', admit('a1')));
    for (const { told, height } of world.machines) {
      const finalised = told.flatMap((one) => (one.type === 'block_finalised' ? [one.height] : []));
      expect(finalised).toEqual(Array.from({ length: height }, (_, index) => index + 1));
    }
  });

  it('is a change of view when it happens, although nothing becomes final', () => {
    const world = SmallWorld.started();
    world.network.isolate(0);
    void world.submit(1, world.transaction('federation', createCup));
    world.network.passes = ({ message }) => message.kind !== 'vote' && message.kind !== 'pre-prepare';
    world.until(() => world.machine(1).told.some(({ type }) => type === 'view_changed'));
    expect(world.machine(1).height).toBe(0);
  });
});
