import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../src/lib/assert.ts';
import { concat, fromHex, toHex, utf8 } from '../../../src/lib/bytes.ts';
import { bodyLayout, HEADER_VERSION, headerLayout } from '../../../src/model/block.ts';
import { certificateLayout, voteLayout } from '../../../src/model/certificate.ts';
import {
  bytes,
  type Codec,
  decode,
  encode,
  flag,
  hexOf,
  isCleanText,
  list,
  nullable,
  oneOf,
  struct,
  text,
  textWhere,
  u8,
  u32,
  u53,
  union,
} from '../../../src/model/codec.ts';
import { isName } from '../../../src/model/ids.ts';
import { BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX } from '../../../src/model/limits.ts';
import { messageLayout } from '../../../src/model/message.ts';
import { parseTransaction } from '../../../src/model/transaction.ts';
import { ballot, certificate, consortium, header, transaction, vote } from './consortium.ts';

const members = consortium(4);

function refused<T>(codec: Codec<T>, source: Uint8Array | string): string {
  const result = decode(codec, typeof source === 'string' ? (fromHex(source) ?? new Uint8Array()) : source);
  return result.ok ? 'taken' : result.error.code;
}

function hexOfEncoded<T>(codec: Codec<T>, value: T): string {
  return toHex(encode(codec, value));
}

describe('whole numbers', () => {
  it('are big-endian', () => {
    expect(hexOfEncoded(u8, 255)).toBe('ff');
    expect(hexOfEncoded(u32, 0x01020304)).toBe('01020304');
    expect(hexOfEncoded(u53, 2 ** 53 - 1)).toBe('001fffffffffffff');
    expect(hexOfEncoded(u53, 2 ** 32)).toBe('0000000100000000');
    expect(decode(u53, Uint8Array.of(0, 0, 0, 1, 255, 255, 255, 255))).toEqual({ ok: true, value: 2 ** 33 - 1 });
  });

  it('above 2^53 - 1 are refused', () => {
    for (const source of ['0020000000000000', '0020000000000001', 'ffffffffffffffff', '8000000000000000'])
      expect(refused(u53, source), source).toBe('MALFORMED');
  });

  it('that do not fit are a bug of the writer', () => {
    for (const value of [-1, 256, 0.5, Number.NaN]) expect(() => encode(u8, value)).toThrow(InvariantError);
    for (const value of [-1, 2 ** 32, 0.5]) expect(() => encode(u32, value)).toThrow(InvariantError);
    for (const value of [-1, 2 ** 53, 0.5]) expect(() => encode(u53, value)).toThrow(InvariantError);
  });
});

describe('counts', () => {
  it('above their bound are refused before anything is read, whatever follows', () => {
    const bomb = 'ffffffff';
    expect(refused(bytes(10), bomb)).toBe('MALFORMED');
    expect(refused(text(10), bomb)).toBe('MALFORMED');
    expect(refused(list(u8, 10), bomb)).toBe('MALFORMED');
    expect(refused(bodyLayout, bomb)).toBe('MALFORMED');
    expect(refused(list(list(u8, 10), 10), `00000001${bomb}`)).toBe('MALFORMED');
    const reads: string[] = [];
    const counted: Codec<number> = { write: u8.write, read: (reader) => reads.push('read') + reader.remaining };
    expect(refused(list(counted, 3), '00000004ffffffffff')).toBe('MALFORMED');
    expect(reads).toEqual([]);
  });

  it('within their bound need all their bytes', () => {
    expect(refused(bytes(10), '0000000a00')).toBe('MALFORMED');
    expect(refused(list(u8, 10), '0000000a00')).toBe('MALFORMED');
    expect(refused(bytes(2), '0000000200ff')).toBe('taken');
    expect(refused(list(u8, 2), '00000003000000')).toBe('MALFORMED');
    const big = concat(Uint8Array.of(0, 4, 0, 1), new Uint8Array(TRANSACTION_BYTES_MAX + 1));
    expect(refused(bytes(TRANSACTION_BYTES_MAX), big)).toBe('MALFORMED');
    expect(parseTransaction(new Uint8Array(TRANSACTION_BYTES_MAX + 1))).toMatchObject({ error: { code: 'MALFORMED' } });
  });

  it('above their bound are a bug of the writer', () => {
    expect(() => encode(bytes(1), new Uint8Array(2))).toThrow(InvariantError);
    expect(() => encode(list(u8, 1), [1, 2])).toThrow(InvariantError);
    expect(() => encode(text(1), 'ä')).toThrow(InvariantError);
  });
});

