import { assert, defined } from '../lib/assert.ts';
import { type AuthoritySet, authoritySetHash, primaryIndex, quorumOf, weakQuorumOf } from '../model/authorities.ts';
import { type Block, type Body, blockHash, type Header } from '../model/block.ts';
import type { Certificate, Phase, Vote } from '../model/certificate.ts';
import { type Hash, Height, Timestamp, type View } from '../model/ids.ts';
import { SYNC_BLOCKS_MAX, WINDOW_MAX } from '../model/limits.ts';
import type { Message, MessageOf, Status } from '../model/message.ts';
import type { Checkpoint, NewView, ViewChange } from '../model/view-change.ts';
import type { Effect, Pledge } from './effect.ts';
import type { Executed, Pending, Timer } from './event.ts';
import type { BlockReference, Hearing, JournalRecord, Retirement, Seen, Signed } from './record.ts';
import type { Pace, Timing } from './timing.ts';

/** What a replica is told once. */
export interface Configuration {
  readonly chainId: Hash;
  readonly authorities: AuthoritySet;
  /** Own seat; -1 for an observer: a node without a seat, or whose key must not vote any more. */
  readonly self: number;
  readonly timing: Timing;
  /** Blocks that this node proposes ahead of the final one; at most the chain's `windowMax`. */
  readonly window: number;
}

/** A block above the final one. */
export interface PendingBlock {
  readonly digest: Hash;
  readonly header: Header;
  /** Null while only the header is known. A body that is here matches the header's root. */
  body: Body | null;
  /** A function of the block and its ancestors alone; once known it stays. */
  verdict: 'unknown' | 'valid' | 'invalid';
  /** The execution that the host holds; `postponed` was aborted and is tried again later. */
  overlay: 'none' | 'running' | 'ready' | 'postponed';
  /** Whether its time was plausible when its header came. */
  readonly timely: boolean;
}

/** The newest final block. */
interface Final extends BlockReference {
  readonly header: Header;
  /** Null for genesis. */
  readonly certificate: Certificate | null;
}

/** Votes of one seat, by `slotKey`. */
export interface SeatVotes {
  current: Map<number, Vote>;
  /** Of one later view: its highest. */
  future: { readonly view: View; readonly votes: Map<number, Vote> } | null;
  /** COMMITs of earlier views, which may still complete a certificate. */
  past: Vote[];
}

/** What is known of another authority. */
export interface Peer {
  connected: boolean;
  status: Status | null;
  heardAt: Timestamp;
  answeredAt: number;
  viewChangeAt: number;
  rememberedAt: number;
}

/** All that a replica knows. Changed by `step` alone. */
export interface Replica {
  /** Its seat is given up when the key turns out to have signed more than this replica knows. */
  config: Configuration;
  readonly quorum: number;
  readonly weakQuorum: number;
  readonly authoritiesHash: Hash;
  now: Timestamp;
  out: Effect[];
  nextToken: number;
  readonly outstanding: Set<number>;
  readonly timers: Set<Timer>;

  view: View;
  mode: 'active' | 'changing' | 'halted';
  /** Why the key of this replica's seat must never sign again, once that has shown. */
  retired: Retirement | null;
  /** The highest that this seat has signed, by its own memory. */
  signed: Signed;
  /** The highest that was seen of each seat, to be told when it asks. */
  readonly seen: readonly Seen[];
  /** Since a start, until enough others have told what they saw of this seat; before, nothing is signed. */
  hearing: Hearing | null;
  /** Where the view begins: no PREPARE in it is for a block that does not extend this. */
  anchor: BlockReference;
  /** The NEW-VIEW that opened this view, when it came by one. */
  newView: NewView | null;
  /** The journal holds, or is about to hold, that this view was entered. */
  isEntryRecorded: boolean;
  /** Last own PREPARE of this view. */
  tip: BlockReference | null;
  /** Another branch than that of `tip` became final: no further PREPARE in this view (rule R1). */
  isTipForsaken: boolean;
  /** Own ballots decided in this view above the final block, by `slotKey`. */
  readonly decided: Map<number, Hash>;
  /** Own signed votes of this view above the final block. */
  ownVotes: Vote[];
  /** Own newest VIEW-CHANGE, as decided (unsigned until it has come back). */
  wish: Omit<ViewChange, 'signature'> | null;
  ownViewChange: MessageOf<'view-change'> | null;

