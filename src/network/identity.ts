import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  constants as openssl,
  type X509Certificate,
} from 'node:crypto';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { assert, defined } from '../lib/assert.ts';
import { concat, fromHex } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { selfSignedCertificate } from './certificate.ts';
import { type PeerId, peerIdOf } from './transport.ts';

/** Why the other end of a channel is nobody. */
export interface BadIdentity {
  readonly code: 'BAD_IDENTITY';
  readonly reason: string;
}

/** The node's own key, ready for TLS. */
export interface NodeIdentity {
  readonly id: PeerId;
  /** For both ends of a connection; certificate, key and the one TLS suite of this network. */
  readonly tls: SecureContextOptions;
}

/** RFC 8410 §7: PKCS #8 of an Ed25519 seed is this prefix and the seed. */
const PKCS8_PREFIX = defined(fromHex('302e020100300506032b657004220420'), 'the prefix is hex');
const KEY_BYTES = 32;
const EXPORTER_LABEL = 'EXPORTER-counterfoil-hello';
const EXPORTER_BYTES = 32;

/** Makes the identity of a node from the 32 secret bytes of its Ed25519 key (RFC 8032 §5.1.5). */
export function createIdentity(secretKey: Uint8Array): NodeIdentity {
  assert(secretKey.length === KEY_BYTES, 'a node key has 32 secret bytes');
  const pkcs8 = Buffer.from(concat(PKCS8_PREFIX, secretKey));
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const id = peerIdOf(defined(rawKey(createPublicKey(privateKey)), 'an Ed25519 key has a raw form'));
  return {
    id,
    tls: {
      cert: selfSignedCertificate(privateKey, id),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      sigalgs: 'ed25519',
      ecdhCurve: 'X25519',
      secureOptions: openssl.SSL_OP_NO_TICKET,
    },
  };
}

/** The 32 bytes of an Ed25519 public key; undefined for a key of any other kind. */
function rawKey(key: KeyObject): Uint8Array | undefined {
  if (key.asymmetricKeyType !== 'ed25519') return undefined;
  const { x } = key.export({ format: 'jwk' });
  return x === undefined ? undefined : new Uint8Array(Buffer.from(x, 'base64url'));
}

/**
 * The identity in a certificate whose key TLS has seen used. Nobody vouches for it: the key itself is the identity.
 *
 * @param nowMs Unix milliseconds, for the certificate's own validity.
 */
export function certifiedIdentity(
  certificate: X509Certificate | undefined,
  nowMs: number,
): Result<PeerId, BadIdentity> {
  if (certificate === undefined) return bad('it shows no certificate');
  const { publicKey } = certificate;
  const key = rawKey(publicKey);
  if (key === undefined) return bad(`its key is ${publicKey.asymmetricKeyType ?? 'unknown'}, not ed25519`);
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  if (!(from <= nowMs && nowMs <= to)) return bad('its certificate is not valid now');
  if (!certificate.verify(publicKey)) return bad('its certificate is not signed by its own key');
  return ok(peerIdOf(key));
}

function bad(reason: string): Result<never, BadIdentity> {
  return err({ code: 'BAD_IDENTITY', reason });
}

/** Who holds the other end. A resumed session is refused: its certificate would be a memory, not a proof. */
export function peerIdentity(socket: TLSSocket, nowMs: number): Result<PeerId, BadIdentity> {
  if (socket.isSessionReused()) return bad('it resumes an earlier session');
  return certifiedIdentity(socket.getPeerX509Certificate(), nowMs);
}

/** Thirty-two bytes that only the two ends of this very channel know (RFC 8446 §7.5). */
export function channelBinding(socket: TLSSocket): Uint8Array {
  return new Uint8Array(socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)));
}