describe('texts', () => {
  it('are clean, well-formed UTF-8', () => {
    for (const value of ['', 'Row 7', 'Müller', '席', '\u{1f39f}', 'e\u0301', '\u200d', '\u00a0'])
      expect(decode(text(40), encode(text(40), value))).toEqual({ ok: true, value });
  });

  it('have no control characters, direction overrides, marks or halves of characters', () => {
    const unclean = [0, 7, 9, 10, 13, 0x1f, 0x7f, 0x85, 0x9f, 0x061c, 0x200e, 0x200f, 0x2028, 0x2029];
    const overrides = [0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff, 0xfffe, 0xffff];
    for (const code of [...unclean, ...overrides]) {
      const value = `a${String.fromCodePoint(code)}b`;
      expect(isCleanText(value), code.toString(16)).toBe(false);
      const source = utf8(value);
      expect(refused(text(40), concat(Uint8Array.of(0, 0, 0, source.length), source)), code.toString(16)).toBe(
        'MALFORMED',
      );
      expect(() => encode(text(40), value)).toThrow(InvariantError);
    }
    for (const half of ['\ud800', '\udfff', 'a\udc00b']) expect(() => encode(text(40), half)).toThrow(InvariantError);
  });

  it('that are not UTF-8 are refused: overlong, cut, surrogates, beyond the last character', () => {
    for (const source of ['80', 'c080', 'e08080', 'c3', 'e282', 'eda080', 'edbfbf', 'f4908080', 'f8808080', 'ff', 'fe'])
      expect(refused(text(40), `0000000${source.length / 2}${source}`), source).toBe('MALFORMED');
  });

  it('that are names have the characters of names', () => {
    const name = textWhere(64, isName);
    expect(refused(name, '00000003612d31')).toBe('taken');
    for (const value of ['', ' ', 'a b', 'a/b', 'ä', 'a\u00a0', 'x'.repeat(65)]) {
      const source = utf8(value);
      expect(refused(name, concat(Uint8Array.of(0, 0, 0, source.length), source)), value).toBe('MALFORMED');
    }
    expect(() => encode(name, 'a b')).toThrow(InvariantError);
  });
});

describe('choices', () => {
  it('have one byte each, and no other', () => {
    const choice = oneOf(['first', 'second']);
    expect(['00', '01'].map((source) => refused(choice, source))).toEqual(['taken', 'taken']);
    expect(['02', 'ff', ''].map((source) => refused(choice, source))).toEqual(['MALFORMED', 'MALFORMED', 'MALFORMED']);
    expect(['00', '01', '02', 'ff'].map((source) => refused(flag, source))).toEqual([
      'taken',
      'taken',
      'MALFORMED',
      'MALFORMED',
    ]);
    expect(['00', '0107', '01', '0207'].map((source) => refused(nullable(u8), source))).toEqual([
      'taken',
      'taken',
      'MALFORMED',
      'MALFORMED',
    ]);
  });

  it('between layouts are told by tags that are used once', () => {
    type Shape = { readonly kind: 'dot' } | { readonly kind: 'line'; readonly length: number };
    const shape = union<Shape>({ dot: [1, struct({})], line: [2, struct({ length: u8 })] });
    expect(hexOfEncoded(shape, { kind: 'line', length: 9 })).toBe('0209');
    expect(decode(shape, Uint8Array.of(2, 9))).toEqual({ ok: true, value: { kind: 'line', length: 9 } });
    expect(['00', '03', '0109', ''].map((source) => refused(shape, source))).toEqual(new Array(4).fill('MALFORMED'));
    expect(() => union<Shape>({ dot: [1, struct({})], line: [1, struct({ length: u8 })] })).toThrow(InvariantError);
  });
});

describe('hex', () => {
  it('of another length or alphabet is a bug of the writer', () => {
    const layout = hexOf<string>(2);
    expect(hexOfEncoded(layout, 'abcd')).toBe('abcd');
    for (const value of ['', 'ab', 'abcdef', 'ABCD', 'zzzz'])
      expect(() => encode(layout, value)).toThrow(InvariantError);
  });
});

interface Unit {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: string;
  readonly e: Uint8Array;
}

