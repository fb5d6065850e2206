import { describe, expect, it } from 'vitest';
import { Hash, TicketId } from '../../src/model/ids.ts';
import { AUTHORITY_BLOCKS_COUNTED } from '../../src/model/limits.ts';
import { admit, createCup, issue, openWorld, validate } from '../support/small-office.ts';
import { LOSE_ALL, SmallWorld } from '../support/small-world.ts';

const T1 = TicketId('t1');

const ALL = { after: 0, limit: 100 };

describe('the reader of a running node', () => {
  it('shows who it is and where it stands', () => {
    const world = openWorld({}, 't1');
    const status = world.reader(2).status();
    const { header, hash } = world.machine(2).chain.visibleHead;
    expect(status).toMatchObject({
      nodeId: 'boxoffice',
      role: 'authority',
      networkId: 'counterfoil-devnet',
      chainId: world.genesis.chainId,
      head: { height: header.height, hash, time: header.timestamp },
      view: 0,
      primary: 'federation',
      authorities: 4,
      quorum: 3,
      connected: 4,
      peers: 3,
      syncing: false,
      ready: true,
      mempool: 0,
    });
  });

  it('answers every question as of one block, while the store is still writing the next one', () => {
    const world = openWorld({}, 't1');
    const reader = world.reader(1);
    const scan = world.transaction('venue', admit('t1'));
    void world.submit(1, scan);
    const seen = new Set<string>();
    for (let step = 0; step < 300; step += 1) {
      world.run(0.1);
      const { head } = reader.status();
      const block = reader.block(head.height);
      const { asOf, tickets } = reader.tickets({ state: 'CONSUMED', limit: 10, after: null });
      const isFinal = reader.transaction(scan.id).state === 'final';
      const state = reader.ticket(T1)?.state;
      expect(block?.hash).toBe(head.hash);
      expect(reader.heightOf(head.hash)).toBe(head.height);
      expect(asOf).toBe(head.height);
      expect(state).toBe(isFinal ? 'CONSUMED' : 'VALIDATED');
      expect(tickets.map((ticket) => ticket.state)).toEqual(isFinal ? ['CONSUMED'] : []);
      seen.add(`${state}`);
    }
    expect(seen).toEqual(new Set(['VALIDATED', 'CONSUMED']));
  });

  it('has told what it shows when it says that a block is final', () => {
    const world = openWorld({}, 't1');
    const reader = world.reader(3);
    world.run(5);
    const seen: unknown[] = [];
    world.node(3).subscribe((happening) => {
      if (happening.type === 'block_finalised')
        seen.push([happening.height, reader.status().head.height, reader.ticket(T1)?.state]);
    });
    world.finalise(0, world.transaction('venue', admit('t1')));
    world.run(5);
    const { height } = reader.status().head;
    expect(seen).toEqual([[height, height, 'CONSUMED']]);
  });

  it('knows a transaction as unknown, pending and final', async () => {
    const world = openWorld({}, 't1');
    const reader = world.reader(1);
    const scan = world.transaction('venue', admit('t1'));
    expect(reader.transaction(scan.id)).toEqual({ state: 'unknown' });
    expect(reader.transaction(Hash('ab'.repeat(32)))).toEqual({ state: 'unknown' });
    const outcome = world.submit(1, scan);
    world.run(1);
    expect(reader.transaction(scan.id)).toEqual({ state: 'pending' });
    world.run(1_000);
    const final = await outcome;
    if (final.outcome !== 'final') throw new Error(final.outcome);
    const { outcome: state, ...rest } = final;
    expect(reader.transaction(scan.id)).toEqual({ state, ...rest, transaction: scan });
  });

  it('tells the states that a ticket went through, an admission of an issued one included', () => {
    const world = openWorld({}, 't1');
    world.finalise(0, world.transaction('boxoffice', issue('t2')));
    world.finalise(1, world.transaction('venue', admit('t1')));
    const reader = world.reader(2);
    expect(
      reader.history(T1, ALL).map(({ version, state, type, agent, gate }) => [version, state, type, agent, gate]),
    ).toEqual([
      [1, 'ISSUED', 'issue', 'boxoffice', null],
      [2, 'VALIDATED', 'validate', 'boxoffice', null],
      [3, 'CONSUMED', 'admit', 'venue', 'north'],
    ]);
    expect(reader.history(TicketId('nobody'), ALL)).toEqual([]);
    expect(reader.ticket(TicketId('nobody'))).toBeUndefined();
    expect(reader.ticket(TicketId('t2'))?.state).toBe('ISSUED');
  });

  it('pages through tickets of one state and of all', () => {
    const world = openWorld();
    world.finalise(0, world.transaction('boxoffice', issue('a', 'b', 'c', 'd')));
    world.finalise(0, world.transaction('boxoffice', validate('b', 'd')));
    const reader = world.reader(1);
    const ids = (state: string | null, after: string | null, limit: number) =>
      reader.tickets({ state, limit, after: after === null ? null : TicketId(after) }).tickets.length;
    expect(ids('ISSUED', null, 10)).toBe(2);
    expect(ids('VALIDATED', 'b', 10)).toBe(1);
    expect(ids(null, null, 3)).toBe(3);
    expect(ids(null, 'c', 3)).toBe(1);
    expect(ids('CONSUMED', null, 3)).toBe(0);
  });

  it('counts what each authority did, the same after a restart', () => {
    const world = openWorld({}, 't1');
    world.network.isolate(3);
    void world.submit(0, world.transaction('boxoffice', issue('a')));
    world.run(100);
    const [first, , , absent] = world.reader(1).authorities();
    const { height } = world.machine(1);
    expect(first).toMatchObject({ id: 'federation', connected: true, proposed: height, lastVoteHeight: height });
    expect(absent).toMatchObject({ id: 'city', connected: false, proposed: 0 });
    expect(absent?.lastVoteHeight).not.toBe(height);
    const before = world
      .reader(1)
      .authorities()
      .map(({ proposed, signed }) => [proposed, signed]);
    world.machine(1).crash(LOSE_ALL);
    world.machine(1).boot();
    world.until(() => world.machine(1).node !== undefined && world.machine(1).height === height);
    expect(
      world
        .reader(1)
        .authorities()
        .map(({ proposed, signed }) => [proposed, signed]),
    ).toEqual(before);
  });

  it('counts no more than the newest blocks', () => {
    const world = SmallWorld.started({ nodes: 1, parameters: { blockIntervalMs: 100 } });
    world.run((AUTHORITY_BLOCKS_COUNTED + 20) * 110);
    expect(world.machine(0).height).toBeGreaterThan(AUTHORITY_BLOCKS_COUNTED);
    expect(world.reader(0).authorities()).toMatchObject([
      { proposed: AUTHORITY_BLOCKS_COUNTED, signed: AUTHORITY_BLOCKS_COUNTED, lastVoteHeight: world.machine(0).height },
    ]);
  });

  it('shows its peers by the names that genesis gives them', () => {
    const world = openWorld();
    world.network.cut(1, 2);
    const peers = world.reader(1).peers();
    expect(peers.map(({ id }) => id)).toEqual(['federation', 'city']);
    expect(peers[0]).toMatchObject({ role: 'authority', latencyMs: 2, head: { height: expect.any(Number) } });
  });

  it('measures how long finality takes, and not with a clock that jumps', () => {
    const world = openWorld();
    world.machine(1).skewMs = -300;
    world.finalise(1, world.transaction('boxoffice', issue('a')));
    world.run(100);
    const { finalityMs, sequence, cacheSize } = world.reader(1).stats();
    expect(finalityMs?.p50).toBeGreaterThan(0);
    expect(finalityMs?.p99).toBeLessThan(100);
    expect(sequence).toBe(world.machine(1).height);
    expect(cacheSize).toBe(0);
  });

  it('is not ready when its node has failed or halted', () => {
    const world = SmallWorld.started();
    world.node(1).fail(new Error('the disk is gone'));
    expect(world.reader(1).status().ready).toBe(false);
    expect(world.reader(1).explain()).toMatchObject({ code: 'FAILED', moving: false });
    world.network.passes = ({ from }) => from !== 1;
    void world.submit(0, world.transaction('federation', createCup));
    world.until(() => world.machine(0).height === 1);
  });

  it('has no evidence when nobody has lied', () => {
    expect(openWorld().reader(0).evidence()).toEqual([]);
  });
});
