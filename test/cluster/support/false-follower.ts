import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { decode, encode } from '../../../src/model/codec.ts';
import { Height, Signature, ZERO_HASH } from '../../../src/model/ids.ts';
import { type PeerMessage, type PeerMessageOf, peerMessageLayout } from '../../../src/model/peer-message.ts';
import { createIdentity } from '../../../src/network/identity.ts';
import { Mesh } from '../../../src/network/mesh.ts';
import type { PeerId, TransportEvent } from '../../../src/network/transport.ts';
import { generateKeyPair } from '../../../src/node/keys/key-pair.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';

type Answer = Uint8Array | PeerMessage | undefined;
type Request = PeerMessageOf<'header-request' | 'block-request'>;

/** What a liar does once it is asked for what it says that it has; the true headers help it to be asked for bodies. */
export const LIES: Readonly<Record<string, (request: Request) => Answer>> = {
  silence: () => undefined,
  noise: () => Uint8Array.of(36, ...randomBytes(200)),
  'no such block': ({ request }) => ({ kind: 'request-failed', request, reason: 'UNKNOWN' }),
  'empty bodies': ({ request, from, count, kind }) =>
    kind === 'block-request'
      ? { kind: 'block-response', request, from, count, deflated: deflateRawSync(new Uint8Array(4 * count)) }
      : undefined,
};

/** A node with a key of its own that shows the true newest certificate, and lies about all else. */
export class FalseFollower {
  readonly asked: Request['kind'][] = [];
  readonly farewells: string[] = [];
  readonly #mesh: Mesh;
  readonly #answer: (request: Request) => Answer;
  #status: PeerMessageOf<'chain-status'> | undefined;

  private constructor(genesis: Genesis, answer: (request: Request) => Answer) {
    this.#answer = answer;
    const check = createSignatureCheck();
    this.#mesh = new Mesh({
      identity: createIdentity(generateKeyPair(randomBytes).secretKey),
      networkId: genesis.networkId,
      chainId: genesis.chainId,
      version: '0.0.0',
      checkSignature: (key, message, signature) =>
        check(key, message, Signature(Buffer.from(signature).toString('hex'))),
      head: () => ({ height: Height(0), hash: ZERO_HASH }),
      random: Math.random,
      heartbeatIntervalMs: 1_000,
      acceptFollowers: true,
    });
    this.#mesh.setAuthorities(genesis.authorities.map(({ publicKey }) => ({ publicKey })));
  }

  static async start(genesis: Genesis, answer: (request: Request) => Answer): Promise<FalseFollower> {
    const liar = new FalseFollower(genesis, answer);
    await liar.#mesh.start((event) => liar.#onEvent(event));
    return liar;
  }

  get id(): PeerId {
    return this.#mesh.self;
  }

  /** Whether it has a true certificate to show. */
  get isArmed(): boolean {
    return this.#status !== undefined;
  }

  dial(address: string): void {
    this.#mesh.dial(address, 'session');
  }

  async close(): Promise<void> {
    await this.#mesh.close();
  }

  #onEvent(event: TransportEvent): void {
    if (event.type === 'up') this.#say(event.peer.id, { kind: 'chain-status-request' });
    if (event.type === 'down') this.farewells.push(event.reason);
    if (event.type !== 'frame') return;
    const decoded = decode(peerMessageLayout, event.frame);
    if (!decoded.ok) return;
    const message = decoded.value;
    if (message.kind === 'chain-status' && message.head.height > (this.#status?.head.height ?? 0))
      this.#status = message;
    if (message.kind === 'chain-status-request' && this.#status !== undefined) this.#say(event.peer, this.#status);
    if (message.kind !== 'header-request' && message.kind !== 'block-request') return;
    this.asked.push(message.kind);
    const answer = this.#answer(message);
    if (answer instanceof Uint8Array) this.#mesh.send(event.peer, answer, 'sync');
    else if (answer !== undefined) this.#say(event.peer, answer);
  }

  #say(peer: PeerId, message: PeerMessage): void {
    this.#mesh.send(peer, encode(peerMessageLayout, message), 'sync');
  }
}
