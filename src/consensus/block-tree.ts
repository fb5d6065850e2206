import { assert } from '../lib/assert.ts';
import { primaryIndex } from '../model/authorities.ts';
import { type Body, type Header, transactionsRoot } from '../model/block.ts';
import { type Hash, Height, ZERO_HASH } from '../model/ids.ts';
import type { BlockReference, JournalRecord } from './record.ts';
import { type PendingBlock, type Replica, wholeBlock, windowOf } from './replica.ts';
import { lateMsMax } from './timing.ts';

/** The way from the final block up to one that somebody named. */
export type Trace =
  /** Every block of it is held; ascending, without the final one. `valid` when all were found valid. */
  | { readonly state: 'held' | 'valid'; readonly blocks: readonly PendingBlock[] }
  /** This block's header or body is not here. */
  | { readonly state: 'missing'; readonly digest: Hash; readonly height: Height }
  /** It does not lead to the final block. */
  | { readonly state: 'conflict' }
  /** One of its blocks was found invalid. */
  | { readonly state: 'invalid' };

const NOTHING: Trace = { state: 'valid', blocks: [] };
const CONFLICT: Trace = { state: 'conflict' };
const INVALID: Trace = { state: 'invalid' };

/** Follows the parents of a block down to the final one. */
export function trace(replica: Replica, from: BlockReference): Trace {
  const { final, tree } = replica;
  if (from.height <= final.height) {
    const known = replica.finalDigests.get(from.height);
    return known === undefined || known === from.digest ? NOTHING : CONFLICT;
  }
  const blocks: PendingBlock[] = [];
  let { height, digest } = from;
  let isValid = true;
  let missing: Trace | null = null;
  for (; height > final.height; height = Height(height - 1)) {
    const block = tree.get(digest);
    if (block === undefined) return missing ?? { state: 'missing', digest, height };
    if (block.verdict === 'invalid' || block.header.height !== height) return INVALID;
    if (block.body === null) missing ??= { state: 'missing', digest, height };
    isValid &&= block.verdict === 'valid';
    blocks.push(block);
    digest = block.header.previous;
  }
  if (digest !== final.digest) return CONFLICT;
  return missing ?? { state: isValid ? 'valid' : 'held', blocks: blocks.reverse() };
}

/** Whether `block` is `ancestor` or descends from it, given a trace of `block` (everything on it descends from the final one). */
export function descends(replica: Replica, blocks: readonly PendingBlock[], ancestor: BlockReference): boolean {
  if (ancestor.height <= replica.final.height) return true;
  return blocks[ancestor.height - replica.final.height - 1]?.digest === ancestor.digest;
}

/** PBTS: judged once, when the header comes. */
function isTimely(replica: Replica, header: Header): boolean {
  const { timing } = replica.config;
  const age = replica.now - header.timestamp;
  return age >= -timing.precisionMs && age <= lateMsMax(timing, replica.failures);
}

/** Takes a header, and its body if that is here and matches. False when there was no room or nothing was new. */
export function insertBlock(replica: Replica, digest: Hash, header: Header, body: Body | null): boolean {
  if (header.height <= replica.final.height) return false;
  const matching = body !== null && matches(header, body) ? body : null;
  const held = replica.tree.get(digest);
  if (held !== undefined) {
    if (held.body !== null || matching === null) return false;
    held.body = matching;
    return true;
  }
  if (replica.tree.size >= treeCapacity(replica) && !evict(replica)) return false;
  replica.tree.set(digest, {
    digest,
    header,
    body: matching,
    verdict: 'unknown',
    overlay: 'none',
    timely: isTimely(replica, header),
  });
  return true;
}

function matches(header: Header, body: Body): boolean {
  return header.transactionCount === body.length && header.transactionsRoot === transactionsRoot(body);
}

/** Of all sources together. */
function treeCapacity(replica: Replica): number {
  return 16 * windowOf(replica);
}

/** Forgets the oldest block that nothing points to. */
function evict(replica: Replica): boolean {
  const needed = new Set<Hash>();
  const keep = (digest: Hash): void => {
    for (let next = replica.tree.get(digest); next !== undefined && !needed.has(next.digest); ) {
      needed.add(next.digest);
      next = replica.tree.get(next.header.previous);
    }
  };
  keep(replica.anchor.digest);
  if (replica.tip !== null) keep(replica.tip.digest);
  if (replica.highest !== null) keep(replica.highest.digest);
  for (const { digest } of replica.proposals.values()) keep(digest);
  for (const { digest } of replica.certificates.values()) keep(digest);
  for (const block of replica.tree.values()) {
    if (needed.has(block.digest)) continue;
    replica.tree.delete(block.digest);
    dropOverlays(replica, [block]);
    return true;
  }
  return false;
}

