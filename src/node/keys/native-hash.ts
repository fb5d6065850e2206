import { hash } from 'node:crypto';
import { installSha256 } from '../../model/hash.ts';

/**
 * Puts OpenSSL's SHA-256 in the place of the one that browsers use; called once, before anything is hashed. By way of
 * hexadecimal text: of a hundred bytes it takes 0.6 µs so, 1.0 as a buffer, and 2.1 with an object that gathers them.
 */
export function installNativeSha256(): void {
  installSha256((bytes) => Buffer.from(hash('sha256', bytes, 'hex'), 'hex'));
}
