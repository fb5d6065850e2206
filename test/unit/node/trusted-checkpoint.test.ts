import { beforeEach, describe, expect, it } from 'vitest';
import { createReplica } from '../../../src/consensus/recover.ts';
import { LAN } from '../../../src/consensus/timing.ts';
import { defined } from '../../../src/lib/assert.ts';
import { Hash, Height, Timestamp } from '../../../src/model/ids.ts';
import { CHAIN_STATUS_MS_MIN } from '../../../src/model/limits.ts';
import type { BlockReference, PeerMessage } from '../../../src/model/peer-message.ts';
import type { PeerId, PeerInfo } from '../../../src/network/transport.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { PeeringServing } from '../../../src/node/peering-serving.ts';
import { PeeringSync } from '../../../src/node/peering-sync.ts';
import { recoveredFrom } from '../../../src/node/recovery.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

const PLAN = { seed: 7, transactions: 1, blocksPerCertificateMax: 1 };
const BLOCKS = 8;
const HEIGHT = Height(5);
const WRONG = Hash('ab'.repeat(32));
const PEER = { id: 'archive' as PeerId } as PeerInfo;
const TICKS = 20;

let archive: ChainGenerator;
let errors: string[];
let imports: number;

beforeEach(async () => {
  archive = await ChainGenerator.open(memoryStore(), PLAN);
  await archive.grow(BLOCKS);
  [errors, imports] = [[], 0];
});

/** A follower that stands at genesis and hears of the archive's chain, for as many ticks. */
async function follow(trusted: BlockReference): Promise<PeeringSync> {
  const { chain, genesis, set } = await ChainGenerator.open(memoryStore(), PLAN);
  const time = { ms: 0 };
  const due: (() => void)[] = [];
  const later = (callback: () => void) => {
    due.push(callback);
    return () => undefined;
  };
  const shared = {
    compression: {
      deflate: (bytes: Uint8Array, done: (bytes: Uint8Array) => void) => done(bytes),
      inflate: (bytes: Uint8Array, _: number, done: (bytes: Uint8Array) => void) => done(bytes),
    },
    clock: { now: () => Timestamp(time.ms), monotonicMs: () => time.ms },
    timers: {
      soon: (callback: () => void) => void due.push(callback),
      after: (_: number, run: () => void) => later(run),
    },
  };
  const to = (take: (message: PeerMessage) => void) => ({
    send: (_: PeerId, message: PeerMessage) => due.push(() => take(message)) > 0,
    hasRoom: () => true,
    charge: () => undefined,
    peers: () => [PEER],
  });
  const serving = new PeeringServing({
    ...shared,
    post: to((message) => sync.message(PEER.id, message)),
    chain: archive.chain,
    offer: () => ({ oldest: archive.chain.oldest, snapshot: null }),
  });
  const configuration = { chainId: genesis.chainId, authorities: set, self: -1, timing: LAN, window: 1 };
  const sync: PeeringSync = new PeeringSync({
    ...shared,
    post: to((message) => serving.message(PEER.id, message)),
    chain,
    replica: createReplica(configuration, recoveredFrom(chain, [])),
    jurisdiction: { chainId: genesis.chainId, authorities: set, check: createSignatureCheck() },
    trusted,
    lagMin: 0,
    statusIntervalMs: CHAIN_STATUS_MS_MIN,
    report: (event) => {
      if (event.type === 'fetched') imports += 1;
    },
    lag: () => undefined,
    log: { info: () => undefined, warn: () => undefined, error: (_, message) => void errors.push(message) },
  });
  sync.up(PEER);
  sync.start();
  for (let tick = 0; tick < TICKS; tick += 1) {
    time.ms += 250;
    for (const run of due.splice(0)) run();
  }
  return sync;
}

describe('a trusted checkpoint', () => {
  it('that the peers contradict is told once, and nothing of theirs is taken', async () => {
    const sync = await follow({ height: HEIGHT, hash: WRONG });
    const theirs = defined(archive.chain.block(HEIGHT), 'it is stored').hash;
    expect(sync.contradiction()).toEqual({ height: HEIGHT, trusted: WRONG, theirs });
    expect(errors).toEqual(['the chain of the peers is not the trusted one']);
    expect(imports).toBe(0);
  });

  it('that they confirm contradicts nothing', async () => {
    const { hash } = defined(archive.chain.block(HEIGHT), 'it is stored');
    const sync = await follow({ height: HEIGHT, hash });
    expect(sync.contradiction()).toBeNull();
    expect(errors).toEqual([]);
    expect(imports).toBeGreaterThan(0);
  });
});
