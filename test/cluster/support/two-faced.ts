import { randomBytes } from 'node:crypto';
import { devnetKeys } from '../../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import { createPrng } from '../../../src/lib/prng.ts';
import { decode, encode } from '../../../src/model/codec.ts';
import { Signature } from '../../../src/model/ids.ts';
import { FRAME_BYTES_MAX } from '../../../src/model/limits.ts';
import { type PeerMessage, peerMessageLayout } from '../../../src/model/peer-message.ts';
import { createIdentity } from '../../../src/network/identity.ts';
import { Mesh } from '../../../src/network/mesh.ts';
import type { PeerId, TransportEvent } from '../../../src/network/transport.ts';
import { systemClock, systemTimers } from '../../../src/node/clock.ts';
import { systemCompression } from '../../../src/node/compression.ts';
import { createSigner, generateKeyPair } from '../../../src/node/keys/key-pair.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { PeeringServing } from '../../../src/node/peering-serving.ts';
import type { Signer } from '../../../src/node/ports.ts';
import { FLOOD_KINDS, PESTER_MS } from '../../../src/simulator/peering/floods.ts';
import type { Liar } from '../../../src/simulator/peering/liar.ts';
import { alterationsOf, type LieName, pesteringsOf } from '../../../src/simulator/peering/lies.ts';
import type { Network } from '../../../src/simulator/peering/past.ts';
import type { Chain } from '../../../src/store/chain.ts';

const REDIAL_MS = 100;

export interface TwoFacedOptions {
  readonly genesis: Network['genesis'];
  /** The truth, which it knows. */
  readonly chain: Chain;
  readonly lies: readonly (LieName | 'sends frames as large as they may be')[];
  readonly number: number;
  /** Whom it is after. */
  readonly address: string;
}

/** The devnet's keys under the names by which the lies ask for them; whoever else is asked for is a stranger. */
function keysOf(genesis: Network['genesis']): Network['keys'] {
  const check = createSignatureCheck();
  const strangers = new Map<string, Signer>();
  return {
    check,
    signerOf: (name) => {
      const seat = Number(/^node-(\d+)$/.exec(name)?.[1] ?? -1);
      const authority = genesis.authorities[seat];
      if (authority !== undefined) return createSigner(devnetKeyPair(devnetKeys(authority.id).authority).secretKey);
      const signer = strangers.get(name) ?? createSigner(randomBytes(32));
      strangers.set(name, signer);
      return signer;
    },
  };
}

/** Serves the true chain over the real wire as an honest node does, but for its lies: those of the simulator. */
export class TwoFaced {
  readonly farewells: string[] = [];
  /** How often it was asked for blocks. */
  asked = 0;
  readonly #mesh: Mesh;
  readonly #options: TwoFacedOptions;
  readonly #liar: Omit<Liar, 'say' | 'shout'>;
  readonly #serving: PeeringServing;
  readonly #timers: NodeJS.Timeout[] = [];

  private constructor(options: TwoFacedOptions) {
    const { genesis, chain, number } = options;
    this.#options = options;
    const check = createSignatureCheck();
    this.#mesh = new Mesh({
      identity: createIdentity(generateKeyPair(randomBytes).secretKey),
      networkId: genesis.networkId,
      chainId: genesis.chainId,
      version: '0.0.0',
      checkSignature: (key, message, signature) =>
        check(key, message, Signature(Buffer.from(signature).toString('hex'))),
      head: () => ({ height: chain.head.height, hash: chain.headHash }),
      random: Math.random,
      heartbeatIntervalMs: 1_000,
      acceptFollowers: true,
    });
    this.#mesh.setAuthorities(genesis.authorities.map(({ publicKey }) => ({ publicKey })));
    const prng = createPrng(number);
    this.#liar = {
      network: { genesis, keys: keysOf(genesis) },
      prng,
      chain,
      floodKind: FLOOD_KINDS[number % FLOOD_KINDS.length] ?? 'chain-status',
      after: (delayMs, run) => void this.#timers.push(setTimeout(run, delayMs)),
    };
    this.#serving = new PeeringServing({
      post: {
        send: (peer, message) => this.#alter(peer, message),
        hasRoom: () => true,
        charge: () => undefined,
        peers: () => [],
      },
      chain,
      offer: () => ({ oldest: chain.oldest, snapshot: null }),
      compression: systemCompression,
      clock: systemClock,
      timers: systemTimers,
    });
  }

  static async start(options: TwoFacedOptions): Promise<TwoFaced> {
    const peer = new TwoFaced(options);
    await peer.#mesh.start((event) => peer.#onEvent(event));
    peer.#timers.push(setInterval(() => peer.#dial(), REDIAL_MS));
    peer.#timers.push(setInterval(() => peer.#pester(), PESTER_MS));
    return peer;
  }

  get id(): PeerId {
    return this.#mesh.self;
  }

  get isConnected(): boolean {
    return this.#mesh.peers().length > 0;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#serving.stop();
    await this.#mesh.close();
  }

  #dial(): void {
    if (!this.isConnected) this.#mesh.dial(this.#options.address, 'session');
  }

  #onEvent(event: TransportEvent): void {
    if (event.type === 'down') this.farewells.push(event.reason);
    if (event.type !== 'frame') return;
    const message = decode(peerMessageLayout, event.frame);
    if (!message.ok) return;
    if (message.value.kind === 'header-request' || message.value.kind === 'block-request') this.asked += 1;
    this.#serving.message(event.peer, message.value);
  }

  #liarTo(peer: PeerId): Liar {
    return {
      ...this.#liar,
      say: (message) => this.#say(peer, message),
      shout: (frame) => void this.#mesh.send(peer, frame, 'sync'),
    };
  }

  #pester(): void {
    const { lies } = this.#options;
    const known = lies.flatMap((lie) => (lie === 'sends frames as large as they may be' ? [] : [lie]));
    for (const { id } of this.#mesh.peers()) {
      for (const one of pesteringsOf(known)) one(this.#liarTo(id));
      if (known.length < lies.length) this.#mesh.send(id, new Uint8Array(FRAME_BYTES_MAX).fill(38), 'sync');
    }
  }

  #alter(peer: PeerId, message: PeerMessage): boolean {
    const { lies } = this.#options;
    const known = lies.flatMap((lie) => (lie === 'sends frames as large as they may be' ? [] : [lie]));
    let said: readonly PeerMessage[] = [message];
    for (const alter of alterationsOf(known)) said = said.flatMap((one) => alter(one, this.#liarTo(peer)));
    for (const one of said) this.#say(peer, one);
    return true;
  }

  #say(peer: PeerId, message: PeerMessage): void {
    try {
      this.#mesh.send(peer, encode(peerMessageLayout, message), 'sync');
    } catch {
      // What cannot be put into a frame is not said.
    }
  }
}
