import { counted } from '../lib/words.ts';
import { Timestamp } from '../model/ids.ts';

/** What is known of one of the other authorities. */
export interface AuthorityFacts {
  readonly id: string;
  readonly connected: boolean;
  /** When this node last heard its status, or since when it is gone; milliseconds since 1970. */
  readonly heardAt: Timestamp;
  /** Its clock less ours when it last spoke, in milliseconds. */
  readonly clockOffsetMs: number | null;
  readonly isPrimary: boolean;
  /** By its own word it takes no part any more. */
  readonly isHalted: boolean;
  /** By its own word it follows without a vote. */
  readonly isObserver: boolean;
}

/** What a node that only follows knows of those it follows. */
export interface FollowerFacts {
  readonly peers: number;
  /** Of the connections that it tried lately, one that the other side refused. */
  readonly refusal: { readonly address: string; readonly reason: string } | null;
  /** How catching up goes on. */
  readonly blocksPerSecond: number | null;
  /** Peers that have the blocks that are missing here and answer. */
  readonly sources: number;
  /** Authorities that it has no session with: they may be there all the same. */
  readonly unseen: readonly string[];
}

/** The peers have another block than the operator vouches for. */
export interface Contradiction {
  readonly height: number;
  readonly trusted: string;
  readonly theirs: string;
}

/** All that an explanation is drawn from. */
export interface ChainFacts {
  readonly now: Timestamp;
  readonly lastFinalAt: Timestamp;
  readonly finalHeight: number;
  /** The height that others have reached, when this node is catching up with them. */
  readonly heightAhead: number | null;
  /** The oldest block that any peer still has, when all of them have removed the next one that is missing here. */
  readonly prunedBelow: number | null;
  readonly contradiction: Contradiction | null;
  /** Why no snapshot is fetched, on a node that would rather have one. */
  readonly noSnapshot: string | null;
  /** Transactions that wait for a block. */
  readonly waiting: number;
  /** How long the first of them has waited; 0 when there is none. */
  readonly oldestWaitMs: number;
  readonly mode: 'active' | 'changing' | 'halted';
  readonly view: number;
  readonly haltReason: string | null;
  /** Code of the failure of this node's disk or store, if any. */
  readonly failure: { readonly code: string; readonly message: string } | null;
  /** Why this node holds an authority's key and does not vote. */
  readonly observerReason: string | null;
  /** Where somebody else was lately who holds this node's keys. */
  readonly twinAddress: string | null;
  /** Lately another authority had no place for this node: whoever votes with its key holds its seat there. */
  readonly isSeatTaken: boolean;
  /** Authorities here that vote, this node included. */
  readonly voters: number;
  readonly quorum: number;
  /** One more than may be faulty. */
  readonly weakQuorum: number;
  readonly authorities: number;
  readonly others: readonly AuthorityFacts[];
  /** Null for a node that holds an authority's key. */
  readonly following: FollowerFacts | null;
  /** Work is overdue after this long without a block. */
  readonly patienceMs: number;
  /** How far honest clocks may be apart. */
  readonly precisionMs: number;
  /** How long an authority may be quiet. */
  readonly silenceMs: number;
}

export const CAUSES = [
  'MOVING',
  'IDLE',
  'DISK_FULL',
  'FAILED',
  'HALTED',
  'TWIN_KEY',
  'OBSERVER',
  'CLOCK_OFF',
  'CHECKPOINT_CONTRADICTED',
  'LAGGING',
  'NO_PEERS',
  'NO_QUORUM',
  'NO_QUORUM_SEEN',
  'SILENT_PRIMARY',
  'VIEW_CHANGE',
  'WAITING',
] as const;
export type Cause = (typeof CAUSES)[number];

export interface Explained {
  readonly moving: boolean;
  readonly reason: string;
  readonly code: Cause;
  readonly waitingFor: readonly { readonly authority: string; readonly since: Timestamp; readonly why: string }[];
}

