import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import type { Jurisdiction } from '../../../src/model/certificate.ts';
import { Hash, Height, Timestamp } from '../../../src/model/ids.ts';
import { SNAPSHOT_ANSWER_MS_MAX, SNAPSHOT_GAP_BLOCKS, SNAPSHOT_SILENCES_MAX } from '../../../src/model/limits.ts';
import { SNAPSHOT_TRIES_MAX } from '../../../src/model/peer-limits.ts';
import type { BlockReference, PeerMessage } from '../../../src/model/peer-message.ts';
import type { PeerId, PeerInfo } from '../../../src/network/transport.ts';
import type { Compression } from '../../../src/node/compression.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import type { Post } from '../../../src/node/peering-part.ts';
import { PeeringServing } from '../../../src/node/peering-serving.ts';
import type { Timers } from '../../../src/node/ports.ts';
import { SnapshotArrival } from '../../../src/node/snapshot-arrival.ts';
import { SnapshotServing } from '../../../src/node/snapshot-serving.ts';
import { readArrival } from '../../../src/store/arriving.ts';
import type { KeyValue } from '../../../src/store/key-value.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

const CHECKPOINT = 8;
const HEIGHT = 22;
const plain: Compression = { deflate: (bytes, done) => done(bytes), inflate: (bytes, _, done) => done(bytes) };

let generator: ChainGenerator;
let held: SnapshotServing;
let jurisdiction: Jurisdiction;

/** Time that only moves when the test says so. */
class Time {
  nowMs = 0;
  #due: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly clock = { now: () => Timestamp(0), monotonicMs: () => this.nowMs };
  readonly timers: Timers = {
    after: (delayMs, run) => {
      const one = { atMs: this.nowMs + delayMs, run };
      this.#due.push(one);
      return () => {
        this.#due = this.#due.filter((other) => other !== one);
      };
    },
    soon: (run) => void this.#due.push({ atMs: this.nowMs, run }),
  };

  /** @returns whether it came so far in time */
  async until(isSo: () => boolean, ms: number): Promise<boolean> {
    for (const end = this.nowMs + ms; !isSo() && this.nowMs < end; ) {
      const next = this.#due.sort((a, b) => a.atMs - b.atMs).shift();
      if (next === undefined) return isSo();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
      // What is to be stored is, meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return isSo();
  }
}

interface Kind {
  readonly offers: (chain: ChainGenerator) => BlockReference;
  readonly serves: boolean;
  readonly isBusy?: boolean;
  readonly role?: PeerInfo['role'];
}

/** One node that begins, and those whom it asks. */
class World {
  readonly time = new Time();
  readonly lines: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  readonly charges: string[] = [];
  readonly outcomes: string[] = [];
  store: KeyValue = memoryStore();
  emptied = 0;
  readonly arrival: SnapshotArrival;
  readonly #peers = new Map<PeerId, (message: PeerMessage) => void>();
  readonly #kinds = new Map<PeerId, Kind>();

