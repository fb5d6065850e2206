import { type Header, headerLayout, transactionLayout } from './block.ts';
import { type Certificate, certificateLayout } from './certificate.ts';
import { bytes, type Codec, hexOf, list, nullable, oneOf, struct, textWhere, u8, u32, union } from './codec.ts';
import type { Hash, Height } from './ids.ts';
import { hashLayout, heightLayout } from './layouts.ts';
import {
  ADDRESS_BYTES_MAX,
  ANNOUNCED_IDS_MAX,
  FORWARD_BATCH_MAX,
  HEADERS_PER_ANSWER_MAX,
  LISTED_PEERS_MAX,
  SNAPSHOT_CHUNK_BYTES_MAX,
  SYNC_BYTES_MAX,
} from './limits.ts';
import type { Transaction } from './transaction.ts';

/** What kind of node says so of itself; only an authority proves it. `bootstrap` knows peers and keeps no chain. */
export const PEER_ROLES = ['authority', 'follower', 'bootstrap'] as const;
export type PeerRole = (typeof PEER_ROLES)[number];

/** Where another node is said to be: hearsay, until it answers there and proves its id. */
export interface ListedPeer {
  /** Lower-case hex of its Ed25519 node key. */
  readonly id: string;
  /** `host:port` or `[v6]:port`. */
  readonly address: string;
  readonly role: PeerRole;
}

/** A final block by height and hash. */
export interface BlockReference {
  readonly height: Height;
  readonly hash: Hash;
}

/** Why a question has no answer: `UNKNOWN` here, `PRUNED` since, or ask again later. */
const REQUEST_FAILURES = ['UNKNOWN', 'PRUNED', 'BUSY'] as const;
export type RequestFailure = (typeof REQUEST_FAILURES)[number];

/**
 * What any two nodes say to each other. The messages among authorities are in `message`: their tags are below 32.
 * `request` is the asker's number for its question; an answer carries it back.
 */
export type PeerMessage =
  | { readonly kind: 'chain-status-request' }
  /** `certificate` proves the head; null at genesis. Blocks from `oldest` on are served, and a snapshot of `snapshot`. */
  | {
      readonly kind: 'chain-status';
      readonly head: BlockReference;
      readonly certificate: Certificate | null;
      readonly oldest: Height;
      readonly snapshot: BlockReference | null;
    }
  /** A block has become final. `hops` counts down; who gets it with none left passes it on no more. */
  | {
      readonly kind: 'block-announcement';
      readonly header: Header;
      readonly certificate: Certificate;
      readonly hops: number;
    }
  | { readonly kind: 'header-request'; readonly request: number; readonly from: Height; readonly count: number }
  /** Consecutive headers; the certificate is of the last one and thereby of all. */
  | {
      readonly kind: 'headers';
      readonly request: number;
      readonly headers: readonly Header[];
      readonly certificate: Certificate;
    }
  | { readonly kind: 'block-request'; readonly request: number; readonly from: Height; readonly count: number }
  /** The bodies of consecutive blocks from `from` on, each length-prefixed, deflated together (RFC 1951). */
  | {
      readonly kind: 'block-response';
      readonly request: number;
      readonly from: Height;
      readonly count: number;
      readonly deflated: Uint8Array;
    }
  /** The part of the state at a snapshot that lies under a path of the tree, from the first leaf after `after`. */
  | {
      readonly kind: 'snapshot-request';
      readonly request: number;
      readonly height: Height;
      /** Hexadecimal digits of a key's beginning; `''` is the whole tree. */
      readonly prefix: string;
    }
  | {
      readonly kind: 'snapshot-chunk';
      readonly request: number;
      readonly prefix: string;
      /** The records below the prefix, or where it is split further: see the ledger's state chunks. Deflated. */
      readonly deflated: Uint8Array;
    }
  | { readonly kind: 'request-failed'; readonly request: number; readonly reason: RequestFailure }
  /** `hops` as in a block announcement. */
  | { readonly kind: 'transactions'; readonly transactions: readonly Transaction[]; readonly hops: number }
  /** Ids of transactions that wait here: what two nodes compare now and then. */
  | { readonly kind: 'transactions-held'; readonly ids: readonly Hash[] }
  | { readonly kind: 'transactions-wanted'; readonly ids: readonly Hash[] }
  | { readonly kind: 'peer-discovery' }
  | { readonly kind: 'peer-list'; readonly peers: readonly ListedPeer[] }
  /** The peers known to be nearest to a point of the id space, by the exclusive or of SHA-256 of their ids. */
  | { readonly kind: 'find-node'; readonly request: number; readonly target: Hash }
  | { readonly kind: 'nodes'; readonly request: number; readonly peers: readonly ListedPeer[] }
  /** Blocks below a height with what executing them yielded, for nodes that began with a snapshot above them. */
  | { readonly kind: 'history-request'; readonly request: number; readonly below: Height; readonly count: number }
  /** From the highest down, as many as fit: see the past blocks of peering. Deflated. */
  | { readonly kind: 'history'; readonly request: number; readonly below: Height; readonly deflated: Uint8Array };

