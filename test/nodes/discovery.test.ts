import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { encode } from '../../src/model/codec.ts';
import { PEER_MESSAGE_RATES } from '../../src/model/limits.ts';
import { peerMessageLayout } from '../../src/model/peer-message.ts';
import type { PeerInfo, TransportEvent } from '../../src/network/transport.ts';
import { BootstrapNode } from '../../src/node/bootstrap-node.ts';
import { systemClock, systemTimers } from '../../src/node/clock.ts';
import { KnownPeers } from '../../src/node/known-peers.ts';
import { createMetrics } from '../../src/node/metrics.ts';
import { PeeringDiscovery } from '../../src/node/peering-discovery.ts';
import { PeeringLookup } from '../../src/node/peering-lookup.ts';
import { PostOffice } from '../../src/node/post-office.ts';
import { OFFENCES } from '../../src/peering/reputation.ts';
import type { MemoryKeyValue } from '../../src/store/memory.ts';
import { memoryStore } from '../support/stores.ts';
import { Cleanup, createIdentities, freePorts, Node, type NodeOptions, until } from '../unit/network/harness.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface Options {
  readonly bootstrap?: readonly string[];
  readonly store?: MemoryKeyValue;
  readonly mesh?: Partial<NodeOptions>;
}

function knownPeers(store: MemoryKeyValue): KnownPeers {
  return new KnownPeers({
    ...{ store, clock: systemClock, timers: systemTimers, salt: new Uint8Array(randomBytes(32)) },
    onFailed: (error) => {
      throw error;
    },
  });
}

/** Real sockets, discovery and look-ups, and nothing else of a node. */
class Finder {
  readonly node: Node;
  readonly known: KnownPeers;
  readonly discovery: PeeringDiscovery;
  readonly #office: PostOffice;
  readonly #lookup: PeeringLookup;

  constructor({ bootstrap = [], store = memoryStore(), mesh = {} }: Options) {
    this.known = knownPeers(store);
    const [identity] = createIdentities(1);
    if (identity === undefined) throw new Error('an identity');
    this.node = new Node({
      ...{ identity, acceptFollowers: true },
      isBanned: (id) => this.known.isBanned(id),
      isCutOff: (id) => this.known.isCutOff(id),
      ...mesh,
    });
    const transport = this.node.mesh;
    const shared = { transport, known: this.known, clock: systemClock, timers: systemTimers, log: SILENT };
    this.#office = new PostOffice({ ...shared, metrics: createMetrics() });
    const { post } = this.#office;
    this.discovery = new PeeringDiscovery({
      ...{ ...shared, post, bootstrap, random: Math.random, outboundMin: 8, peersMax: 64, keepsChain: true },
    });
    this.#lookup = new PeeringLookup({ ...shared, post, found: (from, peers) => this.discovery.found(from, peers) });
  }

  get peers(): readonly PeerInfo[] {
    return this.node.mesh.peers();
  }

