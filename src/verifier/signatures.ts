import { hashes, verify } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import type { SignatureCheck } from '../model/certificate.ts';
import { hexBytes } from '../model/ids.ts';

// A program that has a faster one has put it there.
hashes.sha512 ??= sha512;

/** ZIP-215, the rule of the chain, without anything of the program or page that it runs in. */
export const portableCheck: SignatureCheck = (publicKey, message, signature) =>
  verify(hexBytes(signature), message, hexBytes(publicKey), { zip215: true });
