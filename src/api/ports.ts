/**
 * What people and programs see over HTTP.
 * This file says what the surface needs of a node; the composition root provides it.
 */
import type { TicketRecord } from '../ledger/ticket-record.ts';
import type { Result } from '../lib/result.ts';
import type { Body, Header } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import type { Evidence } from '../model/evidence.ts';
import type {
  Epoch,
  EventId,
  Hash,
  Height,
  OrganisationId,
  PublicKey,
  TicketId,
  Timestamp,
  View,
} from '../model/ids.ts';
import type { Receipt } from '../model/receipt.ts';
import type { Intent, Transaction } from '../model/transaction.ts';
import type { SyncProgress } from '../peering/sync.ts';
import type { LastingHalt } from '../store/halt.ts';
import type { Unprovable } from '../store/proofs.ts';
import type { HistoryPage, TicketEvent } from '../store/tickets.ts';

/** A final block as it is stored. */
export interface FinalBlock {
  readonly hash: Hash;
  readonly header: Header;
  readonly body: Body;
  readonly receipts: readonly Receipt[];
  /** Of this block, or of the descendant at `certifiedHeight`; absent for genesis. Nodes may hold different ones. */
  readonly certificate: Certificate | null;
  readonly certifiedHeight: Height;
}

type NodeRole = 'authority' | 'follower' | 'observer';

export interface NodeStatus {
  readonly nodeId: string;
  readonly role: NodeRole;
  readonly version: string;
  readonly networkId: string;
  readonly chainId: Hash;
  readonly head: { readonly height: Height; readonly hash: Hash; readonly time: Timestamp };
  readonly epoch: Epoch;
  readonly view: View;
  readonly primary: string;
  readonly authorities: number;
  readonly quorum: number;
  /** Authorities connected, this one included. */
  readonly connected: number;
  readonly peers: number;
  readonly syncing: boolean;
  /** How far catching up has come, when there is much to catch up with. */
  readonly sync: SyncProgress | null;
  readonly mempool: number;
  readonly uptimeSeconds: number;
  /** Why this node does not vote although it holds an authority key; null otherwise. */
  readonly observerReason: string | null;
  /** Whether it can serve: not halted, not far behind. */
  readonly ready: boolean;
  readonly devnet: boolean;
}

interface PeerView {
  readonly id: string;
  readonly role: string;
  readonly direction: 'inbound' | 'outbound';
  readonly address: string;
  readonly head: { readonly height: Height; readonly hash: Hash };
  readonly latencyMs: number | null;
  readonly score: number;
}

/** Times are Unix milliseconds. */
export interface BannedPeer {
  readonly id: string;
  readonly reason: string;
  readonly since: number;
  readonly until: number;
  /** How often it was banned, this time included. */
  readonly times: number;
}

/** What an operator can have a node do with its peers, each named as `Reader.peers` names it. */
export interface PeerControl {
  /** Dials whoever lives at `host:port`. */
  connect(address: string): void;
  /** False when there is no session. */
  disconnect(id: string): boolean;
  /** In force at once; resolves when no crash can lose it. */
  ban(id: string, lengthMs: number): Promise<BannedPeer | 'AUTHORITY' | 'UNKNOWN'>;
  /** False when it is not banned. */
  unban(id: string): Promise<boolean>;
  bans(): readonly BannedPeer[];
}

export interface AuthorityView {
  readonly id: string;
  readonly publicKey: PublicKey;
  readonly organisation: string;
  readonly connected: boolean;
  readonly lastVoteHeight: Height | null;
  /** Blocks of the last thousand that it proposed, and that its signature is on. */
  readonly proposed: number;
  readonly signed: number;
}

/** Why the chain moves, or does not. */
export interface Explanation {
  readonly moving: boolean;
  /** One sentence for people. */
  readonly reason: string;
  /** Stable: one of `CAUSES` in node/explain. */
  readonly code: string;
  readonly waitingFor: readonly { readonly authority: string; readonly since: Timestamp; readonly why: string }[];
}

export type TransactionState =
  | { readonly state: 'pending' }
  | {
      readonly state: 'final';
      readonly height: Height;
      readonly blockHash: Hash;
      readonly receipt: Receipt;
      readonly transaction: Transaction;
    }
  /** Final in a block that is not kept here. */
  | { readonly state: 'pruned'; readonly height: Height }
  | { readonly state: 'unknown' };

