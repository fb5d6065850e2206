import { parseAddress } from '../lib/address.ts';
import { concat, utf8 } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import {
  branded,
  type Codec,
  decode,
  encode,
  hexOf,
  nullable,
  oneOf,
  struct,
  textWhere,
  u8,
  u53,
} from '../model/codec.ts';
import { type Hash, type Height, hexBytes, type PublicKey, type Signature } from '../model/ids.ts';
import { ADDRESS_BYTES_MAX, HELLO_BYTES_MAX, NAME_CHARS_MAX } from '../model/limits.ts';
import { type Direction, REFUSALS, type Refusal } from './transport.ts';

/** Another major speaks another language, from the second byte of the hello on. A minor may add message kinds only. */
export const PROTOCOL_MAJOR = 2;
export const PROTOCOL_MINOR = 0;

/** An authority key's signature over `proofBytes`. */
export interface AuthorityProof {
  readonly publicKey: PublicKey;
  readonly signature: Signature;
}

/** `observer`: it holds an authority's key that must not vote any more. `bootstrap`: it knows peers, and no chain. */
const ROLES = ['authority', 'follower', 'observer', 'bootstrap'] as const;

/** What each side says of itself before anything else. */
export interface Hello {
  readonly protocolMajor: number;
  readonly protocolMinor: number;
  readonly networkId: string;
  /** Hash of the genesis document: the chain's id. */
  readonly genesisHash: Hash;
  readonly role: (typeof ROLES)[number];
  readonly listenAddress: string | null;
  readonly headHeight: Height;
  readonly headHash: Hash;
  readonly version: string;
  readonly authorityProof: AuthorityProof | null;
}

/** What travels in one WebSocket message: a tag byte, then this. */
export type WireFrame =
  | { readonly kind: 'hello'; readonly hello: Uint8Array }
  | { readonly kind: 'error'; readonly refusal: Refusal }
  | { readonly kind: 'ping' | 'pong'; readonly nonce: number }
  | { readonly kind: 'message'; readonly frame: Uint8Array };

export interface MalformedFrame {
  readonly code: 'MALFORMED_FRAME';
}

const HELLO = 0;
const ERROR = 1;
const PING = 2;
const PONG = 3;
const MESSAGE = 4;
/** What the tag byte adds to a frame. */
export const ENVELOPE_BYTES = 1;

const PRINTABLE = /^[\x21-\x7e]+$/;

const helloCodec: Codec<Hello> = struct<Hello>({
  protocolMajor: u8,
  protocolMinor: u8,
  networkId: textWhere(NAME_CHARS_MAX, (text) => PRINTABLE.test(text)),
  genesisHash: hexOf(32),
  role: oneOf(ROLES),
  listenAddress: nullable(textWhere(ADDRESS_BYTES_MAX, (text) => parseAddress(text) !== undefined)),
  headHeight: branded<Height, number>(u53),
  headHash: hexOf(32),
  version: textWhere(NAME_CHARS_MAX, (text) => PRINTABLE.test(text)),
  authorityProof: nullable(struct<AuthorityProof>({ publicKey: hexOf(32), signature: hexOf(64) })),
});

export function encodeHello(hello: Hello): Uint8Array {
  return concat(Uint8Array.of(HELLO), encode(helloCodec, hello));
}

/** Reads a hello's bytes. The major comes first, so that a stranger of another age is told why. */
export function decodeHello(payload: Uint8Array): Result<Hello, 'PROTOCOL_MISMATCH' | 'MALFORMED_HELLO'> {
  if (payload.length > HELLO_BYTES_MAX) return err('MALFORMED_HELLO');
  if (payload.length > 0 && payload[0] !== PROTOCOL_MAJOR) return err('PROTOCOL_MISMATCH');
  const hello = decode(helloCodec, payload);
  return hello.ok ? hello : err('MALFORMED_HELLO');
}

export function encodeError(refusal: Refusal): Uint8Array {
  return Uint8Array.of(ERROR, REFUSALS.indexOf(refusal));
}

export function encodePing(kind: 'ping' | 'pong', nonce: number): Uint8Array {
  const frame = new Uint8Array(5);
  frame[0] = kind === 'ping' ? PING : PONG;
  new DataView(frame.buffer).setUint32(1, nonce);
  return frame;
}

/** Copies `frame` into its envelope, so that the caller may reuse its bytes. */
export function encodeMessage(frame: Uint8Array): Uint8Array {
  const enveloped = new Uint8Array(ENVELOPE_BYTES + frame.length);
  enveloped[0] = MESSAGE;
  enveloped.set(frame, ENVELOPE_BYTES);
  return enveloped;
}

/** Reads an envelope. The message's bytes are a copy: a view would keep a whole socket buffer alive. */
export function decodeFrame(payload: Uint8Array): Result<WireFrame, MalformedFrame> {
  switch (payload[0]) {
    case MESSAGE:
      return ok({ kind: 'message', frame: new Uint8Array(payload.subarray(ENVELOPE_BYTES)) });
    case PING:
    case PONG:
      if (payload.length !== 5) return malformed;
      return ok({ kind: payload[0] === PING ? 'ping' : 'pong', nonce: nonceOf(payload) });
    case HELLO:
      return ok({ kind: 'hello', hello: payload.subarray(1) });
    case ERROR: {
      const refusal = payload.length === 2 ? REFUSALS[payload[1] ?? -1] : undefined;
      return refusal === undefined ? malformed : ok({ kind: 'error', refusal });
    }
    default:
      return malformed;
  }
}

const malformed = err({ code: 'MALFORMED_FRAME' } as const);

function nonceOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(1);
}

const PROOF_DOMAIN = utf8('counterfoil/2/HELLO\0');
const SIDES: Readonly<Record<Direction, number>> = { outbound: 1, inbound: 2 };

/**
 * What an authority signs to prove its role on one channel. The binding ties the signature to this TLS channel, the
 * side keeps it from being reflected to the signer, and the node key says whose role it is: TLS 1.3 derives the
 * binding before the dialling side shows its certificate (RFC 8446 §7.1).
 *
 * @param side how the signer sees the connection: `outbound` for the one that dialled.
 */
export function proofBytes(
  chainId: Hash,
  side: Direction,
  nodeKey: Uint8Array,
  channelBinding: Uint8Array,
): Uint8Array {
  return concat(PROOF_DOMAIN, hexBytes(chainId), Uint8Array.of(SIDES[side]), nodeKey, channelBinding);
}
