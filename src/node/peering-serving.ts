import { type Header, headerLayout } from '../model/block.ts';
import { type Certificate, certificateLayout } from '../model/certificate.ts';
import { decode, encode } from '../model/codec.ts';
import { Height } from '../model/ids.ts';
import { SYNC_BLOCKS_MAX, SYNC_BYTES_MAX } from '../model/limits.ts';
import type { PeerMessage, PeerMessageOf, RequestFailure } from '../model/peer-message.ts';
import type { PeerId } from '../network/transport.ts';
import { joinBodies } from '../peering/bodies.ts';
import { CorruptionError } from '../store/blocks.ts';
import type { Chain } from '../store/chain.ts';
import type { Compression } from './compression.ts';
import { type Cost, Customers } from './customers.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Clock, Timers } from './ports.ts';
import { certifiedRun } from './serving.ts';

type Request = PeerMessageOf<'header-request' | 'block-request'>;
/** What one answer takes besides the bodies in it. */
const ANSWER_BYTES = 1_024;

export interface PeeringServingParts {
  readonly post: Post;
  readonly chain: Chain;
  /** The lowest block that is served, and of which block a snapshot is. */
  readonly offer: () => Pick<PeerMessageOf<'chain-status'>, 'oldest' | 'snapshot'>;
  readonly compression: Compression;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Shows other nodes the chain that this one holds: where it is, headers with their certificate, bodies. */
export class PeeringServing implements PeeringPart {
  readonly kinds = ['chain-status-request', 'header-request', 'block-request'] as const;
  readonly #parts: PeeringServingParts;
  readonly #customers: Customers<PeerId, Request>;
  readonly #headerBytes: number;

  constructor(parts: PeeringServingParts) {
    this.#parts = parts;
    this.#headerBytes = encode(headerLayout, parts.chain.head).length;
    this.#customers = new Customers<PeerId, Request>({
      clock: parts.clock,
      timers: parts.timers,
      isReady: (peer) => parts.post.hasRoom(peer),
      serve: (peer, request) =>
        request.kind === 'header-request' ? this.#headers(peer, request) : this.#bodies(peer, request),
      refuse: (peer, { request }) => this.#fail(peer, request, 'BUSY'),
    });
  }

  start(): void {}

  up(): void {}

  down({ id }: { readonly id: PeerId }): void {
    this.#customers.forget(id);
  }

  stop(): void {
    this.#customers.stop();
  }

  message(peer: PeerId, message: PeerMessage): void {
    if (message.kind === 'chain-status-request') this.#parts.post.send(peer, this.#status());
    if (message.kind !== 'header-request' && message.kind !== 'block-request') return;
    if (!this.#customers.request(peer, message)) this.#fail(peer, message.request, 'BUSY');
  }

  /** Of what can be read already: a moment behind the head. */
  #status(): PeerMessage {
    const { chain, offer } = this.#parts;
    const { header, hash, certificate } = chain.visibleHead;
    return { kind: 'chain-status', head: { height: header.height, hash }, certificate, ...offer() };
  }

  #headers(peer: PeerId, { request, from, count }: Request): Cost {
    const run = certifiedRun(this.#parts.chain, Math.max(1, from), Math.min(count, SYNC_BLOCKS_MAX));
    if (run === undefined) return this.#fail(peer, request, this.#whyNot(from));
    const headers = run.blocks.map((block) => this.#headerOf(block));
    const certificate = readCertificate(run.certificate);
    this.#parts.post.send(peer, { kind: 'headers', request, headers, certificate });
    return { bytes: headers.length * this.#headerBytes, blocks: headers.length };
  }

  #headerOf(block: Uint8Array): Header {
    const header = decode(headerLayout, block.subarray(0, this.#headerBytes));
    if (!header.ok) throw new CorruptionError(`a stored header is damaged: ${header.error.reason}`);
    return header.value;
  }

  #bodies(peer: PeerId, { request, from, count }: Request): Cost {
    const { chain, compression, post } = this.#parts;
    const bodies: Uint8Array[] = [];
    let bytes = ANSWER_BYTES;
    for (let height = from; bodies.length < Math.min(count, SYNC_BLOCKS_MAX); height = Height(height + 1)) {
      const body = chain.blockBytes(height)?.block.subarray(this.#headerBytes);
      if (body === undefined || bytes + body.length > SYNC_BYTES_MAX) break;
      bytes += body.length;
      bodies.push(body);
    }
    if (bodies.length === 0) return this.#fail(peer, request, this.#whyNot(from));
    const finished = this.#customers.begin();
    compression.deflate(joinBodies(bodies), (deflated) => {
      finished();
      if (deflated.length > SYNC_BYTES_MAX) this.#fail(peer, request, 'BUSY');
      else post.send(peer, { kind: 'block-response', request, from, count: bodies.length, deflated });
    });
    return { bytes, blocks: bodies.length };
  }

  #whyNot(from: Height): RequestFailure {
    return from < this.#parts.offer().oldest ? 'PRUNED' : 'UNKNOWN';
  }

  #fail(peer: PeerId, request: number, reason: RequestFailure): Cost {
    this.#parts.post.send(peer, { kind: 'request-failed', request, reason });
    return { bytes: 0, blocks: 1 };
  }
}

/** With its flag in front. */
function readCertificate(stored: Uint8Array): Certificate {
  const certificate = decode(certificateLayout, stored.subarray(1));
  if (!certificate.ok) throw new CorruptionError(`a stored certificate is damaged: ${certificate.error.reason}`);
  return certificate.value;
}
