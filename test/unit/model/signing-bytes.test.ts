import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/lib/bytes.ts';
import { ballotSigningBytes } from '../../../src/model/certificate.ts';
import { sha256 } from '../../../src/model/hash.ts';
import { Epoch, type Hash, Height, hashOfBytes, View } from '../../../src/model/ids.ts';
import { signedBytesOf, transactionSigningBytes } from '../../../src/model/transaction.ts';
import { checkpointSigningBytes, viewChangeSigningBytes } from '../../../src/model/view-change.ts';
import { ballot, checkpoint, consortium, hashFor, transaction, viewChange } from './consortium.ts';

const members = consortium(4);

/** Bytes put together by hand, as the protocol note lists them: numbers take eight bytes, strings are hex. */
function byHand(tag: string, ...fields: readonly (number | Hash)[]): string {
  const bytes = fields.map((field) => {
    if (typeof field === 'string') return Buffer.from(field, 'hex');
    const eight = Buffer.alloc(8);
    eight.writeBigUInt64BE(BigInt(field));
    return eight;
  });
  return Buffer.concat([Buffer.from(`counterfoil/2/${tag}\0`, 'latin1'), ...bytes]).toString('hex');
}

describe('what is signed', () => {
  const { chainId } = members;

  it.each(['PREPARE', 'COMMIT'] as const)('by a %s is its ballot on this chain, without the signer', (phase) => {
    const on = ballot(members, { phase, epoch: Epoch(2), view: View(2 ** 40), height: Height(9) });
    expect(toHex(ballotSigningBytes(chainId, on))).toBe(byHand(phase, chainId, 2, 2 ** 40, 9, on.digest));
  });

  it('by a VIEW-CHANGE is the wish, the hint and the claim', () => {
    const plain = viewChange(members, 1, { newView: View(4), finalHeight: Height(3) });
    const start = byHand('VIEWCHANGE', chainId, 0, 4, 3, chainId);
    expect(toHex(viewChangeSigningBytes(chainId, plain))).toBe(`${start}00`);
    const claim = { view: View(2), height: Height(5), digest: hashFor('held'), phase: 'COMMIT' } as const;
    const number = (value: number): string => value.toString(16).padStart(16, '0');
    expect(toHex(viewChangeSigningBytes(chainId, { ...plain, claim }))).toBe(
      `${start}01${number(2)}${number(5)}${claim.digest}01`,
    );
  });

  it('by a CHECKPOINT is the block and the state', () => {
    const one = checkpoint(members, 2);
    expect(toHex(checkpointSigningBytes(chainId, one))).toBe(
      byHand('CHECKPOINT', chainId, 0, 100, one.digest, one.stateRoot),
    );
  });

  it('by a client is its transaction without the signature, and its hash is the id', () => {
    const one = transaction(members, 5);
    const signed = transactionSigningBytes(one.body);
    expect(toHex(signed)).toBe(byHand('TX') + toHex(one.bytes, 0, one.bytes.length - 64));
    expect(signedBytesOf(one)).toEqual(signed);
    expect(one.id).toBe(hashOfBytes(sha256(signed)));
    expect(toHex(one.bytes).endsWith(one.signature)).toBe(true);
  });
});
