import { assert } from '../lib/assert.ts';
import { type Body, blockHash, HEADER_VERSION, type Header } from '../model/block.ts';
import type { Ballot, Phase } from '../model/certificate.ts';
import { type Hash, Height, type View } from '../model/ids.ts';
import type { MessageOf } from '../model/message.ts';
import { descends, insertBlock, journalBlocks, trace } from './block-tree.ts';
import type { Proposal } from './event.ts';
import { accuse, detectBranch } from './evidence.ts';
import { noteSigned } from './own-signatures.ts';
import {
  canVote,
  isPrimary,
  type PendingBlock,
  pledge,
  type Replica,
  setTimer,
  slotKey,
  unstoredMax,
  windowOf,
} from './replica.ts';
import { BATCH_TRANSACTIONS_MIN } from './timing.ts';
import { addVote, coveredUpTo, isVoteWanted } from './votes.ts';

/** PBFT PRE-PREPARE: verified, of the primary of its own view, and within the bounds of `wants`. */
export function onPrePrepare(replica: Replica, message: MessageOf<'pre-prepare'>): void {
  const { header, body, vote } = message;
  if (vote.view > replica.view || replica.mode === 'changing') {
    replica.early.set(vote.signer, message);
    if (isVoteWanted(replica, vote)) addVote(replica, vote);
    return;
  }
  const held = replica.proposals.get(header.height);
  if (held !== undefined && held.digest !== vote.digest) {
    accuse(replica, { kind: 'double-vote', first: held.vote, second: vote });
    return;
  }
  insertBlock(replica, vote.digest, header, body);
  replica.proposals.set(header.height, { digest: vote.digest, vote });
  if (isVoteWanted(replica, vote)) addVote(replica, vote);
  detectBranch(replica, vote);
}

/** Proposals that came before their view did. */
export function takeEarlyProposals(replica: Replica): boolean {
  if (replica.mode !== 'active') return false;
  let taken = false;
  for (const [seat, message] of replica.early) {
    if (message.vote.view > replica.view) continue;
    replica.early.delete(seat);
    if (message.vote.view < replica.view || message.header.height <= replica.final.height) continue;
    onPrePrepare(replica, message);
    taken = true;
  }
  return taken;
}

/** Whether this block may be voted for in this view, whatever is in it (docs/protocol.md, section 13, "Vote conditions"). */
function mayVote(replica: Replica, block: PendingBlock): boolean {
  if (block.digest === replica.anchor.digest) return true;
  return (
    block.header.view === replica.view &&
    block.timely &&
    block.header.height <= replica.final.height + windowOf(replica)
  );
}

/** The view that ends with this block by rotation, if one does; the block below the first of an epoch ends none. */
export function spentViewOf(replica: Replica, { height, view }: Header): View | null {
  const { firstHeight, parameters } = replica.config.authorities;
  const { rotationInterval } = parameters;
  return rotationInterval > 0 && height >= firstHeight && height % rotationInterval === 0 ? view : null;
}

/** Where the view must end, nothing is built on top within it. */
function isViewOver(replica: Replica, parent: Header): boolean {
  return spentViewOf(replica, parent) === replica.view;
}

/** Rules R1 and R2 and the vote conditions, for a block whose whole path is here and valid. */
function isPrepareAllowed(replica: Replica, path: readonly PendingBlock[]): boolean {
  const { final, anchor, tip } = replica;
  const block = path.at(-1);
  if (block === undefined || replica.isTipForsaken) return false;
  if (!descends(replica, path, anchor)) return false;
  if (tip !== null && (block.header.height <= tip.height || !descends(replica, path, tip))) return false;
  const covered = coveredUpTo(replica, path.slice(0, -1));
  const settled = Math.max(anchor.height, covered);
  if (!path.every((one) => (one.header.height <= settled && one !== block) || mayVote(replica, one))) return false;
  const parents = [final.header, ...path.slice(0, -1).map(({ header }) => header)];
  return !parents.some((parent) => isViewOver(replica, parent));
}

/** A store that does not keep up: the next block waits for it. */
function isStoreBehind(replica: Replica): boolean {
  return replica.final.height - replica.storedHeight > unstoredMax(replica);
}

/** PBFT PREPARE, level-triggered: every proposal of this view that may be voted for now, in the order of heights. */
export function prepare(replica: Replica): boolean {
  if (!canVote(replica) || isPrimary(replica) || isStoreBehind(replica)) return false;
  const heights = [...replica.proposals.keys()].sort((a, b) => a - b);
  let voted = false;
  for (const height of heights) {
    const digest = replica.proposals.get(height)?.digest;
    if (digest === undefined || height <= Math.max(replica.final.height, replica.tip?.height ?? 0)) continue;
    const path = trace(replica, { height, digest });
    if (path.state !== 'valid' || path.blocks.at(-1)?.overlay !== 'ready') continue;
    if (!isPrepareAllowed(replica, path.blocks)) continue;
    const ballot = decide(replica, 'PREPARE', height, digest);
    pledge(replica, { kind: 'vote', ballot }, []);
    voted = true;
  }
  return voted;
}

