import { beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { createPrng } from '../../../src/lib/prng.ts';
import { Timestamp } from '../../../src/model/ids.ts';
import { BLOCKS_CACHED_MAX, RETAINED_BLOCKS_MIN } from '../../../src/model/limits.ts';
import { verifyChain } from '../../../src/node/audit/verify-chain.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { Pruner } from '../../../src/node/pruner.ts';
import { beginChain, recoveredFrom } from '../../../src/node/recovery.ts';
import { pastBlockAt } from '../../../src/node/snapshot-serving.ts';
import { cutPastBlocks } from '../../../src/peering/past-blocks.ts';
import {
  beginTransfer,
  type SnapshotEffect,
  type SnapshotEvent,
  type SnapshotTarget,
  snapshotBeginning,
  stepSnapshot,
} from '../../../src/peering/snapshot.ts';
import { oldestRow, readBlock, readOldest } from '../../../src/store/blocks.ts';
import type { Chain } from '../../../src/store/chain.ts';
import type { KeyValue } from '../../../src/store/key-value.ts';
import { checkNewestBlocks } from '../../../src/store/newest-blocks.ts';
import { pruneChanges } from '../../../src/store/prune.ts';
import { heightKey, TABLES } from '../../../src/store/schema.ts';
import { written } from '../../../src/store/written.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { contentOf, copyOf, memoryStore } from '../../support/stores.ts';

const BLOCKS = RETAINED_BLOCKS_MIN + 64;

let generator: ChainGenerator;
let original: KeyValue;

beforeAll(async () => {
  original = memoryStore();
  generator = await ChainGenerator.open(original, { seed: 17, transactions: 1, blocksPerCertificateMax: 3 });
  await generator.grow(BLOCKS);
});

function opened(store: KeyValue): Promise<Chain> {
  return new Promise((resolve, reject) =>
    beginChain(store, generator.genesis, (begun) => (begun.ok ? resolve(begun.value) : reject(begun.error))),
  );
}

/** Runs a pruner until it rests. */
async function prune(chain: Chain, retainedBlocks: number | null, retainedMs: number): Promise<void> {
  let turns = 0;
  const soon = (callback: () => void): void => {
    turns += 1;
    setImmediate(() => {
      turns -= 1;
      callback();
    });
  };
  const pruner = new Pruner({ chain, retainedBlocks, retainedMs, timers: { soon } });
  pruner.advance();
  for (let rest = 0; rest < 5; rest = turns === 0 ? rest + 1 : 0) await new Promise((resolve) => setImmediate(resolve));
}

/** The state of the highest block up to `height` that a certificate of its own makes final. */
function stateAt(height: number): SnapshotTarget {
  const { header, hash, certificate, certifiedHeight } = defined(readBlock(original, height), 'it is stored');
  return certifiedHeight === height && certificate !== null ? { header, hash, certificate } : stateAt(height - 1);
}

/** How fetching the blocks before a state ends, from somebody who keeps what is in `store`. */
function historyOf(target: SnapshotTarget, store: KeyValue, transactionLifeMsMax: number): SnapshotEffect['type'] {
  const jurisdiction = {
    chainId: generator.genesis.chainId,
    authorities: generator.set,
    check: createSignatureCheck(),
  };
  const parts = { target, jurisdiction, transactionLifeMsMax, trusted: undefined };
  const transfer = beginTransfer(parts, { places: [], history: snapshotBeginning(target).history });
  const snapshot = { height: target.header.height, hash: target.hash };
  const events: SnapshotEvent[] = [{ type: 'offer', peer: 'one', snapshot }];
  for (let event = events.shift(); event !== undefined; event = events.shift()) {
    for (const effect of stepSnapshot(transfer, event, 0)) {
      if (effect.type === 'store-history') events.push({ type: 'stored' });
      else if (effect.type !== 'ask') return effect.type;
      else if (effect.message.kind === 'history-request') {
        const { request, below, count } = effect.message;
        const blocks = cutPastBlocks((height) => pastBlockAt(store, height), below, count);
        const failed = { type: 'failed', peer: 'one', request, reason: 'PRUNED' } as const;
        events.push(blocks === undefined ? failed : { type: 'history', peer: 'one', request, blocks });
      }
    }
  }
  throw new Error('it neither ends nor goes on');
}

describe('blocks that are not retained', () => {
  it('go, down to the smallest number that is kept, and what they did stays', async () => {
    const store = await copyOf(original);
    await prune(await opened(store), 1, 0);
    expect(readOldest(store)).toBe(BLOCKS + 1 - RETAINED_BLOCKS_MIN);
    expect([...store.range(TABLES.blocks, {})]).toHaveLength(RETAINED_BLOCKS_MIN + 1);
    expect([...store.range(TABLES.receipts, {})]).toHaveLength(RETAINED_BLOCKS_MIN + 1);
    expect([...store.range(TABLES.certificates, {})]).toHaveLength(RETAINED_BLOCKS_MIN + 1);
    for (const table of [TABLES.state, TABLES.pages, TABLES.history, TABLES.transactions, TABLES.heights]) {
      expect([...store.range(table, {})]).toEqual([...original.range(table, {})]);
    }
  });

  it('leave a chain that opens, is checked, and that a node starts on', async () => {
    const store = await copyOf(original);
    await prune(await opened(store), 1, 0);
    const chain = await opened(store);
    expect(chain.oldest).toBe(BLOCKS + 1 - RETAINED_BLOCKS_MIN);
    expect(chain.block(chain.oldest - 1)).toBeUndefined();
    expect(chain.block(0)).toBeDefined();
    const jurisdiction = {
      chainId: generator.genesis.chainId,
      authorities: generator.set,
      check: createSignatureCheck(),
    };
    checkNewestBlocks(store, jurisdiction, BLOCKS);
    expect(recoveredFrom(chain, []).final.header).toEqual(generator.chain.head);
    const first = defined(readBlock(original, 3), 'it was there').body[0];
    expect(first !== undefined && chain.has(first.id)).toBe(true);
  });

  it('stay as long as their transactions could come again, with the block that shows that these are all', async () => {
    const store = await copyOf(original);
    const middle = defined(readBlock(original, 20), 'it is there').header.timestamp;
    await prune(await opened(store), 1, generator.chain.head.timestamp - middle);
    expect(readOldest(store)).toBe(19);
  });

  it('leave all that belongs to a state which was the newest a while ago, and not less', async () => {
    const lifeMs = 60_000;
    const target = stateAt(BLOCKS - 8);
    const heldMs = generator.chain.head.timestamp - target.header.timestamp;
    for (const [retainedMs, outcome] of [
      [lifeMs + heldMs, 'complete'],
      [lifeMs + heldMs - 1_500, 'unserved'],
    ] as const) {
      const store = await copyOf(original);
      const chain = await opened(store);
      // Fewer blocks are kept by their number than live so long.
      for (let turn = 0; turn < BLOCKS; turn += 1) {
        const since = Timestamp(chain.head.timestamp - retainedMs);
        await written(store, pruneChanges(store, { below: BLOCKS, since }, 32));
      }
      expect(readOldest(store)).toBeGreaterThan(1);
      expect(historyOf(target, store, lifeMs)).toBe(outcome);
    }
  });

  it('are none in an archive, and none as long as there are few', async () => {
    const store = await copyOf(original);
    await prune(await opened(store), null, 0);
    await prune(await opened(store), BLOCKS + BLOCKS_CACHED_MAX, 0);
    expect(contentOf(store)).toBe(contentOf(original));
  });

  it('go in transactions of a bounded size, and what is interrupted between two of them is whole', async () => {
    const store = await copyOf(original);
    const retention = { below: 50, since: Timestamp(generator.chain.head.timestamp) };
    for (let oldest = 1; oldest < 50; ) {
      const changes = pruneChanges(store, retention, 7);
      expect(changes.length).toBeLessThanOrEqual(3 * 7 + 1);
      await written(store, changes);
      oldest = readOldest(store);
      expect(readBlock(store, oldest - 1) === undefined || oldest === 1).toBe(true);
      expect((await opened(store)).headHash).toBe(generator.chain.headHash);
    }
    expect(pruneChanges(store, retention, 7)).toEqual([]);
  });
});

describe('a chain without its older blocks', () => {
  const verified = async (store: KeyValue) => {
    const run = verifyChain({
      reads: store,
      genesis: generator.genesis,
      check: createSignatureCheck(),
      openScratch: memoryStore,
    });
    for (;;) {
      const next = await run.next();
      if (next.done === true) return next.value;
    }
  };

  it('is verified as far as it is there, and any change of what is there is found', async () => {
    const store = await copyOf(original);
    await prune(await opened(store), 1, 0);
    const oldest = readOldest(store);
    expect(await verified(store)).toMatchObject({ ok: true, value: { oldest, blocks: RETAINED_BLOCKS_MIN + 1 } });
    const random = createPrng(7);
    const height = heightKey(oldest + 9);
    for (const table of [
      TABLES.blocks,
      TABLES.receipts,
      TABLES.certificates,
      TABLES.state,
      TABLES.pages,
      TABLES.treeKeys,
      TABLES.ticketsByState,
    ]) {
      const rows = [...store.range(table, {})];
      const row = rows.find(({ key }) => Buffer.from(key).equals(height)) ?? random.pick(rows);
      const bytes = row.value.length === 0 ? Uint8Array.of(1) : row.value;
      const at = random.below(bytes.length);
      for (const value of [undefined, bytes.with(at, (bytes[at] ?? 0) ^ 0x10)]) {
        const outcome = await verified(await copyOf(store, [{ table, key: row.key, value }]));
        expect(outcome.ok, `table ${table}`).toBe(false);
      }
    }
    for (const other of [oldest - 1, oldest + 1]) {
      expect(await verified(await copyOf(store, [oldestRow(other)]))).toMatchObject({ ok: false });
    }
    expect(await verified(await copyOf(original, [oldestRow(oldest)]))).toMatchObject({
      error: { code: 'META_WRONG' },
    });
  });
});
