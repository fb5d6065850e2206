import { assert } from '../lib/assert.ts';
import { type Block, blockHash, type Header } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import { type Hash, Height } from '../model/ids.ts';
import { WINDOW_MAX } from '../model/limits.ts';
import { compareRank } from '../model/view-change.ts';
import { dropOverlays, journalBlocks, pruneTree, trace } from './block-tree.ts';
import { decide, spentViewOf } from './proposals.ts';
import type { BlockReference, JournalRecord } from './record.ts';
import {
  broadcast,
  cancelTimer,
  canVote,
  halt,
  maySign,
  pledge,
  type Replica,
  slotKey,
  wholeBlock,
} from './replica.ts';
import { enterView, nextView, startViewChange } from './view.ts';
import { haltForSafety, pruneCertificates, pruneVotes, raise } from './votes.ts';

/** Rule R5, level-triggered: the highest certificate whose whole path is held and valid; what contradicts it ends the replica. */
export function raiseHighest(replica: Replica): boolean {
  let raised = false;
  for (const certificate of replica.certificates.values()) {
    const path = trace(replica, certificate);
    if (path.state === 'invalid') {
      halt(replica, 'DIVERGED', [certificate]);
      return false;
    }
    if (path.state === 'conflict' && certificate.phase === 'COMMIT') {
      haltForSafety(replica, certificate);
      return false;
    }
    if (path.state === 'valid') raised = raise(replica, certificate) || raised;
  }
  return raised;
}

/** A certificate of a view proves that the view exists: its block is an anchor of it (R2). */
export function joinByCertificate(replica: Replica): boolean {
  const { highest, view, mode } = replica;
  if (highest === null || highest.view < view || (highest.view === view && mode === 'active')) return false;
  enterView(replica, highest.view, highest, null);
  return true;
}

/** PBFT COMMIT, level-triggered (rule R3): lock, certificate and bodies are durable before it leaves. */
export function commit(replica: Replica): boolean {
  if (!canVote(replica)) return false;
  let voted = false;
  for (const certificate of replica.certificates.values()) {
    const { phase, view, height, digest } = certificate;
    if (phase !== 'PREPARE' || view !== replica.view || height <= replica.final.height) continue;
    if (replica.decided.has(slotKey('COMMIT', height))) continue;
    const path = trace(replica, certificate);
    if (path.state !== 'valid') continue;
    assert(
      replica.highest !== null && compareRank(replica.highest, certificate) >= 0,
      'what is committed is never claimed away',
    );
    const support: JournalRecord[] = [...journalBlocks(replica, path.blocks), { kind: 'certificate', certificate }];
    pledge(replica, { kind: 'vote', ballot: decide(replica, 'COMMIT', height, digest) }, support);
    voted = true;
  }
  return voted;
}

/** A COMMIT certificate makes its block and every ancestor final, once all of them are executed here. */
export function finalise(replica: Replica): boolean {
  if (replica.importing !== null) return false;
  let best: Certificate | null = null;
  for (const certificate of replica.certificates.values()) {
    if (certificate.phase !== 'COMMIT' || certificate.height <= (best?.height ?? replica.final.height)) continue;
    const path = trace(replica, certificate);
    if (path.state === 'valid' && path.blocks.every(({ overlay }) => overlay === 'ready')) best = certificate;
  }
  if (best === null) return false;
  const path = trace(replica, best);
  assert(path.state === 'valid', 'a final block has a valid path');
  const blocks: Block[] = path.blocks.map(wholeBlock);
  replica.out.push({ type: 'commit', blocks, certificate: best });
  replica.unstored.push(...path.blocks);
  for (const block of path.blocks) replica.tree.delete(block.digest);
  advanceFinal(
    replica,
    path.blocks.map(({ header, digest }) => ({ header, digest })),
    best,
  );
  return true;
}

interface FinalBlock {
  readonly header: Header;
  readonly digest: Hash;
}

