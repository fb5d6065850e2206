import { expect, it } from 'vitest';
import { writeHalt } from '../../src/store/halt.ts';
import { openWorld } from '../support/small-office.ts';
import { LOSE_ALL } from '../support/small-world.ts';

it('a halt for SAFETY is found again at the next start: nothing is signed, and the reason is told', () => {
  const world = openWorld();
  const machine = world.machine(1);
  const { certificate } = world.node(1).replica.final;
  if (certificate === null) throw new Error('an open world has blocks');
  writeHalt(machine.store, { reason: 'SAFETY', certificates: [certificate] }, { failed: () => undefined });
  world.run(50);
  machine.crash(LOSE_ALL);
  world.run(3);
  machine.boot();
  world.until(() => machine.node !== undefined);
  world.run(1_000);
  expect(world.reader(1).explain()).toMatchObject({ moving: false, code: 'HALTED' });
  expect(world.reader(1).status().ready).toBe(false);
  expect(world.node(1).replica.mode).toBe('halted');
  expect(machine.log).toContain('this node has halted earlier and takes no part');
});