  final: Final;
  /** Hashes of the last final blocks. */
  readonly finalDigests: Map<Height, Hash>;
  /** Final blocks that the store does not hold durably yet. */
  unstored: PendingBlock[];
  storedHeight: Height;
  /** No vote before the final block has reached this height (a journal that is ahead of the store). */
  voteFloor: Height;
  /** The view that a final block at a multiple of the rotation interval has ended. */
  spentView: View | null;
  /** The highest certificate whose whole path this node holds validated; never decreases. */
  highest: Certificate | null;
  /** Certificates above the final block that are not used up, by `certificateKey`. */
  readonly certificates: Map<string, Certificate>;
  readonly tree: Map<Hash, PendingBlock>;
  readonly journaled: Set<Hash>;

  readonly votes: readonly SeatVotes[];
  /** What the primary of this view proposed. */
  readonly proposals: Map<Height, { readonly digest: Hash; readonly vote: Vote }>;
  /** A proposal of a later view, one for each seat. */
  readonly early: Map<number, MessageOf<'pre-prepare'>>;
  /** The newest VIEW-CHANGE of each seat. */
  readonly viewChanges: Map<number, MessageOf<'view-change'>>;
  readonly checkpoints: readonly Checkpoint[][];
  stableCheckpoint: Height;
  truncatedAt: Height;
  checkpointsDue: Header[];
  /** What the newest blocks at checkpoint heights yielded here, oldest first. */
  executed: readonly Executed[];

  readonly peers: readonly Peer[];
  failures: number;
  wasQuorumHeard: boolean;
  suspicion: { progress: boolean; starvedAt: Timestamp | null; fault: boolean; equivocation: boolean };
  /** When the progress timer fires, so much has been waited in all; milliseconds. */
  progressWaitedMs: number;
  /** What a block takes here by measure; milliseconds. */
  blockMs: number;
  lastProgressAt: Timestamp;
  pending: Pending;
  building: { readonly view: View; readonly parent: Hash; readonly empty: boolean } | null;
  /** A block in flight on which there was nothing to build: what is pending is in it. */
  drained: Hash | null;
  isBatchDue: boolean;
  isEmptyDue: boolean;
  /** Whether others have been heard, so that a restarted primary does not propose out of ignorance. */
  mayPropose: boolean;
  askedNewViewAt: number;
  fetches: Map<Hash, number>;
  sync: { readonly peer: number; readonly askedAt: Timestamp } | null;
  syncAttempts: number;
  /** The shell fetches what is missing. */
  isSyncTakenOver: boolean;
  importing: {
    readonly from: number;
    readonly blocks: readonly BlockReference[];
    readonly headers: readonly Header[];
  } | null;
  readonly accused: Set<string>;
}

/** Timestamps that are before everything. */
const NEVER = Number.NEGATIVE_INFINITY;

export function slotKey(phase: Phase, height: Height): number {
  return 2 * height + (phase === 'COMMIT' ? 1 : 0);
}

export function primaryOf(replica: Replica, view: View): number {
  return primaryIndex(replica.config.authorities, view);
}

export function isPrimary(replica: Replica): boolean {
  return replica.config.self === primaryOf(replica, replica.view);
}

/** Whether this node may sign votes and proposals now. */
export function canVote(replica: Replica): boolean {
  const { mode, final, voteFloor } = replica;
  return mode === 'active' && final.height >= voteFloor && maySign(replica);
}

/** Whether this node may sign at all: it has a seat, and the others have told what they saw of it. */
export function maySign({ config, hearing }: Replica): boolean {
  return config.self >= 0 && hearing === null;
}

