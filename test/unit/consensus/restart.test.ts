import { describe, expect, test } from 'vitest';
import { type JournalRecord, journalRecordLayout } from '../../../src/consensus/record.ts';
import { recoverableMax } from '../../../src/consensus/replica.ts';
import { type Block, blockHash } from '../../../src/model/block.ts';
import { decode, encode } from '../../../src/model/codec.ts';
import { Epoch, Height, Signature, View } from '../../../src/model/ids.ts';
import {
  ballotOn,
  benchReplica,
  blockOn,
  certificateOf,
  GENESIS,
  hear,
  pledges,
  start,
  tell,
  voteOf,
} from './bench-replica.ts';

const FIRST = blockOn(GENESIS, 0);

/** Blocks 1 to `count`, each on the one before. */
function chainOf(count: number): Block[] {
  const blocks: Block[] = [];
  for (let parent = GENESIS; blocks.length < count; parent = blocks.at(-1)?.header ?? GENESIS) {
    blocks.push(blockOn(parent, 0));
  }
  return blocks;
}

describe('a snapshot', () => {
  test('brings back a VIEW-CHANGE with the certificate of its claim, though a higher kind of the same rank is known', () => {
    const prepared = certificateOf('PREPARE', FIRST, [0, 1, 2]);
    const { view, height, digest, phase } = prepared;
    const viewChange = {
      epoch: Epoch(0),
      newView: View(1),
      signer: 1,
      finalHeight: Height(0),
      finalHash: blockHash(GENESIS),
      claim: { view, height, digest, phase },
      signature: Signature('11'.repeat(64)),
    };
    const snapshot: JournalRecord = {
      kind: 'snapshot',
      epoch: Epoch(0),
      view: View(1),
      mode: 'changing',
      anchor: { height: Height(0), digest: blockHash(GENESIS) },
      tip: null,
      votes: [],
      signed: { prepare: { view: View(0), height: Height(1) }, commit: null, newView: null },
      blocks: [FIRST],
      highest: certificateOf('COMMIT', FIRST, [0, 1, 2]),
      viewChange,
      claimed: prepared,
      newView: null,
      checkpoint: Height(0),
    };
    const stored = decode(journalRecordLayout, encode(journalRecordLayout, snapshot));
    expect(stored).toEqual({ ok: true, value: snapshot });
    const effects = start(benchReplica(1, [snapshot]));
    expect(effects).toContainEqual({
      type: 'broadcast',
      message: { kind: 'view-change', viewChange, certificate: prepared },
    });
  });
});

describe('a journal that is far ahead of the store', () => {
  const blocks = chainOf(30);
  const records = blocks.flatMap((block): JournalRecord[] => [
    { kind: 'vote', vote: voteOf(1, ballotOn('PREPARE', block)) },
    { kind: 'block', block },
    { kind: 'certificate', certificate: certificateOf('PREPARE', block, [0, 1, 2]) },
  ]);

  test('brings back as many blocks as a store can have lost, and no more', () => {
    const replica = benchReplica(1, records);
    const most = recoverableMax(replica);
    expect(most).toBeLessThan(blocks.length);
    expect([...replica.tree.values()].map(({ header }) => header.height).sort((a, b) => a - b)).toEqual(
      blocks.slice(-most).map(({ header }) => header.height),
    );
  });

  test('lets the anchor be voted for again beyond the window', () => {
    const kept = 6;
    const replica = benchReplica(1, [
      ...records.slice(0, 3 * kept),
      { kind: 'entered', epoch: Epoch(0), view: View(4), anchor: { height: Height(kept), digest: anchorOf(kept) } },
    ]);
    start(replica);
    for (const block of blocks.slice(0, kept)) {
      tell(replica, { type: 'validated', digest: blockHash(block.header), verdict: 'valid' });
    }
    const anchor = blocks[kept - 1] ?? FIRST;
    const vote = voteOf(0, ballotOn('PREPARE', anchor, 4));
    const effects = hear(replica, 0, { kind: 'pre-prepare', header: anchor.header, body: null, vote });
    expect(pledges(effects)).toEqual([{ kind: 'vote', ballot: ballotOn('PREPARE', anchor, 4) }]);
  });

  function anchorOf(height: number) {
    return blockHash((blocks[height - 1] ?? FIRST).header);
  }
});

describe('a store that does not keep up', () => {
  test('holds the next vote back until it has', () => {
    const blocks = chainOf(20);
    const replica = benchReplica(1);
    start(replica);
    const prepare = (block: Block) => {
      const vote = voteOf(0, ballotOn('PREPARE', block));
      hear(replica, 0, { kind: 'pre-prepare', header: block.header, body: block.body, vote });
      return pledges(tell(replica, { type: 'validated', digest: blockHash(block.header), verdict: 'valid' }));
    };
    let voted = 0;
    for (const block of blocks) {
      if (prepare(block).length === 0) break;
      voted += 1;
      const certificate = certificateOf('COMMIT', block, [0, 2, 3]);
      hear(replica, 2, { kind: 'certificate', certificate });
    }
    expect(voted).toBeGreaterThan(1);
    expect(voted).toBeLessThan(blocks.length);
    const later = pledges(tell(replica, { type: 'stored', height: Height(voted), executed: [] }));
    expect(later).toEqual([{ kind: 'vote', ballot: ballotOn('PREPARE', blocks[voted] ?? FIRST) }]);
  });
});
