import { describe, expect, test } from 'vitest';
import { inspect } from '../../../src/consensus/inspect.ts';
import { wants } from '../../../src/consensus/wants.ts';
import { blockHash } from '../../../src/model/block.ts';
import { Epoch, Height, Timestamp, View } from '../../../src/model/ids.ts';
import type { Message } from '../../../src/model/message.ts';
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
const RIVAL = blockOn(GENESIS, 0, 7);

function started(self: number) {
  const replica = benchReplica(self);
  start(replica);
  return replica;
}

/** A backup that has executed the first block and voted for it. */
function prepared(self = 1) {
  const replica = started(self);
  hear(replica, 0, proposalOf(FIRST));
  const effects = tell(replica, { type: 'validated', digest: blockHash(FIRST.header), verdict: 'valid' });
  return { replica, effects };
}

describe('PREPARE', () => {
  test('is pledged once, after the block was found valid, and not before', () => {
    const replica = started(1);
    const proposed = hear(replica, 0, proposalOf(FIRST));
    expect(pledges(proposed)).toEqual([]);
    expect(proposed.map(({ type }) => type)).toContain('validate');
    const { effects } = prepared();
    expect(pledges(effects)).toEqual([{ kind: 'vote', ballot: ballotOn('PREPARE', FIRST) }]);
  });

  test('is not given to an invalid block, whose primary is suspected', () => {
    const replica = started(1);
    hear(replica, 0, proposalOf(FIRST));
    const effects = tell(replica, { type: 'validated', digest: blockHash(FIRST.header), verdict: 'invalid' });
    expect(pledges(effects)).toEqual([]);
    expect(inspect(replica).isSuspecting).toBe(true);
  });

  test('is not given to a block whose time is far from the clock', () => {
    const replica = started(1);
    const late = blockOn(GENESIS, 0, -600_000);
    hear(replica, 0, proposalOf(late));
    expect(pledges(tell(replica, { type: 'validated', digest: blockHash(late.header), verdict: 'valid' }))).toEqual([]);
  });

  test('of an observer does not exist', () => {
    const { effects } = prepared(-1);
    expect(pledges(effects)).toEqual([]);
  });
});

describe('COMMIT', () => {
  test('is pledged with its certificate and block in front of it, in the same sync', () => {
    const { replica } = prepared();
    hear(replica, 2, { kind: 'vote', vote: voteOf(2, ballotOn('PREPARE', FIRST)) });
    const effects = hear(replica, 3, { kind: 'vote', vote: voteOf(3, ballotOn('PREPARE', FIRST)) });
    const pledge = effects.find(({ type }) => type === 'pledge');
    expect(pledges(effects)).toEqual([{ kind: 'vote', ballot: ballotOn('COMMIT', FIRST) }]);
    expect(pledge?.type === 'pledge' ? pledge.support.map(({ kind }) => kind) : []).toEqual(['block', 'certificate']);
  });

  test('certificates make a block final, also without having voted for it', () => {
    const { replica } = prepared();
    const certificate = certificateOf('COMMIT', FIRST, [0, 2, 3]);
    const effects = hear(replica, 3, { kind: 'certificate', certificate });
    expect(effects.find(({ type }) => type === 'commit')).toMatchObject({ blocks: [FIRST], certificate });
    expect(inspect(replica).final.height).toBe(1);
  });

  test('needs a quorum of voters: one voter twice is one', () => {
    const { replica } = prepared();
    const vote: Message = { kind: 'vote', vote: voteOf(2, ballotOn('PREPARE', FIRST)) };
    hear(replica, 2, vote);
    expect(wants(replica, 2, vote)).toBe(false);
    expect(pledges(hear(replica, 2, vote))).toEqual([]);
  });
});

