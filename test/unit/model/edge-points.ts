import { Point } from '@noble/ed25519';
import { toHex } from '../../../src/lib/bytes.ts';
import { PublicKey } from '../../../src/model/ids.ts';

/** Order of the group of the field's elements, and of the large subgroup (RFC 8032 §5.1). */
export const P = Point.CURVE().p;
export const L = Point.CURVE().n;

export function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));
}

export function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** The eight points of small order, as multiples of one of order eight. */
export const TORSION: readonly Point[] = multiples(torsionGenerator());

function torsionGenerator(): Point {
  for (let y = 2n; ; y += 1n) {
    const point = onCurve(y);
    // L times a point of the whole group leaves what is not in the large subgroup.
    const torsion = point?.multiplyUnsafe(L - 1n).add(point);
    if (torsion !== undefined && !torsion.double().double().is0()) return torsion;
  }
}

function onCurve(y: bigint): Point | undefined {
  try {
    return Point.fromBytes(littleEndian(y), true);
  } catch {
    return undefined;
  }
}

function multiples(generator: Point): readonly Point[] {
  const all = [Point.ZERO];
  while (all.length < 8) all.push((all.at(-1) ?? Point.ZERO).add(generator));
  return all;
}

/** Encodings of points of small order that no encoder writes: y not reduced, or a sign on x = 0. */
export const NON_CANONICAL: readonly Uint8Array[] = [P, P + 1n, P - 1n, 1n]
  .flatMap((y) => [littleEndian(y), littleEndian(y + (1n << 255n))])
  .filter((bytes) => {
    const point = onCurve(fromLittleEndian(bytes));
    return point !== undefined && toHex(point.toBytes()) !== toHex(bytes);
  });

export function asKey(bytes: Uint8Array): PublicKey {
  return PublicKey(toHex(bytes));
}
