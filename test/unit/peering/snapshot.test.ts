import { beforeAll, describe, expect, it } from 'vitest';
import { cutChunk, type StateChunk, stateChunkLayout } from '../../../src/ledger/state-chunks.ts';
import { defined } from '../../../src/lib/assert.ts';
import { createPrng, type Prng } from '../../../src/lib/prng.ts';
import type { Jurisdiction } from '../../../src/model/certificate.ts';
import { decode, encode } from '../../../src/model/codec.ts';
import {
  SNAPSHOT_ANSWER_MS_MAX,
  SNAPSHOT_REQUESTS_MAX,
  SNAPSHOT_REQUESTS_PER_PEER_MAX,
  SNAPSHOT_SILENCES_MAX,
} from '../../../src/model/limits.ts';
import { SNAPSHOT_BUSY_MAX } from '../../../src/model/peer-limits.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { beginChain } from '../../../src/node/recovery.ts';
import { pastBlockAt } from '../../../src/node/snapshot-serving.ts';
import { cutPastBlocks, type PastBlocks, pastBlocksLayout } from '../../../src/peering/past-blocks.ts';
import {
  beginTransfer,
  type SnapshotEffect,
  type SnapshotEvent,
  type SnapshotTarget,
  type SnapshotTransfer,
  stepSnapshot,
} from '../../../src/peering/snapshot.ts';
import {
  beginArrival,
  carriedRows,
  completeArrival,
  readArrival,
  storeChunk,
  storePastBlocks,
} from '../../../src/store/arriving.ts';
import { readBlock, readOldest } from '../../../src/store/blocks.ts';
import type { Chain } from '../../../src/store/chain.ts';
import type { KeyValue } from '../../../src/store/key-value.ts';
import { checkNewestBlocks } from '../../../src/store/newest-blocks.ts';
import { TABLES } from '../../../src/store/schema.ts';
import { chunkSource } from '../../../src/store/state-rows.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

const BLOCKS = 60;
/** Chunks are cut far smaller than in earnest, so that there are many. */
const CHUNK_BYTES = 2_000;
const LIFE_MS = 10_000;

let source: KeyValue;
let generator: ChainGenerator;
let target: SnapshotTarget;
let jurisdiction: Jurisdiction;

beforeAll(async () => {
  source = memoryStore();
  generator = await ChainGenerator.open(source, { seed: 9, transactions: 8, blocksPerCertificateMax: 3 });
  await generator.grow(BLOCKS);
  jurisdiction = { chainId: generator.genesis.chainId, authorities: generator.set, check: createSignatureCheck() };
  const { header, hash, certificate } = generator.chain.visibleHead;
  target = { header, hash, certificate: defined(certificate ?? undefined, 'it is final') };
});

type Ask = Extract<SnapshotEffect, { type: 'ask' }>;
type Answer = SnapshotEvent | undefined;

function honest({ peer, message }: Ask): SnapshotEvent {
  const { request } = message;
  if (message.kind === 'snapshot-request') {
    return { type: 'chunk', peer, request, chunk: cutChunk(chunkSource(source), message.prefix, CHUNK_BYTES) };
  }
  const blocks = cutPastBlocks((height) => pastBlockAt(source, height), message.below, Math.min(7, message.count));
  return { type: 'history', peer, request, blocks };
}

/** An honest answer with one bit changed, as far as it can still be read. */
function spoilt(ask: Ask, random: Prng): SnapshotEvent {
  const answer = honest(ask);
  const flip = (bytes: Uint8Array): Uint8Array => {
    const bit = random.below(8 * bytes.length);
    return bytes.with(bit >>> 3, (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7)));
  };
  if (answer.type === 'chunk' && answer.chunk !== undefined) {
    const chunk = decode<StateChunk>(stateChunkLayout, flip(encode(stateChunkLayout, answer.chunk)));
    return { ...answer, chunk: chunk.ok ? chunk.value : undefined };
  }
  if (answer.type === 'history' && answer.blocks !== undefined) {
    const blocks = decode<PastBlocks>(pastBlocksLayout, flip(encode(pastBlocksLayout, answer.blocks)));
    return { ...answer, blocks: blocks.ok ? blocks.value : undefined };
  }
  return answer;
}

const reference = () => ({ height: target.header.height, hash: target.hash });

/** Runs fetches against peers until one completes; the process may end between any two steps. */
class Run {
  store: KeyValue = memoryStore();
  readonly penalized = new Map<string, string>();
  readonly peers: ReadonlyMap<string, (ask: Ask) => Answer>;
  readonly random: Prng;
  nowMs = 0;
  asks = 0;
  restarts = 0;
  unserved = false;

