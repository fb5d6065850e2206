import { defined } from '../lib/assert.ts';
import { fromHex } from '../lib/bytes.ts';
import { ok, type Result } from '../lib/result.ts';
import { quorumOf } from '../model/authorities.ts';
import { blockHash, type Header, headerLayout } from '../model/block.ts';
import { ballotSigningBytes } from '../model/certificate.ts';
import { decode } from '../model/codec.ts';
import { type Hash, type PublicKey, Signature, View } from '../model/ids.ts';
import { type BlockPart, HEADER_BYTES, PATH_HEADERS_MAX } from './bundle.ts';
import { type Fault, fault } from './faults.ts';
import type { Trust } from './trust.ts';

/** A signature that has to be valid, or the proof is worth nothing. */
export interface Signed {
  readonly publicKey: PublicKey;
  readonly message: Uint8Array;
  readonly signature: Signature;
  /** Where in the proof it is. */
  readonly path: string;
}

/** A block that is final if its signatures are valid. */
export interface OpenBlock {
  readonly header: Header;
  readonly hash: Hash;
  /** Seats of those who signed. */
  readonly seats: readonly number[];
  readonly signed: readonly Signed[];
}

/** Checks everything about a block but signatures, which cost a thousand times as much. */
export function openBlock(part: BlockPart, path: string, trust: Trust): Result<OpenBlock, Fault> {
  const [own = '', ...further] = [part.header, ...pieces(part.path, 2 * HEADER_BYTES)];
  const first = openHeader(own, `${path}.header`, trust);
  if (!first.ok) return first;
  if (further.length > PATH_HEADERS_MAX) return fault('BROKEN_PATH', `${path}.path`, 'it is too long');
  let last = first.value;
  for (const text of further) {
    const next = openHeader(text, `${path}.path`, trust);
    if (!next.ok) return next;
    if (next.value.height !== last.height + 1 || next.value.previous !== blockHash(last)) {
      return fault('BROKEN_PATH', `${path}.path`, `block ${next.value.height} is no child of the one before it`);
    }
    last = next.value;
  }
  const signed = votesOn(last, part, path, trust);
  if (!signed.ok) return signed;
  return ok({ header: first.value, hash: blockHash(first.value), seats: part.seats, signed: signed.value });
}

function openHeader(text: string, path: string, { chainId, set, setHash }: Trust): Result<Header, Fault> {
  const decoded = decode(headerLayout, bytesOf(text));
  if (!decoded.ok) return fault('BAD_HEADER', path, decoded.error.reason);
  const header = decoded.value;
  if (header.chainId !== chainId) return fault('WRONG_CHAIN', path, 'the block is of another chain');
  if (header.epoch !== set.epoch || header.height < set.firstHeight || header.authoritiesHash !== setHash) {
    return fault('WRONG_AUTHORITIES', path, 'the block is not of the authorities that genesis names');
  }
  return ok(header);
}

function votesOn(
  header: Header,
  { view, seats, signatures }: BlockPart,
  path: string,
  { chainId, set }: Trust,
): Result<readonly Signed[], Fault> {
  const { authorities } = set;
  const quorum = quorumOf(authorities.length);
  const ascend = seats.every((seat, index) => seat < authorities.length && seat > (seats[index - 1] ?? -1));
  const given = pieces(signatures, 128);
  if (seats.length !== quorum || given.length !== quorum || !ascend) {
    const rule = `exactly ${quorum} of the ${authorities.length} seats sign, in ascending order`;
    return fault('WRONG_SEATS', `${path}.seats`, rule);
  }
  const { epoch, height } = header;
  const ballot = { phase: 'COMMIT', epoch, view: View(view), height, digest: blockHash(header) } as const;
  const message = ballotSigningBytes(chainId, ballot);
  return ok(
    seats.map((seat, index) => ({
      publicKey: defined(authorities[seat], 'the seat exists').publicKey,
      message,
      signature: Signature(given[index] ?? ''),
      path: `${path}.signatures[${index}]`,
    })),
  );
}

/** A text in pieces of one length. */
export function pieces(text: string, length: number): readonly string[] {
  return Array.from({ length: text.length / length }, (_, index) => text.slice(index * length, (index + 1) * length));
}

export function bytesOf(text: string): Uint8Array {
  return defined(fromHex(text), 'the form of the proof has been checked');
}
