import { assert } from '../lib/assert.ts';
import { type Block, blockHash } from '../model/block.ts';
import type { Certificate, Vote } from '../model/certificate.ts';
import { type Hash, Height, type View } from '../model/ids.ts';
import type { MessageOf } from '../model/message.ts';
import type { Checkpoint, NewView } from '../model/view-change.ts';
import { forsakeTip } from './commit.ts';
import { noteSigned } from './own-signatures.ts';
import { spentViewOf } from './proposals.ts';
import type { BlockReference, JournalRecord, Retirement, Signed } from './record.ts';
import {
  type Configuration,
  emptyReplica,
  primaryOf,
  type Recovered,
  type Replica,
  recoverableMax,
  slotKey,
} from './replica.ts';
import { addVote, isVoteHeight, isVoteWanted, raise } from './votes.ts';

/** What the records of a journal say together. */
interface Memory {
  view: View;
  anchor: { readonly view: View; readonly reference: BlockReference | null } | null;
  tip: { readonly view: View; readonly reference: BlockReference } | null;
  votes: Vote[];
  viewChange: MessageOf<'view-change'> | null;
  newView: NewView | null;
  checkpoint: Checkpoint | null;
  certificates: Certificate[];
  floor: Height;
  readonly signed: Signed;
  retired: Retirement | null;
  readonly blocks: Map<Hash, Block>;
}

/** A replica as it was before it stopped: it contradicts nothing that it signed (docs/consensus.md, "Memory"). */
export function createReplica(config: Configuration, recovered: Recovered): Replica {
  const memory = fold(config, recovered.records);
  const { retired } = memory;
  const replica = emptyReplica(retired === null ? config : { ...config, self: -1 }, recovered);
  replica.retired = retired;
  // What such a key has signed was said long ago, and is not said again.
  if (retired !== null || recovered.isHalted === true) {
    if (recovered.isHalted === true) replica.mode = 'halted';
    return replica;
  }
  replica.signed = memory.signed;
  for (const certificate of memory.certificates) raise(replica, certificate);
  replica.voteFloor = memory.floor;
  replica.spentView = spentViewOf(replica, replica.final.header);
  const { checkpointInterval } = config.authorities.parameters;
  replica.stableCheckpoint = Height(memory.floor - (memory.floor % checkpointInterval));
  replica.truncatedAt = replica.stableCheckpoint;
  for (const digest of memory.blocks.keys()) replica.journaled.add(digest);
  restoreView(replica, memory);
  restoreBlocks(replica, memory);
  restoreVotes(replica, memory);
  if (memory.checkpoint !== null && config.self >= 0) replica.checkpoints[config.self]?.push(memory.checkpoint);
  return replica;
}

function fold(config: Configuration, records: Iterable<JournalRecord>): Memory {
  const memory: Memory = {
    view: config.authorities.startView,
    anchor: null,
    tip: null,
    votes: [],
    viewChange: null,
    newView: null,
    checkpoint: null,
    certificates: [],
    floor: Height(0),
    signed: { prepare: null, commit: null, newView: null },
    retired: null,
    blocks: new Map(),
  };
  for (const record of records) remember(memory, record);
  return memory;
}

function remember(memory: Memory, record: JournalRecord): void {
  switch (record.kind) {
    case 'vote':
      reach(memory, record.vote.view);
      memory.votes.push(record.vote);
      noteSigned(memory, record.vote);
      return;
    case 'block':
      memory.blocks.set(blockHash(record.block.header), record.block);
      return;
    case 'certificate':
      memory.certificates.push(record.certificate);
      return;
    case 'view-change':
      reach(memory, record.viewChange.newView);
      memory.viewChange = { kind: 'view-change', viewChange: record.viewChange, certificate: record.certificate };
      if (record.certificate !== null) memory.certificates.push(record.certificate);
      return;
    case 'new-view':
      reach(memory, record.newView.view);
      memory.newView = record.newView;
      memory.signed.newView = record.newView.view;
      memory.anchor = { view: record.newView.view, reference: record.newView.anchor };
      return;
    case 'checkpoint':
      memory.checkpoint = record.checkpoint;
      return;
    case 'entered':
      reach(memory, record.view);
      memory.anchor = { view: record.view, reference: record.anchor };
      return;
    case 'snapshot':
      rememberSnapshot(memory, record);
      return;
    case 'retired':
      memory.retired = record.reason;
      return;
  }
}