/** What a header must be whatever is in the block: a function of it, its parent and the authority set. */
function headerFault(replica: Replica, header: Header, parent: Header): string | null {
  const { chainId, authorities } = replica.config;
  if (header.chainId !== chainId) return 'another chain';
  if (header.epoch !== authorities.epoch || header.authoritiesHash !== replica.authoritiesHash) return 'another epoch';
  if (header.height !== parent.height + 1) return 'a gap in height';
  if (header.timestamp <= parent.timestamp) return 'time does not advance';
  const viewMin = parent.epoch === header.epoch && parent.height >= authorities.firstHeight ? parent.view : 0;
  if (header.view < Math.max(viewMin, authorities.startView)) return 'its view is before its parent';
  if (header.proposer !== primaryIndex(authorities, header.view)) return 'not made by the primary of its view';
  if (header.transactionCount > authorities.parameters.blockTransactionsMax) return 'too many transactions';
  if (header.nextAuthoritiesHash !== ZERO_HASH) return 'a change of authorities that nothing decided';
  return null;
}

interface Parent {
  readonly header: Header;
  readonly state: 'ready' | 'unready' | 'invalid';
}

function parentOf(replica: Replica, header: Header): Parent | undefined {
  if (header.previous === replica.final.digest) return { header: replica.final.header, state: 'ready' };
  const parent = replica.tree.get(header.previous);
  if (parent === undefined) return undefined;
  if (parent.verdict === 'invalid') return { header: parent.header, state: 'invalid' };
  const isReady = parent.verdict === 'valid' && parent.overlay === 'ready';
  return { header: parent.header, state: isReady ? 'ready' : 'unready' };
}

/** Asks the host to execute every block whose parent's state is there; level-triggered. */
export function validateBlocks(replica: Replica): void {
  if (replica.importing !== null) return;
  let found = true;
  while (found) {
    found = false;
    for (const block of replica.tree.values()) {
      if (block.overlay !== 'none' || block.body === null || block.verdict === 'invalid') continue;
      found = validateBlock(replica, block) || found;
    }
  }
}

/** True when a verdict fell at once. */
function validateBlock(replica: Replica, block: PendingBlock): boolean {
  const parent = parentOf(replica, block.header);
  if (parent === undefined) return false;
  if (parent.state === 'invalid' || headerFault(replica, block.header, parent.header) !== null) {
    block.verdict = 'invalid';
    return true;
  }
  if (parent.state === 'unready') return false;
  if (!isWorthExecuting(replica, block)) return false;
  block.overlay = 'running';
  replica.out.push({ type: 'validate', digest: block.digest, block: wholeBlock(block) });
  return false;
}

/** Losing branches of older views wait: their bodies are kept, their execution is not. */
function isWorthExecuting(replica: Replica, block: PendingBlock): boolean {
  if (block.header.view === replica.view) return true;
  const isBelow = (top: BlockReference | null): boolean => {
    if (top === null || top.height < block.header.height) return false;
    let digest = top.digest;
    for (let height = top.height; height > block.header.height; height = Height(height - 1)) {
      const next = replica.tree.get(digest);
      if (next === undefined) return false;
      digest = next.header.previous;
    }
    return digest === block.digest;
  };
  if (isBelow(replica.anchor) || isBelow(replica.highest)) return true;
  for (const certificate of replica.certificates.values()) if (isBelow(certificate)) return true;
  for (const { certificate } of replica.viewChanges.values()) if (isBelow(certificate)) return true;
  return false;
}

/** The host may forget these executions; whoever needs one asks again. */
export function dropOverlays(replica: Replica, blocks: readonly PendingBlock[]): void {
  const digests = blocks.filter(({ overlay }) => overlay !== 'none').map(({ digest }) => digest);
  for (const block of blocks) block.overlay = 'none';
  if (digests.length > 0) replica.out.push({ type: 'drop', digests });
}

/** What entering a view leaves aside: executions that neither its anchor nor a certificate needs. */
export function dropBesideAnchor(replica: Replica): void {
  dropOverlays(
    replica,
    [...replica.tree.values()].filter((block) => !isWorthExecuting(replica, block)),
  );
}

/** Bodies of a path, and of final blocks below it that the store may still lose, which the journal lacks so far. */
export function journalBlocks(replica: Replica, path: readonly PendingBlock[]): JournalRecord[] {
  const records: JournalRecord[] = [];
  for (const block of [...replica.unstored, ...path]) {
    if (replica.journaled.has(block.digest)) continue;
    replica.journaled.add(block.digest);
    records.push({ kind: 'block', block: wholeBlock(block) });
  }
  return records;
}

/** After the final block moved: what is level with it, below it, or not on its branch is of no use any more. */
export function pruneTree(replica: Replica): void {
  const { final, tree } = replica;
  const losers: PendingBlock[] = [];
  for (const block of tree.values()) {
    if (block.header.height > final.height) {
      const path = trace(replica, { height: block.header.height, digest: block.digest });
      if (path.state !== 'conflict') continue;
    }
    tree.delete(block.digest);
    losers.push(block);
  }
  dropOverlays(replica, losers);
  assert(tree.size <= treeCapacity(replica), 'the tree is bounded');
}
