import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { type ConnectionOptions, connect, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { parseAddress } from '../../../src/lib/address.ts';
import { concat, fromHex, toHex, utf8 } from '../../../src/lib/bytes.ts';
import { Height, Signature } from '../../../src/model/ids.ts';
import { der, pem } from '../../../src/network/certificate.ts';
import { channelBinding, type NodeIdentity } from '../../../src/network/identity.ts';
import type { Direction } from '../../../src/network/transport.ts';
import {
  decodeFrame,
  encodeHello,
  type Hello,
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR,
  proofBytes,
  type WireFrame,
} from '../../../src/network/wire.ts';
import { type AuthorityKey, CHAIN, until } from './harness.ts';

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new Error('not hex');
  return bytes;
}

export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`no address: ${address}`);
  return parsed;
}

/** One end of a channel that says whatever a test wants. */
export class RawPeer {
  readonly ws: WebSocket;
  readonly socket: TLSSocket;
  readonly identity: NodeIdentity;
  readonly side: Direction;
  readonly payloads: Uint8Array[] = [];
  closeCode: number | undefined;

  constructor(ws: WebSocket, socket: TLSSocket, identity: NodeIdentity, side: Direction) {
    this.ws = ws;
    this.socket = socket;
    this.identity = identity;
    this.side = side;
    ws.on('message', (data) => this.payloads.push(new Uint8Array(data as Buffer)));
    ws.on('close', (code) => {
      this.closeCode = code;
    });
    ws.on('error', () => {});
  }

  get frames(): WireFrame[] {
    return this.payloads.flatMap((payload) => {
      const frame = decodeFrame(payload);
      return frame.ok ? [frame.value] : [];
    });
  }

  /** Why the other side says that it closes. */
  get refusals(): string[] {
    return this.frames.flatMap((frame) => (frame.kind === 'error' ? [frame.refusal] : []));
  }

  get messages(): Uint8Array[] {
    return this.frames.flatMap((frame) => (frame.kind === 'message' ? [frame.frame] : []));
  }

  /** A good hello of this channel, with `changes`. */
  hello(authority: AuthorityKey | undefined, changes: Partial<Hello> = {}): Uint8Array {
    const message = proofBytes(CHAIN, this.side, bytesOf(this.identity.id), channelBinding(this.socket));
    return encodeHello({
      protocolMajor: PROTOCOL_MAJOR,
      protocolMinor: PROTOCOL_MINOR,
      networkId: 'test',
      genesisHash: CHAIN,
      role: authority === undefined ? 'follower' : 'authority',
      listenAddress: null,
      headHeight: Height(7),
      headHash: CHAIN,
      version: '9.9.9',
      authorityProof:
        authority === undefined
          ? null
          : { publicKey: authority.publicKey, signature: Signature(toHex(authority.sign(message))) },
      ...changes,
    });
  }

  /** Sends a hello and waits for the answer. */
  async introduce(authority?: AuthorityKey): Promise<this> {
    this.ws.send(this.hello(authority));
    await until(() => this.frames.some(({ kind }) => kind === 'hello'), 'the node answers with its hello');
    return this;
  }

  async closed(): Promise<void> {
    await until(() => this.closeCode !== undefined, 'the node closes');
  }
}

/** Opens a WebSocket to a node, and says nothing. */
export async function dialRaw(address: string, identity: NodeIdentity): Promise<RawPeer> {
  const sockets: TLSSocket[] = [];
  const ws = new WebSocket(`wss://${address}/`, {
    perMessageDeflate: false,
    autoPong: false,
    createConnection: () => {
      const socket = connect({ ...hostAndPort(address), ...identity.tls, rejectUnauthorized: false });
      sockets.push(socket);
      return socket;
    },
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  const [socket] = sockets;
  if (socket === undefined) throw new Error('no socket');
  return new RawPeer(ws, socket, identity, 'outbound');
}

/** Listens with a key and a certificate; hands over what connects. */
export async function listenRaw(
  tls: SecureContextOptions,
  onPeer: (ws: WebSocket, socket: TLSSocket) => void,
): Promise<{ readonly address: string; readonly server: Server; readonly close: () => Promise<void> }> {
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false });
  const websockets = new WebSocketServer({ server, perMessageDeflate: false });
  websockets.on('connection', (ws, request) => onPeer(ws, request.socket as TLSSocket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const close = async (): Promise<void> => {
    for (const ws of websockets.clients) ws.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address: `127.0.0.1:${address.port}`, server, close };
}

/** Opens TLS with `options` and waits for its end or its failure. */
export async function tlsOutcome(address: string, options: ConnectionOptions): Promise<'closed' | 'failed'> {
  const socket = connect({ ...hostAndPort(address), minVersion: 'TLSv1.3', rejectUnauthorized: false, ...options });
  return new Promise((resolve) => {
    socket.once('error', () => resolve('failed'));
    socket.once('close', () => resolve('closed'));
    socket.resume();
  });
}

const SEQUENCE = 0x30;
const ALGORITHMS = {
  rsa: { oid: '2a864886f70d01010b', parameters: [der(0x05)] },
  ec: { oid: '2a8648ce3d040302', parameters: [] },
  ed25519: { oid: '2b6570', parameters: [] },
} as const;

/** A certificate that `identity.ts` would never make: of another kind of key, for another time, or signed by another. */
export function strangeCertificate(
  kind: keyof typeof ALGORITHMS,
  changes: { readonly notAfter?: string; readonly signedBy?: KeyObject } = {},
): { readonly cert: string; readonly key: string } {
  const { privateKey, publicKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
      : kind === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  const { oid, parameters } = ALGORITHMS[kind];
  const algorithm = der(SEQUENCE, der(0x06, bytesOf(oid)), ...parameters);
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, der(0x06, bytesOf('550403')), der(0x0c, utf8('stranger')))));
  const validity = der(
    SEQUENCE,
    der(0x17, utf8('700101000000Z')),
    der(0x18, utf8(changes.notAfter ?? '99991231235959Z')),
  );
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const version = der(0xa0, der(0x02, Uint8Array.of(2)));
  const body = der(SEQUENCE, version, der(0x02, Uint8Array.of(1)), algorithm, name, validity, name, spki);
  const signature = sign(kind === 'ed25519' ? null : 'sha256', body, changes.signedBy ?? privateKey);
  const certificate = der(SEQUENCE, body, algorithm, der(0x03, concat(Uint8Array.of(0), signature)));
  return { cert: pem(certificate), key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}
