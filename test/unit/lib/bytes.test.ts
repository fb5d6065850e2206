import { describe, expect, it } from 'vitest';
import { compareBytes, concat, equalBytes, fromHex, fromUtf8, readHex, toHex, utf8 } from '../../../src/lib/bytes.ts';

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);

describe('hex', () => {
  it('is what Buffer writes, of any length and any part', () => {
    for (const length of [0, 1, 2, 31, 32, 63, 64, 65, 128, 255, 256])
      expect(toHex(everyByte.subarray(0, length))).toBe(Buffer.from(everyByte.subarray(0, length)).toString('hex'));
    expect(toHex(everyByte, 250)).toBe('fafbfcfdfeff');
    expect(toHex(everyByte, 1, 3)).toBe('0102');
    expect(toHex(everyByte.subarray(16, 18))).toBe('1011');
  });

  it('reads back to the same bytes', () => {
    expect(fromHex(toHex(everyByte))).toEqual(everyByte);
    expect(fromHex('')).toEqual(new Uint8Array());
  });

  it('has lower-case digits in pairs and nothing else', () => {
    for (const text of [
      '0',
      'abc',
      'AB',
      'aB',
      '0x',
      ' 0',
      '0g',
      'é0',
      '0é',
      '٣٣',
      '\ud835\udfd8',
      'g0',
      '/0',
      ':0',
      '`0',
    ])
      expect(fromHex(text), text).toBeUndefined();
    for (let code = 0; code < 0x300; code += 1) {
      const digit = String.fromCharCode(code);
      const isDigit = /^[0-9a-f]$/.test(digit);
      expect(fromHex(`0${digit}`) !== undefined, `code ${code}`).toBe(isDigit);
      expect(fromHex(`${digit}0`) !== undefined, `code ${code}`).toBe(isDigit);
    }
  });

  it('is put where it is asked to be', () => {
    const target = new Uint8Array(4);
    expect(readHex('abcd', target, 1)).toBe(true);
    expect(target).toEqual(Uint8Array.of(0, 0xab, 0xcd, 0));
  });
});

describe('text', () => {
  it('is well-formed UTF-8 or nothing, and keeps a byte order mark', () => {
    for (const text of ['', 'ticket', 'Müller', '席', '\u{1f39f}', '\ufeffx']) expect(fromUtf8(utf8(text))).toBe(text);
    const broken = [[0x80], [0xc0, 0x80], [0xc3], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0xe2, 0x82]];
    for (const bytes of broken) expect(fromUtf8(Uint8Array.from(bytes)), String(bytes)).toBeUndefined();
  });
});

describe('bytes', () => {
  it('are joined in order', () => {
    expect(concat()).toEqual(new Uint8Array());
    expect(concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('are equal when they are the same', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
    expect(equalBytes(new Uint8Array(), new Uint8Array())).toBe(true);
  });

  it('are ordered as Buffer orders them', () => {
    const samples = [[], [0], [0, 0], [1], [127], [128], [255], [255, 0], [1, 255], [2]].map((list) =>
      Uint8Array.from(list),
    );
    for (const a of samples)
      for (const b of samples) expect(Math.sign(compareBytes(a, b)), `${a} ${b}`).toBe(Buffer.compare(a, b));
  });
});
