import { describe, expect, it } from 'vitest';
import { TicketId } from '../../src/model/ids.ts';
import { TABLES } from '../../src/store/schema.ts';
import { admit, createCup, createStand, issue, openWorld } from '../support/small-office.ts';
import { LOSE_ALL, LOSE_NOTHING, type PowerFailure, type SmallMachine, SmallWorld } from '../support/small-world.ts';
import { rowsOf } from '../support/stores.ts';

/** Two nodes may hold different certificates of one block, and their journals are their own. */
const OWN_TABLES: readonly number[] = [TABLES.certificates, TABLES.meta];

function content({ store }: SmallMachine): readonly string[] {
  return rowsOf(store)
    .filter(({ table }) => !OWN_TABLES.includes(table))
    .map(
      ({ table, key, value }) => `${table} ${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`,
    );
}

function reboot(world: SmallWorld, seats: readonly number[], failure: PowerFailure): void {
  for (const seat of seats) world.machine(seat).crash(failure);
  world.run(3);
  for (const seat of seats) world.machine(seat).boot();
  world.until(() => world.machines.every(({ node }) => node?.connectedAuthorities() === world.machines.length));
}

/** Some of what was not synced survives: what one failure leaves differs from what another one does. */
const LOSE_SOME: PowerFailure = {
  bytesKept: (_, unsynced) => Math.floor(unsynced / 2),
  keeps: ({ kind }) => kind === 'create',
  keepsVisible: false,
};

/** The moments of the three failures lie between each other. */
const STEP_MS = 1.5;
const RUN_MS = 14;
const SECOND_AT_MS = 5;

describe.each([
  ['one backup', [2]],
  ['the primary', [0]],
  ['everybody', [0, 1, 2, 3]],
] as const)('when power fails for %s at any moment of two blocks', (_, seats) => {
  it.each([
    ['and nothing unsynced survives', LOSE_ALL, 0],
    ['and everything survives', LOSE_NOTHING, 0.5],
    ['and a part survives', LOSE_SOME, 1],
  ])('%s, nothing is signed twice, and nothing is lost that a client was told', async (_how, failure, startMs) => {
    for (let momentMs = startMs; momentMs < RUN_MS; momentMs += STEP_MS) {
      const world = SmallWorld.started();
      const [first, second] = [
        world.transaction('federation', createCup),
        world.transaction('federation', createStand),
      ];
      const outcomes = [world.submit(1, first, 1_000)];
      world.run(Math.min(momentMs, SECOND_AT_MS));
      if (momentMs > SECOND_AT_MS) {
        outcomes.push(world.submit(3, second, 1_000));
        world.run(momentMs - SECOND_AT_MS);
      }
      reboot(world, seats, failure);
      // Whoever was not answered asks again.
      void world.submit(1, first, 20_000);
      void world.submit(1, second, 20_000);
      world.until(() => world.machines.every(({ chain }) => [first, second].every(({ id }) => chain.place(id))));
      world.run(2_000);
      await Promise.all(outcomes);
      world.checkAgreement();
      const [one, ...others] = world.machines.map(content);
      for (const other of others) expect(other).toEqual(one);
    }
  });
});

describe('a node whose journal cannot be written', () => {
  it.each([
    ['EIO', 'FAILED'],
    ['ENOSPC', 'DISK_FULL'],
  ])('by %s signs nothing more, answers reads, and says why', async (code, cause) => {
    const world = openWorld({}, 'a1');
    const machine = world.machine(2);
    machine.disk.failNextSync(code);
    const sentBefore = world.sent.length;
    const scan = world.transaction('venue', admit('a1'));
    void world.submit(1, scan);
    world.until(() => machine.failure !== undefined);
    world.until(() => world.machine(0).chain.place(scan.id) !== undefined);
    world.run(5_000);
    const votes = world.sent
      .slice(sentBefore)
      .filter(({ from, message }) => from === 2 && message.kind !== 'transactions' && message.kind !== 'status');
    expect(votes).toEqual([]);
    const reader = world.reader(2);
    expect(reader.explain()).toMatchObject({ moving: false, code: cause });
    expect(reader.status()).toMatchObject({ ready: false });
    expect(reader.ticket(TicketId('a1'))).toMatchObject({ state: 'VALIDATED' });
    expect(await world.submit(2, world.transaction('venue', admit('a1')))).toMatchObject({
      outcome: 'not-admitted',
      code: 'NOT_READY',
    });
    // With room on its disk again it catches up, and contradicts nothing.
    reboot(world, [2], LOSE_ALL);
    world.until(() => machine.chain.place(scan.id) !== undefined);
    world.checkAgreement();
  });
});

