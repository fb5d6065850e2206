/**
 * Fixed-layout binary encoding of everything that is hashed, signed, sent or stored.
 * Each value has exactly one encoding, so whatever decodes re-encodes to the same bytes. Whole numbers are
 * big-endian; texts, byte strings and lists carry a 32-bit count; every count has a bound that is checked first.
 */
import { assert } from '../lib/assert.ts';
import { fromUtf8, readHex, toHex, utf8 } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';

/** Why bytes were not taken. */
export interface Malformed {
  readonly code: 'MALFORMED';
  readonly reason: string;
}

export interface Codec<T> {
  /** @throws InvariantError when `value` is outside the layout's bounds: a caller's bug. */
  readonly write: (writer: Writer, value: T) => void;
  /** @throws only the signal that `decode` turns into a `Malformed`. */
  readonly read: (reader: Reader) => T;
}

/** Buffer that is kept between encodings: beyond it, allocating costs little beside the writing. */
const IDLE_BYTES_MAX = 65_536;

class MalformedSignal extends Error {}

/** Ends the reading of bytes that are not canonical; for `read` functions alone. */
export function malformed(reason: string): never {
  throw new MalformedSignal(reason);
}

/** A growing byte buffer. */
export class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  #reserve(count: number): number {
    const start = this.#length;
    const needed = start + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = needed;
    return start;
  }

  // The place is reserved first: reserving may replace the buffer and the view.
  u8(value: number): void {
    const start = this.#reserve(1);
    this.#view.setUint8(start, value);
  }

  u32(value: number): void {
    const start = this.#reserve(4);
    this.#view.setUint32(start, value);
  }

  u64(value: number): void {
    const start = this.#reserve(8);
    this.#view.setUint32(start, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(start + 4, value >>> 0);
  }

  raw(bytes: Uint8Array): void {
    const start = this.#reserve(bytes.length);
    this.#bytes.set(bytes, start);
  }

  /** `count` bytes, given as lower-case hex; false when they are not that. */
  hex(text: string, count: number): boolean {
    const start = this.#reserve(count);
    return text.length === 2 * count && readHex(text, this.#bytes, start);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  get capacity(): number {
    return this.#bytes.length;
  }

  clear(): void {
    this.#length = 0;
  }
}

/** A cursor over bytes that come from anywhere. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  #take(count: number): number {
    if (count > this.remaining) malformed('the bytes end too early');
    const start = this.#offset;
    this.#offset += count;
    return start;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): number {
    const start = this.#take(8);
    const value = this.#view.getUint32(start) * 0x1_0000_0000 + this.#view.getUint32(start + 4);
    if (!Number.isSafeInteger(value)) malformed('a number above 2^53 - 1');
    return value;
  }

  raw(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#bytes.slice(start, start + count);
  }

  /** As `raw`, but of the source itself: not to be kept. */
  peek(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#bytes.subarray(start, start + count);
  }

  hex(count: number): string {
    const start = this.#take(count);
    return toHex(this.#bytes, start, start + count);
  }
}

/** The writer between two encodings: a buffer for each of the many small ones would cost more than the writing. */
let idleWriter: Writer | undefined;

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = idleWriter ?? new Writer();
  idleWriter = undefined;
  codec.write(writer, value);
  const encoded = writer.finish();
  if (writer.capacity <= IDLE_BYTES_MAX) {
    writer.clear();
    idleWriter = writer;
  }
  return encoded;
}

/** Reads exactly one value: no byte may be left. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): Result<T, Malformed> {
  const reader = new Reader(bytes);
  try {
    const value = codec.read(reader);
    if (reader.remaining !== 0) malformed(`${reader.remaining} bytes too many`);
    return ok(value);
  } catch (error) {
    if (error instanceof MalformedSignal) return err({ code: 'MALFORMED', reason: error.message });
    throw error;
  }
}

export const u8: Codec<number> = {
  write: (writer, value) => {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xff, 'u8 out of range');
    writer.u8(value);
  },
  read: (reader) => reader.u8(),
};

export const u32: Codec<number> = {
  write: (writer, value) => {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff, 'u32 out of range');
    writer.u32(value);
  },
  read: (reader) => reader.u32(),
};

/** Eight bytes that hold at most 2^53 - 1, the largest whole number that JavaScript keeps exactly. */
export const u53: Codec<number> = {
  write: (writer, value) => {
    assert(Number.isSafeInteger(value) && value >= 0, 'u53 out of range');
    writer.u64(value);
  },
  read: (reader) => reader.u64(),
};

/** Gives a codec's values a brand whose bounds the codec already enforces. */
export function branded<T, Base>(codec: Codec<Base>): Codec<T & Base> {
  return { write: codec.write, read: (reader) => codec.read(reader) as T & Base };
}

/** Exactly `count` bytes, as lower-case hex. */
export function hexOf<T extends string>(count: number): Codec<T> {
  return {
    write: (writer, value) => {
      assert(writer.hex(value, count), `not ${count} bytes of hex`);
    },
    read: (reader) => reader.hex(count) as T,
  };
}

/** A byte string of at most `maxBytes`. */
export function bytes(maxBytes: number): Codec<Uint8Array> {
  return {
    write: (writer, value) => {
      assert(value.length <= maxBytes, `byte string above ${maxBytes}`);
      writer.u32(value.length);
      writer.raw(value);
    },
    read: (reader) => {
      return reader.raw(lengthUpTo(maxBytes, reader.u32()));
    },
  };
}

function lengthUpTo(maxBytes: number, length: number): number {
  return length <= maxBytes ? length : malformed(`a byte string of ${length} bytes, at most ${maxBytes} are allowed`);
}

