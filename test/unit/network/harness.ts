import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { createServer } from 'node:net';
import { createPrng } from '../../../src/lib/prng.ts';
import { Hash, Height, PublicKey } from '../../../src/model/ids.ts';
import { createIdentity, type NodeIdentity } from '../../../src/network/identity.ts';
import { Mesh, type MeshOptions } from '../../../src/network/mesh.ts';
import type { AuthorityContact, TransportEvent } from '../../../src/network/transport.ts';

export const CHAIN = Hash(createHash('sha256').update('a genesis document').digest('hex'));
export const OTHER_CHAIN = Hash(createHash('sha256').update('another genesis document').digest('hex'));

/** Waits until `condition` holds; fails after the deadline with what `state` shows. */
export async function until(condition: () => boolean, what: string, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export interface AuthorityKey {
  readonly publicKey: PublicKey;
  readonly sign: (message: Uint8Array) => Uint8Array;
  readonly votes: () => boolean;
}

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

function privateKeyOf(secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, secret]), format: 'der', type: 'pkcs8' });
}

export function createAuthority(): AuthorityKey {
  const privateKey = privateKeyOf(randomBytes(32));
  const raw = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length);
  return {
    publicKey: PublicKey(raw.toString('hex')),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
    votes: () => true,
  };
}

function checkSignature(publicKey: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const spki = Buffer.concat([SPKI_PREFIX, Buffer.from(publicKey, 'hex')]);
  return verify(null, message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
}

/** Identities by ascending id, so that a test knows who wins a tie. */
export function createIdentities(count: number): NodeIdentity[] {
  return Array.from({ length: count }, () => createIdentity(new Uint8Array(randomBytes(32)))).sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );
}

/** Ports that were free a moment ago, for nodes that must know each other's address before they start. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    ports.push(address.port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Options of a node under test; `listen: undefined` makes one that only dials. */
export type NodeOptions = Partial<Omit<MeshOptions, 'listen'>> & {
  readonly identity: NodeIdentity;
  readonly listen?: MeshOptions['listen'] | undefined;
};

/** A running node and all that happened to it. */
export class Node {
  readonly mesh: Mesh;
  readonly events: TransportEvent[] = [];
  readonly identity: NodeIdentity;
  readonly authority: AuthorityKey | undefined;

  constructor(options: NodeOptions) {
    const { listen = 'listen' in options ? undefined : { port: 0 }, ...others } = options;
    this.authority = options.authority;
    this.identity = options.identity;
    this.mesh = new Mesh({
      networkId: 'test',
      chainId: CHAIN,
      version: '0.1.0',
      checkSignature,
      head: () => ({ height: Height(0), hash: CHAIN }),
      random: createPrng(1).next,
      ...(listen === undefined ? {} : { listen }),
      heartbeatIntervalMs: 1_000,
      connectionTimeoutMs: 5_000,
      ...others,
    });
  }

  async start(): Promise<this> {
    await this.mesh.start((event) => this.events.push(event));
    return this;
  }

  get address(): string {
    const { listenAddress } = this.mesh;
    if (listenAddress === undefined) throw new Error('the node does not listen');
    return listenAddress;
  }

  of<T extends TransportEvent['type']>(type: T): Extract<TransportEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<TransportEvent, { type: T }> => event.type === type);
  }

  get refusals(): string[] {
    return this.of('refused').map(({ reason, by }) => `${reason} by ${by}`);
  }

  get downs(): string[] {
    return this.of('down').map(({ reason, by }) => `${reason} by ${by}`);
  }

  contact(address: string | undefined = this.address): AuthorityContact {
    if (this.authority === undefined) throw new Error('the node is no authority');
    return { publicKey: this.authority.publicKey, ...(address === undefined ? {} : { address }) };
  }

  isConnectedTo(other: Node): boolean {
    return this.mesh.peers().some(({ id }) => id === other.mesh.self);
  }
}

/** What a test opened, closed again in reverse order. */
export class Cleanup {
  readonly #tasks: (() => unknown)[] = [];

  add<T>(thing: T, task: (thing: T) => unknown): T {
    this.#tasks.push(() => task(thing));
    return thing;
  }

  async run(): Promise<void> {
    for (const task of this.#tasks.splice(0).reverse()) await task();
  }

  async node(options: NodeOptions): Promise<Node> {
    const node = this.add(new Node(options), ({ mesh }) => mesh.close());
    return node.start();
  }
}

/** Two authorities, `lower` and `higher` by node id; only `dials` knows an address. */
export async function createPair(
  cleanup: Cleanup,
  dials: 'lower' | 'higher' | 'none' = 'higher',
  options: Partial<MeshOptions> = {},
): Promise<{ readonly lower: Node; readonly higher: Node }> {
  const [low, high] = createIdentities(2);
  if (low === undefined || high === undefined) throw new Error('no identities');
  const lower = await cleanup.node({ identity: low, authority: createAuthority(), ...options });
  const higher = await cleanup.node({ identity: high, authority: createAuthority(), ...options });
  const contacts = (dialled: boolean, other: Node): AuthorityContact => {
    const { publicKey } = other.contact();
    return dialled ? other.contact() : { publicKey };
  };
  lower.mesh.setAuthorities([lower.contact(), contacts(dials === 'lower', higher)]);
  higher.mesh.setAuthorities([contacts(dials === 'higher', lower), higher.contact()]);
  return { lower, higher };
}

export async function connectedPair(
  cleanup: Cleanup,
  dials: 'lower' | 'higher' = 'higher',
  options: Partial<MeshOptions> = {},
): Promise<{ readonly lower: Node; readonly higher: Node }> {
  const pair = await createPair(cleanup, dials, options);
  const { lower, higher } = pair;
  await until(() => lower.isConnectedTo(higher) && higher.isConnectedTo(lower), 'the pair connects');
  return pair;
}
