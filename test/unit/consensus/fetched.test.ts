import { describe, expect, test } from 'vitest';
import type { Effect } from '../../../src/consensus/effect.ts';
import { type Block, blockHash } from '../../../src/model/block.ts';
import type { Certificate } from '../../../src/model/certificate.ts';
import { Epoch, Height, View } from '../../../src/model/ids.ts';
import type { MessageOf, Status } from '../../../src/model/message.ts';
import type { Verified } from '../../../src/model/verified.ts';
import { benchReplica, blockOn, certificateOf, GENESIS, hear, start, tell } from './bench-replica.ts';

const FIRST = blockOn(GENESIS, 0);
const SECOND = blockOn(FIRST.header, 0);
const CERTIFICATE = certificateOf('COMMIT', SECOND, [0, 1, 2]);

/** As if the shell had held them against the authority set. */
function fetched(blocks: readonly Block[], certificate: Certificate) {
  const message: MessageOf<'blocks'> = { kind: 'blocks', blocks, certificate };
  return { type: 'fetched', message: message as Verified<MessageOf<'blocks'>> } as const;
}

function imports(effects: readonly Effect[]) {
  return effects.filter(({ type }) => type === 'import');
}

function follower() {
  const replica = benchReplica(-1);
  tell(replica, { type: 'start' });
  return replica;
}

describe('blocks that the shell has fetched', () => {
  test('are imported, and final once that is done', () => {
    const replica = follower();
    expect(imports(tell(replica, fetched([FIRST, SECOND], CERTIFICATE)))).toMatchObject([{ blocks: [FIRST, SECOND] }]);
    expect(replica.final.height).toBe(0);
    tell(replica, { type: 'imported', header: SECOND.header, certificate: CERTIFICATE });
    expect(replica.final).toMatchObject({ height: 2, digest: blockHash(SECOND.header) });
  });

  test('wait their turn while others are imported', () => {
    const replica = follower();
    tell(replica, fetched([FIRST], certificateOf('COMMIT', FIRST, [0, 1, 2])));
    expect(imports(tell(replica, fetched([FIRST, SECOND], CERTIFICATE)))).toEqual([]);
  });

  test('are cut to those above the final one, and must continue it', () => {
    const replica = follower();
    tell(replica, fetched([FIRST], certificateOf('COMMIT', FIRST, [0, 1, 2])));
    tell(replica, { type: 'imported', header: FIRST.header, certificate: certificateOf('COMMIT', FIRST, [0, 1, 2]) });
    expect(imports(tell(replica, fetched([FIRST, SECOND], CERTIFICATE)))).toMatchObject([{ blocks: [SECOND] }]);
    const gap = follower();
    expect(imports(tell(gap, fetched([SECOND], CERTIFICATE)))).toEqual([]);
    expect(gap.mode).toBe('active');
  });

  test('of another history end the replica, and so does a certificate of one', () => {
    const rival = blockOn({ ...GENESIS, view: View(1) }, 0);
    const replica = follower();
    const effects = tell(replica, fetched([rival], certificateOf('COMMIT', rival, [0, 1, 2])));
    expect(imports(effects)).toEqual([]);
    expect(effects).toContainEqual(expect.objectContaining({ type: 'halt', reason: 'SAFETY' }));
    const told = follower();
    const conflict = { type: 'conflict', certificate: certificateOf('COMMIT', rival, [0, 1, 2]) } as const;
    expect(tell(told, conflict)).toContainEqual(expect.objectContaining({ type: 'halt', reason: 'SAFETY' }));
  });
});

describe('while the shell fetches what is missing', () => {
  function asksForBlocks(isTakenOver: boolean): boolean {
    const replica = benchReplica(1);
    start(replica);
    tell(replica, { type: 'sync-taken-over', isTakenOver });
    const status: Status = {
      epoch: Epoch(0),
      view: View(0),
      mode: 'active',
      finalHeight: Height(5_000),
      finalHash: blockHash(SECOND.header),
      highest: null,
      suspects: null,
      missing: [],
      now: replica.now,
    };
    for (const seat of [0, 2, 3]) hear(replica, seat, { kind: 'status', status });
    const effects = tell(replica, { type: 'timer', timer: 'fetch' });
    return effects.some((effect) => effect.type === 'send' && effect.message.kind === 'blocks-request');
  }

  test('no seat is asked for it, and one is asked again afterwards', () => {
    expect(asksForBlocks(true)).toBe(false);
    expect(asksForBlocks(false)).toBe(true);
  });
});