/** From here on this replica has voted (invariant 3: one digest for each slot, PREPAREs of a view on one branch). */
export function decide(replica: Replica, phase: Phase, height: Height, digest: Hash): Ballot {
  const { view, tip, anchor, config } = replica;
  assert(canVote(replica), 'a vote is of an active view');
  assert(!replica.decided.has(slotKey(phase, height)), 'one vote for each slot');
  if (phase === 'PREPARE') {
    assert(tip === null || height > tip.height, 'PREPAREs of a view ascend');
    assert(height >= anchor.height && (height > anchor.height || digest === anchor.digest), 'no vote below the anchor');
    replica.tip = { height, digest };
  }
  replica.decided.set(slotKey(phase, height), digest);
  const ballot: Ballot = { phase, epoch: config.authorities.epoch, view, height, digest };
  noteSigned(replica, ballot);
  return ballot;
}

/** The block that the primary builds on next, if it may. */
function parentForBuild(replica: Replica): { readonly digest: Hash; readonly header: Header } | null {
  const { final, tip, anchor } = replica;
  if (replica.isTipForsaken) return null;
  const last = tip ?? anchor;
  if (last.height <= final.height) return final;
  const block = replica.tree.get(last.digest);
  if (block === undefined || block.overlay !== 'ready' || block.verdict !== 'valid') return null;
  return trace(replica, last).state === 'valid' ? block : null;
}

/** The primary's duty: an anchor that is not final first, then fresh blocks within the window. */
export function propose(replica: Replica): void {
  if (!canVote(replica) || !isPrimary(replica) || isStoreBehind(replica)) return;
  if (replica.importing !== null || replica.building !== null) return;
  if (replica.tip === null && replica.anchor.height > replica.final.height) {
    proposeAnchor(replica);
    return;
  }
  if (!replica.mayPropose) return;
  const parent = parentForBuild(replica);
  const { final, config, pending } = replica;
  if (parent === null || parent.header.height >= final.height + config.window) return;
  if (isViewOver(replica, parent.header) || isViewOver(replica, final.header)) return;
  const inFlight = parent.header.height - final.height;
  const empty = replica.isEmptyDue && inFlight === 0 && pending.count === 0;
  if ((pending.count === 0 || replica.drained === parent.digest) && !empty) return;
  const { timing } = config;
  if (inFlight > 0 && pending.count < BATCH_TRANSACTIONS_MIN && !replica.isBatchDue) {
    if (!replica.timers.has('batch')) setTimer(replica, 'batch', timing.batchMs);
    return;
  }
  const early = parent.header.timestamp - timing.precisionMs - replica.now;
  if (early > 0) {
    if (!replica.timers.has('batch')) setTimer(replica, 'batch', early);
    return;
  }
  replica.isBatchDue = false;
  replica.building = { view: replica.view, parent: parent.digest, empty };
  replica.out.push({ type: 'build', view: replica.view, parent: parent.digest, empty });
}

/** Re-proposal: the header alone, for whoever accepted the NEW-VIEW holds or fetches the body. */
function proposeAnchor(replica: Replica): void {
  const { anchor } = replica;
  const path = trace(replica, anchor);
  const block = replica.tree.get(anchor.digest);
  if (path.state !== 'valid' || block?.overlay !== 'ready') return;
  if (!isPrepareAllowed(replica, path.blocks)) return;
  const support = journalBlocks(replica, path.blocks);
  const ballot = decide(replica, 'PREPARE', anchor.height, anchor.digest);
  pledge(replica, { kind: 'proposal', ballot, header: block.header, body: null }, support);
}

/** The host built a block: this makes its header and proposes it, unless the world has moved on. */
export function onBuilt(replica: Replica, built: { view: number; parent: Hash; proposal: Proposal | null }): void {
  const { building } = replica;
  if (building === null || building.view !== built.view || building.parent !== built.parent) return;
  replica.building = null;
  const { proposal } = built;
  if (proposal === null) {
    // Above blocks in flight it only says that they hold all there is: they may still be lost with their view.
    if (built.parent === replica.final.digest) replica.pending = { count: 0, bytes: 0 };
    else replica.drained = built.parent;
    return;
  }
  const parent = parentForBuild(replica);
  if (!canVote(replica) || parent?.digest !== built.parent) return;
  if (parent.header.height >= replica.final.height + replica.config.window) return;
  const header = headerOf(replica, parent, proposal);
  assert(header.timestamp > parent.header.timestamp, 'the host builds later than the parent');
  replica.isEmptyDue = false;
  const digest = blockHash(header);
  insertBlock(replica, digest, header, proposal.body);
  const block = replica.tree.get(digest);
  if (block === undefined) return;
  assert(block.body !== null, 'what this node built matches its root');
  block.verdict = 'valid';
  block.overlay = 'ready';
  proposeBlock(replica, block, proposal.body);
}

function proposeBlock(replica: Replica, block: PendingBlock, body: Body): void {
  const path = trace(replica, { height: block.header.height, digest: block.digest });
  assert(path.state === 'valid', 'a block is built on a valid path');
  if (!isPrepareAllowed(replica, path.blocks)) return;
  const support = journalBlocks(replica, path.blocks);
  const ballot = decide(replica, 'PREPARE', block.header.height, block.digest);
  pledge(replica, { kind: 'proposal', ballot, header: block.header, body }, support);
}

function headerOf(
  replica: Replica,
  parent: { readonly digest: Hash; readonly header: Header },
  proposal: Proposal,
): Header {
  const { config, view } = replica;
  return {
    version: HEADER_VERSION,
    chainId: config.chainId,
    height: Height(parent.header.height + 1),
    epoch: config.authorities.epoch,
    view,
    previous: parent.digest,
    timestamp: proposal.timestamp,
    proposer: config.self,
    ...proposal.roots,
    authoritiesHash: replica.authoritiesHash,
  };
}
