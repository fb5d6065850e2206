/** A program's way to a node: HTTP, signing, waiting. This file holds the shapes of what a node answers. */

import type { OperationKind } from '../model/operation.ts';
import type { TicketState } from '../model/ticket.ts';

/** RFC 3339 in UTC with milliseconds. Hashes, keys and signatures are lower-case hex. */
type Time = string;

interface HeadAnswer {
  readonly height: number;
  readonly hash: string;
  readonly time: Time;
}

/** How far a node has come that catches up: from one height to another, now at `height`. */
export interface SyncAnswer {
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly blocks_per_second: number;
  /** That have what is missing and answer. */
  readonly peers: number;
}

export interface StatusAnswer {
  readonly node_id: string;
  readonly role: 'authority' | 'follower' | 'observer';
  readonly version: string;
  readonly network_id: string;
  readonly chain_id: string;
  readonly head: HeadAnswer;
  readonly epoch: number;
  readonly view: number;
  readonly primary: string;
  readonly authorities: number;
  readonly quorum: number;
  readonly connected: number;
  readonly peers: number;
  readonly syncing: boolean;
  /** Present while it catches up with many blocks. */
  readonly sync: SyncAnswer | null;
  readonly mempool: number;
  /** Blocks by which the index of the graph lags behind the chain; null on a node that keeps none. */
  readonly provenance_lag_blocks: number | null;
  readonly uptime_seconds: number;
  readonly devnet: boolean;
  /** Why it holds an authority key and does not vote. */
  readonly observer_reason: string | null;
}

export interface HeaderAnswer {
  readonly version: number;
  readonly chain_id: string;
  readonly height: number;
  readonly epoch: number;
  readonly view: number;
  readonly previous: string;
  readonly timestamp: Time;
  readonly proposer: number;
  readonly transactions_root: string;
  readonly transaction_count: number;
  readonly state_root: string;
  readonly receipts_root: string;
  readonly graph_root: string;
  readonly authorities_hash: string;
  readonly next_authorities_hash: string;
}

export interface FirstScanAnswer {
  readonly at: Time;
  readonly height: number;
  readonly gate: string;
  readonly organisation: string;
  readonly transaction_id: string;
}

export interface ReceiptAnswer {
  readonly accepted: boolean;
  readonly code?: string;
  /** What the transaction is about: a ticket, event or tier. */
  readonly subject?: string;
  readonly first_scan?: FirstScanAnswer;
  /** The earlier transaction under the same idempotency key, whose outcome this repeats. */
  readonly replay_of?: string;
}

export interface TransactionAnswer {
  readonly id: string;
  readonly type: OperationKind;
  readonly organisation: string;
  readonly signer: string;
  readonly expires_at: Time;
  readonly nonce: number;
  readonly idempotency_key: string | null;
  /** The operation's fields in snake_case; bytes in base64. */
  readonly operation: Readonly<Record<string, unknown>>;
  /** Canonical N-Triples. */
  readonly statements: string | null;
  readonly signature: string;
  readonly receipt: ReceiptAnswer;
}

export interface BlockSummaryAnswer {
  readonly hash: string;
  readonly header: HeaderAnswer;
}

export interface BlocksAnswer {
  /** Newest first. */
  readonly blocks: readonly BlockSummaryAnswer[];
  /** What `before` takes for the next page; null at the end. */
  readonly next: number | null;
}

export interface BlockAnswer extends BlockSummaryAnswer {
  readonly transactions: readonly TransactionAnswer[];
  /** Where its certificate is: nodes may hold different ones, so it is no part of what is cached for ever. Null: genesis. */
  readonly certificate: string | null;
}

export interface CertificateAnswer {
  /** The block asked about. */
  readonly height: number;
  readonly hash: string;
  /** Of this block, or of a descendant, which proves its ancestors too. */
  readonly certificate: {
    readonly phase: 'PREPARE' | 'COMMIT';
    readonly epoch: number;
    readonly view: number;
    readonly height: number;
    readonly digest: string;
    readonly signatures: readonly {
      readonly seat: number;
      readonly authority: string | null;
      readonly signature: string;
    }[];
  };
  /** Headers from the block's child to the certified block; empty when it is certified itself. */
  readonly path: readonly HeaderAnswer[];
}

export type TransactionStateAnswer =
  | { readonly id: string; readonly state: 'pending' }
  | {
      readonly id: string;
      readonly state: 'final';
      readonly height: number;
      readonly block_hash: string;
      readonly receipt: ReceiptAnswer;
      readonly transaction: TransactionAnswer;
    };

/** Who did what to a case, and when. */
interface CaseStepAnswer {
  readonly note: string;
  readonly organisation: string;
  readonly at: Time;
  readonly height: number;
  readonly transaction_id: string;
}

/** What is contested about a ticket. */
export interface CaseAnswer extends CaseStepAnswer {
  readonly reason: string;
  readonly gate: string | null;
  /** Id of a transaction that speaks for it. */
  readonly evidence: string | null;
  /** Null as long as it is open. */
  readonly resolution: (CaseStepAnswer & { readonly outcome: string }) | null;
}