describe('a client', () => {
  it('is told that something is final only when no crash can take it back', async () => {
    const world = openWorld({}, 'a1');
    const scan = world.transaction('venue', admit('a1'));
    void world.submit(1, scan);
    world.run(1);
    const machine = world.machine(1);
    let outcome = await world.submit(1, scan, 0);
    while (outcome.outcome !== 'final') {
      world.run(0.1);
      outcome = await world.submit(1, scan, 0);
    }
    world.network.isolate(1);
    machine.crash(LOSE_ALL);
    machine.boot();
    world.until(() => machine.node !== undefined);
    expect(machine.chain.place(scan.id)).toEqual({ height: outcome.height, index: 0 });
  });
});

describe('a node whose store cannot be written', () => {
  it('takes no part any more, answers reads, and tells nobody that something is final', async () => {
    const world = openWorld({}, 'a1');
    const machine = world.machine(1);
    machine.store.failNextWrite('DISK_FULL');
    const scan = world.transaction('venue', admit('a1'));
    const outcome = world.submit(1, scan, 2_000);
    world.until(() => machine.failure !== undefined);
    expect(await outcome).toEqual({ outcome: 'pending' });
    world.until(() => world.machine(0).chain.place(scan.id) !== undefined);
    const reader = world.reader(1);
    expect(reader.explain()).toMatchObject({ moving: false, code: 'DISK_FULL' });
    expect(reader.transaction(scan.id)).toEqual({ state: 'pending' });
    expect(reader.ticket(TicketId('a1'))).toMatchObject({ state: 'VALIDATED' });
    reboot(world, [1], LOSE_ALL);
    world.until(() => machine.chain.place(scan.id) !== undefined);
    expect(await world.decide(1, scan, 100)).toMatchObject({ outcome: 'final' });
    world.checkAgreement();
  });

  it('at its first start says so, and starts when there is room', () => {
    const world = new SmallWorld({ nodes: 1 });
    world.run(5);
    const machine = world.machine(0);
    machine.store.failNextWrite('DISK_FULL');
    machine.boot();
    world.until(() => machine.failure !== undefined);
    expect(machine.failure).toMatchObject({ name: 'StoreError', code: 'DISK_FULL' });
    machine.crash(LOSE_ALL);
    machine.boot();
    world.until(() => machine.node !== undefined);
    world.finalise(0, world.transaction('federation', createCup));
  });
});

describe('a node that has failed', () => {
  it('says so to those who are here and to whoever comes, and nothing of what it had just signed', () => {
    const world = openWorld({}, 'a1');
    const { replica } = world.node(2);
    const name = world.node(2).parts.genesis.authorities[2]?.id;
    void world.submit(1, world.transaction('boxoffice', issue('b1')));
    while (replica.outstanding.size === 0) world.run(0.1);
    const sentBefore = world.sent.length;
    world.node(2).fail(new Error('the disk is gone'));
    world.run(3_000);
    const said = world.sent.slice(sentBefore).filter(({ from }) => from === 2);
    expect(said.length).toBeGreaterThan(0);
    for (const { message } of said) expect(message).toMatchObject({ kind: 'status', status: { mode: 'halted' } });
    const why = 'it has halted: explain on that node says why';
    expect(world.reader(0).explain().waitingFor).toMatchObject([{ authority: name, why }]);
    const latecomer = world.machine(0);
    latecomer.crash(LOSE_ALL);
    latecomer.boot();
    world.until(() => latecomer.node !== undefined && world.reader(0).explain().waitingFor[0]?.why === why);
  });
});

describe('a node that breaks an invariant', () => {
  it('signs nothing between that and its end', () => {
    const world = openWorld({}, 'a1');
    const { replica } = world.node(2);
    const sentBefore = world.sent.length;
    void world.submit(1, world.transaction('boxoffice', issue('b1')));
    while (replica.outstanding.size === 0) world.run(0.1);
    replica.outstanding.clear();
    expect(() => world.run(50)).toThrow('what is durable was asked for');
    const atFault = world.sent.length;
    world.run(3_000);
    const later = world.sent
      .slice(atFault)
      .filter(({ from, message }) => from === 2 && message.kind !== 'transactions');
    expect(world.sent.length).toBeGreaterThan(sentBefore);
    expect(later).toEqual([]);
  });
});
