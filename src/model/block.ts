import { bytes, type Codec, encode, list, malformed, struct, u8, u32 } from './codec.ts';
import { domain, taggedHash } from './hash.ts';
import type { Epoch, Hash, Height, Timestamp, View } from './ids.ts';
import { epochLayout, hashLayout, heightLayout, timestampLayout, viewLayout } from './layouts.ts';
import { BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX } from './limits.ts';
import { merkleRoot } from './merkle.ts';
import { parseTransaction, type Transaction } from './transaction.ts';

/** What a block is: its hash covers this and nothing else, whatever view votes on it and whoever certifies it. */
export interface Header {
  readonly version: number;
  readonly chainId: Hash;
  readonly height: Height;
  readonly epoch: Epoch;
  /** The view in which it was first proposed. */
  readonly view: View;
  readonly previous: Hash;
  /** Strictly later than the parent's. */
  readonly timestamp: Timestamp;
  /** Seat of the authority that made it. */
  readonly proposer: number;
  readonly transactionsRoot: Hash;
  readonly transactionCount: number;
  /** Root of the state tree after this block. */
  readonly stateRoot: Hash;
  readonly receiptsRoot: Hash;
  /** Root over the hashes of each transaction's RDF graphs. */
  readonly graphRoot: Hash;
  /** Hash of the authority set in force. */
  readonly authoritiesHash: Hash;
  /** The zero hash, or that of the set that takes over after this block. */
  readonly nextAuthoritiesHash: Hash;
}

/** The transactions of a block, in order. */
export type Body = readonly Transaction[];

export interface Block {
  readonly header: Header;
  readonly body: Body;
}

export const HEADER_VERSION = 2;

const versionLayout: Codec<number> = {
  write: (writer, value) => u8.write(writer, value),
  read: (reader) => {
    const version = u8.read(reader);
    return version === HEADER_VERSION ? version : malformed(`header version ${version}`);
  },
};

export const headerLayout: Codec<Header> = struct<Header>({
  version: versionLayout,
  chainId: hashLayout,
  height: heightLayout,
  epoch: epochLayout,
  view: viewLayout,
  previous: hashLayout,
  timestamp: timestampLayout,
  proposer: u8,
  transactionsRoot: hashLayout,
  transactionCount: u32,
  stateRoot: hashLayout,
  receiptsRoot: hashLayout,
  graphRoot: hashLayout,
  authoritiesHash: hashLayout,
  nextAuthoritiesHash: hashLayout,
});

const transactionBytesLayout = bytes(TRANSACTION_BYTES_MAX);

export const transactionLayout: Codec<Transaction> = {
  write: (writer, transaction) => transactionBytesLayout.write(writer, transaction.bytes),
  read: (reader) => {
    const parsed = parseTransaction(transactionBytesLayout.read(reader));
    return parsed.ok ? parsed.value : malformed(parsed.error.reason);
  },
};

export const bodyLayout: Codec<Body> = list(transactionLayout, BLOCK_TRANSACTIONS_MAX);

export const blockLayout: Codec<Block> = struct<Block>({ header: headerLayout, body: bodyLayout });

const HEADER = domain('HEADER');
/** On its way into the chain a header is asked for its hash some eight times. */
const hashes = new WeakMap<Header, Hash>();

/** The identity of a block. Remembered with the header, which nobody changes. */
export function blockHash(header: Header): Hash {
  const known = hashes.get(header);
  if (known !== undefined) return known;
  const hash = taggedHash(HEADER, encode(headerLayout, header));
  hashes.set(header, hash);
  return hash;
}

/** Merkle root over the full bytes of each transaction, signatures included. */
export function transactionsRoot(body: Body): Hash {
  return merkleRoot(body.map((transaction) => transaction.bytes));
}

/** Bytes that a body takes in a frame. */
export function bodySize(body: Body): number {
  return body.reduce((size, transaction) => size + 4 + transaction.bytes.length, 4);
}