  constructor(peers: Readonly<Record<string, Kind>>, head = -SNAPSHOT_GAP_BLOCKS) {
    const { time } = this;
    const log = (fields: Readonly<Record<string, unknown>>, message: string): void =>
      void this.lines.push({ fields, message });
    const world = this;
    const post: Post = {
      send: (peer, message) => {
        time.timers.after(1, () => this.#peers.get(peer)?.(message));
        return true;
      },
      hasRoom: () => true,
      charge: (peer, offence) => void this.charges.push(`${peer} ${offence}`),
      peers: () => [...this.#kinds].map(([id, kind]) => infoOf(id, kind)),
    };
    for (const [id, kind] of Object.entries(peers)) this.#kinds.set(id as PeerId, kind);
    this.arrival = new SnapshotArrival({
      ...{ post, jurisdiction, compression: plain, clock: time.clock, timers: time.timers },
      into: {
        get store() {
          return world.store;
        },
        empty: async () => {
          world.emptied += 1;
          world.store = memoryStore();
        },
        complete: async () => undefined,
        close: async () => undefined,
      },
      head: () => head,
      transactionLifeMsMax: 1,
      trusted: undefined,
      log: { info: log, warn: log },
      done: (outcome, reason) => void this.outcomes.push(`${outcome} ${reason}`.trim()),
      failed: (error) => {
        throw error;
      },
    });
    for (const [id, kind] of this.#kinds) this.#peers.set(id, this.#peer(id, kind));
    this.arrival.start();
    for (const [id, kind] of this.#kinds) this.arrival.up(infoOf(id, kind));
  }

  /** Liars prove a block that is final, and serve nothing of its state. */
  #peer(id: PeerId, kind: Kind): (message: PeerMessage) => void {
    const { time } = this;
    const post: Post = {
      send: (_, message) => {
        time.timers.after(1, () => this.arrival.message(id, message));
        return true;
      },
      hasRoom: () => true,
      charge: () => undefined,
      peers: () => [],
    };
    const parts = { post, chain: generator.chain, compression: plain, clock: time.clock, timers: time.timers };
    const offer = () => ({ oldest: Height(1), snapshot: kind.offers(generator) });
    const blocks = new PeeringServing({ ...parts, offer });
    return (message) => {
      if (kind.isBusy === true && 'request' in message) {
        post.send(id, { kind: 'request-failed', request: message.request, reason: 'BUSY' });
        return;
      }
      blocks.message(id, message);
      if (!kind.serves) return;
      held.message(id, message);
      for (const answer of answers.splice(0)) time.timers.after(1, () => this.arrival.message(id, answer));
    };
  }

  says(message: string): boolean {
    return this.lines.some((line) => line.message.includes(message));
  }
}

function infoOf(id: PeerId, { role = 'follower' }: Kind): PeerInfo {
  const head = { height: Height(0), hash: Hash('00'.repeat(32)) };
  return { id, role, direction: 'outbound', address: '127.0.0.1:1', version: '1', since: 0, head };
}

function blockAt(height: number): (chain: ChainGenerator) => BlockReference {
  return ({ chain }) => ({ height: Height(height), hash: defined(chain.block(height), 'it is stored').hash });
}

let answers: PeerMessage[] = [];

beforeAll(async () => {
  generator = await ChainGenerator.open(memoryStore(), { seed: 21, transactions: 6, blocksPerCertificateMax: 1 });
  jurisdiction = { chainId: generator.genesis.chainId, authorities: generator.set, check: createSignatureCheck() };
  held = new SnapshotServing({
    post: {
      send: (_, message) => answers.push(message) > 0,
      hasRoom: () => true,
      charge: () => undefined,
      peers: () => [],
    },
    chain: generator.chain,
    checkpointInterval: CHECKPOINT,
    compression: plain,
    clock: { now: () => Timestamp(0), monotonicMs: () => 0 },
    timers: { after: () => () => undefined, soon: (run) => run() },
  });
  for (let block = 0; block < HEIGHT; block += 1) {
    await generator.grow(1);
    held.chainMoved();
  }
});

beforeEach(() => {
  answers = [];
});

const NEWEST = CHECKPOINT * Math.floor(HEIGHT / CHECKPOINT);
const HONEST: Kind = { offers: blockAt(NEWEST), serves: true };
const LIAR: Kind = { offers: blockAt(HEIGHT), serves: false };

describe('a node that begins with a snapshot', () => {
  it('fetches the one that is served', async () => {
    const world = new World({ honest: HONEST });
    expect(await world.time.until(() => world.outcomes.length > 0, 60_000)).toBe(true);
    expect(world.outcomes).toEqual(['arrived']);
    expect(readArrival(world.store)?.target.header.height).toBe(NEWEST);
  });

  it('goes on with another one when two liars offer one and do not serve it', async () => {
    const world = new World({ one: LIAR, other: LIAR, honest: HONEST });
    expect(await world.time.until(() => world.says('nobody serves this state'), 120_000)).toBe(true);
    expect(world.time.nowMs).toBeLessThan((SNAPSHOT_SILENCES_MAX + 2) * SNAPSHOT_ANSWER_MS_MAX);
    expect(await world.time.until(() => world.outcomes.length > 0, 60_000)).toBe(true);
    expect(world.outcomes).toEqual(['arrived']);
    expect(readArrival(world.store)?.target.header.height).toBe(NEWEST);
    expect(world.emptied).toBe(1);
    expect(world.charges.every((charge) => charge.endsWith('STALLED') && !charge.startsWith('honest'))).toBe(true);
  });

  it('asks another one when one is always busy', async () => {
    const busy: Kind = { ...HONEST, isBusy: true };
    const world = new World({ busy, honest: HONEST });
    expect(await world.time.until(() => world.outcomes.length > 0, 60_000)).toBe(true);
    expect(world.outcomes).toEqual(['arrived']);
    const alone = new World({ busy });
    expect(await alone.time.until(() => alone.outcomes.length > 0, 600_000)).toBe(true);
    expect(alone.outcomes[0]).toMatch(/^not-worth-it peers offered/);
  });

  it('takes what an authority offers first', async () => {
    const world = new World({ one: LIAR, other: LIAR, honest: { ...HONEST, role: 'authority' } });
    expect(await world.time.until(() => world.outcomes.length > 0, 60_000)).toBe(true);
    expect(world.outcomes).toEqual(['arrived']);
    expect(world.charges).toEqual([]);
  });

  it('executes every block when nobody serves anything, and says why', async () => {
    const world = new World({ one: LIAR, other: { ...LIAR, offers: blockAt(HEIGHT - 1) } });
    expect(await world.time.until(() => world.outcomes.length > 0, 600_000)).toBe(true);
    const reason = 'peers offered states, and none of them served one to its end';
    expect(world.outcomes).toEqual([`not-worth-it ${reason}`]);
    const last = world.lines.at(-1);
    expect(last?.message).toBe('no snapshot is fetched: every block is executed');
    expect(last?.fields).toMatchObject({ reason, tried: 2 });
  });

  it('does so in the end, however many states a liar invents', async () => {
    let turn = 0;
    const inventive: Kind = {
      offers: (chain) => {
        turn += 1;
        return blockAt(1 + (turn % HEIGHT))(chain);
      },
      serves: false,
    };
    const liars = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`liar ${index}`, inventive]));
    const world = new World(liars);
    expect(await world.time.until(() => world.outcomes.length > 0, 3_600_000)).toBe(true);
    expect(world.outcomes[0]).toMatch(/^not-worth-it/);
    expect(world.emptied).toBeLessThan(SNAPSHOT_TRIES_MAX);
  });

  it('says so when it is too near for one', async () => {
    const world = new World({ honest: HONEST }, 0);
    expect(await world.time.until(() => world.outcomes.length > 0, 60_000)).toBe(true);
    const reason = `no peer offers a state that is more than ${SNAPSHOT_GAP_BLOCKS} blocks above height 0`;
    expect(world.outcomes).toEqual([`not-worth-it ${reason}`]);
    expect(world.lines.at(-1)).toEqual({
      message: 'no snapshot is fetched: every block is executed',
      fields: { reason },
    });
  });
});
