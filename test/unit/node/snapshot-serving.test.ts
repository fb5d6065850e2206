import { beforeEach, describe, expect, it } from 'vitest';
import { checkChunk, type StateChunk, stateChunkLayout } from '../../../src/ledger/state-chunks.ts';
import { defined } from '../../../src/lib/assert.ts';
import type { Jurisdiction } from '../../../src/model/certificate.ts';
import { decode } from '../../../src/model/codec.ts';
import { Height, Timestamp } from '../../../src/model/ids.ts';
import { SNAPSHOT_HELD_MS_MAX, SNAPSHOT_IDLE_MS } from '../../../src/model/limits.ts';
import { SERVED_PATIENCE_MS } from '../../../src/model/peer-limits.ts';
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
/** What one look at the clock takes. */
let workMs: number;
/** Whether the peer reads what it is sent. */
let reads: boolean;
let delays: number[];

beforeEach(async () => {
  generator = await ChainGenerator.open(memoryStore(), { seed: 13, transactions: 6, blocksPerCertificateMax: 1 });
  [nowMs, tasks, timers, sent, workMs, reads, delays] = [0, [], [], [], 0, true, []];
  const clock = { now: () => Timestamp(0), monotonicMs: () => (nowMs += workMs) };
  serving = new SnapshotServing({
    post: {
      send: (_, message) => sent.push(message) > 0,
      hasRoom: () => reads,
      charge: () => undefined,
      peers: () => [],
    },
    chain: generator.chain,
    checkpointInterval: INTERVAL,
    compression: plain,
    clock,
    timers: {
      after: (delayMs, callback) => {
        delays.push(delayMs);
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

describe('what others fetch', () => {
  const question = (request: number): PeerMessage => ({
    kind: 'snapshot-request',
    request,
    height: Height(INTERVAL),
    prefix: '',
  });
  const turns = (): void => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
  };

  it('takes a quarter of the time at most, however many peers ask', async () => {
    await grow(INTERVAL);
    for (let peer = 0; peer < 20; peer += 1) serving.message(`peer ${peer}` as PeerId, question(peer));
    // Every look at the clock costs ten milliseconds: so does each answer, at least.
    workMs = 10;
    turns();
    expect(sent.length).toBe(1);
    expect(delays.at(-1)).toBeGreaterThan(0);
    const begunMs = nowMs;
    let answers = sent.length;
    while (sent.length < 20) {
      expect(timers.length).toBe(1);
      workMs = 0;
      nowMs += delays.at(-1) ?? 0;
      workMs = 10;
      timers.shift()?.();
      turns();
      expect(sent.length).toBeLessThanOrEqual(answers + 1);
      answers = sent.length;
    }
    expect(sent.every(({ kind }) => kind === 'snapshot-chunk')).toBe(true);
    // Each answer takes two looks at the clock, and three times as long nothing is read.
    expect(nowMs - begunMs).toBeGreaterThan(19 * 4 * 10);
  });

  it('waits for a peer to read what it was sent, and is refused it when that takes long', async () => {
    await grow(INTERVAL);
    reads = false;
    serving.message(PEER, question(1));
    turns();
    expect(sent).toEqual([]);
    nowMs += SERVED_PATIENCE_MS / 2;
    reads = true;
    for (const timer of timers.splice(0)) timer();
    turns();
    expect(sent).toMatchObject([{ kind: 'snapshot-chunk', request: 1 }]);
    reads = false;
    serving.message(PEER, question(2));
    turns();
    nowMs += SERVED_PATIENCE_MS;
    for (const timer of timers.splice(0)) timer();
    turns();
    expect(sent.slice(1)).toEqual([{ kind: 'request-failed', request: 2, reason: 'BUSY' }]);
  });
});