/** Why the chain moves or does not, as this node sees it: the gravest cause first. */
export function explain(facts: ChainFacts): Explained {
  const waitingFor = facts.others.flatMap((one) => {
    const why = whyMissing(one);
    return why === undefined ? [] : [{ authority: one.id, since: one.heardAt, why }];
  });
  return { waitingFor, ...(ownTrouble(facts) ?? standstill(facts) ?? conditions(facts) ?? calm(facts)) };
}

function whyMissing({ connected, isHalted, isObserver }: AuthorityFacts): string | undefined {
  if (!connected) return 'not connected';
  if (isHalted) return 'it has halted: explain on that node says why';
  return isObserver ? 'it observes: its vote is lost' : undefined;
}

type Found = Omit<Explained, 'waitingFor'> & Partial<Pick<Explained, 'waitingFor'>>;

/** What is wrong with this node, and ends its part. */
function ownTrouble(facts: ChainFacts): Found | undefined {
  const { failure, haltReason } = facts;
  if (failure !== null) {
    const isFull = failure.code === 'DISK_FULL';
    const advice = isFull ? 'Make room and restart it.' : 'Mend the cause and restart it.';
    const reason = `This node has stopped taking part: ${failure.message}. ${advice} Reads go on.`;
    return { moving: false, code: isFull ? 'DISK_FULL' : 'FAILED', reason };
  }
  return haltReason === null ? undefined : { moving: false, code: 'HALTED', reason: haltSentence(haltReason) };
}

/** Why nothing becomes final here now. */
function standstill(facts: ChainFacts): Found | undefined {
  const { voters, quorum, authorities, heightAhead, finalHeight, observerReason, isSeatTaken, following } = facts;
  if (following !== null) return followerStandstill(facts, following);
  if (voters < quorum) {
    if (observerReason !== null && isSeatTaken) {
      const beside = 'Another node votes with its key and has its place among the authorities. Stop this one.';
      return { moving: false, code: 'OBSERVER', reason: `${observerSentence(observerReason)}. ${beside}` };
    }
    const missing = `nothing becomes final until ${quorum - voters} more return.`;
    const reason = `${voters} of ${authorities} authorities are here and a block needs ${quorum}: ${missing}${lostSentence(facts)}`;
    return { moving: false, code: 'NO_QUORUM', reason };
  }
  if (facts.contradiction !== null) return contradicted(facts.contradiction);
  if (heightAhead !== null) {
    const reason = `This node is at height ${finalHeight}, others are at ${heightAhead}: it is catching up.${snapshotSentence(facts)}${prunedSentence(facts)}`;
    return { moving: false, code: 'LAGGING', reason };
  }
  const clock = clockSentence(facts);
  if (!isOverdue(facts)) return undefined;
  if (clock !== undefined) return { moving: false, code: 'CLOCK_OFF', reason: clock };
  return overdue(facts);
}

/** Why a node that only follows is behind, or may be. */
function followerStandstill(facts: ChainFacts, following: FollowerFacts): Found | undefined {
  const { heightAhead, finalHeight } = facts;
  const { peers, refusal, sources, blocksPerSecond } = following;
  if (peers === 0) {
    const refused = refusal === null ? '' : ` ${refusal.address} refuses it: ${refusal.reason}.`;
    const reason = `No other node is connected, so nothing new is heard of.${refused} See bootstrap_peers in config.toml.`;
    return { moving: false, code: 'NO_PEERS', reason };
  }
  if (facts.contradiction !== null) return contradicted(facts.contradiction);
  if (heightAhead === null) return isOverdue(facts) ? followerOverdue(facts, following) : undefined;
  const from = sources === 0 ? 'none of its peers serves what is missing now' : `from ${counted(sources, 'peer')}`;
  const pace = blocksPerSecond === null || sources === 0 ? '' : `, ${counted(blocksPerSecond, 'block')} a second`;
  const reason = `This node is at height ${finalHeight}, a quorum has signed ${heightAhead}: it is catching up, ${from}${pace}.${snapshotSentence(facts)}${prunedSentence(facts)}`;
  return { moving: false, code: 'LAGGING', reason };
}

