import { hash } from 'node:crypto';
import { Point } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import { defined } from '../../../../src/lib/assert.ts';
import { concat, fromHex, toHex, utf8 } from '../../../../src/lib/bytes.ts';
import { PublicKey, Signature } from '../../../../src/model/ids.ts';
import { createSigner } from '../../../../src/node/keys/key-pair.ts';
import {
  createAdmissionCheck,
  createAdmissionCheckLater,
  createKeyObjects,
  createSignatureCheck,
  memoizedCheck,
  zip215Check,
} from '../../../../src/node/keys/signatures.ts';
import { asKey, fromLittleEndian, L, littleEndian, NON_CANONICAL, TORSION } from '../../model/edge-points.ts';

const check = createSignatureCheck();
const native = createAdmissionCheck();
const message = utf8('one ticket, row 7');

interface Signed {
  readonly key: PublicKey;
  readonly signature: Signature;
}

/** A signature over `message` by the equation alone: S = r + k·a, whatever R and A are said to be. */
function forged(
  secret: { readonly a: bigint; readonly r: bigint },
  A: Uint8Array,
  R: Uint8Array,
): Signed & { k: bigint } {
  const digest = new Uint8Array(hash('sha512', concat(R, A, message), 'buffer'));
  const k = fromLittleEndian(digest) % L;
  const S = (secret.r + k * secret.a) % L;
  return { key: asKey(A), signature: Signature(toHex(concat(R, littleEndian(S)))), k };
}

function torsion(index: number): Point {
  return defined(TORSION[index % 8], 'eight points of small order');
}

function verdicts({ key, signature }: Signed): { rule: boolean; zip215: boolean; native: boolean } {
  return {
    rule: check(key, message, signature),
    zip215: zip215Check(key, message, signature),
    native: native(key, message, signature),
  };
}

describe('the signature rule', () => {
  it('takes what RFC 8032 §7.1 signs', () => {
    const secretKey = defined(
      fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
      'test 2 of the RFC',
    );
    const signer = createSigner(secretKey);
    expect(signer.publicKey).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    const signature = signer.sign(Uint8Array.of(0x72));
    expect(signature).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
    expect(check(signer.publicKey, Uint8Array.of(0x72), signature)).toBe(true);
    expect(check(signer.publicKey, Uint8Array.of(0x73), signature)).toBe(false);
  });

  it('takes mixed orders of key and commitment, of which OpenSSL takes some', () => {
    const secret = { a: 77_777n, r: 88_888n };
    let nativeTakes = 0;
    for (let inKey = 0; inKey < 8; inKey += 1) {
      for (let inCommitment = 0; inCommitment < 8; inCommitment += 1) {
        const A = Point.BASE.multiply(secret.a).add(torsion(inKey)).toBytes();
        const R = Point.BASE.multiply(secret.r).add(torsion(inCommitment)).toBytes();
        const signed = forged(secret, A, R);
        // What the cofactorless equation leaves over: R's torsion and k times that of A.
        const isClean = (BigInt(inCommitment) + signed.k * BigInt(inKey)) % 8n === 0n;
        expect(verdicts(signed), `${inKey} ${inCommitment}`).toEqual({ rule: true, zip215: true, native: isClean });
        nativeTakes += isClean ? 1 : 0;
      }
    }
    expect(nativeTakes).toBeLessThan(64);
  });

  it('takes keys and commitments of small order, as ZIP-215 says', () => {
    for (const A of TORSION) {
      for (const R of TORSION) {
        const { rule, zip215 } = verdicts(forged({ a: 0n, r: 0n }, A.toBytes(), R.toBytes()));
        expect({ rule, zip215 }).toEqual({ rule: true, zip215: true });
      }
    }
  });

  it('takes encodings that are not canonical, which OpenSSL refuses in a commitment', () => {
    const good = { a: 4_242n, r: 0n };
    const A = Point.BASE.multiply(good.a).toBytes();
    for (const encoding of NON_CANONICAL) {
      expect(verdicts(forged(good, A, encoding))).toEqual({ rule: true, zip215: true, native: false });
      const asKeyToo = verdicts(forged({ a: 0n, r: 99n }, encoding, Point.BASE.multiply(99n).toBytes()));
      expect({ ...asKeyToo, native: true }).toEqual({ rule: true, zip215: true, native: true });
    }
  });

  it('refuses a scalar that is not reduced', () => {
    const secret = { a: 5n, r: 6n };
    const signed = forged(secret, Point.BASE.multiply(5n).toBytes(), Point.BASE.multiply(6n).toBytes());
    expect(verdicts(signed)).toEqual({ rule: true, zip215: true, native: true });
    const bytes = defined(fromHex(signed.signature), 'hex');
    const S = fromLittleEndian(bytes.subarray(32));
    for (let value = S + L; value < 1n << 256n; value += L) {
      const signature = Signature(toHex(concat(bytes.subarray(0, 32), littleEndian(value))));
      expect(verdicts({ key: signed.key, signature })).toEqual({ rule: false, zip215: false, native: false });
    }
    const zero = Signature(toHex(concat(Point.ZERO.toBytes(), littleEndian(L))));
    expect(verdicts({ key: asKey(Point.ZERO.toBytes()), signature: zero }).rule).toBe(false);
  });

  it('refuses points off the curve', () => {
    const offCurve = asKey(littleEndian(2n));
    const { signature, key } = forged({ a: 5n, r: 6n }, Point.BASE.multiply(5n).toBytes(), littleEndian(2n));
    expect(verdicts({ key, signature }).rule).toBe(false);
    expect(verdicts({ key: offCurve, signature }).rule).toBe(false);
  });

  it('refuses every signature and key with one bit flipped', () => {
    const signer = createSigner(new Uint8Array(32).fill(9));
    const signature = signer.sign(message);
    const flipped = (hex: string, bit: number): string => {
      const bytes = defined(fromHex(hex), 'hex');
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return toHex(bytes);
    };
    for (let bit = 0; bit < 512; bit += 1)
      expect(check(signer.publicKey, message, Signature(flipped(signature, bit))), `bit ${bit}`).toBe(false);
    for (let bit = 0; bit < 256; bit += 1)
      expect(check(PublicKey(flipped(signer.publicKey, bit)), message, signature), `key bit ${bit}`).toBe(false);
    for (let bit = 0; bit < 8 * message.length; bit += 1) {
      const changed = defined(fromHex(flipped(toHex(message), bit)), 'hex');
      expect(check(signer.publicKey, changed, signature), `message bit ${bit}`).toBe(false);
    }
  });
});

