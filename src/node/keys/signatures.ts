import { hash, type KeyObject, verify as nativeVerify } from 'node:crypto';
import { hashes, verify as nobleVerify } from '@noble/ed25519';
import { type BoundedMap, createBoundedMap } from '../../lib/bounded.ts';
import type { SignatureCheck } from '../../model/certificate.ts';
import { hexBytes, type PublicKey, type Signature } from '../../model/ids.ts';
import { SIGNATURE_CHECKS_IN_FLIGHT_MAX, SIGNATURE_KEYS_CACHED_MAX } from '../../model/limits.ts';
import type { SignatureCheckLater } from '../ports.ts';
import { publicKeyObject } from './key-pair.ts';

hashes.sha512 = (message) => new Uint8Array(hash('sha512', message, 'buffer'));

/** Public keys as OpenSSL takes them, by their hex: making one costs a third of a verification. */
export type KeyObjects = BoundedMap<PublicKey, KeyObject>;

export function createKeyObjects(entriesMax: number = SIGNATURE_KEYS_CACHED_MAX): KeyObjects {
  return createBoundedMap<PublicKey, KeyObject>(entriesMax);
}

function keyObject(keys: KeyObjects, publicKey: PublicKey): KeyObject {
  const known = keys.get(publicKey);
  if (known !== undefined) return known;
  const made = publicKeyObject(publicKey);
  keys.set(publicKey, made);
  return made;
}

/**
 * The rule of every consensus decision: ZIP-215, the same on every version of OpenSSL and in a browser.
 * What OpenSSL accepts satisfies ZIP-215, so its yes is final; its no may be about an encoding or the cofactor that
 * ZIP-215 lets pass, so noble decides. A no thereby costs fourteen times as much as a yes: strangers meet
 * `createAdmissionCheck` first.
 */
export function createSignatureCheck(keys: KeyObjects = createKeyObjects()): SignatureCheck {
  const accepts = createAdmissionCheck(keys);
  return (publicKey, message, signature) =>
    accepts(publicKey, message, signature) || zip215Check(publicKey, message, signature);
}

/** OpenSSL alone: a policy for what a node takes from strangers, never a reason to refuse what a block contains. */
export function createAdmissionCheck(keys: KeyObjects = createKeyObjects()): SignatureCheck {
  return (publicKey, message, signature) =>
    nativeVerify(null, message, keyObject(keys, publicKey), Buffer.from(signature, 'hex'));
}

/** ZIP-215 by noble alone: what `createSignatureCheck` means, at a fourteenth of its speed. */
export const zip215Check: SignatureCheck = (publicKey, message, signature) =>
  nobleVerify(hexBytes(signature), message, hexBytes(publicKey), { zip215: true });

/**
 * The admission check on libuv's threads. The journal's fsync shares those threads, so at most `inFlightMax` checks are
 * handed over at a time and the others wait here in order; how many may wait is for the caller to bound.
 */
export function createAdmissionCheckLater(
  keys: KeyObjects = createKeyObjects(),
  inFlightMax: number = SIGNATURE_CHECKS_IN_FLIGHT_MAX,
): SignatureCheckLater {
  const waiting: (() => void)[] = [];
  let taken = 0;
  let inFlight = 0;
  const next = (): void => {
    while (inFlight < inFlightMax && taken < waiting.length) {
      const start = waiting[taken];
      taken += 1;
      inFlight += 1;
      start?.();
    }
    if (taken === waiting.length || taken > 1_024) taken -= waiting.splice(0, taken).length;
  };
  return (publicKey, message, signature, done) => {
    waiting.push(() => {
      nativeVerify(null, message, keyObject(keys, publicKey), Buffer.from(signature, 'hex'), (error, valid) => {
        inFlight -= 1;
        next();
        done(error === null && valid);
      });
    });
    next();
  };
}

/** A check that remembers what it accepted. */
export interface MemoizedCheck {
  readonly check: SignatureCheck;
  /** Takes note of a signature that another check of the same or a stricter rule accepted. */
  remember(publicKey: PublicKey, message: Uint8Array, signature: Signature): void;
}

/**
 * Asks `check` about each signature once: a vote that comes again inside a certificate, or a transaction that comes
 * again inside a block, costs one hash. Only a yes is remembered, so a stranger's junk displaces nothing.
 */
export function memoizedCheck(check: SignatureCheck, entriesMax: number): MemoizedCheck {
  const accepted = createBoundedMap<string, true>(entriesMax);
  const remember = (publicKey: PublicKey, message: Uint8Array, signature: Signature): void =>
    accepted.set(tripleId(publicKey, message, signature), true);
  return {
    check: (publicKey, message, signature) => {
      const id = tripleId(publicKey, message, signature);
      if (accepted.get(id) !== undefined) return true;
      const valid = check(publicKey, message, signature);
      if (valid) accepted.set(id, true);
      return valid;
    },
    remember,
  };
}

/** SHA-256 over key, signature and message; the first two have fixed lengths, so no two triples read alike. */
function tripleId(publicKey: PublicKey, message: Uint8Array, signature: Signature): string {
  const triple = Buffer.allocUnsafe(96 + message.length);
  triple.write(publicKey, 0, 'hex');
  triple.write(signature, 32, 'hex');
  triple.set(message, 96);
  return hash('sha256', triple, 'base64');
}
