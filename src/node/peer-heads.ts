import type { BlockReference, PeerMessage } from '../model/peer-message.ts';
import type { PeerId, PeerInfo } from '../network/transport.ts';
import type { PeeringPart } from './peering-part.ts';

/** Where each peer says that its chain ends: for people to look at, and believed by nothing. */
export class PeerHeads implements PeeringPart {
  readonly kinds = ['chain-status', 'block-announcement'] as const;
  readonly #heads = new Map<PeerId, BlockReference>();

  get(peer: PeerId): BlockReference | undefined {
    return this.#heads.get(peer);
  }

  start(): void {}

  stop(): void {}

  up(): void {}

  down({ id }: PeerInfo): void {
    this.#heads.delete(id);
  }

  message(peer: PeerId, message: PeerMessage): void {
    if (message.kind === 'chain-status') this.#heads.set(peer, message.head);
    if (message.kind !== 'block-announcement') return;
    const { height } = message.header;
    // Whoever passes a block on has it, but may well have more.
    if (height > (this.#heads.get(peer)?.height ?? -1)) {
      this.#heads.set(peer, { height, hash: message.certificate.digest });
    }
  }
}
