import { createHash } from 'node:crypto';
import { createPrng } from '../../../src/lib/prng.ts';
import type { ListedPeer, PeerRole } from '../../../src/model/peer-message.ts';
import { createAddressBook } from '../../../src/peering/address-book.ts';
import { type DiscoveryEvent, stepDiscovery } from '../../../src/peering/discovery.ts';
import {
  createDiscovery,
  type Discovery,
  type DiscoveryEffect,
  type DiscoverySettings,
} from '../../../src/peering/discovery-state.ts';

export function idOf(name: string | number): string {
  return createHash('sha256').update(String(name)).digest('hex');
}

export function listed(name: string | number, address: string, role: PeerRole = 'follower'): ListedPeer {
  return { id: idOf(name), address, role };
}

export const SALT = new Uint8Array(32).fill(7);

export interface WorldNode {
  readonly id: string;
  readonly address: string;
  readonly role: PeerRole;
  readonly discovery: Discovery;
  isUp: boolean;
  /** Answers to `peer-discovery` come from here when it is given. */
  readonly lies?: () => readonly ListedPeer[];
}

export interface WorldNodeOptions {
  readonly address: string;
  readonly role?: PeerRole;
  readonly bootstrap?: readonly string[];
  readonly lies?: () => readonly ListedPeer[];
  readonly outboundMin?: number;
  readonly peersMax?: number;
}

/** Discoveries that talk with each other over perfect links; time is what the test says it is. */
export class DiscoveryWorld {
  readonly nodes = new Map<string, WorldNode>();
  readonly #prng;
  readonly #queue: (() => void)[] = [];
  readonly dials = new Map<string, number>();
  now = 0;

  constructor(seed: number) {
    this.#prng = createPrng(seed);
  }

  add(options: WorldNodeOptions): WorldNode {
    const { address, role = 'follower', bootstrap = [] } = options;
    const id = idOf(address);
    const settings: DiscoverySettings = {
      self: id,
      bootstrap,
      outboundMin: options.outboundMin ?? 8,
      peersMax: options.peersMax ?? 64,
      keepsChain: role !== 'bootstrap',
      isShunned: () => false,
    };
    const discovery = createDiscovery(settings, createAddressBook(SALT), this.now);
    const node: WorldNode = {
      ...{ id, address, role, discovery, isUp: true },
      ...(options.lies === undefined ? {} : { lies: options.lies }),
    };
    this.nodes.set(address, node);
    return node;
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 500) {
      for (const node of this.nodes.values()) if (node.isUp) this.step(node, { type: 'tick' });
    }
  }

  /** Lets an event happen, and everything that follows from it at once. */
  step(node: WorldNode, event: DiscoveryEvent): void {
    this.#happens(node, event);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
  }

  #happens(node: WorldNode, event: DiscoveryEvent): void {
    const moment = { now: this.now, random: this.#prng.next };
    for (const effect of stepDiscovery(node.discovery, event, moment)) this.#queue.push(() => this.#do(node, effect));
  }

  kill(node: WorldNode): void {
    node.isUp = false;
    for (const other of this.nodes.values()) {
      if (other.discovery.sessions.has(node.id)) this.step(other, { type: 'down', id: node.id });
    }
    node.discovery.sessions.clear();
  }

  #do(node: WorldNode, effect: DiscoveryEffect): void {
    switch (effect.type) {
      case 'dial':
        this.dials.set(effect.address, (this.dials.get(effect.address) ?? 0) + 1);
        this.#dial(node, effect.address, effect.purpose);
        return;
      case 'ask': {
        const other = this.#byId(effect.to);
        if (other.lies === undefined) this.#happens(other, { type: 'asked', from: node.id });
        else this.#happens(node, { type: 'listed', from: other.id, peers: other.lies() });
        return;
      }
      case 'list':
        this.#happens(this.#byId(effect.to), { type: 'listed', from: node.id, peers: effect.peers });
        return;
      case 'drop':
        this.#happens(this.#byId(effect.id), { type: 'down', id: node.id });
        this.#happens(node, { type: 'down', id: effect.id });
        return;
      case 'unsolicited':
        throw new Error('nobody here answers what was not asked');
    }
  }

  #dial(node: WorldNode, address: string, purpose: 'session' | 'probe'): void {
    const other = this.nodes.get(address);
    const answer = (outcome: Extract<DiscoveryEvent, { type: 'dialled' }>['outcome']): void =>
      this.#happens(node, { type: 'dialled', address, outcome });
    if (other === undefined || !other.isUp) answer({ type: 'failed' });
    else if (other === node) answer({ type: 'self' });
    else if (purpose === 'probe' || node.discovery.sessions.has(other.id)) {
      answer({ type: 'reached', id: other.id });
    } else {
      const port = 40_000 + this.#prng.below(20_000);
      const host = node.address.slice(0, node.address.lastIndexOf(':'));
      const listenAddress = node.address;
      this.#happens(node, { type: 'up', peer: { id: other.id, role: other.role, direction: 'outbound', address } });
      answer({ type: 'reached', id: other.id });
      const { id, role } = node;
      const peer = { id, role, direction: 'inbound', address: `${host}:${port}`, listenAddress } as const;
      this.#happens(other, { type: 'up', peer });
    }
  }

  #byId(id: string): WorldNode {
    for (const node of this.nodes.values()) if (node.id === id) return node;
    throw new Error('nobody has this id');
  }
}
