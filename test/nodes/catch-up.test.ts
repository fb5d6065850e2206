import { describe, expect, it } from 'vitest';
import { blockHash } from '../../src/model/block.ts';
import { decode, encode } from '../../src/model/codec.ts';
import { Height } from '../../src/model/ids.ts';
import {
  SERVED_BLOCK_BYTES_MIN,
  SERVED_BYTES_BURST,
  SERVED_BYTES_PER_SECOND,
  SYNC_BLOCKS_MAX,
} from '../../src/model/limits.ts';
import { messageLayout } from '../../src/model/message.ts';
import { sealTransaction } from '../../src/model/transaction.ts';
import { serve } from '../../src/node/serving.ts';
import { issue, openWorld } from '../support/small-office.ts';
import { frameOf, LOSE_ALL, LOSE_NOTHING, type SmallWorld } from '../support/small-world.ts';

/** Blocks of one issue each, which those who are not cut off agree on. */
function grow(world: SmallWorld, seat: number, count: number): void {
  for (let made = 0; made < count; made += 1) {
    const transaction = world.transaction('boxoffice', issue(`t${world.machine(seat).height}`));
    void world.submit(seat, transaction);
    world.until(() => world.machine(seat).chain.place(transaction.id) !== undefined);
  }
}

/** Lets a node that was away come back, and waits until it has what the others have. */
function rejoin(world: SmallWorld, seat: number): void {
  world.network.heal();
  world.until(() => world.machine(seat).height === world.machine(0).height);
}

/** A world whose seat 3 has missed `count` blocks. */
function leftBehind(count: number): SmallWorld {
  const world = openWorld();
  world.network.isolate(3);
  grow(world, 0, count);
  return world;
}

describe('a node that was cut off', () => {
  it.each([1, 7, SYNC_BLOCKS_MAX, SYNC_BLOCKS_MAX + 9])('fetches %d blocks and is as if it had been there', (count) => {
    const world = leftBehind(count);
    rejoin(world, 3);
    world.checkAgreement();
    expect(world.machine(3).chain.head.stateRoot).toBe(world.machine(0).chain.head.stateRoot);
    grow(world, 3, 3);
    world.checkAgreement();
  });

  it('goes on voting with the others when it is needed', () => {
    const world = leftBehind(12);
    rejoin(world, 3);
    world.network.isolate(2);
    grow(world, 0, 2);
    expect(world.machine(3).height).toBe(world.machine(0).height);
  });

  it('says that it is behind, and takes nothing that is new', async () => {
    const world = leftBehind(20);
    // It hears of the others and does not get their blocks.
    world.network.passes = ({ message }) => message.kind !== 'blocks' && message.kind !== 'final';
    world.network.heal();
    world.until(() => world.node(3).heightAhead() !== undefined);
    expect(world.reader(3).explain()).toMatchObject({ moving: false, code: 'LAGGING' });
    expect(world.reader(3).status()).toMatchObject({ ready: false, syncing: true });
    const outcome = await world.submit(3, world.transaction('boxoffice', issue('new')));
    expect(outcome).toMatchObject({ outcome: 'not-admitted', code: 'NOT_SYNCED' });
  });

  it('is told a block with the certificate of the answer that it came in, which serves a third one again', () => {
    const world = leftBehind(9);
    const from = world.machine(3).height + 1;
    rejoin(world, 3);
    const { chain } = world.machine(3);
    const last = chain.block(from + 8);
    expect(chain.block(from)).toMatchObject({ certifiedHeight: from + 8, certificate: last?.certificate });
    const served = serve(chain, { kind: 'blocks-request', from: Height(chain.head.height - 8), count: 1 });
    const answer = decode(messageLayout, served?.frame ?? new Uint8Array());
    if (!answer.ok || answer.value.kind !== 'blocks') throw new Error('no blocks');
    expect(answer.value.blocks.map(({ header }) => header.height)).toEqual(
      Array.from({ length: 9 }, (_, i) => from + i),
    );
    expect(answer.value.certificate).toEqual(last?.certificate);
    expect(encode(messageLayout, answer.value)).toEqual(served?.frame);

    // Only seat 3 can be asked: the others answer nothing.
    world.network.isolate(2);
    world.machine(2).crash(LOSE_ALL);
    world.network.passes = ({ message, from }) => message.kind !== 'blocks' || from === 3;
    grow(world, 0, 3);
    world.machine(2).boot();
    world.until(() => world.machine(2).node !== undefined);
    rejoin(world, 2);
    world.checkAgreement();
  });

  it.each([LOSE_ALL, LOSE_NOTHING])('starts again after it died anywhere while catching up', (failure) => {
    for (let step = 0; step < 10; step += 1) {
      const world = leftBehind(5);
      world.network.heal();
      world.run(2 + step * 9);
      world.machine(3).crash(failure);
      world.machine(3).boot();
      world.until(() => world.machine(3).node !== undefined);
      rejoin(world, 3);
      world.checkAgreement();
    }
  });
});