interface ProofWanted {
  readonly history: boolean;
  /** Of a history alone. */
  readonly graphs: boolean;
}

/** Why there is no proof: as `Unprovable`, or it would be larger than anybody takes, or too many wait for one. */
export type ProofRefusal = Unprovable | 'TOO_LARGE' | 'BUSY';

/** Everything that can be asked of a node; each answer is of one moment. */
export interface Reader {
  status(): NodeStatus;
  /** The genesis document, byte for byte. */
  genesis(): Uint8Array;
  block(height: Height): FinalBlock | undefined;
  heightOf(hash: Hash): Height | undefined;
  /** Height from which on all blocks are kept here; 0 in an archive. Below it, only genesis is. */
  oldest(): Height;
  transaction(id: Hash): TransactionState;
  ticket(id: TicketId): TicketRecord | undefined;
  /** Ascending by id, after `after`; of one state when given. */
  tickets(query: { readonly state: string | null; readonly limit: number; readonly after: TicketId | null }): {
    readonly tickets: readonly TicketRecord[];
    readonly asOf: Height;
  };
  history(id: TicketId, page: HistoryPage): readonly TicketEvent[];
  /** What proves the newest state of a ticket, or that there is none; with its history and graphs as wanted. */
  proof(id: TicketId, wanted: ProofWanted): Promise<Result<Uint8Array, ProofRefusal>>;
  peers(): readonly PeerView[];
  authorities(): readonly AuthorityView[];
  explain(): Explanation;
  evidence(): readonly { readonly evidence: Evidence; readonly authority: string }[];
  /** Why this node takes no part any more, with what shows it; null while it does. */
  halt(): LastingHalt | null;
  stats(): {
    readonly cacheSize: number;
    readonly sequence: number;
    readonly storage: Readonly<Record<string, number>>;
    readonly finalityMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  };
  /** Effective configuration, secrets redacted. */
  config(): Readonly<Record<string, unknown>>;
}

/** A refusal before anything was admitted. */
export interface NotAdmitted {
  readonly outcome: 'not-admitted';
  /** A code of the table of errors: `NO_QUORUM OVERLOADED NOT_SYNCED BAD_SIGNATURE`, or why it can be in no block. */
  readonly code: string;
  readonly detail: string;
}

export type Submitted =
  | {
      readonly outcome: 'final';
      readonly height: Height;
      readonly blockHash: Hash;
      readonly receipt: Receipt;
    }
  /** Admitted, and not final within the wait. */
  | { readonly outcome: 'pending' }
  | NotAdmitted;

/**
 * Admits a transaction and waits for it to become final, `waitMs` at most; 0 does not wait. Never rejects.
 * When it says `final`, `Reader` already answers as of that block.
 */
export type Submit = (transaction: Transaction, waitMs: number) => Promise<Submitted>;

/** The organisation that runs this node, which signs what the node's own HTTP writes ask for. */
export interface Operator {
  readonly organisation: OrganisationId;
  /** `idempotencyKey`: a retry by any node of this organisation is done once. */
  sign(intent: Intent, idempotencyKey: string | null): Transaction;
  /** The earlier outcome under this key, if final: answered without another transaction. */
  earlier(intent: Intent, idempotencyKey: string): Submitted | { readonly outcome: 'reused' } | undefined;
}

/**
 * What a node tells as it happens. What befell tickets is not among it: the feed reads that out of final blocks, past
 * ones and new ones alike, so that a reader who resumes sees exactly what the others saw.
 */
export type NodeEvent =
  /** From now on `Reader` answers as of this block. Heights come in order, each once. */
  | { readonly type: 'block_finalised'; readonly height: Height }
  /** Of this node and this moment, at the height of its head: told once, never again. */
  | {
      readonly type: 'view_changed' | 'peer_joined' | 'peer_left' | 'evidence';
      readonly height: Height;
      readonly data: Readonly<Record<string, unknown>>;
    };

/** Calls back for everything that happens from now on; the answer ends it. */
export type Subscribe = (listener: (event: NodeEvent) => void) => () => void;

/** Brings the sample event and its tickets onto a devnet's chain, once however often it is asked. */
export type Seed = () => Promise<
  | {
      readonly outcome: 'final';
      readonly event: EventId;
      /** Tickets of the sample in all, and those that this call added. */
      readonly tickets: number;
      readonly added: number;
      readonly height: Height;
    }
  | NotAdmitted
>;