  constructor(seed: number, peers: Readonly<Record<string, (ask: Ask, random: Prng) => Answer>>) {
    this.random = createPrng(seed);
    this.peers = new Map(Object.entries(peers).map(([id, answer]) => [id, (ask: Ask) => answer(ask, this.random)]));
  }

  /** @returns whether everything is there */
  async run(crashOneIn: number): Promise<boolean> {
    await beginArrival(this.store, target);
    while (!(await this.#live(crashOneIn))) {
      if (this.unserved) return false;
      this.restarts += 1;
    }
    return true;
  }

  async #live(crashOneIn: number): Promise<boolean> {
    const arrival = defined(readArrival(this.store), 'a snapshot is under way');
    const transfer = beginTransfer(
      { target: arrival.target, jurisdiction, transactionLifeMsMax: LIFE_MS, trusted: undefined },
      arrival.progress,
    );
    const waiting: SnapshotEvent[] = [...this.peers.keys()].map((peer) => ({
      type: 'offer',
      peer,
      snapshot: reference(),
    }));
    for (;;) {
      const event = waiting.splice(this.random.below(Math.max(1, waiting.length)), 1)[0] ?? { type: 'tick' };
      if (event.type === 'tick') this.nowMs += SNAPSHOT_ANSWER_MS_MAX / 3;
      for (const effect of stepSnapshot(transfer, event, this.nowMs)) {
        if (effect.type === 'complete') return true;
        if (effect.type === 'unserved' && waiting.length === 0) {
          this.unserved = true;
          return false;
        }
        if (crashOneIn > 0 && this.random.below(crashOneIn) === 0) return false;
        await this.#perform(effect, waiting);
      }
      this.#checkBounds(transfer);
    }
  }

  async #perform(effect: SnapshotEffect, waiting: SnapshotEvent[]): Promise<void> {
    if (effect.type === 'ask') {
      this.asks += 1;
      const answer = this.peers.get(effect.peer)?.(effect);
      if (answer !== undefined) waiting.push(answer);
    } else if (effect.type === 'store-chunk') {
      await storeChunk(this.store, effect.place, effect.chunk);
      waiting.push({ type: 'stored' });
    } else if (effect.type === 'store-history') {
      await storePastBlocks(this.store, effect.blocks, effect.next);
      waiting.push({ type: 'stored' });
    } else if (effect.type === 'penalize') this.penalized.set(effect.peer, effect.code);
  }

  #checkBounds({ asked, storing, servers }: SnapshotTransfer): void {
    expect(asked.size + storing).toBeLessThanOrEqual(SNAPSHOT_REQUESTS_MAX);
    for (const { open } of servers.values()) expect(open).toBeLessThanOrEqual(SNAPSHOT_REQUESTS_PER_PEER_MAX);
  }

  /** The chain that the snapshot has become. */
  async finish(): Promise<Chain> {
    const genesis = defined(readBlock(source, 0), 'a chain has a genesis');
    const { chainId } = generator.genesis;
    await completeArrival(this.store, { chainId, genesis, carried: [...carriedRows(source)] });
    return await new Promise((resolve, reject) =>
      beginChain(this.store, generator.genesis, (begun) => (begun.ok ? resolve(begun.value) : reject(begun.error))),
    );
  }
}

function rowsOfState(store: KeyValue): string {
  const tables = [TABLES.state, TABLES.pages, TABLES.treeKeys, TABLES.ticketsByState, TABLES.missing];
  const lines = tables.flatMap((table) =>
    [...store.range(table, {})].map(
      ({ key, value }) => `${table} ${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`,
    ),
  );
  return lines.join('\n');
}

