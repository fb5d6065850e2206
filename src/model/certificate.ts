import { assert } from '../lib/assert.ts';
import { concat } from '../lib/bytes.ts';
import { type AuthoritySet, authoritySetHash, quorumOf } from './authorities.ts';
import type { Header } from './block.ts';
import { type Codec, encode, malformed, oneOf, struct, u8, u32 } from './codec.ts';
import { domain } from './hash.ts';
import { type Epoch, type Hash, type Height, hexBytes, type PublicKey, type Signature, type View } from './ids.ts';
import { epochLayout, hashLayout, heightLayout, signatureLayout, viewLayout } from './layouts.ts';
import { AUTHORITIES_MAX } from './limits.ts';

/** Whether `signature` is `publicKey`'s over `message`: an argument of every check, so that the core imports no curve. */
export type SignatureCheck = (publicKey: PublicKey, message: Uint8Array, signature: Signature) => boolean;

/** PREPARE orders a block within a view; COMMIT makes it final. */
export const PHASES = ['PREPARE', 'COMMIT'] as const;
export type Phase = (typeof PHASES)[number];

/** What is voted on: the block at `height` with this hash, and thereby all its ancestors, in `view`. */
export interface Ballot {
  readonly phase: Phase;
  readonly epoch: Epoch;
  readonly view: View;
  readonly height: Height;
  readonly digest: Hash;
}

export interface Vote extends Ballot {
  /** Seat of the voter. */
  readonly signer: number;
  readonly signature: Signature;
}

/** Votes of a quorum on one ballot. */
export interface Certificate extends Ballot {
  /** Seats, strictly ascending; `signatures[i]` is of `signers[i]`. */
  readonly signers: readonly number[];
  readonly signatures: readonly Signature[];
}

const ballotFields = {
  phase: oneOf(PHASES),
  epoch: epochLayout,
  view: viewLayout,
  height: heightLayout,
  digest: hashLayout,
} as const;

const seatLayout: Codec<number> = {
  write: (writer, value) => u8.write(writer, value),
  read: (reader) => {
    const seat = u8.read(reader);
    return seat < AUTHORITIES_MAX ? seat : malformed(`seat ${seat}`);
  },
};

export const voteLayout: Codec<Vote> = struct<Vote>({
  ...ballotFields,
  signer: seatLayout,
  signature: signatureLayout,
});

const ballotLayout: Codec<Ballot> = struct<Ballot>(ballotFields);

/** A 32-bit map of the signers' seats, then one signature per set bit, lowest seat first. */
export const certificateLayout: Codec<Certificate> = {
  write: (writer, certificate) => {
    const { signers, signatures } = certificate;
    assert(signers.length === signatures.length, 'a certificate has one signature per signer');
    ballotLayout.write(writer, certificate);
    let bits = 0;
    for (const [index, seat] of signers.entries()) {
      assert(seat < AUTHORITIES_MAX && seat > (signers[index - 1] ?? -1), 'signers ascend strictly');
      bits |= 1 << seat;
    }
    u32.write(writer, bits);
    for (const signature of signatures) signatureLayout.write(writer, signature);
  },
  read: (reader) => {
    const ballot = ballotLayout.read(reader);
    const bits = u32.read(reader);
    if (bits >= 2 ** AUTHORITIES_MAX) malformed(`seat ${AUTHORITIES_MAX}`);
    const signers: number[] = [];
    for (let seat = 0; seat < AUTHORITIES_MAX; seat += 1) if ((bits >>> seat) & 1) signers.push(seat);
    return { ...ballot, signers, signatures: signers.map(() => signatureLayout.read(reader)) };
  },
};

const TAGS = { PREPARE: domain('PREPARE'), COMMIT: domain('COMMIT') } as const;

/** The bytes that every voter on a ballot signs; the signer is not among them, so a certificate is over one message. */
export function ballotSigningBytes(chainId: Hash, ballot: Ballot): Uint8Array {
  return concat(
    TAGS[ballot.phase],
    hexBytes(chainId),
    encode(
      struct<Omit<Ballot, 'phase'>>({
        epoch: epochLayout,
        view: viewLayout,
        height: heightLayout,
        digest: hashLayout,
      }),
      ballot,
    ),
  );
}

/** The chain and authority set under which something is judged. */
export interface Jurisdiction {
  readonly chainId: Hash;
  readonly authorities: AuthoritySet;
  readonly check: SignatureCheck;
}

/** Whether a certificate has the form of one of this set: a quorum of known, distinct signers. No signature is checked. */
function isWellFormedCertificate(certificate: Certificate, set: AuthoritySet): boolean {
  const { signers, signatures } = certificate;
  return (
    certificate.epoch === set.epoch &&
    certificate.view >= set.startView &&
    signers.length >= quorumOf(set.authorities.length) &&
    signers.length === signatures.length &&
    signers.every(
      (seat, index) => seat < set.authorities.length && (index === 0 || seat > (signers[index - 1] ?? seat)),
    )
  );
}

/** Whether a quorum of the set signed this ballot; every signature is checked, not only a quorum of them. */
export function isCertificateValid(certificate: Certificate, jurisdiction: Jurisdiction): boolean {
  const { chainId, authorities, check } = jurisdiction;
  if (!isWellFormedCertificate(certificate, authorities)) return false;
  const message = ballotSigningBytes(chainId, certificate);
  return certificate.signers.every((seat, index) => {
    const authority = authorities.authorities[seat];
    const signature = certificate.signatures[index];
    return authority !== undefined && signature !== undefined && check(authority.publicKey, message, signature);
  });
}

/** Whether a valid certificate is about this header, under the set that the header itself names. */
export function certifies(certificate: Certificate, header: Header, digest: Hash, set: AuthoritySet): boolean {
  return (
    certificate.digest === digest &&
    certificate.height === header.height &&
    certificate.epoch === header.epoch &&
    header.authoritiesHash === authoritySetHash(set)
  );
}
