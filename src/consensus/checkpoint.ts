import { assert } from '../lib/assert.ts';
import { blockHash, blockLayout } from '../model/block.ts';
import { encode } from '../model/codec.ts';
import type { Height } from '../model/ids.ts';
import { BLOCK_BYTES_MAX, WINDOW_MAX } from '../model/limits.ts';
import type { Checkpoint } from '../model/view-change.ts';
import { journalBlocks, trace } from './block-tree.ts';
import type { Executed } from './event.ts';
import type { JournalRecord } from './record.ts';
import { halt, maySign, type PendingBlock, pledge, type Replica, wholeBlock } from './replica.ts';

/** CHECKPOINTs that are kept of each seat. */
const CHECKPOINTS_PER_SEAT_MAX = 2;

export function isCheckpointWanted(replica: Replica, checkpoint: Checkpoint): boolean {
  const { epoch, parameters } = replica.config.authorities;
  const { height, signer } = checkpoint;
  if (checkpoint.epoch !== epoch || height % parameters.checkpointInterval !== 0) return false;
  if (height <= replica.stableCheckpoint) return false;
  return !(replica.checkpoints[signer] ?? []).some((held) => held.height === height);
}

/** Signs a CHECKPOINT for what the store holds durably. */
export function signCheckpoints(replica: Replica): void {
  const { config } = replica;
  const newest = replica.checkpointsDue.findLast(({ height }) => height <= replica.storedHeight);
  if (newest === undefined) return;
  const isTooEarly = config.self >= 0 && !maySign(replica);
  // One is signed, the newest: a replica that hears nobody for long remembers no others.
  replica.checkpointsDue = replica.checkpointsDue.filter(
    (header) => header.height > replica.storedHeight || (isTooEarly && header === newest),
  );
  if (isTooEarly) return;
  const own = replica.executed.find(({ height }) => height === newest?.height);
  if (config.self < 0 || own === undefined) return;
  assert(own.digest === blockHash(newest), 'what is stored is what is final');
  const { height, digest, stateRoot } = own;
  const checkpoint = { epoch: config.authorities.epoch, height, digest, stateRoot, signer: config.self };
  pledge(replica, { kind: 'checkpoint', checkpoint }, []);
}

/** Blocks were executed and stored here: what those at checkpoint heights yielded is compared with what others say. */
export function onExecuted(replica: Replica, executed: readonly Executed[]): void {
  const { checkpointInterval } = replica.config.authorities.parameters;
  const due = executed.filter(({ height }) => height % checkpointInterval === 0);
  if (due.length === 0) return;
  replica.executed = [...replica.executed, ...due].slice(-CHECKPOINTS_PER_SEAT_MAX);
  haltIfDiverged(replica);
}

/**
 * So many others contradict this replica's own execution that no quorum is left to share it (n - q + 1, which is f + 1 or
 * more): at least one of them is honest, and this replica is wrong, whatever the reason. It must not sign what rests on that.
 */
function haltIfDiverged(replica: Replica): void {
  const enough = replica.peers.length - replica.quorum + 1;
  for (const own of replica.executed) {
    const contrary = replica.checkpoints.flatMap((held, seat) =>
      held.filter((other) => seat !== replica.config.self && other.height === own.height && !isSame(other, own)),
    );
    if (contrary.length >= enough) halt(replica, 'DIVERGED', [], contrary);
  }
}

function isSame(a: Executed, b: Executed): boolean {
  return a.height === b.height && a.digest === b.digest && a.stateRoot === b.stateRoot;
}

/** A quorum of equal CHECKPOINTs is stable: what is below may be forgotten once this node holds it durably. */
export function onCheckpoint(replica: Replica, checkpoint: Checkpoint): void {
  const held = replica.checkpoints[checkpoint.signer];
  if (held === undefined || !isCheckpointWanted(replica, checkpoint)) return;
  held.push(checkpoint);
  if (held.length > CHECKPOINTS_PER_SEAT_MAX) held.shift();
  const equal = replica.checkpoints.filter((some) => some.some((one) => isSame(one, checkpoint)));
  if (equal.length >= replica.quorum) replica.stableCheckpoint = checkpoint.height;
  haltIfDiverged(replica);
}

/**
 * Truncates the journal below a stable checkpoint (docs/consensus.md, "Memory"): only when the store holds every final block and
 * nothing is on its way into the journal, for then the snapshot says everything that the records before it say.
 */
export function truncate(replica: Replica): void {
  const { stableCheckpoint, truncatedAt, storedHeight, final, outstanding, config } = replica;
  if (config.self < 0 || stableCheckpoint <= truncatedAt || storedHeight < stableCheckpoint) return;
  if (storedHeight < final.height || outstanding.size > 0 || replica.importing !== null) return;
  if (final.height < replica.voteFloor) return;
  const snapshot = makeSnapshot(replica, final.height);
  if (snapshot === null) return;
  replica.truncatedAt = stableCheckpoint;
  replica.out.push({ type: 'truncate', snapshot });
}

function makeSnapshot(replica: Replica, height: Height): JournalRecord | null {
  const { highest, config, view, mode, anchor, tip, ownVotes, newView, ownViewChange } = replica;
  if (mode === 'halted' || (mode === 'changing' && ownViewChange === null)) return null;
  // More than the window allows: a store that was lost, and has not caught up with the own votes yet.
  if (ownVotes.length > 4 * WINDOW_MAX) return null;
  const blocks = blocksToKeep(replica);
  if (blocks === null) return null;
  replica.journaled.clear();
  journalBlocks(replica, blocks);
  const isOwn = newView !== null && view % replica.votes.length === config.self;
  return {
    kind: 'snapshot',
    epoch: config.authorities.epoch,
    view,
    mode,
    anchor,
    tip,
    votes: ownVotes,
    signed: { ...replica.signed },
    blocks: blocks.map(wholeBlock),
    highest,
    viewChange: ownViewChange?.viewChange ?? null,
    claimed: ownViewChange?.certificate ?? null,
    newView: isOwn ? newView : null,
    checkpoint: height,
  };
}

/** What the highest certificate and the own last vote rest on; null when that is not here, or too much for one record. */
function blocksToKeep(replica: Replica): PendingBlock[] | null {
  const { highest, tip } = replica;
  const locked = highest === null ? null : trace(replica, highest);
  if (locked !== null && locked.state !== 'valid') return null;
  const voted = tip === null ? null : trace(replica, tip);
  const kept = new Set(locked === null ? [] : locked.blocks);
  if (voted?.state === 'valid') for (const block of voted.blocks) kept.add(block);
  const bytes = [...kept].reduce((size, block) => size + encode(blockLayout, wholeBlock(block)).length, 0);
  return kept.size <= WINDOW_MAX && bytes <= WINDOW_MAX * BLOCK_BYTES_MAX ? [...kept] : null;
}
