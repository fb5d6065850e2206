import { describe, expect, it } from 'vitest';
import { createSignatureCheck, memoizedCheck } from '../../src/node/keys/signatures.ts';
import { verifyBundle } from '../../src/verifier/verify.ts';
import { bytesOfBundle, chainOf, FATES } from '../support/proof-chain.ts';

const chain = await chainOf(FATES);
const { genesisBytes } = chain;
// The rule of the chain to the last bit, and quicker about what is valid.
const { check } = memoizedCheck(createSignatureCheck(), 1_000);

const DIGITS = '0123456789abcdef';

/** What a byte is changed to: a digit to another digit, so that hex stays hex; else another bit; a capital; no ASCII. */
function substitutes(byte: number): readonly number[] {
  const digit = DIGITS.indexOf(String.fromCharCode(byte));
  return [digit < 0 ? byte ^ 1 : DIGITS.charCodeAt((digit + 7) % 16), byte ^ 0x20, byte ^ 0x80];
}

function holds(bytes: Uint8Array): boolean {
  return verifyBundle(bytes, genesisBytes, check).ok;
}

/** Positions at which one changed byte was not noticed. */
function unnoticed(proof: Uint8Array, positions: readonly number[]): readonly number[] {
  const bytes = proof.slice();
  const found: number[] = [];
  for (const at of positions) {
    const byte = proof[at] ?? 0;
    for (const other of substitutes(byte)) {
      bytes[at] = other;
      if (holds(bytes)) found.push(at);
    }
    bytes[at] = byte;
  }
  return found;
}

function all(proof: Uint8Array, step = 1): readonly number[] {
  return Array.from({ length: Math.ceil(proof.length / step) }, (_, index) => index * step);
}

/** All but those of the newest block, which is the same in every proof of this chain: each costs a forged signature. */
function besidesHead(proof: Uint8Array): readonly number[] {
  const from = Buffer.from(proof).indexOf('"block":{') + '"block":{'.length;
  const to = proof.indexOf('}'.charCodeAt(0), from);
  return all(proof).filter((at) => at < from || at >= to);
}

describe('one changed byte of a proof is noticed', () => {
  it('of a state, wherever it is and whatever it becomes', () => {
    const proof = bytesOfBundle(chain, 'A-1');
    expect(holds(proof)).toBe(true);
    expect(unnoticed(proof, all(proof))).toEqual([]);
  });

  it('of an absence', () => {
    const proof = bytesOfBundle(chain, 'nobody');
    expect(holds(proof)).toBe(true);
    expect(unnoticed(proof, besidesHead(proof))).toEqual([]);
  });

  it('of a history with graphs: its headers, certificates, transactions, receipts and documents', () => {
    const proof = bytesOfBundle(chain, 'B-1', { history: true, graphs: true });
    expect(holds(proof)).toBe(true);
    expect(unnoticed(proof, besidesHead(proof))).toEqual([]);
  });

  it('of a long history', () => {
    const proof = bytesOfBundle(chain, 'A-3', { history: true, graphs: true });
    expect(holds(proof)).toBe(true);
    expect(unnoticed(proof, all(proof, 31))).toEqual([]);
  });

  it('of the genesis document', () => {
    const proof = bytesOfBundle(chain, 'A-1');
    for (let at = 0; at < genesisBytes.length; at += 1) {
      const other = genesisBytes.slice();
      other[at] = (other[at] ?? 0) ^ 1;
      expect(verifyBundle(proof, other, check).ok, `byte ${at}`).toBe(false);
    }
  });
});

describe('a byte too much or too little is noticed', () => {
  const proof = bytesOfBundle(chain, 'A-1');

  it('wherever it is missing', () => {
    for (let at = 0; at < proof.length; at += 1) {
      const shorter = Uint8Array.of(...proof.subarray(0, at), ...proof.subarray(at + 1));
      expect(holds(shorter), `byte ${at}`).toBe(false);
    }
  });

  it('wherever it comes in', () => {
    for (let at = 0; at <= proof.length; at += 1) {
      for (const byte of [0x20, 0x30, 0x0a]) {
        const longer = Uint8Array.of(...proof.subarray(0, at), byte, ...proof.subarray(at));
        expect(holds(longer), `byte ${at}`).toBe(false);
      }
    }
  });

  it('wherever it ends', () => {
    for (let end = 0; end < proof.length; end += 1) expect(holds(proof.subarray(0, end)), `byte ${end}`).toBe(false);
  });
});
