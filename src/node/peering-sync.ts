import type { LocalEvent } from '../consensus/event.ts';
import type { Replica } from '../consensus/replica.ts';
import { unreachable } from '../lib/assert.ts';
import { blockHash, type Header } from '../model/block.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import type { Height } from '../model/ids.ts';
import { SYNC_BYTES_MAX, SYNC_LOG_MS, SYNC_TICK_MS, SYNC_UNSTORED_BLOCKS_MAX } from '../model/limits.ts';
import type { BlockReference, PeerMessage, PeerMessageOf } from '../model/peer-message.ts';
import { verifyMessage } from '../model/verified.ts';
import type { PeerId, PeerInfo } from '../network/transport.ts';
import { splitBodies } from '../peering/bodies.ts';
import { type Level, syncLevels } from '../peering/levels.ts';
import { isBehind, type SyncProgress, stepSync, syncProgress } from '../peering/sync.ts';
import {
  createSync,
  isAwaited,
  type Sync,
  type SyncEffect,
  type SyncEvent,
  type SyncSettings,
  syncTarget,
} from '../peering/sync-state.ts';
import type { Chain } from '../store/chain.ts';
import type { Compression } from './compression.ts';
import type { Contradiction } from './explain.ts';
import type { PeeringPart, Post } from './peering-part.ts';
import type { Clock, Log, Timers } from './ports.ts';

export interface PeeringSyncParts extends Pick<SyncSettings, 'lagMin' | 'statusIntervalMs'> {
  readonly post: Post;
  readonly chain: Chain;
  readonly replica: Replica;
  readonly jurisdiction: Jurisdiction;
  readonly compression: Compression;
  /** A block that the operator vouches for. */
  readonly trusted?: BlockReference | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The one way into the chain. */
  readonly report: (event: LocalEvent) => void;
  readonly lag: (blocks: number) => void;
  readonly log: Log;
}

/** Fetches what others have made final and this node has not. */
export class PeeringSync implements PeeringPart {
  readonly kinds = ['chain-status', 'block-announcement', 'headers', 'block-response', 'request-failed'] as const;
  readonly #parts: PeeringSyncParts;
  readonly #sync: Sync;
  #cancelTick: () => void = () => undefined;
  #isStopped = false;
  #isCatchingUp = false;
  #loggedMs = 0;
  #contradiction: Contradiction | null = null;

  constructor(parts: PeeringSyncParts) {
    this.#parts = parts;
    const { jurisdiction, lagMin, statusIntervalMs } = parts;
    this.#sync = createSync({ jurisdiction, lagMin, statusIntervalMs }, this.#head());
  }

  start(): void {
    this.#cancelTick = this.#parts.timers.after(SYNC_TICK_MS, () => {
      this.chainMoved();
      this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTick();
  }

  up({ id }: PeerInfo): void {
    this.#step({ type: 'up', peer: id });
  }

  down({ id }: PeerInfo): void {
    this.#step({ type: 'down', peer: id });
  }

  message(peer: PeerId, message: PeerMessage): void {
    switch (message.kind) {
      case 'chain-status':
      case 'block-announcement':
      case 'headers':
      case 'request-failed':
        this.#step({ type: 'message', peer, message });
        return;
      case 'block-response':
        this.#inflate(peer, message);
        return;
      default:
    }
  }

  /** A block has become final here, or it is time to look. */
  chainMoved(): void {
    const { chain, replica } = this.#parts;
    // What is executed and not yet stored is looked through for every record that is read.
    const isDiskBehind = chain.head.height - chain.visibleHead.header.height > SYNC_UNSTORED_BLOCKS_MAX;
    this.#step({ type: 'chain', head: this.#head(), isBusy: replica.importing !== null || isDiskBehind });
  }