export type PeerMessageKind = PeerMessage['kind'];
export type PeerMessageOf<Kind extends PeerMessageKind> = Extract<PeerMessage, { kind: Kind }>;

/** Tags of peer messages begin here, those of `message` end below. */
export const PEER_MESSAGE_TAG_MIN = 32;

const PRINTABLE = /^[\x21-\x7e]+$/;
const PREFIX = /^[0-9a-f]{0,64}$/;

const listedPeerLayout: Codec<ListedPeer> = struct<ListedPeer>({
  id: hexOf(32),
  address: textWhere(ADDRESS_BYTES_MAX, (text) => PRINTABLE.test(text)),
  role: oneOf(PEER_ROLES),
});
const blockReferenceLayout: Codec<BlockReference> = struct<BlockReference>({ height: heightLayout, hash: hashLayout });
const prefixLayout = textWhere<string>(64, (text) => PREFIX.test(text));

/** Tags are never reused; a later protocol minor may add some, which older nodes refuse as malformed. */
export const peerMessageLayout: Codec<PeerMessage> = union<PeerMessage>({
  'chain-status-request': [32, struct({})],
  'chain-status': [
    33,
    struct({
      head: blockReferenceLayout,
      certificate: nullable(certificateLayout),
      oldest: heightLayout,
      snapshot: nullable(blockReferenceLayout),
    }),
  ],
  'block-announcement': [34, struct({ header: headerLayout, certificate: certificateLayout, hops: u8 })],
  'header-request': [35, struct({ request: u32, from: heightLayout, count: u32 })],
  headers: [
    36,
    struct({ request: u32, headers: list(headerLayout, HEADERS_PER_ANSWER_MAX), certificate: certificateLayout }),
  ],
  'block-request': [37, struct({ request: u32, from: heightLayout, count: u32 })],
  'block-response': [38, struct({ request: u32, from: heightLayout, count: u32, deflated: bytes(SYNC_BYTES_MAX) })],
  'snapshot-request': [39, struct({ request: u32, height: heightLayout, prefix: prefixLayout })],
  'snapshot-chunk': [40, struct({ request: u32, prefix: prefixLayout, deflated: bytes(SNAPSHOT_CHUNK_BYTES_MAX) })],
  'request-failed': [41, struct({ request: u32, reason: oneOf(REQUEST_FAILURES) })],
  transactions: [42, struct({ transactions: list(transactionLayout, FORWARD_BATCH_MAX), hops: u8 })],
  'transactions-held': [43, struct({ ids: list(hashLayout, ANNOUNCED_IDS_MAX) })],
  'transactions-wanted': [44, struct({ ids: list(hashLayout, ANNOUNCED_IDS_MAX) })],
  'peer-discovery': [45, struct({})],
  'peer-list': [46, struct({ peers: list(listedPeerLayout, LISTED_PEERS_MAX) })],
  'find-node': [47, struct({ request: u32, target: hashLayout })],
  nodes: [48, struct({ request: u32, peers: list(listedPeerLayout, LISTED_PEERS_MAX) })],
  'history-request': [49, struct({ request: u32, below: heightLayout, count: u32 })],
  history: [50, struct({ request: u32, below: heightLayout, deflated: bytes(SYNC_BYTES_MAX) })],
});
