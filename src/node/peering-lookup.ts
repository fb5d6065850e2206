import { toHex } from '../lib/bytes.ts';
import { Hash } from '../model/ids.ts';
import { KADEMLIA_CONTACTS_MAX, LOOKUP_ANSWER_MS_MAX, LOOKUP_MS, LOOKUP_MS_FIRST } from '../model/limits.ts';
import type { ListedPeer, PeerMessage } from '../model/peer-message.ts';
import type { PeerId, PeerInfo, Transport } from '../network/transport.ts';
import {
  answered,
  createKBuckets,
  isDone,
  type KBuckets,
  type Lookup,
  lost,
  nearest,
  nextToAsk,
  pointOf,
  seen,
  silent,
  startLookup,
} from '../peering/k-buckets.ts';
import { type Level, lookupLevels } from '../peering/levels.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Timers } from './ports.ts';

export interface PeeringLookupParts {
  readonly post: Post;
  readonly transport: Transport;
  readonly timers: Timers;
  /** Peers that an answer named, to those who decide whom to dial. */
  readonly found: (from: PeerId, peers: readonly ListedPeer[]) => void;
}

/**
 * A Kademlia table over the sessions that there are anyway: answers who is nearest to a point, and looks now and then for
 * this node's own neighbours. Only connected peers are asked; whom they name is dialled as any other hearsay, and asked
 * in the next search. Nothing depends on it.
 */
export class PeeringLookup implements PeeringPart {
  readonly kinds = ['find-node', 'nodes'] as const;
  readonly #parts: PeeringLookupParts;
  readonly #table: KBuckets;
  readonly #target: Hash;
  /** Questions without an answer: number → who was asked. */
  readonly #open = new Map<number, PeerId>();
  #lookup: Lookup | undefined;
  #request = 0;
  #cancelStart: () => void = () => undefined;
  #cancelEnd: () => void = () => undefined;

  constructor(parts: PeeringLookupParts) {
    this.#parts = parts;
    const { self } = parts.transport;
    this.#table = createKBuckets(self);
    this.#target = Hash(toHex(pointOf(self)));
  }

  start(): void {
    this.#schedule(LOOKUP_MS_FIRST);
  }

  stop(): void {
    this.#cancelStart();
    this.#cancelEnd();
    this.#lookup = undefined;
  }

  up({ id, role, direction, address, listenAddress }: PeerInfo): void {
    const at = direction === 'outbound' ? address : listenAddress;
    if (at !== undefined) seen(this.#table, { id, role, address: at });
  }

  down({ id }: PeerInfo): void {
    lost(this.#table, id);
  }

  message(peer: PeerId, message: PeerMessage): void {
    if (message.kind === 'find-node') this.#answer(peer, message);
    if (message.kind === 'nodes') this.#onNodes(peer, message);
  }

  levels(): readonly Level[] {
    const open = { what: 'look-ups open', size: this.#open.size, sizeMax: KADEMLIA_CONTACTS_MAX };
    return [...lookupLevels(this.#table, this.#lookup), open];
  }

  #schedule(delayMs: number): void {
    this.#cancelStart = this.#parts.timers.after(delayMs, () => {
      this.#lookup = startLookup(this.#table, this.#target);
      this.#schedule(LOOKUP_MS);
      this.#advance();
    });
  }

  /** Asks on, as far as it leads to peers that are connected. */
  #advance(): void {
    const lookup = this.#lookup;
    if (lookup === undefined) return;
    this.#cancelEnd();
    for (let next = nextToAsk(lookup); next.length > 0; next = nextToAsk(lookup)) {
      for (const { id } of next) this.#ask(lookup, id as PeerId);
    }
    if (isDone(lookup)) this.#end();
    else this.#cancelEnd = this.#parts.timers.after(LOOKUP_ANSWER_MS_MAX, () => this.#onSilence(lookup));
  }

  #ask(lookup: Lookup, id: PeerId): void {
    this.#request = (this.#request + 1) % 2 ** 32;
    const question = { kind: 'find-node', request: this.#request, target: this.#target } as const;
    if (this.#parts.post.send(id, question)) this.#open.set(this.#request, id);
    else silent(lookup, id);
  }

  #onSilence(lookup: Lookup): void {
    for (const id of this.#open.values()) silent(lookup, id);
    this.#open.clear();
    this.#advance();
  }

  #end(): void {
    this.#lookup = undefined;
    this.#open.clear();
  }

  #answer(peer: PeerId, { request, target }: Extract<PeerMessage, { kind: 'find-node' }>): void {
    const peers = nearest(this.#table, target).filter(({ id }) => id !== peer);
    this.#parts.post.send(peer, { kind: 'nodes', request, peers });
  }

  #onNodes(peer: PeerId, { request, peers }: Extract<PeerMessage, { kind: 'nodes' }>): void {
    const lookup = this.#lookup;
    if (this.#open.get(request) !== peer || lookup === undefined) return;
    this.#open.delete(request);
    const others = peers.filter(({ id }) => id !== this.#parts.transport.self);
    this.#parts.found(peer, others);
    answered(lookup, peer, others);
    this.#advance();
  }
}