  levels(): readonly Level[] {
    return syncLevels(this.#sync, this.#parts.post.peers().length);
  }

  /** How far this node has come; null while it is near the head. */
  progress(): SyncProgress | null {
    return syncProgress(this.#sync, this.#parts.clock.monotonicMs());
  }

  /** The height that a quorum has signed, when it is well above this node's. */
  heightAhead(): Height | undefined {
    return isBehind(this.#sync);
  }

  /** The block of the peers that the operator's checkpoint rules out, while there is none here. */
  contradiction(): Contradiction | null {
    const found = this.#contradiction;
    return found === null || this.#parts.chain.head.height >= found.height ? null : found;
  }

  #head() {
    const { chain } = this.#parts;
    return { height: chain.head.height, hash: chain.headHash };
  }

  #inflate(peer: PeerId, { request, count, deflated }: PeerMessageOf<'block-response'>): void {
    if (!isAwaited(this.#sync, peer, request)) return;
    this.#parts.compression.inflate(deflated, SYNC_BYTES_MAX, (bytes) => {
      const bodies = bytes === undefined ? null : splitBodies(bytes, count);
      this.#step({ type: 'bodies', peer, request, bodies });
    });
  }

  #step(event: SyncEvent): void {
    const { replica, clock } = this.#parts;
    if (this.#isStopped || replica.mode === 'halted') return;
    for (const effect of stepSync(this.#sync, event, clock.monotonicMs())) this.#carryOut(effect);
    this.#tell();
  }

  /** Certified or not: the operator knows better. */
  #isRival(header: Header): boolean {
    const { trusted, log } = this.#parts;
    if (trusted?.height !== header.height) return false;
    const theirs = blockHash(header);
    if (trusted.hash === theirs) return false;
    // The same blocks are offered at every tick.
    if (this.#contradiction?.theirs === theirs) return true;
    this.#contradiction = { height: trusted.height, trusted: trusted.hash, theirs };
    log.error({ ...this.#contradiction }, 'the chain of the peers is not the trusted one');
    return true;
  }

  #carryOut(effect: SyncEffect): void {
    const { post, report, jurisdiction, log } = this.#parts;
    switch (effect.type) {
      case 'ask':
        post.send(effect.peer as PeerId, effect.message);
        return;
      case 'charge':
        post.charge(effect.peer as PeerId, effect.offence);
        return;
      case 'import': {
        const { blocks, certificate } = effect;
        if (blocks.some(({ header }) => this.#isRival(header))) return;
        const verified = verifyMessage({ kind: 'blocks', blocks, certificate }, jurisdiction);
        if (verified.ok) report({ type: 'fetched', message: verified.value });
        return;
      }
      case 'conflict':
        log.error({ peer: effect.peer }, 'a quorum has signed another history');
        report({ type: 'conflict', certificate: effect.certificate });
        return;
      default:
        unreachable(effect);
    }
  }

  /** Figures, and now and then a line of how far it is. */
  #tell(): void {
    const { lag, log, report, clock } = this.#parts;
    lag(syncTarget(this.#sync) - this.#sync.head.height);
    const progress = this.progress();
    const isCatchingUp = progress !== null;
    if (isCatchingUp !== this.#isCatchingUp) {
      this.#isCatchingUp = isCatchingUp;
      this.#loggedMs = clock.monotonicMs();
      report({ type: 'sync-taken-over', isTakenOver: isCatchingUp });
      if (progress === null) log.info({ height: this.#sync.head.height }, 'caught up');
      else log.info({ height: progress.height, to: progress.to }, 'catching up');
    } else if (progress !== null && clock.monotonicMs() - this.#loggedMs >= SYNC_LOG_MS) {
      this.#loggedMs = clock.monotonicMs();
      const { height, to, blocksPerSecond, peers } = progress;
      log.info({ height, to, blocksPerSecond, peers }, `catching up: ${bar(progress)}`);
    }
  }
}

const BAR_WIDTH = 20;

/** `[######--------------]  31 %` */
function bar({ from, to, height }: SyncProgress): string {
  const share = to > from ? Math.min(1, (height - from) / (to - from)) : 1;
  const filled = Math.floor(share * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${`${Math.floor(100 * share)}`.padStart(3)} %`;
}
