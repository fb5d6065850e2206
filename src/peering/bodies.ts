import { concat } from '../lib/bytes.ts';
import { type Body, bodyLayout } from '../model/block.ts';
import { decode, encode, u32 } from '../model/codec.ts';

const LENGTH_BYTES = 4;

/** Encoded bodies one after the other, each with its length in front. */
export function joinBodies(bodies: readonly Uint8Array[]): Uint8Array {
  return concat(...bodies.flatMap((body) => [encode(u32, body.length), body]));
}

/** The bodies in such bytes; null when they are anything else, or not `count`. */
export function splitBodies(bytes: Uint8Array, count: number): readonly Body[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodies: Body[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length && bodies.length < count) {
    const end = at + LENGTH_BYTES + view.getUint32(at);
    if (end > bytes.length) return null;
    const body = decode(bodyLayout, bytes.subarray(at + LENGTH_BYTES, end));
    if (!body.ok) return null;
    bodies.push(body.value);
    at = end;
  }
  return at === bytes.length && bodies.length === count ? bodies : null;
}
