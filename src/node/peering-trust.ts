import type { LocalEvent } from '../consensus/event.ts';
import { blockHash } from '../model/block.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import type { Height } from '../model/ids.ts';
import { SYNC_LOG_MS } from '../model/limits.ts';
import type { PeerMessage, PeerMessageOf } from '../model/peer-message.ts';
import type { PeerId, PeerInfo } from '../network/transport.ts';
import { AGREEING_PEERS_MIN, judgeFork } from '../peering/fork.ts';
import type { Chain } from '../store/chain.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Timers } from './ports.ts';

export interface PeeringTrustParts {
  readonly post: Post;
  readonly chain: Chain;
  readonly jurisdiction: Jurisdiction;
  readonly timers: Timers;
  /** Whether the operator named this peer, or its key is an authority's. */
  readonly isConfigured: (peer: PeerInfo) => boolean;
  readonly report: (event: LocalEvent) => void;
  readonly log: {
    info(fields: Readonly<Record<string, unknown>>, message: string): void;
    warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  };
  /** Enough of them hold the newest block that is stored here. */
  readonly agreed: () => void;
}

/** Asks the peers of the configuration whether the chain that is stored here is theirs, before anything of anybody is believed. */
export class PeeringTrust implements PeeringPart {
  readonly kinds = ['headers', 'chain-status'] as const;
  readonly #parts: PeeringTrustParts;
  readonly #agreeing = new Set<PeerId>();
  #highest: Height | undefined;
  #cancelTick: () => void = () => undefined;
  #isOver = false;

  constructor(parts: PeeringTrustParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#ask();
    this.#cancelTick = this.#parts.timers.after(SYNC_LOG_MS, () => this.#isOver || this.start());
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelTick();
  }

  up(peer: PeerInfo): void {
    this.#askOne(peer);
  }

  down({ id }: PeerInfo): void {
    this.#agreeing.delete(id);
  }

  message(peer: PeerId, message: PeerMessage): void {
    if (this.#isOver) return;
    if (message.kind === 'chain-status' && message.head.height > (this.#highest ?? 0))
      this.#highest = message.head.height;
    if (message.kind === 'headers') this.#answered(peer, message);
  }

  /** The highest that anybody claims to be at. */
  heightAhead(): Height | undefined {
    return this.#highest;
  }

  #ask(): void {
    const { post, chain, log } = this.#parts;
    for (const peer of post.peers()) if (!this.#agreeing.has(peer.id)) this.#askOne(peer);
    const { height, hash } = { height: chain.head.height, hash: chain.headHash };
    const message = 'away for longer than trust_period: waiting for peers of the configuration to hold this block';
    log.warn({ height, hash, agreeing: this.#agreeing.size, needed: AGREEING_PEERS_MIN }, message);
  }

  #askOne(peer: PeerInfo): void {
    const { post, chain, isConfigured } = this.#parts;
    post.send(peer.id, { kind: 'chain-status-request' });
    if (isConfigured(peer))
      post.send(peer.id, { kind: 'header-request', request: 0, from: chain.head.height, count: 1 });
  }

  #answered(peer: PeerId, { headers, certificate }: PeerMessageOf<'headers'>): void {
    const { chain, jurisdiction, post, report, log, agreed } = this.#parts;
    const info = post.peers().find(({ id }) => id === peer);
    const [header, ...path] = headers;
    if (header === undefined || info === undefined || !this.#parts.isConfigured(info)) return;
    if (blockHash(header) === chain.headHash) {
      this.#agreeing.add(peer);
      if (this.#agreeing.size < AGREEING_PEERS_MIN) return;
      this.stop();
      log.info({ height: chain.head.height }, 'peers of the configuration hold the same block');
      agreed();
      return;
    }
    const final = { height: chain.head.height, hash: chain.headHash };
    const held = { final, jurisdiction, earlier: () => undefined, blockAt: (height: Height) => chain.block(height) };
    const verdict = judgeFork(held, { kind: 'block', header, path, certificate });
    if (verdict.action === 'penalize') post.charge(peer, 'BAD_CERTIFICATE');
    if (verdict.action === 'halt') report({ type: 'conflict', certificate });
  }
}
