/**
 * A whole network in one process, repeatable from a seed: the production core under faults and liars.
 * This file holds signatures that nobody in the simulation can forge and that cost next to nothing.
 */
import { defined } from '../lib/assert.ts';
import { hexBytes, PublicKey, Signature } from '../model/ids.ts';

/** Signs for seats, and checks. Whoever holds the keyring's `signer` of a seat is that seat. */
export interface Keyring {
  readonly publicKeys: readonly PublicKey[];
  signer(seat: number): (message: Uint8Array) => Signature;
  check(publicKey: PublicKey, message: Uint8Array, signature: Signature): boolean;
}

const PADDING = '0'.repeat(112);

/** Two 32-bit lanes of FNV-1a over a secret and a message: a stand-in that no strategy of an adversary computes. */
export function tag(secret: number, message: Uint8Array): Signature {
  let low = (0x811c9dc5 ^ secret) >>> 0;
  let high = (0x01000193 ^ Math.imul(secret, 0x9e3779b1)) >>> 0;
  for (const byte of message) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte ^ (low >>> 24), 0x85ebca6b);
  }
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
  return Signature(`${hex(low)}${hex(high)}${PADDING}`);
}

export function createKeyring(seats: number, seed: number): Keyring {
  const publicKeys = Array.from({ length: seats }, (_, seat) => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(28, seat + 1);
    return PublicKey(Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''));
  });
  const secrets = new Map(publicKeys.map((key, seat) => [key, Math.imul(seed ^ 0x5bd1e995, 2 * seat + 1) >>> 0]));
  const secretOf = (key: PublicKey): number => secrets.get(key) ?? new DataView(hexBytes(key).buffer).getUint32(28);
  return {
    publicKeys,
    signer: (seat) => {
      const secret = secretOf(defined(publicKeys[seat], `no seat ${seat}`));
      return (message) => tag(secret, message);
    },
    check: (publicKey, message, signature) => tag(secretOf(publicKey), message) === signature,
  };
}