describe('a peer that lies to a node which catches up', () => {
  it('about its height alone makes nobody believe that they are behind', async () => {
    const world = openWorld();
    world.network.passes = ({ from, to, message }) => {
      if (from !== 3 || message.kind !== 'status') return true;
      const status = { ...message.status, finalHeight: Height(1_000_000) };
      world.network.deliver(from, to, frameOf({ kind: 'status', status }));
      return false;
    };
    world.run(3_000);
    expect(world.node(1).replica.peers[3]?.status?.finalHeight).toBe(1_000_000);
    expect(world.node(1).heightAhead()).toBeUndefined();
    expect(world.reader(1).status()).toMatchObject({ ready: true, syncing: false });
    expect(await world.decide(1, world.transaction('boxoffice', issue('a1')))).toMatchObject({ outcome: 'final' });
  });

  it('with a signature that the client never made is shut out, and the node asks another one', () => {
    const world = leftBehind(6);
    let forged = 0;
    world.network.passes = ({ from, to, message }) => {
      if (to !== 3 || message.kind !== 'blocks' || forged > 0) return true;
      forged += 1;
      const [first, ...others] = message.blocks;
      if (first === undefined) throw new Error('an answer has blocks');
      const body = first.body.map((one) => sealTransaction(one.body, 'ab'.repeat(64) as typeof one.signature));
      const lie = { ...message, blocks: [{ header: first.header, body }, ...others] };
      expect(blockHash(lie.blocks[0]?.header ?? first.header)).toBe(blockHash(first.header));
      world.network.deliver(from, to, frameOf(lie));
      return false;
    };
    rejoin(world, 3);
    expect(forged).toBe(1);
    expect(world.node(3).halt).toBeNull();
    expect(world.network.penalties).toEqual([expect.objectContaining({ by: 3, reason: 'MALFORMED_FRAME' })]);
    world.checkAgreement();
  });

  it('or asks for more than its share is answered no faster than that', () => {
    const world = openWorld();
    grow(world, 0, 1);
    let bytes = 0;
    let largest = 0;
    world.network.passes = ({ from, message }) => {
      if (from !== 0 || message.kind !== 'blocks') return true;
      // Many small blocks are as much work as a few large ones, and count as such.
      largest = Math.max(frameOf(message).length, message.blocks.length * SERVED_BLOCK_BYTES_MIN);
      bytes += largest;
      return false;
    };
    const request = frameOf({ kind: 'blocks-request', from: Height(1), count: 255 });
    const elapsedMs = 20;
    for (let ms = 0; ms < elapsedMs; ms += 1) {
      for (let asked = 0; asked < 1_000; asked += 1) world.network.deliver(3, 0, request);
      world.run(1);
    }
    world.run(1);
    const allowed = SERVED_BYTES_BURST + (SERVED_BYTES_PER_SECOND * (elapsedMs + 1)) / 1_000;
    expect(bytes).toBeGreaterThan(SERVED_BYTES_BURST);
    expect(bytes).toBeLessThan(allowed + largest);
    world.run(1_000);
    const before = bytes;
    world.network.deliver(3, 0, request);
    world.run(2);
    expect(bytes).toBe(before + largest);
  });
});