/** The chain's window: what is accepted from others. */
export function windowOf(replica: Replica): number {
  return replica.config.authorities.parameters.windowMax;
}

/** What this replica's timeouts are drawn from. */
export function paceOf({ config, failures, blockMs }: Replica): Pace {
  return { timing: config.timing, failures, windowMs: blockMs * config.window };
}

/** Final blocks that the store may still lose. With more of them nothing new is prepared: the journal brings back as many. */
export function unstoredMax(replica: Replica): number {
  return Math.min(8 * windowOf(replica), 2 * WINDOW_MAX);
}

/** Blocks between the store's newest and the highest that this node can have voted for. */
export function recoverableMax(replica: Replica): number {
  return unstoredMax(replica) + 2 * windowOf(replica);
}

assert(4 * WINDOW_MAX <= SYNC_BLOCKS_MAX, 'what a journal brings back has room under one certificate');

export function send(replica: Replica, to: number, message: Message): void {
  replica.out.push({ type: 'send', to, message });
}

export function broadcast(replica: Replica, message: Message): void {
  replica.out.push({ type: 'broadcast', message });
}

export function setTimer(replica: Replica, timer: Timer, delayMs: number): void {
  replica.timers.add(timer);
  replica.out.push({ type: 'set-timer', timer, delayMs: Math.max(0, Math.ceil(delayMs)) });
}

export function cancelTimer(replica: Replica, timer: Timer): void {
  if (replica.timers.delete(timer)) replica.out.push({ type: 'cancel-timer', timer });
}

/** Decides a statement: from here on the replica behaves as if it had been sent (docs/consensus.md, "Memory"). */
export function pledge(replica: Replica, statement: Pledge, support: readonly JournalRecord[]): void {
  assert(replica.config.self >= 0, 'an observer signs nothing');
  assert(replica.hearing === null, 'nothing is signed before the others were heard');
  const token = replica.nextToken;
  replica.nextToken += 1;
  replica.outstanding.add(token);
  const records = [...support];
  if (statement.kind === 'vote' || statement.kind === 'proposal') records.unshift(...entryRecord(replica));
  replica.out.push({ type: 'pledge', token, pledge: statement, support: records });
}

/** Durable with the first vote of a view at the latest. */
function entryRecord(replica: Replica): JournalRecord[] {
  if (replica.isEntryRecorded) return [];
  replica.isEntryRecorded = true;
  const { view, anchor, config } = replica;
  return [{ kind: 'entered', epoch: config.authorities.epoch, view, anchor }];
}

/** Ends this replica's part for good. */
export function halt(
  replica: Replica,
  reason: Extract<Effect, { type: 'halt' }>['reason'],
  certificates: readonly Certificate[],
  checkpoints: readonly Checkpoint[] = [],
): void {
  if (replica.mode === 'halted') return;
  replica.mode = 'halted';
  replica.out.push({ type: 'halt', reason, certificates, checkpoints });
}

/** What the host found on its disk. */
export interface Recovered {
  /** The newest block of the store and what makes it final; genesis with null. */
  readonly final: { readonly header: Header; readonly certificate: Certificate | null };
  /** The final blocks below it, as far as the store gives them cheaply; at least 4 windows make a restart smooth. */
  readonly ancestors: readonly BlockReference[];
  /** What the journal holds, oldest first. */
  readonly records: Iterable<JournalRecord>;
  /** It had halted for good; left out when it had not. */
  readonly isHalted?: boolean;
}

function checkConfiguration({ authorities, window, self }: Configuration): void {
  const { windowMax } = authorities.parameters;
  assert(self >= -1 && self < authorities.authorities.length, 'own seat is one of the set');
  assert(windowMax >= 1 && windowMax <= WINDOW_MAX, 'the window of the chain is within the limit');
  assert(window >= 1 && window <= windowMax, 'the own window is within that of the chain');
}

