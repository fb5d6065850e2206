import { createHash } from 'node:crypto';
import { utf8 } from '../../lib/bytes.ts';
import type { SignatureCheck } from '../../model/certificate.ts';
import type { PublicKey } from '../../model/ids.ts';
import { VERIFIED_SIGNATURES_KEPT_MAX } from '../../model/limits.ts';
import { createSigner } from '../../node/keys/key-pair.ts';
import { createSignatureCheck, memoizedCheck } from '../../node/keys/signatures.ts';
import type { Signer } from '../../node/ports.ts';
import { tag } from '../keyring.ts';

/** The keys of everybody in one run, and the one rule by which all of them are checked. */
export interface FullKeys {
  /** Of an authority, or of an organisation: whoever has the name. */
  signerOf(name: string): Signer;
  readonly check: SignatureCheck;
}

/** Real keys of the curve, as genesis demands; their signatures are real as well only if asked for. */
export function createFullKeys(seed: number, isSignedForReal: boolean): FullKeys {
  const signers = new Map<string, Signer>();
  const secrets = new Map<PublicKey, number>();
  const make = (name: string): Signer => {
    const signer = createSigner(
      createHash('sha256')
        .update(utf8(`simulated key of ${name}`))
        .digest(),
    );
    const secret = Math.imul(seed ^ 0x5bd1e995, 2 * secrets.size + 1) >>> 0;
    secrets.set(signer.publicKey, secret);
    return isSignedForReal ? signer : { publicKey: signer.publicKey, sign: (message) => tag(secret, message) };
  };
  return {
    signerOf: (name) => {
      const known = signers.get(name) ?? make(name);
      signers.set(name, known);
      return known;
    },
    check: isSignedForReal
      ? memoizedCheck(createSignatureCheck(), VERIFIED_SIGNATURES_KEPT_MAX).check
      : (publicKey, message, signature) => {
          const secret = secrets.get(publicKey);
          return secret !== undefined && tag(secret, message) === signature;
        },
  };
}
