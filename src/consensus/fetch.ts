import { blockHash } from '../model/block.ts';
import { type Hash, Height } from '../model/ids.ts';
import type { MessageOf } from '../model/message.ts';
import { insertBlock, trace } from './block-tree.ts';
import { startImport } from './commit.ts';
import { disownCertificate } from './own-signatures.ts';
import type { BlockReference } from './record.ts';
import { isPrimary, primaryOf, type Replica, recoverableMax, send, setTimer, windowOf } from './replica.ts';
import { lapseMs } from './status.ts';
import { haltForSafety, learnCertificate } from './votes.ts';

/** Blocks asked for in one message; the field has one byte. */
const BLOCKS_PER_REQUEST = 255;
/** Retry intervals after which a peer that owes blocks is given up. */
const SYNC_PATIENCE_RETRIES = 4;
/** No seat vouches for what the shell has fetched: it was held against its certificate as it came. */
const NOBODY = -1;

interface Need {
  readonly digest: Hash;
  /** Who should hold it. */
  readonly seats: readonly number[];
}

/** Blocks that something here rests on and that are not here. */
function needsOf(replica: Replica): Need[] {
  const { final, anchor, view, config, mode } = replica;
  const near = 2 * windowOf(replica);
  const needs: Need[] = [];
  const look = (reference: BlockReference, seats: () => readonly number[], reach: number = near): void => {
    if (reference.height <= final.height || reference.height > final.height + reach) return;
    const path = trace(replica, reference);
    if (path.state === 'missing') needs.push({ digest: path.digest, seats: seats() });
  };
  // Those who signed may have forgotten: a PREPARE is durable without its block.
  const everybody = [...replica.peers.keys()];
  const fromPrimary = (): number[] => [primaryOf(replica, view), ...everybody];
  for (const certificate of replica.certificates.values())
    look(certificate, () => [...certificate.signers, ...everybody]);
  if (mode === 'active') {
    look(anchor, fromPrimary, recoverableMax(replica));
    for (const [height, { digest }] of replica.proposals) look({ height, digest }, fromPrimary);
  } else if (mode === 'changing' && isPrimary(replica)) {
    for (const { certificate, viewChange } of replica.viewChanges.values()) {
      if (certificate === null || viewChange.signer === config.self) continue;
      const seats = [viewChange.signer, ...certificate.signers, ...everybody];
      look(certificate, () => seats, recoverableMax(replica));
    }
  }
  return needs;
}

/** Peers that are known, or say, to be further; a single liar cannot start a search for ever. */
function syncSources(replica: Replica): number[] {
  const { final, peers, config } = replica;
  const ahead: number[] = [];
  for (const [seat, { status }] of peers.entries()) {
    if (seat !== config.self && status !== null && status.finalHeight > final.height) ahead.push(seat);
  }
  for (const certificate of replica.certificates.values()) {
    if (certificate.phase !== 'COMMIT') continue;
    const isFar = certificate.height > final.height + windowOf(replica);
    const isStuck = isFar || trace(replica, certificate).state === 'missing';
    if (isStuck) return [...new Set([...ahead, ...certificate.signers])].filter((seat) => seat !== config.self);
  }
  const fresh = ahead.filter((seat) => replica.now - (peers[seat]?.heardAt ?? 0) <= lapseMs(replica));
  return fresh.length >= replica.weakQuorum ? ahead : [];
}

/** Something is missing: give it a moment to arrive by itself, then ask. */
export function armFetch(replica: Replica): void {
  if (replica.timers.has('fetch')) return;
  const isMissing = needsOf(replica).length > 0 || syncSources(replica).length > 0;
  if (isMissing) setTimer(replica, 'fetch', replica.config.timing.fetchDelayMs);
}

export function onFetchTimer(replica: Replica): void {
  const asked = fetchBodies(replica);
  const synced = requestSync(replica);
  if (asked || synced || replica.sync !== null) setTimer(replica, 'fetch', replica.config.timing.fetchRetryMs);
}

function fetchBodies(replica: Replica): boolean {
  const previous = replica.fetches;
  replica.fetches = new Map();
  for (const { digest, seats } of needsOf(replica)) {
    if (replica.fetches.has(digest)) continue;
    const others = [...new Set(seats)].filter((seat) => seat !== replica.config.self);
    const attempt = previous.get(digest) ?? 0;
    replica.fetches.set(digest, attempt + 1);
    const to = others[attempt % Math.max(1, others.length)];
    if (to !== undefined) send(replica, to, { kind: 'body-request', digest });
  }
  return replica.fetches.size > 0;
}

function requestSync(replica: Replica): boolean {
  const { timing } = replica.config;
  if (replica.importing !== null || replica.isSyncTakenOver) return false;
  const isWaiting =
    replica.sync !== null && replica.now - replica.sync.askedAt < SYNC_PATIENCE_RETRIES * timing.fetchRetryMs;
  if (isWaiting) return false;
  replica.sync = null;
  const sources = syncSources(replica);
  const peer = sources[replica.syncAttempts % Math.max(1, sources.length)];
  if (peer === undefined) return false;
  replica.syncAttempts += 1;
  replica.sync = { peer, askedAt: replica.now };
  send(replica, peer, { kind: 'blocks-request', from: Height(replica.final.height + 1), count: BLOCKS_PER_REQUEST });
  return true;
}

/** Answers from memory, or lets the host answer from the store. */
export function onBodyRequest(replica: Replica, from: number, digest: Hash): void {
  const block = replica.tree.get(digest) ?? replica.unstored.find((one) => one.digest === digest);
  if (block !== undefined && block.body !== null) {
    send(replica, from, { kind: 'body', block: { header: block.header, body: block.body } });
  } else {
    replica.out.push({ type: 'serve', to: from, request: { kind: 'body-request', digest } });
  }
}

/** Only what was asked for is taken. */
export function onBody(replica: Replica, { block }: MessageOf<'body'>): void {
  const digest = blockHash(block.header);
  if (!replica.fetches.has(digest)) return;
  if (insertBlock(replica, digest, block.header, block.body)) replica.fetches.delete(digest);
}

/** Certified blocks, of the peer that was asked. */
export function onBlocks(replica: Replica, from: number, message: MessageOf<'blocks'>): void {
  if (replica.sync?.peer !== from || replica.importing !== null) return;
  takeBlocks(replica, from, message);
}

/** Certified blocks that came another way. */
export function onFetched(replica: Replica, message: MessageOf<'blocks'>): void {
  if (replica.importing === null) takeBlocks(replica, NOBODY, message);
}

function takeBlocks(replica: Replica, from: number, message: MessageOf<'blocks'>): void {
  const { certificate } = message;
  const { final } = replica;
  const blocks = message.blocks.filter(({ header }) => header.height > final.height);
  const first = blocks[0];
  replica.sync = null;
  if (certificate === null) return;
  if (first === undefined) {
    learnCertificate(replica, certificate);
    return;
  }
  if (first.header.height !== final.height + 1) return;
  if (first.header.previous !== final.digest) {
    haltForSafety(replica, certificate);
    return;
  }
  disownCertificate(replica, certificate);
  startImport(replica, from, blocks, certificate);
}

export function onImportFailed(replica: Replica): void {
  replica.importing = null;
  replica.sync = null;
}
