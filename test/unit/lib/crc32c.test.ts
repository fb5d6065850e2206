import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../../src/lib/bytes.ts';
import { crc32c } from '../../../src/lib/crc32c.ts';

describe('crc32c', () => {
  it('gives the published check value', () => {
    expect(crc32c(utf8('123456789'))).toBe(0xe3069283);
  });

  it.each([
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 times 0xff', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    ['31 to 0', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
    ['nothing', new Uint8Array(0), 0],
  ])('gives the value of RFC 3720 for %s', (_, bytes, checksum) => {
    expect(crc32c(bytes)).toBe(checksum);
  });

  it('goes on from an earlier checksum at any split', () => {
    const bytes = Uint8Array.from({ length: 41 }, (_, index) => 7 * index);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const [head, tail] = [bytes.subarray(0, cut), bytes.subarray(cut)];
      expect(crc32c(tail, crc32c(head))).toBe(crc32c(concat(head, tail)));
    }
  });
});
