import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { assert } from '../../lib/assert.ts';
import { toHex } from '../../lib/bytes.ts';
import { PublicKey, Signature } from '../../model/ids.ts';
import type { Signer } from '../ports.ts';

/** Bytes of an Ed25519 secret key: the seed of RFC 8032 §5.1.5. */
export const SECRET_KEY_BYTES = 32;

/** What a key is for. An authority's votes, a node's transport and a client's transactions never share one. */
export const KEY_KINDS = ['authority', 'node', 'client'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

export interface KeyPair {
  /** Secret: the seed that everything else is derived from. */
  readonly secretKey: Uint8Array;
  readonly publicKey: PublicKey;
}

/** The DER that stands before the seed in PKCS #8 (RFC 8410 §7) and before the point in an SPKI (RFC 8410 §4). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** @param randomBytes gives that many unpredictable bytes */
export function generateKeyPair(randomBytes: (count: number) => Uint8Array): KeyPair {
  const secretKey = Uint8Array.from(randomBytes(SECRET_KEY_BYTES));
  return { secretKey, publicKey: publicKeyOf(secretKey) };
}

export function publicKeyOf(secretKey: Uint8Array): PublicKey {
  return exportedPublicKey(privateKeyObject(secretKey));
}

/** Signs with one secret key (RFC 8032 §5.1.6: deterministic). The key itself does not leave this function. */
export function createSigner(secretKey: Uint8Array): Signer {
  const key = privateKeyObject(secretKey);
  return {
    publicKey: exportedPublicKey(key),
    sign: (message) => Signature(sign(null, message, key).toString('hex')),
  };
}

/** A public key as `node:crypto` takes it; any 32 bytes are taken here and judged when something is verified. */
export function publicKeyObject(publicKey: PublicKey): KeyObject {
  const der = Buffer.concat([SPKI_PREFIX, Buffer.from(publicKey, 'hex')]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

function privateKeyObject(secretKey: Uint8Array): KeyObject {
  assert(secretKey.length === SECRET_KEY_BYTES, 'a secret key has 32 bytes');
  const der = Buffer.concat([PKCS8_PREFIX, secretKey]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

function exportedPublicKey(key: KeyObject): PublicKey {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return PublicKey(toHex(der, SPKI_PREFIX.length));
}
