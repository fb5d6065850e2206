import { getPublicKeyAsync, signAsync, utils } from '@noble/ed25519';
import { assert } from '../lib/assert.ts';
import { toHex } from '../lib/bytes.ts';
import { type Hash, type OrganisationId, PublicKey, Signature, Timestamp } from '../model/ids.ts';
import { TRANSACTION_LIFE_MS_MIN } from '../model/limits.ts';
import type { Operation } from '../model/operation.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../model/transaction.ts';

/** One key pair of an organisation, in a program or a browser. */
export interface ClientKey {
  readonly publicKey: PublicKey;
  sign(message: Uint8Array): Promise<Signature>;
}

/** The key pair of an Ed25519 secret (RFC 8032 §5.1.5): 32 bytes. */
export async function clientKeyOf(secret: Uint8Array): Promise<ClientKey> {
  assert(secret.length === 32, 'an Ed25519 secret has 32 bytes');
  const publicKey = PublicKey(toHex(await getPublicKeyAsync(secret)));
  return { publicKey, sign: async (message) => Signature(toHex(await signAsync(message, secret))) };
}

/** A fresh secret, to be stored by the caller. */
export function newSecret(): Uint8Array {
  return utils.randomSecretKey();
}

export interface Unsigned {
  readonly chainId: Hash;
  readonly organisation: OrganisationId;
  readonly operation: Operation;
  /** What the signer says about the things of this transaction: canonical N-Triples. */
  readonly statements?: string;
  /** For a write that may be repeated by another transaction; repeating this one needs none. */
  readonly idempotencyKey?: string;
  /** How long a block may still take it: within what the genesis of the chain allows. */
  readonly lifeMs?: number;
}

/** What every chain allows; it is long enough for a few view changes. */
const LIFE_MS = TRANSACTION_LIFE_MS_MIN;

/** Builds and signs a transaction that expires `lifeMs` from now, by this machine's clock. */
export async function signTransaction(key: ClientKey, unsigned: Unsigned): Promise<Transaction> {
  const { chainId, organisation, operation, idempotencyKey = null, lifeMs = LIFE_MS } = unsigned;
  const { statements = null } = unsigned;
  const expiresAt = Timestamp(Date.now() + lifeMs);
  const intent = { operation, statements };
  const body = { chainId, organisation, signer: key.publicKey, expiresAt, nonce: nonce(), idempotencyKey, ...intent };
  return sealTransaction(body, await key.sign(transactionSigningBytes(body)));
}

/** 53 random bits. */
function nonce(): number {
  const [high = 0, low = 0] = globalThis.crypto.getRandomValues(new Uint32Array(2));
  return (high >>> 11) * 0x1_0000_0000 + low;
}