describe('a snapshot', () => {
  it('becomes the chain that it is of, with the blocks whose transactions could come again', async () => {
    const run = new Run(1, { a: honest, b: honest });
    expect(await run.run(0)).toBe(true);
    const chain = await run.finish();
    expect(chain.headHash).toBe(target.hash);
    expect(rowsOfState(run.store)).toBe(rowsOfState(source));
    expect(run.penalized.size).toBe(0);
    const oldest: number = readOldest(run.store);
    expect(oldest).toBeGreaterThan(1);
    expect(defined(chain.block(oldest), 'it is there').header.timestamp + LIFE_MS).toBeLessThan(
      target.header.timestamp,
    );
    for (let height = oldest; height <= BLOCKS; height += 1) {
      expect(readBlock(run.store, height)).toEqual(readBlock(source, height));
      for (const { id } of defined(chain.block(height), 'it is there').body) expect(chain.has(id)).toBe(true);
    }
    expect(readBlock(run.store, oldest - 1)).toBeUndefined();
    checkNewestBlocks(run.store, jurisdiction, BLOCKS - oldest);
  });

  it.each([2, 3, 4, 5, 6, 7])(
    'is the same whatever ends the process in between, and whoever lies (seed %i)',
    async (seed) => {
      const run = new Run(seed, {
        good: honest,
        liar: spoilt,
        silent: () => undefined,
        busy: (ask, random) =>
          random.below(2) === 0
            ? honest(ask)
            : { type: 'failed', peer: ask.peer, request: ask.message.request, reason: 'BUSY' },
        pruned: (ask) =>
          ask.message.kind === 'snapshot-request'
            ? honest(ask)
            : { type: 'failed', peer: ask.peer, request: ask.message.request, reason: 'PRUNED' },
      });
      expect(await run.run(40)).toBe(true);
      expect(run.restarts).toBeGreaterThan(0);
      const chain = await run.finish();
      expect(chain.headHash).toBe(target.hash);
      expect(rowsOfState(run.store)).toBe(rowsOfState(source));
      for (const peer of ['good', 'busy', 'pruned']) expect(run.penalized.get(peer)).toBeUndefined();
    },
  );

  it('names who lies and who is silent, and asks them no more', async () => {
    const asked = { liar: 0, silent: 0 };
    const run = new Run(8, {
      liar: (ask, random) => {
        asked.liar += 1;
        return spoilt(ask, random);
      },
      silent: () => {
        asked.silent += 1;
        return undefined;
      },
    });
    expect(await run.run(0)).toBe(false);
    expect(run.penalized.get('liar')).toMatch(/_INVALID$/);
    expect(run.penalized.get('silent')).toBe('SILENT');
    expect(asked.liar).toBeLessThanOrEqual(SNAPSHOT_REQUESTS_PER_PEER_MAX);
  });

  it('waits for nobody who is always busy, and believes no offer once more of who did not serve', async () => {
    const busy = (ask: Ask): SnapshotEvent => ({
      ...{ type: 'failed', peer: ask.peer, request: ask.message.request, reason: 'BUSY' },
    });
    const run = new Run(10, { busy, busier: busy });
    expect(await run.run(0)).toBe(false);
    expect(run.asks).toBeLessThanOrEqual(2 * (SNAPSHOT_BUSY_MAX + SNAPSHOT_REQUESTS_PER_PEER_MAX));
    expect(run.penalized.size).toBe(0);
    const transfer = beginTransfer(
      { target, jurisdiction, transactionLifeMsMax: LIFE_MS, trusted: undefined },
      { places: [{ path: '', hash: target.header.stateRoot }], history: null },
    );
    const offer = { type: 'offer', peer: 'silent', snapshot: reference() } as const;
    let [nowMs, asks] = [0, 0];
    for (let turn = 0; turn < 100; turn += 1) {
      nowMs += SNAPSHOT_ANSWER_MS_MAX / 3;
      for (const event of [offer, { type: 'tick' } as const]) {
        asks += stepSnapshot(transfer, event, nowMs).filter(({ type }) => type === 'ask').length;
      }
    }
    expect(asks).toBe(SNAPSHOT_SILENCES_MAX);
    expect(stepSnapshot(transfer, offer, nowMs)).toEqual([{ type: 'unserved' }]);
  });

  it('asks nobody who serves another one', () => {
    const transfer = beginTransfer(
      { target, jurisdiction, transactionLifeMsMax: LIFE_MS, trusted: undefined },
      { places: [{ path: '', hash: target.header.stateRoot }], history: null },
    );
    const other = {
      height: target.header.height,
      hash: target.header.previous,
    };
    expect(stepSnapshot(transfer, { type: 'offer', peer: 'a', snapshot: other }, 0)).toEqual([{ type: 'unserved' }]);
    expect(stepSnapshot(transfer, { type: 'offer', peer: 'b', snapshot: null }, 0)).toEqual([{ type: 'unserved' }]);
    expect(stepSnapshot(transfer, { type: 'offer', peer: 'c', snapshot: reference() }, 0)).toMatchObject([
      { type: 'ask', peer: 'c' },
    ]);
  });

  it('asks another peer for what the one that left was asked', () => {
    const transfer = beginTransfer(
      { target, jurisdiction, transactionLifeMsMax: LIFE_MS, trusted: undefined },
      { places: [{ path: '', hash: target.header.stateRoot }], history: null },
    );
    stepSnapshot(transfer, { type: 'offer', peer: 'a', snapshot: reference() }, 0);
    expect(stepSnapshot(transfer, { type: 'offer', peer: 'b', snapshot: reference() }, 0)).toEqual([]);
    expect(stepSnapshot(transfer, { type: 'left', peer: 'a' }, 0)).toMatchObject([
      { type: 'ask', peer: 'b', message: { kind: 'snapshot-request', prefix: '' } },
    ]);
  });
});