  async start(): Promise<this> {
    this.discovery.start();
    this.#lookup.start();
    await this.node.mesh.start((event) => this.#on(event));
    return this;
  }

  async stop(): Promise<void> {
    this.#lookup.stop();
    this.discovery.stop();
    await this.node.mesh.close();
  }

  #on(event: TransportEvent): void {
    this.node.events.push(event);
    const parts = [this.discovery, this.#lookup];
    if (event.type === 'up') for (const part of [this.#office, ...parts]) part.up(event.peer);
    if (event.type === 'down') for (const part of [this.#office, ...parts]) part.down(event.peer);
    if (event.type === 'frame') this.#office.deliver(event.peer, event.frame, parts);
    if (event.type === 'dialled') this.discovery.dialled(event.address, event.outcome);
  }
}

async function finder(options: Options = {}): Promise<Finder> {
  return cleanup.add(new Finder(options), (node) => node.stop()).start();
}

function written(store: MemoryKeyValue): Promise<void> {
  return new Promise((resolve, reject) => store.write([], { durable: resolve, failed: reject }));
}

describe('nodes that are given one address', () => {
  it('find each other over real sockets', async () => {
    const first = await finder();
    const bootstrap = [first.node.address];
    const all = [first, ...(await Promise.all(Array.from({ length: 9 }, () => finder({ bootstrap }))))];
    await until(() => all.every(({ peers }) => peers.length === 9), 'everybody knows everybody', 20_000);
    for (const { node } of all) {
      expect(new Set(node.mesh.peers().map(({ id }) => id)).size).toBe(9);
      expect(node.of('dialled').every(({ outcome }) => outcome.reached || outcome.reason !== 'SELF')).toBe(true);
    }
  });

  it('find each other through a node that keeps no chain, and leave it its room', async () => {
    const identity = createIdentities(1)[0];
    if (identity === undefined) throw new Error('an identity');
    const base = new Node({ identity, acceptFollowers: true, isBootstrap: true });
    const bootstrapNode = new BootstrapNode({
      ...{ transport: base.mesh, known: knownPeers(memoryStore()), clock: systemClock, timers: systemTimers },
      ...{ random: Math.random, metrics: createMetrics(), log: SILENT, bootstrap: [], peersMax: 64 },
    });
    cleanup.add(bootstrapNode, (node) => node.stop());
    await bootstrapNode.start();
    const bootstrap = [base.address];
    const all = await Promise.all(Array.from({ length: 4 }, () => finder({ bootstrap })));
    const others = ({ peers }: Finder): number => peers.filter(({ role }) => role === 'follower').length;
    await until(() => all.every((node) => others(node) === 3), 'everybody knows everybody', 20_000);
    expect(all.some(({ peers }) => peers.some(({ role }) => role === 'bootstrap'))).toBe(true);
  });

  it('remember the others across a restart, and need the first no more', async () => {
    const store = memoryStore();
    const first = await finder();
    const second = await finder({ bootstrap: [first.node.address] });
    const third = new Finder({ bootstrap: [first.node.address], store });
    await third.start();
    const hasMet = ({ reachedAt }: { reachedAt: number | null }): boolean => reachedAt !== null;
    await until(() => [...third.known.book.records.values()].filter(hasMet).length === 2, 'it has reached both');
    await third.stop();
    await written(store);
    await first.stop();
    const again = await finder({ bootstrap: [first.node.address], store });
    await until(() => again.peers.some(({ id }) => id === second.node.mesh.self), 'it finds the second by itself');
  });
});

describe('an operator', () => {
  it('bans a peer across restarts, and lifts the ban', async () => {
    const store = memoryStore();
    const other = await finder();
    const first = new Finder({ store });
    await first.start();
    first.discovery.connect(other.node.address);
    await until(() => first.peers.length === 1 && other.peers.length === 1, 'they are connected');
    const id = other.node.mesh.self;
    await first.known.ban(id, 60_000);
    first.node.mesh.disconnect(id, 'BANNED');
    expect(other.node.of('down').length + first.node.of('down').length).toBeGreaterThan(0);
    await first.stop();
    await written(store);
    const again = await finder({ store });
    expect(again.known.bans()).toMatchObject([{ id, reason: 'OPERATOR', times: 1 }]);
    other.discovery.connect(again.node.address);
    const answers = () => other.node.of('dialled').filter(({ address }) => address === again.node.address);
    await until(() => answers().length > 0, 'it tries');
    expect(answers()[0]?.outcome).toEqual({ reached: false, reason: 'BANNED', by: 'them' });
    expect(await again.known.unban(id)).toBe(true);
    other.discovery.connect(again.node.address);
    await until(() => again.peers.length === 1, 'it is let in again');
  });
});

describe('an operator who disconnects a peer', () => {
  it('is rid of it although it is configured and comes again, until the operator wants it back', async () => {
    const [port] = await freePorts(1);
    const other = await finder({ mesh: { listen: { port: port ?? 0 } } });
    const first = await finder({ bootstrap: [other.node.address] });
    await until(() => first.peers.length === 1 && other.peers.length === 1, 'they are connected');
    await until(() => other.node.of('dialled').length === 1, 'the other has looked where the first lives');
    const id = other.node.mesh.self;
    const before = first.node.of('dialled').length;
    first.discovery.cut(id);
    first.known.cutOff(id);
    first.node.mesh.disconnect(id, 'DISCONNECTED');
    await until(() => other.peers.length === 0, 'the other is told');
    other.discovery.connect(first.node.address);
    await until(() => other.node.of('dialled').some(({ outcome }) => !outcome.reached), 'the other tries to come back');
    expect(other.node.of('dialled').at(-1)?.outcome).toEqual({ reached: false, reason: 'DISCONNECTED', by: 'them' });
    expect(first.node.of('dialled').length).toBe(before);
    expect(first.known.isShunned(id)).toBe(true);
    expect(first.peers).toEqual([]);
    first.discovery.connect(other.node.address);
    await until(() => first.peers.length === 1, 'it is back');
    first.known.readmit(id);
    expect([first.known.isCutOff(id), first.known.isShunned(id)]).toEqual([false, false]);
  });
});

describe('a peer that floods', () => {
  it('is banned, while an honest one beside it stays', async () => {
    const node = await finder();
    const honest = await finder({ bootstrap: [node.node.address] });
    const [port] = await freePorts(1);
    const hostile = await finder({ mesh: { listen: { port: port ?? 0 } } });
    hostile.discovery.connect(node.node.address);
    await until(() => node.peers.length === 2 && hostile.peers.length === 1, 'both are connected');
    const frame = encode(peerMessageLayout, { kind: 'peer-discovery' });
    const { burst } = PEER_MESSAGE_RATES['peer-discovery'];
    for (let sent = 0; sent < burst + 200 / OFFENCES.FLOOD.points; sent += 1) {
      hostile.node.mesh.send(node.node.mesh.self, frame, 'sync');
    }
    await until(() => node.known.isBanned(hostile.node.mesh.self), 'it is banned');
    expect(node.peers.map(({ id }) => id)).toEqual([honest.node.mesh.self]);
    expect(node.known.bans()).toMatchObject([{ id: hostile.node.mesh.self, reason: 'FLOOD' }]);
    expect(node.known.score(honest.node.mesh.self)).toBe(0);
  });

  it('with what is no message is cut off', async () => {
    const node = await finder();
    const hostile = await finder();
    hostile.discovery.connect(node.node.address);
    await until(() => hostile.peers.length === 1, 'it is connected');
    hostile.node.mesh.send(node.node.mesh.self, Uint8Array.of(45, 1, 2, 3), 'sync');
    await until(() => hostile.node.downs.includes('MALFORMED_FRAME by them'), 'it is cut off');
    expect(node.known.score(hostile.node.mesh.self)).toBe(-OFFENCES.MALFORMED.points);
    expect(node.known.isShunned(hostile.node.mesh.self)).toBe(true);
  });
});
