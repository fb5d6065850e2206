/** A network of real processes on one machine, for development and demonstration. */
import { utf8 } from '../lib/bytes.ts';
import { sha256 } from '../model/hash.ts';
import { type KeyPair, publicKeyOf } from '../node/keys/key-pair.ts';

const SEED = 'counterfoil devnet key, public, never for real tickets:';

/** The key of a devnet's node or client of that name: the same on every machine, and known to everybody. */
export function devnetKeyPair(name: string): KeyPair {
  const secretKey = sha256(utf8(SEED + name));
  return { secretKey, publicKey: publicKeyOf(secretKey) };
}