/** Work was passed on, and nothing is heard of it: whether the authorities can decide, a follower does not know. */
function followerOverdue(facts: ChainFacts, following: FollowerFacts): Found {
  const { voters, quorum, now, oldestWaitMs } = facts;
  if (voters >= quorum) return waits(facts);
  const reason = `${waits(facts).reason}${sightSentence(facts, following)} They may be down, or only out of its reach: explain on an authority tells.`;
  const since = Timestamp(Math.floor(now - oldestWaitMs));
  const why = 'not connected with this follower';
  const waitingFor = following.unseen.map((authority) => ({ authority, since, why }));
  return { moving: false, code: 'NO_QUORUM_SEEN', reason, waitingFor };
}

function sightSentence({ voters, authorities, quorum }: ChainFacts, { unseen }: FollowerFacts): string {
  const absent = unseen.length === 0 ? '' : ` Not connected with it: ${unseen.join(', ')}.`;
  return ` This follower sees ${voters} of ${authorities} authorities, and ${quorum} decide.${absent}`;
}

function contradicted({ height, trusted, theirs }: Contradiction): Found {
  const reason = `The chain of the peers is not the trusted one: at height ${height} they have ${theirs}, and trusted_checkpoint is ${trusted}. Nothing is taken from them. Ask two people who run a node for the right hash, and correct trusted_checkpoint in config.toml or the peers.`;
  return { moving: false, code: 'CHECKPOINT_CONTRADICTED', reason };
}

function snapshotSentence({ noSnapshot }: ChainFacts): string {
  return noSnapshot === null ? '' : ` It executes every block, without a snapshot: ${noSnapshot}.`;
}

/** What is needed when nobody here has the next block any more. */
function prunedSentence({ prunedBelow, finalHeight }: ChainFacts): string {
  if (prunedBelow === null) return '';
  return ` Its peers have removed block ${finalHeight + 1}, and keep those from ${prunedBelow} on: it needs a peer that keeps everything (retain_blocks = 0), or [storage] sync = "snapshot".`;
}

function isOverdue({ now, lastFinalAt, oldestWaitMs, patienceMs }: ChainFacts): boolean {
  return oldestWaitMs > patienceMs && now - lastFinalAt > patienceMs;
}

/** Work waits, a quorum is here, and no block comes. */
function overdue(facts: ChainFacts): Found {
  const { others, now, silenceMs, mode, view } = facts;
  const primary = others.find(({ isPrimary }) => isPrimary);
  const isSilent = primary !== undefined && (!primary.connected || now - primary.heardAt > silenceMs);
  if (isSilent || primary?.isHalted) {
    const { id, heardAt, isHalted } = primary;
    const what = isHalted ? 'has halted' : 'is silent';
    return {
      moving: false,
      code: 'SILENT_PRIMARY',
      reason: `The primary ${id} ${what}; the others are about to replace it.`,
      waitingFor: [{ authority: id, since: heardAt, why: `it is the primary and ${isHalted ? what : 'silent'}` }],
    };
  }
  if (mode === 'changing') {
    return { moving: false, code: 'VIEW_CHANGE', reason: `The authorities are agreeing on view ${view}.` };
  }
  return waits(facts);
}

function waits({ waiting, now, lastFinalAt }: ChainFacts): Found {
  const reason = `${counted(waiting, 'transaction')} ${waiting === 1 ? 'waits' : 'wait'}, the last block came ${seconds(now - lastFinalAt)} ago.`;
  return { moving: false, code: 'WAITING', reason };
}

/** What an operator must mend although the chain moves. */
function conditions(facts: ChainFacts): Found | undefined {
  const { twinAddress, observerReason } = facts;
  if (twinAddress !== null) {
    const reason = `Somebody at ${twinAddress} holds the keys of this node. Stop one of the two: a key that votes in two places is evidence against its owner.`;
    return { moving: true, code: 'TWIN_KEY', reason };
  }
  const clock = clockSentence(facts);
  if (clock !== undefined) return { moving: true, code: 'CLOCK_OFF', reason: clock };
  if (observerReason === null) return undefined;
  const edge = edgeSentence(facts);
  const reason = observerSentence(observerReason);
  return { moving: true, code: 'OBSERVER', reason: edge === '' ? reason : `${reason}.${edge}` };
}