describe('writing', () => {
  it('goes on beyond any buffer, at every place where one may end', () => {
    const one = struct<Unit>({
      a: u8,
      b: u32,
      c: u53,
      d: hexOf<string>(2),
      e: bytes(2),
    });
    const value: Unit = { a: 1, b: 2, c: 3, d: 'abcd', e: Uint8Array.of(4, 5) };
    const unit = hexOfEncoded(one, value);
    for (let lead = 0; lead < unit.length / 2; lead += 1) {
      const layout = struct<{ lead: Uint8Array; many: readonly Unit[] }>({
        lead: bytes(99),
        many: list(one, 9_999),
      });
      const encoded = hexOfEncoded(layout, { lead: new Uint8Array(lead), many: new Array(9_000).fill(value) });
      expect(encoded.slice(8 + 2 * lead + 8) === unit.repeat(9_000), `lead ${lead}`).toBe(true);
    }
  });

  it('within writing, and after writing that failed, starts afresh', () => {
    const nested: Codec<number> = {
      write: (writer, value) => {
        writer.u8(1);
        writer.raw(encode(u32, value));
      },
      read: u32.read,
    };
    expect(hexOfEncoded(nested, 7)).toBe('0100000007');
    expect(() => encode(struct<{ a: number; b: number }>({ a: u8, b: u8 }), { a: 1, b: 999 })).toThrow(InvariantError);
    expect(hexOfEncoded(u8, 5)).toBe('05');
  });

  it('gives bytes of its own', () => {
    const first = encode(u32, 1);
    encode(u32, 2);
    expect(toHex(first)).toBe('00000001');
    const source = concat(Uint8Array.of(0, 0, 0, 1), Uint8Array.of(7));
    const read = decode(bytes(9), source);
    source.fill(9);
    expect(read).toEqual({ ok: true, value: Uint8Array.of(7) });
  });

  it('reads from the middle of a larger buffer', () => {
    const frame = concat(Uint8Array.of(9, 9, 9), encode(headerLayout, header(members)), Uint8Array.of(9));
    expect(decode(headerLayout, frame.subarray(3, frame.length - 1))).toEqual({ ok: true, value: header(members) });
  });
});

describe('a certificate', () => {
  const good = certificate(members, ballot(members), [0, 2, 3]);

  it('has a bit per signer and a signature per bit', () => {
    const encoded = hexOfEncoded(certificateLayout, good);
    expect(encoded.slice(114, 122)).toBe('0000000d');
    expect(encoded.length / 2).toBe(57 + 4 + 3 * 64);
    const bits = (value: string) => encoded.slice(0, 114) + value + encoded.slice(122);
    for (const value of ['00000005', '0000000f', '8000000d', '80000003'])
      expect(refused(certificateLayout, bits(value))).toBe('MALFORMED');
    expect(decode(certificateLayout, fromHex(bits('00000007')) ?? new Uint8Array())).toMatchObject({
      value: { signers: [0, 1, 2] },
    });
  });

  it('is not written with signers twice, out of order, unknown, or without signatures', () => {
    for (const signers of [
      [0, 0, 2],
      [2, 0, 3],
      [0, 2, 31],
      [0, 2],
      [-1, 0, 2],
    ])
      expect(() => encode(certificateLayout, { ...good, signers }), String(signers)).toThrow(InvariantError);
  });
});

describe('seats, versions and kinds', () => {
  it('that nobody knows are refused', () => {
    const encodedVote = encode(voteLayout, vote(members, 3, ballot(members)));
    const seatAt = encodedVote.length - 65;
    expect(encodedVote[seatAt]).toBe(3);
    encodedVote[seatAt] = 31;
    expect(refused(voteLayout, encodedVote)).toBe('MALFORMED');
    const encodedHeader = encode(headerLayout, header(members));
    for (const version of [0, HEADER_VERSION + 1, 255]) {
      encodedHeader[0] = version;
      expect(refused(headerLayout, encodedHeader)).toBe('MALFORMED');
    }
    for (const tag of [0, 16, 255]) expect(refused(messageLayout, Uint8Array.of(tag))).toBe('MALFORMED');
  });
});

describe('a body', () => {
  it('is refused for one transaction that is malformed, or one too many', () => {
    const good = transaction(members, 1);
    const encoded = encode(bodyLayout, [good, good]);
    expect(refused(bodyLayout, encoded)).toBe('taken');
    encoded[8 + 32] = 0xff;
    expect(refused(bodyLayout, encoded)).toBe('MALFORMED');
    const many = new Array(BLOCK_TRANSACTIONS_MAX + 1).fill(good);
    expect(() => encode(bodyLayout, many)).toThrow(InvariantError);
    const count = Uint8Array.of(0, 0, (BLOCK_TRANSACTIONS_MAX + 1) >> 8, (BLOCK_TRANSACTIONS_MAX + 1) & 255);
    expect(refused(bodyLayout, concat(count, encode(bodyLayout, many.slice(1)).subarray(4)))).toBe('MALFORMED');
  });
});
