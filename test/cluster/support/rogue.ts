import { devnetKeys } from '../../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { defined } from '../../../src/lib/assert.ts';
import { blockHash, HEADER_VERSION, type Header } from '../../../src/model/block.ts';
import { type Ballot, ballotSigningBytes, type Vote } from '../../../src/model/certificate.ts';
import { decode, encode } from '../../../src/model/codec.ts';
import { Epoch, type Hash, Height, hexBytes, Signature, Timestamp, View, ZERO_HASH } from '../../../src/model/ids.ts';
import { type Message, messageLayout, type Status } from '../../../src/model/message.ts';
import { type ViewChange, viewChangeSigningBytes } from '../../../src/model/view-change.ts';
import { createIdentity } from '../../../src/network/identity.ts';
import { Mesh } from '../../../src/network/mesh.ts';
import type { Lane, PeerInfo, TransportEvent } from '../../../src/network/transport.ts';
import { createSigner } from '../../../src/node/keys/key-pair.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import type { Signer } from '../../../src/node/ports.ts';
import type { Cluster } from './cluster.ts';
import type { NodeProcess } from './node-process.ts';

const HEARTBEAT_MS = 200;
const STATUS_MS = 300;
const READ_BYTES_MAX = 16_384;

/**
 * Sits in an authority's seat with its true keys, at its address, and says whatever a test wants: the seat's own
 * process must not run.
 */
export class Rogue {
  readonly seat: number;
  /** Every message that the honest ones have sent here, newest last; the oldest go. */
  readonly heard: { readonly kind: Message['kind']; readonly message: Message }[] = [];
  /** Words with which connections ended. */
  readonly farewells = new Map<string, number>();
  /** The newest Status of each other authority, by its seat. */
  readonly statuses = new Map<number, Status>();
  readonly #mesh: Mesh;
  readonly #genesis: Genesis;
  readonly #signer: Signer;
  readonly #seats = new Map<string, number>();
  #pretending: NodeJS.Timeout | undefined;

  private constructor(cluster: Cluster, node: NodeProcess) {
    const keys = devnetKeys(node.name);
    this.seat = node.seat;
    this.#genesis = cluster.genesis;
    this.#signer = createSigner(devnetKeyPair(keys.authority).secretKey);
    const check = createSignatureCheck();
    this.#mesh = new Mesh({
      identity: createIdentity(devnetKeyPair(keys.node).secretKey),
      networkId: cluster.genesis.networkId,
      chainId: cluster.genesis.chainId,
      version: '0.0.0',
      authority: {
        publicKey: this.#signer.publicKey,
        sign: (message) => hexBytes(this.#signer.sign(message)),
        votes: () => true,
      },
      checkSignature: (key, message, signature) =>
        check(key, message, Signature(Buffer.from(signature).toString('hex'))),
      head: () => ({ height: Height(0), hash: ZERO_HASH }),
      listen: { port: node.peerPort },
      random: Math.random,
      heartbeatIntervalMs: HEARTBEAT_MS,
    });
    this.#mesh.setAuthorities(
      cluster.nodes.map(({ seat, peerPort }) => ({
        publicKey: defined(cluster.genesis.authorities[seat], 'every seat has a key').publicKey,
        address: `127.0.0.1:${peerPort}`,
      })),
    );
  }

  /** Takes the seat of a node that does not run. */
  static async inSeatOf(cluster: Cluster, node: NodeProcess): Promise<Rogue> {
    const rogue = new Rogue(cluster, node);
    await rogue.#mesh.start((event) => rogue.#onEvent(event));
    return rogue;
  }

  /** From here on it says that all is well, as an authority at work does, and does not vote. */
  pretend(): void {
    this.#pretending = setInterval(() => {
      const [known] = this.statuses.values();
      if (known === undefined) return;
      const now = Timestamp(Date.now());
      this.say({ kind: 'status', status: { ...known, mode: 'active', suspects: null, missing: [], now } });
    }, STATUS_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#pretending);
    await this.#mesh.close();
  }

  get peers(): readonly PeerInfo[] {
    return this.#mesh.peers();
  }

  /** Bytes as they are, to every peer. */
  shout(frame: Uint8Array, lane: Lane = 'consensus'): void {
    for (const { id } of this.#mesh.peers()) this.#mesh.send(id, frame, lane);
  }

  say(message: Message, lane: Lane = 'consensus'): void {
    this.shout(encode(messageLayout, message), lane);
  }

  /** A vote with this seat's true signature, on whatever. */
  vote(ballot: Omit<Ballot, 'epoch'>): Vote {
    const whole: Ballot = { epoch: Epoch(0), ...ballot };
    const signature = this.#signer.sign(ballotSigningBytes(this.#genesis.chainId, whole));
    return { ...whole, signer: this.seat, signature };
  }

  viewChange(newView: number, finalHash: Hash, finalHeight = 0): ViewChange {
    const unsigned = {
      epoch: Epoch(0),
      newView: View(newView),
      signer: this.seat,
      finalHeight: Height(finalHeight),
      finalHash,
      claim: null,
    };
    return { ...unsigned, signature: this.#signer.sign(viewChangeSigningBytes(this.#genesis.chainId, unsigned)) };
  }

  /** A header that has the right form, and nothing else right. */
  header(changes: Partial<Header>): Header {
    return {
      version: HEADER_VERSION,
      chainId: this.#genesis.chainId,
      height: Height(1),
      epoch: Epoch(0),
      view: View(0),
      previous: ZERO_HASH,
      timestamp: Timestamp(Date.now()),
      proposer: this.seat,
      transactionsRoot: ZERO_HASH,
      transactionCount: 0,
      stateRoot: ZERO_HASH,
      receiptsRoot: ZERO_HASH,
      graphRoot: ZERO_HASH,
      authoritiesHash: ZERO_HASH,
      nextAuthoritiesHash: ZERO_HASH,
      ...changes,
    };
  }

  /** A proposal of that header, with this seat's PREPARE. */
  proposal(header: Header, view: number, body: readonly never[] | null = []): Message {
    const digest = blockHash(header);
    const vote = this.vote({ phase: 'PREPARE', view: View(view), height: header.height, digest });
    return { kind: 'pre-prepare', header, body, vote };
  }

  #onEvent(event: TransportEvent): void {
    switch (event.type) {
      case 'up': {
        const { id, authorityIndex } = event.peer;
        if (authorityIndex !== undefined) this.#seats.set(id, authorityIndex);
        return;
      }
      case 'down':
        this.farewells.set(event.reason, (this.farewells.get(event.reason) ?? 0) + 1);
        return;
      case 'frame': {
        // Whole chains that it asked for are of no interest here, and would keep this process busy.
        if (event.frame.length > READ_BYTES_MAX) return;
        const decoded = decode(messageLayout, event.frame);
        if (!decoded.ok) return;
        const { value } = decoded;
        const seat = this.#seats.get(event.peer);
        if (value.kind === 'status' && seat !== undefined) this.statuses.set(seat, value.status);
        this.heard.push({ kind: value.kind, message: value });
        if (this.heard.length > 2_000) this.heard.shift();
        return;
      }
      case 'refused':
    }
  }
}