describe('the check off the loop', () => {
  it('says of each signature what the check on the loop says, however many are asked', async () => {
    const later = createAdmissionCheckLater(createKeyObjects(4), 2);
    const signers = Array.from({ length: 9 }, (_, index) => createSigner(new Uint8Array(32).fill(index)));
    const asked = Array.from({ length: 300 }, (_, index) => {
      const signer = defined(signers[index % 9], 'nine signers');
      const text = utf8(`message ${index}`);
      const signature = signer.sign(index % 3 === 0 ? utf8('another') : text);
      return new Promise<boolean>((resolve) => {
        later(signer.publicKey, text, signature, resolve);
      });
    });
    expect(await Promise.all(asked)).toEqual(asked.map((_, index) => index % 3 !== 0));
  });

  it('answers later even when nothing else is asked', async () => {
    const later = createAdmissionCheckLater();
    const signer = createSigner(new Uint8Array(32).fill(1));
    const order: string[] = [];
    const answer = new Promise<void>((resolve) => {
      later(signer.publicKey, message, signer.sign(message), (valid) => {
        order.push(`answer ${valid}`);
        resolve();
      });
    });
    order.push('asked');
    await answer;
    expect(order).toEqual(['asked', 'answer true']);
  });
});

describe('a check that remembers', () => {
  const signer = createSigner(new Uint8Array(32).fill(3));
  const signature = signer.sign(message);

  function counted(entriesMax: number) {
    let asked = 0;
    const memo = memoizedCheck((...triple) => {
      asked += 1;
      return native(...triple);
    }, entriesMax);
    return { ...memo, asked: () => asked };
  }

  it('asks once about what it accepted, and again about what it refused', () => {
    const memo = counted(10);
    for (let round = 0; round < 3; round += 1) expect(memo.check(signer.publicKey, message, signature)).toBe(true);
    expect(memo.asked()).toBe(1);
    for (let round = 0; round < 3; round += 1) expect(memo.check(signer.publicKey, utf8('no'), signature)).toBe(false);
    expect(memo.asked()).toBe(4);
  });

  it('takes another key, message or signature for another triple', () => {
    const memo = counted(10);
    expect(memo.check(signer.publicKey, message, signature)).toBe(true);
    const other = createSigner(new Uint8Array(32).fill(4));
    expect(memo.check(other.publicKey, message, signature)).toBe(false);
    expect(memo.check(signer.publicKey, message, other.sign(message))).toBe(false);
    expect(memo.check(signer.publicKey, concat(message, Uint8Array.of(0)), signature)).toBe(false);
  });

  it('takes note of what was accepted elsewhere, and forgets what was unused for longest', () => {
    const memo = counted(2);
    const messages = ['a', 'b', 'c'].map(utf8);
    for (const text of messages) memo.remember(signer.publicKey, text, signer.sign(text));
    for (const text of [...messages].reverse()) memo.check(signer.publicKey, text, signer.sign(text));
    expect(memo.asked()).toBe(1);
  });
});
