import { type Codec, malformed, u8 } from '../model/codec.ts';

/** A kind of state record: its tag in front of every key, and its byte form. */
export interface RecordKind<T> {
  readonly tag: number;
  readonly layout: Codec<T>;
}

/** Puts a version byte in front, so that a later release can add fields and still read what is stored. */
export function versioned<T>(version: number, layout: Codec<T>): Codec<T> {
  return {
    write: (writer, value) => {
      u8.write(writer, version);
      layout.write(writer, value);
    },
    read: (reader) => {
      const found = u8.read(reader);
      return found === version ? layout.read(reader) : malformed(`record version ${found}`);
    },
  };
}
