import { beforeEach, describe, expect, it } from 'vitest';
import { checkChunk, type StateChunk, stateChunkLayout } from '../../../src/ledger/state-chunks.ts';
import { defined } from '../../../src/lib/assert.ts';
import type { Jurisdiction } from '../../../src/model/certificate.ts';
import { decode } from '../../../src/model/codec.ts';
import { Height, Timestamp } from '../../../src/model/ids.ts';
import { SNAPSHOT_HELD_MS_MAX, SNAPSHOT_IDLE_MS } from '../../../src/model/limits.ts';
import type { PeerMessage, PeerMessageOf } from '../../../src/model/peer-message.ts';
import type { PeerId } from '../../../src/network/transport.ts';
import type { Compression } from '../../../src/node/compression.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { SnapshotServing } from '../../../src/node/snapshot-serving.ts';
import { checkPastBlocks, type PastBlocks, pastBlocksLayout } from '../../../src/peering/past-blocks.ts';
import { readBlock } from '../../../src/store/blocks.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

const INTERVAL = 4;
const PEER = 'peer' as PeerId;

/** Bytes as they are: what is deflated is another matter. */
const plain: Compression = { deflate: (bytes, done) => done(bytes), inflate: (bytes, _, done) => done(bytes) };

let generator: ChainGenerator;
let serving: SnapshotServing;
let nowMs: number;
let tasks: (() => void)[];
let timers: (() => void)[];
let sent: PeerMessage[];

beforeEach(async () => {
  generator = await ChainGenerator.open(memoryStore(), { seed: 13, transactions: 6, blocksPerCertificateMax: 1 });
  [nowMs, tasks, timers, sent] = [0, [], [], []];
  const clock = { now: () => Timestamp(0), monotonicMs: () => nowMs };
  serving = new SnapshotServing({
    post: { send: (_, message) => sent.push(message) > 0, charge: () => undefined, peers: () => [] },
    chain: generator.chain,
    checkpointInterval: INTERVAL,
    compression: plain,
    clock,
    timers: {
      after: (_, callback) => {
        timers.push(callback);
        return () => undefined;
      },
      soon: (callback) => void tasks.push(callback),
    },
  });
});

async function grow(blocks: number): Promise<void> {
  for (let block = 0; block < blocks; block += 1) {
    await generator.grow(1);
    serving.chainMoved();
  }
}

function ask(message: PeerMessage): PeerMessage | undefined {
  sent = [];
  serving.message(PEER, message);
  for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
  return sent[0];
}

function askState(height: number): PeerMessage | undefined {
  return ask({ kind: 'snapshot-request', request: 1, height: Height(height), prefix: '' });
}

/** Whether an answer is the state of a block. */
function isStateOf(height: number, answer: PeerMessage | undefined): boolean {
  if (answer?.kind !== 'snapshot-chunk') return false;
  const chunk = decode<StateChunk>(stateChunkLayout, answer.deflated);
  const { header } = defined(readBlock(generator.chain.store, height), 'it is stored');
  return chunk.ok && checkChunk({ path: '', hash: header.stateRoot }, chunk.value).ok;
}

describe('a state that is held for others', () => {
  it('stays as it was while blocks go on', async () => {
    await grow(INTERVAL);
    expect(serving.offer()?.height).toBe(INTERVAL);
    await grow(INTERVAL - 1);
    expect(serving.offer()?.height).toBe(INTERVAL);
    expect(isStateOf(INTERVAL, askState(INTERVAL))).toBe(true);
    expect(askState(INTERVAL + 1)).toMatchObject({ kind: 'request-failed', reason: 'UNKNOWN' });
  });

  it('is that of the two newest checkpoints, and of one that is still asked for', async () => {
    await grow(2 * INTERVAL);
    expect(serving.offer()?.height).toBe(2 * INTERVAL);
    nowMs += SNAPSHOT_IDLE_MS;
    expect(isStateOf(INTERVAL, askState(INTERVAL))).toBe(true);
    await grow(INTERVAL);
    // The second was the idle one.
    expect(isStateOf(INTERVAL, askState(INTERVAL))).toBe(true);
    expect(askState(2 * INTERVAL)).toMatchObject({ reason: 'UNKNOWN' });
    expect(serving.offer()?.height).toBe(3 * INTERVAL);
    await grow(INTERVAL);
    // Both are in use: neither goes.
    expect(serving.offer()?.height).toBe(3 * INTERVAL);
  });

  it('is let go after its time, whoever asks for it', async () => {
    serving.start();
    await grow(INTERVAL + 1);
    nowMs += SNAPSHOT_HELD_MS_MAX;
    askState(INTERVAL);
    for (const timer of timers.splice(0)) timer();
    expect(askState(INTERVAL)).toMatchObject({ reason: 'UNKNOWN' });
  });

  it('goes with the blocks below it', async () => {
    await grow(2 * INTERVAL);
    const below = Height(INTERVAL + 1);
    const answer = ask({ kind: 'history-request', request: 2, below, count: 3 }) as PeerMessageOf<'history'>;
    const blocks = decode<PastBlocks>(pastBlocksLayout, answer.deflated);
    const jurisdiction: Jurisdiction = {
      chainId: generator.genesis.chainId,
      authorities: generator.set,
      check: createSignatureCheck(),
    };
    const { hash } = defined(readBlock(generator.chain.store, INTERVAL), 'it is stored');
    const link = { height: below, previous: hash };
    expect(blocks.ok && checkPastBlocks(link, blocks.value, jurisdiction, Height(INTERVAL))).toMatchObject({
      ok: true,
      value: { height: INTERVAL - 2 },
    });
    expect(ask({ kind: 'history-request', request: 3, below: Height(99), count: 3 })).toMatchObject({
      reason: 'UNKNOWN',
    });
  });

  it('is given back when the node stops', async () => {
    await grow(2 * INTERVAL);
    serving.stop();
    expect(serving.offer()).toBeNull();
  });
});