describe('the end of a replica', () => {
  test('SAFETY: two blocks at one height have certificates', () => {
    const { replica } = prepared();
    hear(replica, 3, { kind: 'certificate', certificate: certificateOf('COMMIT', FIRST, [0, 2, 3]) });
    const rival = certificateOf('COMMIT', RIVAL, [0, 1, 3], 1);
    const effects = hear(replica, 2, { kind: 'certificate', certificate: rival });
    expect(effects.find(({ type }) => type === 'halt')).toMatchObject({ reason: 'SAFETY' });
    expect(tell(replica, { type: 'timer', timer: 'progress' })).toEqual([]);
    expect(hear(replica, 3, proposalOf(FIRST))).toEqual([]);
    const [said, armed, ...more] = tell(replica, { type: 'timer', timer: 'status' });
    expect(said).toMatchObject({ type: 'broadcast', message: { kind: 'status', status: { mode: 'halted' } } });
    expect(armed).toMatchObject({ type: 'set-timer', timer: 'status' });
    expect(more).toEqual([]);
  });

  test('DIVERGED: a quorum certified what is invalid here', () => {
    const replica = started(1);
    hear(replica, 0, proposalOf(FIRST));
    tell(replica, { type: 'validated', digest: blockHash(FIRST.header), verdict: 'invalid' });
    const effects = hear(replica, 3, { kind: 'certificate', certificate: certificateOf('PREPARE', FIRST, [0, 2, 3]) });
    expect(effects.find(({ type }) => type === 'halt')).toMatchObject({ reason: 'DIVERGED' });
  });

  test('DUPLICATE_KEY: a vote with the own key that was never decided here', () => {
    const { replica } = prepared();
    const effects = hear(replica, 1, { kind: 'vote', vote: voteOf(1, ballotOn('PREPARE', RIVAL)) });
    expect(effects.find(({ type }) => type === 'retire')).toMatchObject({ reason: 'DUPLICATE_KEY' });
  });
});

describe('after a restart', () => {
  test('no other block gets a vote at the height of the journal', () => {
    const vote = voteOf(1, ballotOn('PREPARE', FIRST));
    const replica = benchReplica(1, [{ kind: 'vote', vote }]);
    const started = start(replica);
    expect(started).toContainEqual({ type: 'broadcast', message: { kind: 'vote', vote } });
    hear(replica, 0, proposalOf(RIVAL));
    expect(pledges(tell(replica, { type: 'validated', digest: blockHash(RIVAL.header), verdict: 'valid' }))).toEqual(
      [],
    );
  });

  test('nothing is signed below the height that a snapshot had reached, until the store is there again', () => {
    const { height, digest } = { height: Height(0), digest: blockHash(GENESIS) };
    const replica = benchReplica(1, [
      {
        kind: 'snapshot',
        epoch: Epoch(0),
        view: View(0),
        mode: 'active',
        anchor: { height, digest },
        tip: null,
        votes: [],
        signed: { prepare: null, commit: null, newView: null },
        blocks: [],
        highest: null,
        viewChange: null,
        claimed: null,
        newView: null,
        checkpoint: Height(5),
      },
    ]);
    start(replica);
    hear(replica, 0, proposalOf(FIRST));
    expect(pledges(tell(replica, { type: 'validated', digest: blockHash(FIRST.header), verdict: 'valid' }))).toEqual(
      [],
    );
  });
});

describe('what is not wanted', () => {
  const replica = started(1);
  const vote = (view: number, height: number): Message => ({
    kind: 'vote',
    vote: voteOf(2, { ...ballotOn('COMMIT', FIRST, view), height: Height(height) }),
  });

  test.each([
    ['a height beyond two windows', vote(0, 5), 2, false],
    ['the last height of two windows', vote(0, 4), 2, true],
    ['a final height', vote(0, 0), 2, false],
    ['the vote of another', vote(0, 1), 3, false],
    ['a seat that does not exist', vote(0, 1), 9, false],
    ['a proposal of a backup', proposalOf(FIRST), 2, false],
    ['a block that was not asked for', { kind: 'body', block: FIRST } as const, 2, false],
    ['blocks that were not asked for', { kind: 'blocks', blocks: [FIRST], certificate: null } as const, 2, false],
  ] as const)('%s', (_what, message, from, expected) => {
    expect(wants(replica, from, message)).toBe(expected);
  });

  test('votes of one later view only: the highest', () => {
    hear(replica, 2, vote(9, 1));
    expect(wants(replica, 2, vote(8, 2))).toBe(false);
    expect(wants(replica, 2, vote(9, 2))).toBe(true);
  });
});

test('a clock that is set back does not silence the replica', () => {
  const replica = started(1);
  const status = { kind: 'status', status: statusBehind() } as const;
  hear(replica, 2, status);
  const peer = replica.peers[2];
  if (peer === undefined) throw new Error('a bench of four has seat 2');
  peer.answeredAt = 5_000_000;
  tell(replica, { type: 'peer', seat: 3, connected: true });
  replica.now = Timestamp(6_000_000);
  tell(replica, { type: 'timer', timer: 'status' });
  expect(peer.answeredAt).toBeLessThanOrEqual(1_000_000);
});

function statusBehind() {
  return {
    epoch: Epoch(0),
    view: View(0),
    mode: 'active' as const,
    finalHeight: Height(0),
    finalHash: blockHash(GENESIS),
    highest: null,
    suspects: null,
    missing: [],
    now: Timestamp(1_000_000),
  };
}
