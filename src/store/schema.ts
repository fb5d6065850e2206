import { concat, utf8 } from '../lib/bytes.ts';
import { Height } from '../model/ids.ts';
import type { Table } from './key-value.ts';

/** The tables of a data directory. A number is never used again for anything else. */
export const TABLES = {
  /** Layout version, chain id, journal witness, lasting halt. */
  meta: 1,
  /** Height → header and body. */
  blocks: 2,
  /** Height → receipts, in the order of the body. */
  receipts: 3,
  /** Height → the certificate that made it final, and the height that it is of. */
  certificates: 4,
  /** Block hash → height. */
  heights: 5,
  /** Transaction id → height and index. */
  transactions: 6,
  /** State key → record. */
  state: 7,
  /** Path → page of the state tree. */
  pages: 8,
  /** Ticket id, version → what it is and what made it. */
  history: 9,
  /** State of a ticket, ticket id → nothing. */
  ticketsByState: 10,
  /** Hash → evidence of misbehaviour. */
  evidence: 11,
  /** Key in the state tree → state key. */
  treeKeys: 12,
  /** Path of the state tree → hash of what is still to be fetched there; empty in a whole chain. */
  missing: 13,
  /** `host:port` → what is known of the node there; `salt` → the secret that gives addresses their places. */
  addresses: 14,
  /** Node id → until when it is banned, and why. */
  bans: 15,
} as const satisfies Record<string, Table>;

/** 3 since receipts tell what became of tickets; a chain of before cannot be read, and needs the version that wrote it. */
export const SCHEMA_VERSION = 3;

export const META = {
  schema: utf8('schema'),
  chainId: utf8('chain-id'),
  witness: utf8('journal-witness'),
  /** Height of the oldest block that is whole, when that is not 0. */
  oldest: utf8('oldest-block'),
  /** There until what is being put together here is whole: a snapshot's block and certificate, or nothing. */
  unfinished: utf8('unfinished'),
  /** Below which blocks a snapshot still needs some. */
  history: utf8('snapshot-history'),
  halt: utf8('halt'),
  /** There in a chain that came as a snapshot. */
  arrived: utf8('arrived'),
} as const;

/** Eight big-endian bytes, so that byte order is the order of heights. */
export function heightKey(height: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(height / 0x1_0000_0000));
  view.setUint32(4, height >>> 0);
  return bytes;
}

/** The height that a key was made of; undefined for bytes that are no such key. */
export function heightOfKey(key: Uint8Array): Height | undefined {
  if (key.length !== 8) return undefined;
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const height = view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
  return Number.isSafeInteger(height) ? Height(height) : undefined;
}

/** A name ended by a zero byte, which no name contains: no name's keys run into another's. */
export function nameKey(name: string, ...rest: readonly Uint8Array[]): Uint8Array {
  return concat(utf8(name), Uint8Array.of(0), ...rest);
}

/** The first key behind every key that begins with `prefix`. */
export function afterPrefix(prefix: Uint8Array): Uint8Array | undefined {
  const end = prefix.slice();
  for (let index = end.length - 1; index >= 0; index -= 1) {
    const byte = end[index] ?? 0;
    if (byte < 0xff) {
      end[index] = byte + 1;
      return end.slice(0, index + 1);
    }
  }
  return undefined;
}
