import { randomBytes } from 'node:crypto';
import { devnetKeys } from '../../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import { createPrng } from '../../../src/lib/prng.ts';
import { decode, encode } from '../../../src/model/codec.ts';
import { Hash, Signature } from '../../../src/model/ids.ts';
import { FRAME_BYTES_MAX, LISTED_PEERS_MAX } from '../../../src/model/limits.ts';
import {
  type ListedPeer,
  type PeerMessage,
  type PeerMessageKind,
  peerMessageLayout,
} from '../../../src/model/peer-message.ts';
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
import { alterationsOf, LIES, type LieName, pesteringsOf } from '../../../src/simulator/peering/lies.ts';
import type { Network } from '../../../src/simulator/peering/past.ts';
import type { Chain } from '../../../src/store/chain.ts';

const REDIAL_MS = 100;

/** What is done here, and not by the simulator's hostile peers. */
export const OWN_BEHAVIOURS = [
  'sends frames as large as they may be',
  'tells of addresses at which nobody lives',
] as const;

export type Behaviour = LieName | (typeof OWN_BEHAVIOURS)[number];

export interface TwoFacedOptions {
  readonly genesis: Network['genesis'];
  /** The truth, which it knows. */
  readonly chain: Chain;
  readonly lies: readonly Behaviour[];
  readonly number: number;
  /** What it floods with; by its number where it is not said. */
  readonly floodKind?: PeerMessageKind | undefined;
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
  /** Addresses that it has told of. */
  told = 0;
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
      floodKind: options.floodKind ?? FLOOD_KINDS[number % FLOOD_KINDS.length] ?? 'chain-status',
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
    if (message.value.kind === 'peer-discovery') this.#list(event.peer);
    this.#serving.message(event.peer, message.value);
  }

  #does(behaviour: Behaviour): boolean {
    return this.#options.lies.includes(behaviour);
  }

  get #lies(): readonly LieName[] {
    return LIES.filter((lie) => this.#does(lie));
  }

  #list(peer: PeerId): void {
    if (!this.#does('tells of addresses at which nobody lives')) return;
    const peers = Array.from({ length: LISTED_PEERS_MAX }, nobody);
    this.told += peers.length;
    this.#say(peer, { kind: 'peer-list', peers });
  }

  #liarTo(peer: PeerId): Liar {
    return {
      ...this.#liar,
      say: (message) => this.#say(peer, message),
      shout: (frame) => void this.#mesh.send(peer, frame, 'sync'),
    };
  }

  #pester(): void {
    for (const { id } of this.#mesh.peers()) {
      for (const one of pesteringsOf(this.#lies)) one(this.#liarTo(id));
      if (this.#does('sends frames as large as they may be'))
        this.#mesh.send(id, new Uint8Array(FRAME_BYTES_MAX).fill(38), 'sync');
    }
  }

  #alter(peer: PeerId, message: PeerMessage): boolean {
    let said: readonly PeerMessage[] = [message];
    for (const alter of alterationsOf(this.#lies)) said = said.flatMap((one) => alter(one, this.#liarTo(peer)));
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

/** On this machine, so that nobody else is dialled. */
function nobody(): ListedPeer {
  const [a = 0, b = 0, c = 0] = randomBytes(3);
  const port = 1_024 + (randomBytes(2).readUInt16BE() % 10_000);
  return { id: Hash(randomBytes(32).toString('hex')), address: `127.${a}.${b}.${c}:${port}`, role: 'follower' };
}