/** Well-formed UTF-8 for people, at most `maxBytes` long: see `isCleanText`. */
export function text(maxBytes: number): Codec<string> {
  const inner = bytes(maxBytes);
  return {
    write: (writer, value) => {
      assert(isCleanText(value), 'text with control characters');
      inner.write(writer, utf8(value));
    },
    read: (reader) => {
      const value = fromUtf8(reader.peek(lengthUpTo(maxBytes, reader.u32())));
      if (value === undefined || !isCleanText(value)) return malformed('text that is not clean UTF-8');
      return value;
    },
  };
}

/** Well-formed UTF-8 of any characters, 1 to `maxBytes` long: for text with a grammar of its own, that somebody else judges. */
export function lines(maxBytes: number): Codec<string> {
  const inner = bytes(maxBytes);
  return {
    write: (writer, value) => {
      const encoded = utf8(value);
      assert(value !== '' && fromUtf8(encoded) === value, 'lines are not empty and well formed');
      inner.write(writer, encoded);
    },
    read: (reader) => {
      const value = fromUtf8(reader.peek(lengthUpTo(maxBytes, reader.u32())));
      return value === undefined || value === '' ? malformed('lines that are empty or not UTF-8') : value;
    },
  };
}

// Fixed ranges, never a property that a newer Unicode can change (normal forms, unassigned): nodes must agree for ever.
const UNCLEAN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]/u;

/** Whether a text has no control characters, direction overrides, lone surrogates or byte order marks. */
export function isCleanText(value: string): boolean {
  return !UNCLEAN.test(value);
}

/** A text that `accepts` says yes to: one brand of name. */
export function textWhere<T extends string>(maxBytes: number, accepts: (value: string) => boolean): Codec<T> {
  const inner = text(maxBytes);
  return {
    write: (writer, value) => {
      assert(accepts(value), `not acceptable: ${JSON.stringify(value)}`);
      inner.write(writer, value);
    },
    read: (reader) => {
      const value = inner.read(reader);
      if (!accepts(value)) malformed('a name with characters that names cannot have');
      return value as T;
    },
  };
}

export function list<T>(item: Codec<T>, maxCount: number): Codec<readonly T[]> {
  return {
    write: (writer, values) => {
      assert(values.length <= maxCount, `list above ${maxCount}`);
      writer.u32(values.length);
      for (const value of values) item.write(writer, value);
    },
    read: (reader) => {
      const count = reader.u32();
      if (count > maxCount) malformed(`a list of ${count}, at most ${maxCount} are allowed`);
      const values: T[] = [];
      for (let index = 0; index < count; index += 1) values.push(item.read(reader));
      return values;
    },
  };
}

/** Nothing (byte 0) or something (byte 1 and the value). */
export function nullable<T>(item: Codec<T>): Codec<T | null> {
  return {
    write: (writer, value) => {
      writer.u8(value === null ? 0 : 1);
      if (value !== null) item.write(writer, value);
    },
    read: (reader) => {
      const flag = reader.u8();
      if (flag > 1) malformed('a flag that is neither 0 nor 1');
      return flag === 0 ? null : item.read(reader);
    },
  };
}

/** One of a fixed list, as its index in one byte. The list is only ever appended to. */
export function oneOf<const T extends string>(values: readonly T[]): Codec<T> {
  return {
    write: (writer, value) => {
      const index = values.indexOf(value);
      assert(index >= 0, `unknown: ${value}`);
      writer.u8(index);
    },
    read: (reader) => values[reader.u8()] ?? malformed('a tag that nobody knows'),
  };
}

export const flag: Codec<boolean> = {
  write: (writer, value) => writer.u8(value ? 1 : 0),
  read: (reader) => {
    const value = reader.u8();
    if (value > 1) malformed('a flag that is neither 0 nor 1');
    return value === 1;
  },
};

type Fields<T> = { readonly [Key in keyof T]-?: Codec<T[Key]> };

/** The fields one after another, in the order in which `fields` names them. */
export function struct<T>(fields: Fields<T>): Codec<T> {
  const entries = Object.entries(fields) as [keyof T, Codec<T[keyof T]>][];
  return {
    write: (writer, value) => {
      for (const [key, codec] of entries) codec.write(writer, value[key]);
    },
    read: (reader) => {
      const value: Partial<T> = {};
      for (const [key, codec] of entries) value[key] = codec.read(reader);
      return value as T;
    },
  };
}

type Tagged = { readonly kind: string };
type Variants<T extends Tagged> = {
  readonly [Kind in T['kind']]: readonly [tag: number, codec: Codec<Omit<Extract<T, { kind: Kind }>, 'kind'>>];
};

/** One of several layouts, told apart by a tag byte in front. */
export function union<T extends Tagged>(variants: Variants<T>): Codec<T> {
  const byKind = new Map<string, readonly [number, Codec<unknown>]>();
  const byTag = new Map<number, readonly [string, Codec<unknown>]>();
  for (const [kind, variant] of Object.entries(variants)) {
    const [tag, codec] = variant as readonly [number, Codec<unknown>];
    assert(!byTag.has(tag), `tag ${tag} is used twice`);
    byKind.set(kind, [tag, codec]);
    byTag.set(tag, [kind, codec]);
  }
  return {
    write: (writer, value) => {
      const variant = byKind.get(value.kind);
      assert(variant !== undefined, `unknown kind ${value.kind}`);
      writer.u8(variant[0]);
      variant[1].write(writer, value);
    },
    read: (reader) => {
      const variant = byTag.get(reader.u8());
      if (variant === undefined) return malformed('a tag that nobody knows');
      return { kind: variant[0], ...(variant[1].read(reader) as object) } as T;
    },
  };
}
