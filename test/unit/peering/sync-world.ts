/** A node that catches up with peers of a test's making: no time passes but what the test lets pass. */
import { assert, defined } from '../../../src/lib/assert.ts';
import { blockHash } from '../../../src/model/block.ts';
import type { Jurisdiction } from '../../../src/model/certificate.ts';
import { type Hash, Height } from '../../../src/model/ids.ts';
import { SYNC_BLOCKS_MAX, SYNC_TICK_MS } from '../../../src/model/limits.ts';
import type { Offence } from '../../../src/peering/reputation.ts';
import { stepSync } from '../../../src/peering/sync.ts';
import {
  createSync,
  openQuestions,
  type Sync,
  type SyncEffect,
  type SyncEvent,
  type SyncRequest,
} from '../../../src/peering/sync-state.ts';
import type { StoredBlock } from '../../../src/store/blocks.ts';
import type { ChainGenerator } from '../../support/chain-generator.ts';

/** What a peer says to a question; nothing at all when it is undefined. */
export type Behaviour = (peer: string, ask: SyncRequest) => SyncEvent | undefined;

const ANSWER_MS = 5;
const IMPORT_MS = 3;

/** Answers as a node does that holds this chain up to a height. */
export function honest({ chain }: ChainGenerator, height: number = chain.head.height): Behaviour {
  const stored = (at: number): StoredBlock => defined(chain.block(at), `block ${at} was made`);
  return (peer, ask) => {
    if (ask.kind === 'chain-status-request') {
      const { hash, certificate } = stored(height);
      const head = { height: Height(height), hash };
      return {
        type: 'message',
        peer,
        message: { kind: 'chain-status', head, certificate, oldest: Height(0), snapshot: null },
      };
    }
    const { request, from } = ask;
    const count = Math.min(ask.count, SYNC_BLOCKS_MAX, height - from + 1);
    if (count < 1) return { type: 'message', peer, message: { kind: 'request-failed', request, reason: 'UNKNOWN' } };
    if (ask.kind === 'block-request') {
      const bodies = Array.from({ length: count }, (_, index) => stored(from + index).body);
      return { type: 'bodies', peer, request, bodies };
    }
    const run: StoredBlock[] = [];
    let length = 0;
    for (let at: number = from; at <= height && run.length < SYNC_BLOCKS_MAX; at += 1) {
      if (run.length >= count && length > 0) break;
      run.push(stored(at));
      if (stored(at).certifiedHeight === at) length = run.length;
    }
    const blocks = run.slice(0, length);
    const last = defined(blocks.at(-1), 'there is one');
    const certificate = defined(last.certificate ?? undefined, 'it is final');
    return {
      type: 'message',
      peer,
      message: { kind: 'headers', request, headers: blocks.map(({ header }) => header), certificate },
    };
  };
}

export interface SyncWorldOptions {
  readonly jurisdiction: Jurisdiction;
  readonly genesisHash: Hash;
  readonly lagMin?: number;
}

/** The node, its peers, and what came of it. */
export class SyncWorld {
  readonly sync: Sync;
  readonly charges: { readonly peer: string; readonly offence: Offence }[] = [];
  readonly asked: { readonly peer: string; readonly kind: SyncRequest['kind'] }[] = [];
  conflicts = 0;
  openMax = 0;
  segmentsMax = 0;
  nowMs = 0;
  readonly #peers = new Map<string, Behaviour>();
  readonly #due: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor({ jurisdiction, genesisHash, lagMin = 0 }: SyncWorldOptions) {
    const settings = { jurisdiction, lagMin, statusIntervalMs: 5_000 };
    this.sync = createSync(settings, { height: Height(0), hash: genesisHash });
    this.#tick();
  }

  get height(): number {
    return this.sync.head.height;
  }

  join(peer: string, behaviour: Behaviour): void {
    this.#peers.set(peer, behaviour);
    this.take({ type: 'up', peer });
  }

  leave(peer: string): void {
    this.#peers.delete(peer);
    this.take({ type: 'down', peer });
  }

  take(event: SyncEvent): void {
    for (const effect of stepSync(this.sync, event, this.nowMs)) this.#carryOut(effect);
    this.openMax = Math.max(this.openMax, openQuestions(this.sync));
    this.segmentsMax = Math.max(this.segmentsMax, this.sync.segments.length);
  }

  /** Lets time pass until something holds; false when it does not within this time. */
  until(holds: () => boolean, deadlineMs = 120_000): boolean {
    const endMs = this.nowMs + deadlineMs;
    while (!holds()) {
      this.#due.sort((a, b) => a.atMs - b.atMs);
      const [next] = this.#due;
      if (next === undefined || next.atMs > endMs) return false;
      this.#due.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    return true;
  }

  offencesOf(peer: string): readonly Offence[] {
    return this.charges.flatMap((charge) => (charge.peer === peer ? [charge.offence] : []));
  }

  #carryOut(effect: SyncEffect): void {
    switch (effect.type) {
      case 'ask': {
        this.asked.push({ peer: effect.peer, kind: effect.message.kind });
        const answer = this.#peers.get(effect.peer)?.(effect.peer, effect.message);
        if (answer !== undefined) this.#after(ANSWER_MS, () => this.take(answer));
        return;
      }
      case 'charge':
        this.charges.push(effect);
        return;
      case 'conflict':
        this.conflicts += 1;
        return;
      case 'import': {
        let { height, hash } = this.sync.head;
        for (const { header } of effect.blocks) {
          assert(header.height === height + 1 && header.previous === hash, 'what is handed on continues the chain');
          height = header.height;
          hash = blockHash(header);
        }
        assert(effect.certificate.digest === hash, 'and ends at its certificate');
        this.#after(IMPORT_MS, () => this.take({ type: 'chain', head: { height, hash }, isBusy: false }));
      }
    }
  }

  #tick(): void {
    this.#after(SYNC_TICK_MS, () => {
      this.take({ type: 'tick' });
      this.#tick();
    });
  }

  #after(delayMs: number, run: () => void): void {
    this.#due.push({ atMs: this.nowMs + delayMs, run });
  }
}
