const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** ASCII codes of the sixteen digits, and the way back; 255 for what is no digit. */
const DIGITS = encoder.encode('0123456789abcdef');
const NIBBLES = Uint8Array.from({ length: 128 }, (_, code) => DIGITS.indexOf(code));
/** Room for the digits of a signature: hashes, keys and signatures are nearly all that is ever shown as hex. */
const digits = new Uint8Array(128);

/** Lower-case hex of `bytes`, or of those from `start` up to `end`. Decoding digits is faster than adding up strings, and keeps a tenth of the memory. */
export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const length = 2 * (end - start);
  const target = length <= digits.length ? digits.subarray(0, length) : new Uint8Array(length);
  for (let index = start, place = 0; index < end; index += 1, place += 2) {
    const byte = bytes[index] ?? 0;
    target[place] = DIGITS[byte >> 4] ?? 0;
    target[place + 1] = DIGITS[byte & 15] ?? 0;
  }
  return decoder.decode(target);
}

/** Bytes of lower-case hex; undefined when `text` is anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  return readHex(text, bytes, 0) ? bytes : undefined;
}

/** Puts the bytes of lower-case hex into `target` at `offset`; false when `text` is anything else, with `target` spoilt. */
export function readHex(text: string, target: Uint8Array, offset: number): boolean {
  for (let index = 0, place = offset; index < text.length; index += 2, place += 1) {
    const high = NIBBLES[text.charCodeAt(index)] ?? 255;
    const low = NIBBLES[text.charCodeAt(index + 1)] ?? 255;
    if (high > 15 || low > 15) return false;
    target[place] = (high << 4) | low;
  }
  return true;
}

export function utf8(text: string): Uint8Array {
  return (text.length <= SHORT_CHARS_MAX ? ascii(text) : undefined) ?? encoder.encode(text);
}

// Below this length a loop is several times faster than the call into TextEncoder; most texts are names.
const SHORT_CHARS_MAX = 64;

function ascii(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return undefined;
    bytes[index] = code;
  }
  return bytes;
}

/** Text of well-formed UTF-8; undefined for anything else. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Orders by unsigned bytes, a prefix first: the one order that anything hashed or sent is sorted by. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