/** Moves the final block along a path and forgets what that makes useless. */
function advanceFinal(replica: Replica, path: readonly FinalBlock[], certificate: Certificate): void {
  const last = path.at(-1);
  assert(last !== undefined && last.digest === certificate.digest, 'the certificate is of the last block');
  raise(replica, certificate);
  for (const { header, digest } of path) {
    assert(
      header.height === replica.final.height + 1 && header.previous === replica.final.digest,
      'final blocks follow each other',
    );
    assert(header.timestamp > replica.final.header.timestamp, 'block time advances');
    replica.final = { height: header.height, digest, header, certificate: null };
    replica.finalDigests.set(header.height, digest);
    replica.spentView = spentViewOf(replica, header) ?? replica.spentView;
    if (header.height % replica.config.authorities.parameters.checkpointInterval === 0)
      replica.checkpointsDue.push(header);
  }
  replica.final = { ...replica.final, certificate };
  if (certificate.view === replica.view) replica.failures = Math.max(0, replica.failures - 1);
  forsakeTip(replica);
  forget(replica);
}

/** Rule R1 across finality: votes above a final block must not leave the branch of the own votes below it. */
export function forsakeTip(replica: Replica): void {
  const { tip, final } = replica;
  if (tip === null || tip.height > final.height) return;
  if (replica.finalDigests.get(tip.height) !== tip.digest) replica.isTipForsaken = true;
}

function forget(replica: Replica): void {
  const { height } = replica.final;
  for (const old of replica.finalDigests.keys()) {
    if (old <= height - 8 * WINDOW_MAX) replica.finalDigests.delete(old);
  }
  for (const key of replica.decided.keys())
    if (key < slotKey('PREPARE', Height(height + 1))) replica.decided.delete(key);
  replica.ownVotes = replica.ownVotes.filter((vote) => vote.height > height);
  for (const key of replica.proposals.keys()) if (key <= height) replica.proposals.delete(key);
  pruneVotes(replica);
  pruneCertificates(replica);
  pruneTree(replica);
  replica.suspicion.progress = false;
  replica.lastProgressAt = replica.now;
  replica.isEmptyDue = false;
  replica.pending = { count: 0, bytes: 0 };
  cancelTimer(replica, 'progress');
  cancelTimer(replica, 'empty');
}

/** At every multiple of the interval the view that made the block ends by vote; level-triggered. */
export function rotate(replica: Replica): boolean {
  if (replica.mode !== 'active' || !maySign(replica) || replica.spentView !== replica.view) return false;
  offerFinal(replica);
  startViewChange(replica, nextView(replica.view));
  return true;
}

/** Tells all others what is final. */
function offerFinal(replica: Replica): void {
  const { header, certificate } = replica.final;
  if (certificate !== null) broadcast(replica, { kind: 'final', header, path: [], certificate });
}

/** The store is durable up to this height; while blocks are imported it runs ahead of what is final here. */
export function onStored(replica: Replica, height: Height): void {
  if (height <= replica.storedHeight) return;
  replica.storedHeight = height;
  replica.unstored = replica.unstored.filter(({ header }) => header.height > height);
}

/** Hands certified blocks to the host; until it answers, nothing else touches executions. */
export function startImport(replica: Replica, from: number, blocks: readonly Block[], certificate: Certificate): void {
  dropOverlays(replica, [...replica.tree.values()]);
  const headers = blocks.map(({ header }) => header);
  const references: BlockReference[] = headers.map((header) => ({ height: header.height, digest: blockHash(header) }));
  replica.importing = { from, blocks: references, headers };
  replica.building = null;
  replica.out.push({ type: 'import', from, blocks, certificate });
}

/** The host has checked, executed and stored what it was given. */
export function onImported(replica: Replica, header: Header, certificate: Certificate): void {
  const { importing, final } = replica;
  replica.importing = null;
  replica.sync = null;
  replica.syncAttempts = 0;
  if (importing === null || header.height <= final.height) return;
  const path = importing.headers.flatMap((one, index) => {
    const reference = importing.blocks[index];
    return reference === undefined || one.height <= final.height || one.height > header.height
      ? []
      : [{ header: one, digest: reference.digest }];
  });
  assert(path.at(-1)?.digest === certificate.digest, 'the import ends at the certified block');
  advanceFinal(replica, path, certificate);
}
