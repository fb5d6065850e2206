import { describe, expect, test } from 'vitest';
import type { Effect } from '../../../src/consensus/effect.ts';
import type { JournalRecord } from '../../../src/consensus/record.ts';
import type { Replica } from '../../../src/consensus/replica.ts';
import { wants } from '../../../src/consensus/wants.ts';
import { blockHash } from '../../../src/model/block.ts';
import { Epoch, Height, Signature, Timestamp, View } from '../../../src/model/ids.ts';
import type { Memory, Message, MessageOf } from '../../../src/model/message.ts';
import type { Verified } from '../../../src/model/verified.ts';
import type { ViewChange } from '../../../src/model/view-change.ts';
import {
  ballotOn,
  benchReplica,
  blockOn,
  certificateOf,
  GENESIS,
  hear,
  pledges,
  proposalOf,
  start,
  tell,
  voteOf,
} from './bench-replica.ts';

const FIRST = blockOn(GENESIS, 0);
const SECOND = blockOn(FIRST.header, 0);
const ASKED = Timestamp(1_000_000);
const NOTHING: Memory = { prepare: null, commit: null, viewChange: null, final: null, highest: null };
const PREPARED = voteOf(1, ballotOn('PREPARE', FIRST));
const COMMITTED = voteOf(1, ballotOn('COMMIT', FIRST));

function answer(memory: Partial<Memory> = {}, asked = ASKED): Message {
  return { kind: 'memory', asked, memory: { ...NOTHING, ...memory } };
}

function wish(newView: number): ViewChange {
  return {
    epoch: Epoch(0),
    newView: View(newView),
    signer: 1,
    finalHeight: Height(0),
    finalHash: blockHash(GENESIS),
    claim: null,
    signature: Signature('11'.repeat(64)),
  };
}

/** A backup that has started, has executed the first block, and has heard nobody. */
function listening(records: readonly JournalRecord[] = []): Replica {
  const replica = benchReplica(1, records);
  tell(replica, { type: 'start' });
  hear(replica, 0, proposalOf(FIRST));
  expect(pledges(tell(replica, { type: 'validated', digest: blockHash(FIRST.header), verdict: 'valid' }))).toEqual([]);
  return replica;
}

function retirement(effects: readonly Effect[]) {
  return effects.find((effect) => effect.type === 'retire');
}

describe('after a start', () => {
  test('others are asked, and nothing is signed before two of the three have answered', () => {
    const replica = benchReplica(1);
    expect(tell(replica, { type: 'start' })).toContainEqual({
      type: 'broadcast',
      message: { kind: 'memory-request', asked: ASKED },
    });
    const waiting = listening();
    expect(pledges(hear(waiting, 2, answer()))).toEqual([]);
    expect(wants(waiting, 2, answer())).toBe(false);
    expect(pledges(hear(waiting, 3, answer()))).toEqual([{ kind: 'vote', ballot: ballotOn('PREPARE', FIRST) }]);
  });

  test('an answer to an earlier start does not count', () => {
    const replica = listening();
    hear(replica, 2, answer({}, Timestamp(999)));
    expect(pledges(hear(replica, 3, answer()))).toEqual([]);
  });

  test('nothing is signed before what is final for others is final here', () => {
    const replica = listening();
    hear(replica, 2, answer());
    const final = certificateOf('COMMIT', SECOND, [0, 2, 3]);
    expect(pledges(hear(replica, 3, answer({ final })))).toEqual([]);
    expect(retirement(hear(replica, 0, { kind: 'certificate', certificate: final }))).toBeUndefined();
    expect(replica.hearing).not.toBeNull();
  });

  test('who connects is asked too, and who is missing again and again', () => {
    const replica = listening();
    const request = { kind: 'memory-request', asked: ASKED };
    expect(tell(replica, { type: 'peer', seat: 3, connected: true })).toContainEqual({
      type: 'send',
      to: 3,
      message: request,
    });
    expect(tell(replica, { type: 'timer', timer: 'status' })).toContainEqual({ type: 'broadcast', message: request });
  });
});

