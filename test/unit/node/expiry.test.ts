import { describe, expect, it } from 'vitest';
import { admit, openWorld } from '../../support/small-office.ts';

/** Nothing becomes final: all that carries a block or a vote is lost. */
const NO_PROGRESS = ({ message }: { message: { kind: string } }): boolean =>
  message.kind === 'transactions' || message.kind === 'status';

describe('whoever waits for a transaction that expires', () => {
  it('is told so as soon as a block shows that it can never become final, and not by a clock', async () => {
    const world = openWorld({}, 'a1', 'a2');
    const { passes } = world.network;
    world.network.passes = NO_PROGRESS;
    const doomed = world.transaction('venue', admit('a1'), { lifeMs: 500 });
    const outcomes: string[] = [];
    const waits = [1, 1, 2].map((seat) => world.submit(seat, doomed, 30_000));
    for (const wait of waits) void wait.then((outcome) => outcomes.push(outcome.outcome));
    world.run(3_000);
    await Promise.resolve();
    expect(outcomes).toEqual([]);
    world.network.passes = passes;
    const other = world.transaction('venue', admit('a2'));
    world.finalise(3, other);
    world.run(20);
    for (const outcome of await Promise.all(waits)) expect(outcome).toMatchObject({ code: 'EXPIRED' });
    expect(world.machines.every(({ chain }) => chain.place(doomed.id) === undefined)).toBe(true);
  });

  it('is told that it is final when a block took it in time, however late that becomes final', async () => {
    const world = openWorld({}, 'a1');
    const { passes } = world.network;
    const scan = world.transaction('venue', admit('a1'), { lifeMs: 500 });
    const wait = world.submit(1, scan, 30_000);
    world.network.passes = ({ message }) => message.kind !== 'vote' || message.vote.phase !== 'COMMIT';
    world.run(200);
    expect(world.node(0).replica.highest?.phase).toBe('PREPARE');
    world.run(2_000);
    world.network.passes = passes;
    world.until(() => world.machine(1).chain.place(scan.id) !== undefined);
    world.run(50);
    expect(await wait).toMatchObject({ outcome: 'final' });
  });
});