function observerSentence(reason: string): string {
  return `This node follows without a vote: ${reason}`;
}

function calm(facts: ChainFacts): Found {
  const { now, lastFinalAt, waiting, patienceMs, following, voters, quorum } = facts;
  const age = seconds(now - lastFinalAt);
  if (now - lastFinalAt <= patienceMs) {
    const reason = `Blocks become final; the last one came ${age} ago.${missingSentences(facts)}`;
    return { moving: true, code: 'MOVING', reason };
  }
  const fresh = `${counted(waiting, 'transaction')} ${waiting === 1 ? 'has' : 'have'} just come`;
  const sight = following !== null && voters < quorum ? sightSentence(facts, following) : '';
  const reason = `${waiting === 0 ? 'Nothing waits' : fresh}; the last block came ${age} ago.${sight}${missingSentences(facts)}`;
  return { moving: true, code: 'IDLE', reason };
}

/** Who does not vote, and what that leaves. */
function missingSentences(facts: ChainFacts): string {
  const { others } = facts;
  const absent = named(others.filter(({ connected }) => !connected));
  const halted = named(others.filter(({ connected, isHalted }) => connected && isHalted));
  const sentences = `${absent === '' ? '' : ` Not connected: ${absent}.`}${halted === '' ? '' : ` Halted: ${halted}.`}${lostSentence(facts)}`;
  return sentences === '' ? '' : `${sentences}${edgeSentence(facts)}`;
}

/** Votes that do not come back by themselves. */
function lostSentence({ others }: ChainFacts): string {
  const observers = others.filter(({ connected, isObserver }) => connected && isObserver);
  if (observers.length === 0) return '';
  const what = observers.length === 1 ? 'observes: its vote is lost' : 'observe: their votes are lost';
  return ` ${named(observers)} ${what}.`;
}

/** Whether all that vote are needed. */
function edgeSentence({ voters, quorum, authorities, following }: ChainFacts): string {
  if (following !== null || voters !== quorum || voters === authorities) return '';
  return ` ${voters} of ${authorities} vote and ${quorum} decide: without one more of them nothing becomes final.`;
}

function named(authorities: readonly AuthorityFacts[]): string {
  return authorities.map(({ id }) => id).join(', ');
}

function haltSentence(reason: string): string {
  switch (reason) {
    case 'DIVERGED':
      return 'Halted: what this node executes is not what the others certify or state; GET /api/v1/evidence shows what. It stays halted until data/ (never the journal) was removed: then it executes the chain anew. If it happens again it is a bug.';
    case 'SAFETY':
      return 'Halted: two certificates for different blocks at one height exist, so more than f authorities are faulty. GET /api/v1/evidence shows both; people must decide. It stays halted until they have, and data/ (never the journal) was removed.';
    default:
      return `Halted: ${reason}.`;
  }
}

/** Off when most of those who speak, and more than may lie, are off on the same side. */
function clockSentence({ others, precisionMs, weakQuorum }: ChainFacts): string | undefined {
  const offsets = others.flatMap(({ connected, clockOffsetMs }) =>
    connected && clockOffsetMs !== null ? [clockOffsetMs] : [],
  );
  const enough = Math.max(weakQuorum, Math.floor(offsets.length / 2) + 1);
  for (const side of [1, -1]) {
    const far = offsets.map((offset) => side * offset).filter((offset) => offset > precisionMs);
    if (far.length < enough) continue;
    const median = far.sort((a, b) => a - b)[Math.floor(far.length / 2)] ?? 0;
    const direction = side > 0 ? 'behind' : 'ahead of';
    return `The clock of this node is ${seconds(median)} ${direction} the other authorities: set it right (NTP), or its proposals are refused.`;
  }
  return undefined;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}