export interface TicketAnswer {
  readonly id: string;
  readonly state: TicketState;
  readonly standing: string;
  readonly version: number;
  readonly event_id: string;
  readonly tier_id: string;
  readonly seat: string | null;
  readonly gate: string | null;
  /** Salted commitment to the holder. */
  readonly holder: string | null;
  /** Of the token: one more with every change that makes the old barcode worthless. */
  readonly epoch: number;
  readonly transfers: number;
  /** Base64; opaque to the ledger. */
  readonly data: string;
  /** Height of the block that made this version. */
  readonly since: number;
  readonly first_scan: FirstScanAnswer | null;
  /** The case of a ticket that is DISPUTED. */
  readonly dispute: CaseAnswer | null;
  /** The newest case about it. */
  readonly case: CaseAnswer | null;
  readonly replaces: string | null;
  readonly replaced_by: string | null;
}

export interface TicketsAnswer {
  readonly tickets: readonly TicketAnswer[];
  /** What `cursor` takes for the next page; null at the end. */
  readonly next: string | null;
  /** The height of which this is true. */
  readonly as_of: number;
}

export interface HistoryAnswer {
  readonly versions: readonly {
    readonly version: number;
    readonly state: string;
    readonly standing: string;
    readonly epoch: number;
    readonly holder: string | null;
    readonly transaction_id: string;
    readonly type: OperationKind;
    readonly at: Time;
    readonly height: number;
    readonly agent: string;
    readonly gate?: string;
  }[];
  /** What `cursor` takes for the next page; null at the end. */
  readonly next: number | null;
}

/** A write that is final. */
export interface WriteAnswer {
  readonly transaction_id: string;
  readonly height: number;
  readonly block_hash: string;
  /** Of a write about one ticket. */
  readonly ticket?: TicketAnswer;
  /** Of a resolution that reissues: the ticket that takes the place of that one. */
  readonly replacement?: TicketAnswer;
  /** Of a batch. */
  readonly tickets?: readonly TicketAnswer[];
}

/** A decided scan: a refusal is an answer, not an error. */
export interface AdmitAnswer {
  readonly decision: 'ADMIT' | 'REFUSE';
  readonly code?: string;
  /** Why it was refused, in words. */
  readonly detail?: string;
  readonly ticket: TicketAnswer | null;
  readonly first_scan?: FirstScanAnswer;
  readonly transaction_id: string;
  readonly height: number;
}

export interface SeedAnswer {
  readonly event_id: string;
  readonly tickets: number;
  readonly added: number;
  readonly height: number;
}

export interface PeersAnswer {
  readonly peers: readonly {
    readonly id: string;
    readonly role: string;
    readonly direction: 'inbound' | 'outbound';
    readonly address: string;
    readonly head: { readonly height: number; readonly hash: string };
    readonly latency_ms: number | null;
    /** 0 for a peer that keeps the rules, down to -100 for one that is about to be banned. */
    readonly score: number;
  }[];
}

/** Whom a command to the node concerned. */
export interface PeerAnswer {
  readonly id?: string;
  readonly address?: string;
}

export interface BanAnswer {
  readonly id: string;
  /** `OPERATOR`, or the offence. */
  readonly reason: string;
  readonly since: string;
  readonly until: string;
  readonly times: number;
}

export interface BansAnswer {
  /** The latest to end first. */
  readonly banned: readonly BanAnswer[];
}

export interface AuthoritiesAnswer {
  readonly authorities: readonly {
    readonly id: string;
    readonly public_key: string;
    readonly organisation: string;
    readonly connected: boolean;
    readonly last_vote_height: number | null;
    readonly proposed: number;
    readonly signed: number;
  }[];
}

export interface ExplainAnswer {
  readonly moving: boolean;
  readonly code: string;
  readonly reason: string;
  readonly waiting_for: readonly { readonly authority: string; readonly since: Time; readonly why: string }[];
}

export interface EvidenceAnswer {
  readonly evidence: readonly {
    readonly id: string;
    readonly kind: string;
    readonly authority: string;
    readonly height: number | null;
    readonly view: number;
    /** The contradicting statements, readable, and all of it in canonical bytes as base64 in `bytes`. */
    readonly messages: readonly Readonly<Record<string, unknown>>[];
    readonly bytes: string;
  }[];
  /** Why this node has halted, with the statements that show it, each in canonical bytes as well; null while it has not. */
  readonly halt: {
    readonly reason: string;
    readonly certificates: readonly HaltStatement[];
    readonly checkpoints: readonly HaltStatement[];
  } | null;
}

interface HaltStatement extends Readonly<Record<string, unknown>> {
  readonly bytes: string;
}

export interface StatsAnswer {
  readonly node_id: string;
  readonly peer_count: number;
  readonly is_primary: boolean;
  readonly current_view: number;
  readonly sequence: number;
  readonly cache_size: number;
  readonly storage_stats: Readonly<Record<string, number>>;
  /** From arrival to finality; null until something became final. */
  readonly latency_ms: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
}

type FeedEventType =
  | 'block_finalised'
  | 'tickets_seeded'
  | 'ticket_issued'
  | 'ticket_validated'
  | 'ticket_consumed'
  | 'ticket_disputed'
  | 'ticket_transferred'
  | 'ticket_held'
  | 'ticket_released'
  | 'ticket_revoked'
  | 'case_opened'
  | 'case_resolved'
  | 'ticket_refused'
  | 'view_changed'
  | 'peer_joined'
  | 'peer_left'
  | 'evidence';

export interface FeedEvent {
  readonly type: FeedEventType;
  readonly height: number;
  /** Place within the height; null for what is of this node and moment, which is told once and never replayed. */
  readonly seq: number | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** RFC 9457. */
export interface ProblemAnswer {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly request_id: string;
  readonly transaction_id?: string;
  readonly height?: number;
  readonly first_scan?: FirstScanAnswer;
  /** Path of the field that was not taken. */
  readonly field?: string;
}
