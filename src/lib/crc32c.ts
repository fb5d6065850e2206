/** Remainders of the Castagnoli polynomial, reflected (RFC 3720 §12.1): for the last of four bytes, then the others. */
const [TABLE, TABLE_2, TABLE_3, TABLE_4] = makeTables();

function makeTables(): readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array] {
  const first = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ 0x82f63b78 : remainder >>> 1;
    }
    first[byte] = remainder;
  }
  const shifted = (table: Uint32Array): Uint32Array =>
    table.map((remainder) => (first[remainder & 0xff] ?? 0) ^ (remainder >>> 8));
  const second = shifted(first);
  const third = shifted(second);
  return [first, second, third, shifted(third)];
}

/**
 * CRC-32C of `bytes`; `previous` is the checksum of the bytes before them. Finds damage, not forgery.
 *
 * @returns a number in [0, 2^32)
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = ~previous;
  let index = 0;
  for (const end = bytes.length - 3; index < end; index += 4) {
    crc ^= view.getUint32(index, true);
    crc =
      (TABLE_4[crc & 0xff] ?? 0) ^
      (TABLE_3[(crc >>> 8) & 0xff] ?? 0) ^
      (TABLE_2[(crc >>> 16) & 0xff] ?? 0) ^
      (TABLE[crc >>> 24] ?? 0);
  }
  for (; index < bytes.length; index += 1) crc = (TABLE[(crc ^ view.getUint8(index)) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