/** What is known of others at first: nothing. */
function emptyBooks(
  seats: number,
): Pick<Replica, 'votes' | 'checkpoints' | 'peers' | 'seen' | 'early' | 'viewChanges'> {
  const each = <T>(make: () => T): T[] => Array.from({ length: seats }, make);
  return {
    votes: each<SeatVotes>(() => ({ current: new Map(), future: null, past: [] })),
    checkpoints: each<Checkpoint[]>(() => []),
    peers: each<Peer>(() => ({
      connected: false,
      status: null,
      heardAt: Timestamp(0),
      answeredAt: NEVER,
      viewChangeAt: NEVER,
      rememberedAt: NEVER,
    })),
    seen: each<Seen>(() => ({ prepare: null, commit: null, viewChange: null })),
    early: new Map(),
    viewChanges: new Map(),
  };
}

/** The chain as the store has it. */
function chainOf({
  final: { header, certificate },
  ancestors,
}: Omit<Recovered, 'records'>): Pick<Replica, 'final' | 'finalDigests' | 'anchor' | 'storedHeight' | 'highest'> {
  const final: Final = { height: header.height, digest: blockHash(header), header, certificate };
  assert(certificate === null || certificate.digest === final.digest, 'the store certifies its newest block');
  return {
    final,
    finalDigests: new Map([...ancestors, final].map(({ height, digest }) => [height, digest])),
    anchor: { height: final.height, digest: final.digest },
    storedHeight: final.height,
    highest: certificate,
  };
}

/** A replica at the first view of its epoch that has heard nothing yet. */
export function emptyReplica(config: Configuration, recovered: Omit<Recovered, 'records'>): Replica {
  checkConfiguration(config);
  const seats = config.authorities.authorities.length;
  return {
    config,
    quorum: quorumOf(seats),
    weakQuorum: weakQuorumOf(seats),
    authoritiesHash: authoritySetHash(config.authorities),
    ...emptyBooks(seats),
    ...chainOf(recovered),
    now: Timestamp(0),
    out: [],
    nextToken: 1,
    outstanding: new Set(),
    timers: new Set(),
    view: config.authorities.startView,
    mode: 'active',
    retired: null,
    signed: { prepare: null, commit: null, newView: null },
    hearing: null,
    newView: null,
    isEntryRecorded: true,
    tip: null,
    isTipForsaken: false,
    decided: new Map(),
    ownVotes: [],
    wish: null,
    ownViewChange: null,
    unstored: [],
    voteFloor: Height(0),
    spentView: null,
    certificates: new Map(),
    tree: new Map(),
    journaled: new Set(),
    proposals: new Map(),
    stableCheckpoint: Height(0),
    truncatedAt: Height(0),
    checkpointsDue: [],
    executed: [],
    failures: 0,
    wasQuorumHeard: false,
    suspicion: noSuspicion(),
    progressWaitedMs: 0,
    blockMs: 0,
    lastProgressAt: Timestamp(0),
    pending: { count: 0, bytes: 0 },
    building: null,
    drained: null,
    isBatchDue: false,
    isEmptyDue: false,
    mayPropose: seats === 1,
    askedNewViewAt: NEVER,
    fetches: new Map(),
    sync: null,
    syncAttempts: 0,
    isSyncTakenOver: false,
    importing: null,
    accused: new Set(),
  };
}

/** Why the view is suspected; `equivocation` is proof enough to leave at once. */
export function noSuspicion(): Replica['suspicion'] {
  return { progress: false, starvedAt: null, fault: false, equivocation: false };
}

export function peerOf(replica: Replica, seat: number): Peer {
  return defined(replica.peers[seat], `no seat ${seat}`);
}

export function votesOf(replica: Replica, seat: number): SeatVotes {
  return defined(replica.votes[seat], `no seat ${seat}`);
}

/** The block as it is stored and sent. */
export function wholeBlock(block: PendingBlock): Block {
  return { header: block.header, body: defined(block.body, 'the body of a validated block is held') };
}
