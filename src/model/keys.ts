import { Point } from '@noble/ed25519';
import type { PublicKey } from './ids.ts';

/**
 * Whether a key may enter the chain: the canonical encoding (RFC 8032 §5.1.3) of a point that is not of small order.
 * Implementations of Ed25519 disagree about signatures of every other key. Takes some 60 microseconds.
 */
export function isUsableKey(publicKey: PublicKey): boolean {
  try {
    return !Point.fromHex(publicKey, false).isSmallOrder();
  } catch {
    return false;
  }
}
