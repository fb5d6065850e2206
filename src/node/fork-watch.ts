import type { LocalEvent } from '../consensus/event.ts';
import { type Certificate, isCertificateValid, type Jurisdiction } from '../model/certificate.ts';
import type { Hash, Height } from '../model/ids.ts';
import type { PeerMessage, PeerMessageOf } from '../model/peer-message.ts';
import type { PeerId } from '../network/transport.ts';
import { judgeFork } from '../peering/fork.ts';
import type { Chain } from '../store/chain.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Log } from './ports.ts';

export interface ForkWatchParts {
  readonly post: Post;
  readonly chain: Chain;
  readonly jurisdiction: Jurisdiction;
  readonly report: (event: LocalEvent) => void;
  readonly log: Log;
}

/** Holds what peers say of heights that are final here against the own chain: what is further up is held against it as it is fetched. */
export class ForkWatch implements PeeringPart {
  readonly kinds = ['chain-status', 'block-announcement'] as const;
  readonly #parts: ForkWatchParts;

  constructor(parts: ForkWatchParts) {
    this.#parts = parts;
  }

  start(): void {}

  up(): void {}

  down(): void {}

  stop(): void {}

  message(peer: PeerId, message: PeerMessage): void {
    if (message.kind === 'block-announcement') this.#announced(peer, message);
    if (message.kind === 'chain-status') this.#told(peer, message);
  }

  #announced(peer: PeerId, { header, certificate }: PeerMessageOf<'block-announcement'>): void {
    const { chain, jurisdiction, post } = this.#parts;
    // One look-up for the many that tell of the same block; a header that is another one costs its sender dearly.
    if (!this.#contradicts(header.height, certificate.digest)) return;
    const final = { height: chain.visibleHead.header.height, hash: chain.visibleHead.hash };
    const blockAt = (height: Height) => chain.block(height);
    const held = { final, jurisdiction, earlier: () => undefined, blockAt };
    const verdict = judgeFork(held, { kind: 'block', header, path: [], certificate });
    if (verdict.action === 'halt') this.#halt(peer, header.height, certificate);
    if (verdict.action === 'penalize') post.charge(peer, 'BAD_CERTIFICATE');
    if (verdict.action === 'refuse') post.charge(peer, 'WRONG_CHAIN');
  }

  /** Only the certificate is told, and it is enough. */
  #told(peer: PeerId, { head, certificate }: PeerMessageOf<'chain-status'>): void {
    if (certificate === null || !this.#contradicts(head.height, head.hash)) return;
    const isOfHead =
      certificate.phase === 'COMMIT' && certificate.height === head.height && certificate.digest === head.hash;
    if (isOfHead && isCertificateValid(certificate, this.#parts.jurisdiction)) {
      this.#halt(peer, head.height, certificate);
    } else this.#parts.post.charge(peer, 'BAD_CERTIFICATE');
  }

  /** Whether another block than this one is stored at a height. */
  #contradicts(height: Height, hash: Hash): boolean {
    const { chain } = this.#parts;
    if (height < chain.oldest || height > chain.visibleHead.header.height) return false;
    return chain.heightOf(hash) !== height;
  }

  #halt(peer: PeerId, height: Height, certificate: Certificate): void {
    const { report, log } = this.#parts;
    log.error({ peer, height }, 'a quorum has signed another history');
    report({ type: 'conflict', certificate });
  }
}
