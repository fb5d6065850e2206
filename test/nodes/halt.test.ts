import { describe, expect, it } from 'vitest';
import { encode } from '../../src/model/codec.ts';
import { Hash } from '../../src/model/ids.ts';
import { messageLayout } from '../../src/model/message.ts';
import { type Checkpoint, checkpointSigningBytes } from '../../src/model/view-change.ts';
import { readHalt, writeHalt } from '../../src/store/halt.ts';
import { issue, openWorld } from '../support/small-office.ts';
import { LOSE_ALL, type SmallWorld } from '../support/small-world.ts';

const ELSEWHERE = Hash('ab'.repeat(32));

function restart(world: SmallWorld, seat: number): void {
  const machine = world.machine(seat);
  world.run(50);
  machine.crash(LOSE_ALL);
  world.run(3);
  machine.log.length = 0;
  machine.boot();
  world.until(() => machine.node !== undefined);
  world.run(1_000);
}

function expectHalted(world: SmallWorld, seat: number): void {
  expect(world.reader(seat).explain()).toMatchObject({ moving: false, code: 'HALTED' });
  expect(world.reader(seat).status().ready).toBe(false);
  expect(world.node(seat).replica.mode).toBe('halted');
}

/** What the others tell this seat of their state is signed by them and not what they have. */
function contradictCheckpoints(world: SmallWorld, seat: number): void {
  world.network.passes = ({ from, to, message }) => {
    if (message.kind !== 'checkpoint' || to !== seat) return true;
    const { signature: _, ...honest } = message.checkpoint;
    const stated = { ...honest, stateRoot: ELSEWHERE };
    const signature = world.machine(from).signer.sign(checkpointSigningBytes(world.genesis.chainId, stated));
    const checkpoint: Checkpoint = { ...stated, signature };
    world.network.deliver(from, to, encode(messageLayout, { kind: 'checkpoint', checkpoint }));
    return false;
  };
}

describe('a halt is found again at the next start, with what shows it', () => {
  it('for SAFETY: nothing is signed, and the reason is told', () => {
    const world = openWorld();
    const { certificate } = world.node(1).replica.final;
    if (certificate === null) throw new Error('an open world has blocks');
    const halt = { reason: 'SAFETY', certificates: [certificate], checkpoints: [] } as const;
    writeHalt(world.machine(1).store, halt, { failed: () => undefined });
    restart(world, 1);
    expectHalted(world, 1);
    expect(world.reader(1).halt()).toEqual(halt);
    expect(world.machine(1).log).toContain('this node has halted earlier and takes no part');
  });

  it('for DIVERGED: what the others state against it is shown as on the first day', () => {
    const world = openWorld({ parameters: { checkpointInterval: 2 } });
    expect(world.reader(1).halt()).toBeNull();
    contradictCheckpoints(world, 1);
    let ticket = 0;
    world.until(() => {
      ticket += 1;
      if (ticket % 50 === 0) void world.submit(0, world.transaction('boxoffice', issue(`t-${ticket}`)));
      return world.node(1).replica.mode === 'halted';
    });
    expectHalted(world, 1);
    const halt = world.reader(1).halt();
    expect(halt).toMatchObject({ reason: 'DIVERGED', certificates: [] });
    expect(halt?.checkpoints.map(({ stateRoot }) => stateRoot)).toEqual([ELSEWHERE, ELSEWHERE]);
    world.network.passes = () => true;
    restart(world, 1);
    expectHalted(world, 1);
    expect(world.reader(1).halt()).toEqual(halt);
    expect(readHalt(world.machine(1).store)).toEqual(halt);
    const height = world.node(0).replica.final.height;
    void world.submit(0, world.transaction('boxoffice', issue('t-last')));
    world.until(() => world.node(0).replica.final.height > height);
    expectHalted(world, 1);
  });
});