describe('a replica that hears nobody for long', () => {
  const BLOCKS = 1_000;

  /** Follows the chain, whose blocks it fetches one by one. */
  function follow(replica: Replica): readonly Effect[] {
    let effects: readonly Effect[] = [];
    let parent = GENESIS;
    for (let count = 0; count < BLOCKS; count += 1) {
      const block = blockOn(parent, 0);
      const { header } = block;
      const certificate = certificateOf('COMMIT', block, [0, 2, 3]);
      const message: MessageOf<'blocks'> = { kind: 'blocks', blocks: [block], certificate };
      tell(replica, { type: 'fetched', message: message as Verified<MessageOf<'blocks'>> });
      tell(replica, { type: 'imported', header, certificate });
      const { height, stateRoot } = header;
      const executed = [{ height, digest: blockHash(header), stateRoot }];
      effects = tell(replica, { type: 'stored', height, executed });
      expect(replica.checkpointsDue.length).toBeLessThanOrEqual(1);
      parent = header;
    }
    expect(replica.final.height).toBe(BLOCKS);
    return effects;
  }

  test('remembers one checkpoint that it owes, and signs it once it may', () => {
    const replica = benchReplica(1);
    tell(replica, { type: 'start' });
    expect(pledges(follow(replica))).toEqual([]);
    expect(replica.checkpointsDue.map(({ height }) => height)).toEqual([BLOCKS]);
    hear(replica, 2, answer());
    const signed = pledges(hear(replica, 3, answer())).filter(({ kind }) => kind === 'checkpoint');
    expect(signed).toMatchObject([{ checkpoint: { height: BLOCKS, signer: 1 } }]);
    expect(replica.checkpointsDue).toEqual([]);
  });

  test('and owes none without a seat', () => {
    const replica = benchReplica(-1);
    tell(replica, { type: 'start' });
    follow(replica);
    expect(replica.checkpointsDue).toEqual([]);
  });
});

describe('a journal that is behind shows by', () => {
  test.each([
    ['a PREPARE', [], answer({ prepare: PREPARED })],
    ['a COMMIT', [{ kind: 'vote', vote: PREPARED }], answer({ commit: COMMITTED })],
    ['a VIEW-CHANGE', [{ kind: 'vote', vote: PREPARED }], answer({ viewChange: wish(1) })],
    ['a certificate', [], answer({ final: certificateOf('COMMIT', FIRST, [0, 1, 3]) })],
  ] as const)('%s', (_, records, message) => {
    const replica = benchReplica(1, records);
    tell(replica, { type: 'start' });
    const effects = hear(replica, 2, message);
    expect(retirement(effects)).toMatchObject({ reason: 'JOURNAL_BEHIND' });
    expect(effects).toContainEqual(
      expect.objectContaining({ type: 'record', records: [{ kind: 'retired', reason: 'JOURNAL_BEHIND' }] }),
    );
    hear(replica, 3, answer());
    hear(replica, 0, proposalOf(FIRST));
    expect(pledges(tell(replica, { type: 'validated', digest: blockHash(FIRST.header), verdict: 'valid' }))).toEqual(
      [],
    );
    expect(replica).toMatchObject({ retired: 'JOURNAL_BEHIND', mode: 'active', config: { self: -1 } });
  });

  test('nothing that it knows: votes of the journal, of a snapshot, of others', () => {
    const votes: readonly JournalRecord[] = [
      { kind: 'vote', vote: PREPARED },
      { kind: 'block', block: FIRST },
      { kind: 'certificate', certificate: certificateOf('PREPARE', FIRST, [0, 1, 2]) },
      { kind: 'vote', vote: COMMITTED },
    ];
    const replica = benchReplica(1, votes);
    tell(replica, { type: 'start' });
    const told = answer({ prepare: PREPARED, commit: COMMITTED, highest: certificateOf('COMMIT', FIRST, [0, 1, 3]) });
    expect(retirement(hear(replica, 2, told))).toBeUndefined();
    expect(retirement(hear(replica, 3, answer({ prepare: voteOf(2, ballotOn('PREPARE', SECOND)) })))).toBeUndefined();
    expect(replica.retired).toBeNull();
  });
});

test('a key that was given up stays so after a restart', () => {
  const replica = benchReplica(1, [
    { kind: 'vote', vote: PREPARED },
    { kind: 'retired', reason: 'DUPLICATE_KEY' },
  ]);
  start(replica);
  expect(replica).toMatchObject({ retired: 'DUPLICATE_KEY', config: { self: -1 } });
});

test('a key that votes elsewhere is given up when a certificate shows it', () => {
  const replica = benchReplica(1);
  start(replica);
  hear(replica, 0, proposalOf(FIRST));
  tell(replica, { type: 'validated', digest: blockHash(FIRST.header), verdict: 'valid' });
  const certificate = certificateOf('PREPARE', SECOND, [0, 1, 3]);
  expect(retirement(hear(replica, 2, { kind: 'certificate', certificate }))).toMatchObject({ reason: 'DUPLICATE_KEY' });
});

test('the highest votes that were seen are told, also after they became useless', () => {
  const replica = benchReplica(2);
  start(replica);
  hear(replica, 1, { kind: 'vote', vote: COMMITTED });
  hear(replica, 0, proposalOf(FIRST));
  tell(replica, { type: 'validated', digest: blockHash(FIRST.header), verdict: 'valid' });
  hear(replica, 3, { kind: 'certificate', certificate: certificateOf('COMMIT', FIRST, [0, 1, 3]) });
  const told = hear(replica, 1, { kind: 'memory-request', asked: Timestamp(7) });
  expect(told).toContainEqual({
    type: 'send',
    to: 1,
    message: {
      kind: 'memory',
      asked: 7,
      memory: expect.objectContaining({ prepare: null, commit: COMMITTED }),
    },
  });
  expect(hear(replica, 1, { kind: 'memory-request', asked: Timestamp(8) })).toEqual([]);
});
