import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { encode } from '../../../src/model/codec.ts';
import { Timestamp } from '../../../src/model/ids.ts';
import { RETAINED_BLOCKS_MIN } from '../../../src/model/limits.ts';
import type { PeerMessage } from '../../../src/model/peer-message.ts';
import type { PeerId, PeerInfo } from '../../../src/network/transport.ts';
import { HistoryFilling } from '../../../src/node/history-filling.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { pastBlockAt } from '../../../src/node/snapshot-serving.ts';
import { cutPastBlocks, pastBlocksLayout } from '../../../src/peering/past-blocks.ts';
import { readBlock, readOldest } from '../../../src/store/blocks.ts';
import type { KeyValue } from '../../../src/store/key-value.ts';
import { pruneChanges } from '../../../src/store/prune.ts';
import { written } from '../../../src/store/written.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { copyOf, memoryStore } from '../../support/stores.ts';

const PLAN = { seed: 23, transactions: 1, blocksPerCertificateMax: 1 };
const BLOCKS = RETAINED_BLOCKS_MIN + 40;
const PEER = { id: 'archive' as PeerId } as PeerInfo;

let archive: KeyValue;
let generator: ChainGenerator;
let asked: Extract<PeerMessage, { kind: 'history-request' }>[];
let tick: () => void;

beforeAll(async () => {
  archive = memoryStore();
  const whole = await ChainGenerator.open(archive, PLAN);
  await whole.grow(BLOCKS);
});

beforeEach(() => {
  asked = [];
});

/** A node without the blocks below `oldest`, which wants all that `retainedBlocks` allows. */
async function begin(oldest: number, retainedBlocks: number | null): Promise<HistoryFilling> {
  const store = await copyOf(archive);
  generator = await ChainGenerator.open(store, PLAN);
  await prune(oldest);
  const filling = new HistoryFilling({
    post: {
      send: (_, message) => message.kind === 'history-request' && asked.push(message) > 0,
      hasRoom,
      charge,
      peers,
    },
    chain: generator.chain,
    jurisdiction: { chainId: generator.genesis.chainId, authorities: generator.set, check: createSignatureCheck() },
    compression: { deflate: (bytes, done) => done(bytes), inflate: (bytes, _, done) => done(bytes) },
    clock: { now: () => Timestamp(0), monotonicMs: () => 0 },
    timers: {
      after: (_, callback) => {
        tick = callback;
        return () => undefined;
      },
      soon: (callback) => callback(),
    },
    retainedBlocks,
    log: { info: () => undefined },
  });
  filling.start();
  return filling;
}

const peers = (): readonly PeerInfo[] => [PEER];
const hasRoom = (): boolean => true;
const charge = (): void => {
  throw new Error('an honest peer is blamed');
};

async function prune(below: number): Promise<void> {
  const { store, head } = generator.chain;
  await written(store, pruneChanges(store, { below, since: head.timestamp }, BLOCKS));
}

async function answer(filling: HistoryFilling): Promise<void> {
  const { request, below, count } = defined(asked.pop(), 'it was asked for');
  const blocks = defined(
    cutPastBlocks((height) => pastBlockAt(archive, height), below, count),
    'an archive has them',
  );
  filling.message(PEER.id, { kind: 'history', request, below, deflated: encode(pastBlocksLayout, blocks) });
  await written(generator.chain.store, []);
}

/** Whether everything from the oldest block on is there. */
function isWhole(): boolean {
  const { store, head } = generator.chain;
  for (let height: number = readOldest(store); height <= head.height; height += 1) {
    if (readBlock(store, height) === undefined) return false;
  }
  return true;
}

describe('history below a snapshot', () => {
  it('is fetched down to the first block, one answer after another', async () => {
    const filling = await begin(200, null);
    for (let answers = 0; readOldest(generator.chain.store) > 1 && answers < 20; answers += 1) {
      tick();
      await answer(filling);
      expect(isWhole()).toBe(true);
    }
    expect(readOldest(generator.chain.store)).toBeLessThanOrEqual(1);
    tick();
    expect(asked).toEqual([]);
  });

  it('is not fetched below what is kept', async () => {
    await begin(BLOCKS + 1 - RETAINED_BLOCKS_MIN, 1);
    tick();
    expect(asked).toEqual([]);
  });

  it('leaves no gap when blocks above it are removed while an answer is on its way', async () => {
    const oldest = BLOCKS + 2 - RETAINED_BLOCKS_MIN;
    const filling = await begin(oldest, 1);
    tick();
    expect(asked).toHaveLength(1);
    // The chain grows, and what no longer is among the newest goes.
    await generator.grow(4);
    await prune(BLOCKS + 5 - RETAINED_BLOCKS_MIN);
    expect(readOldest(generator.chain.store)).toBeGreaterThan(oldest);
    await answer(filling);
    expect(isWhole()).toBe(true);
  });

  it('is not taken when it is about to be removed again', async () => {
    const oldest = BLOCKS + 2 - RETAINED_BLOCKS_MIN;
    const filling = await begin(oldest, 1);
    tick();
    await generator.grow(4);
    await answer(filling);
    expect(readOldest(generator.chain.store)).toBe(oldest);
  });
});
