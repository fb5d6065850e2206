import { constants, deflateRaw, inflateRaw } from 'node:zlib';

/** RFC 1951, away from the loop. */
export interface Compression {
  readonly deflate: (bytes: Uint8Array, done: (deflated: Uint8Array) => void) => void;
  /** Undefined for what is damaged, or longer than `bytesMax`: no more than that is ever held in memory. */
  readonly inflate: (deflated: Uint8Array, bytesMax: number, done: (bytes: Uint8Array | undefined) => void) => void;
}

export const systemCompression: Compression = {
  deflate: (bytes, done) => {
    // Four threads also sync the journal: the fastest level keeps them for some 20 ms per MiB.
    deflateRaw(bytes, { level: constants.Z_BEST_SPEED }, (error, deflated) => {
      if (error !== null) throw new Error('what is in memory could not be deflated', { cause: error });
      done(deflated);
    });
  },
  inflate: (deflated, bytesMax, done) => {
    inflateRaw(deflated, { maxOutputLength: bytesMax }, (error, bytes) => done(error === null ? bytes : undefined));
  },
};