/** Votes of earlier views are of no use: nothing is signed in those again. */
function reach(memory: Memory, view: View): void {
  if (view <= memory.view) return;
  memory.view = view;
  memory.votes = [];
  memory.tip = null;
}

function rememberSnapshot(memory: Memory, record: Extract<JournalRecord, { kind: 'snapshot' }>): void {
  reach(memory, record.view);
  memory.votes = [...record.votes];
  Object.assign(memory.signed, record.signed);
  memory.tip = record.tip === null ? null : { view: record.view, reference: record.tip };
  if (record.mode === 'active') memory.anchor = { view: record.view, reference: record.anchor };
  memory.newView = record.newView;
  if (record.viewChange !== null) {
    memory.viewChange = { kind: 'view-change', viewChange: record.viewChange, certificate: record.claimed };
  }
  if (record.highest !== null) memory.certificates.push(record.highest);
  for (const block of record.blocks) memory.blocks.set(blockHash(block.header), block);
  memory.floor = record.checkpoint;
}

function restoreView(replica: Replica, memory: Memory): void {
  const { view, anchor, viewChange, newView } = memory;
  const { config, final } = replica;
  replica.view = view;
  const wasEntered = anchor?.view === view || view === config.authorities.startView;
  assert(wasEntered || memory.votes.length === 0, 'the journal has the entry into a view before its first vote');
  replica.wish = viewChange?.viewChange ?? null;
  replica.ownViewChange = viewChange;
  if (wasEntered) {
    replica.mode = 'active';
    if (anchor?.view === view) replica.anchor = anchor.reference ?? { height: final.height, digest: final.digest };
    if (newView?.view === view) replica.newView = newView;
    return;
  }
  replica.mode = 'changing';
  assert(viewChange?.viewChange.newView === view, 'a view that was not entered was asked for');
  replica.viewChanges.set(config.self, viewChange);
}

/** The locked path and the paths of own votes; executed anew before anything is built on them. */
function restoreBlocks(replica: Replica, memory: Memory): void {
  const tops = [replica.highest, replica.anchor, ...memory.votes].filter((top) => top !== null);
  // What is deeper was durable in the store: if that is lost as well, others have it.
  const depth = tops.reduce((height, top) => Math.max(height, top.height), 0) - recoverableMax(replica);
  const floor = Math.max(replica.final.height, depth);
  for (const top of tops) {
    let digest = top.digest;
    for (;;) {
      const block = memory.blocks.get(digest);
      if (block === undefined || block.header.height <= floor || replica.tree.has(digest)) break;
      const { header, body } = block;
      replica.tree.set(digest, { digest, header, body, verdict: 'unknown', overlay: 'none', timely: true });
      digest = header.previous;
    }
  }
}

function restoreVotes(replica: Replica, memory: Memory): void {
  const { view, final, config } = replica;
  if (memory.tip !== null) replica.tip = memory.tip.reference;
  for (const vote of memory.votes) {
    assert(vote.view === view, 'the votes that are kept are of the newest view');
    const { phase, height, digest } = vote;
    if (phase === 'PREPARE' && height > (replica.tip?.height ?? -1)) replica.tip = { height, digest };
    if (height <= final.height) continue;
    replica.decided.set(slotKey(phase, height), digest);
    replica.ownVotes.push(vote);
    if (config.self < 0) continue;
    if (isVoteWanted(replica, vote)) addVote(replica, vote);
    const isProposal = phase === 'PREPARE' && primaryOf(replica, view) === config.self && isVoteHeight(replica, height);
    if (isProposal && replica.tree.has(digest)) replica.proposals.set(height, { digest, vote });
  }
  forsakeTip(replica);
}
