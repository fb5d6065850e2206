import type { Effect } from '../consensus/effect.ts';
import type { Executed, LocalEvent } from '../consensus/event.ts';
import { assert } from '../lib/assert.ts';
import { type Block, type Body, blockHash } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import type { Hash } from '../model/ids.ts';
import type { Announcer } from './announcer.ts';
import { checkBody } from './body-check.ts';
import type { HostParts } from './host-parts.ts';
import { importBlocks } from './import-blocks.ts';
import type { Mempool } from './mempool.ts';
import type { Links } from './ports.ts';
import type { PrimaryJudge } from './primary-judge.ts';

export interface BlockWorkParts extends HostParts {
  readonly announcer: Announcer;
  readonly primaryJudge: PrimaryJudge;
  readonly report: (event: LocalEvent) => void;
}

/** Deeds on blocks: to build, to check, to execute, to store. */
export class BlockWork {
  readonly #parts: BlockWorkParts;
  /** Bodies whose signatures are being checked: what ends that. */
  readonly #checking = new Map<Hash, () => void>();
  #cancelImport: () => void = () => undefined;

  constructor(parts: BlockWorkParts) {
    this.#parts = parts;
  }

  stop(): void {
    this.#cancelImport();
    for (const cancel of this.#checking.values()) cancel();
    this.#checking.clear();
  }

  validate(digest: Hash, block: Block): void {
    this.#endCheck(digest);
    const { clock, executor } = this.#parts;
    const startMs = clock.monotonicMs();
    let isAnswered = false;
    const end = checkBody(this.#parts, block.body, (areValid) => {
      isAnswered = true;
      this.#checking.delete(digest);
      const verdict = areValid ? executor.validate(digest, block) : 'invalid';
      this.#measured(clock.monotonicMs() - startMs);
      this.#parts.report({ type: 'validated', digest, verdict });
    });
    if (!isAnswered) this.#checking.set(digest, end);
  }

  #endCheck(digest: Hash): void {
    this.#checking.get(digest)?.();
    this.#checking.delete(digest);
  }

  drop(digests: readonly Hash[]): void {
    for (const digest of digests) this.#endCheck(digest);
    this.#parts.executor.drop(digests);
    this.#parts.announcer.changed();
  }

  build({ view, parent, empty }: Extract<Effect, { type: 'build' }>): void {
    const { executor, mempool, clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const built = executor.build(parent, this.#candidates(parent), clock.now(), empty);
    this.#measured(clock.monotonicMs() - startMs);
    for (const { transaction, fault } of built?.skipped ?? []) {
      // Too early is no fault of the transaction: its time may still come.
      if (fault !== 'TOO_FAR_AHEAD') mempool.remove(transaction.id);
    }
    this.#parts.report({ type: 'built', view, parent, proposal: built?.proposal ?? null });
  }

  /** What a block takes here, and its three ways between authorities. */
  #measured(executionMs: number): void {
    const { replica, links, report } = this.#parts;
    report({ type: 'measured', blockMs: executionMs + 1.5 * quorumRoundTripMs(links, replica.quorum) });
  }

  *#candidates(parent: Hash) {
    const inFlight = this.#parts.executor.idsInFlight(parent);
    for (const transaction of this.#parts.mempool.waiting()) {
      if (!inFlight.has(transaction.id)) yield transaction;
    }
  }

  /** Blocks that are stored already are skipped: nothing is committed twice. */
  commit(all: readonly Block[], certificate: Certificate): void {
    const { executor, journal, listener, mempool, chain, clock } = this.#parts;
    const blocks = all.filter(({ header }) => header.height > chain.head.height);
    const last = blocks.at(-1);
    if (last === undefined) return;
    const { height, timestamp } = last.header;
    const nowMs = clock.monotonicMs();
    const executed = blocks.map(({ header }): Executed => executor.outcome(blockHash(header)));
    const arrivals = blocks.map(({ body }) => arrivalsOf(body, mempool));
    const entries = executor.commit(blocks, certificate, journal?.position(), {
      visible: () => {
        for (const [index, entry] of entries.entries()) listener.final(entry, waitedMs(arrivals[index] ?? [], nowMs));
      },
      durable: () => {
        listener.stored('chain_commit', clock.monotonicMs() - nowMs);
        listener.durable(height);
        this.#parts.report({ type: 'stored', height, executed });
      },
      failed: (error) => listener.fatal(error),
    });
    for (const { body } of blocks) for (const { id } of body) mempool.remove(id);
    mempool.expire(timestamp);
    const starved = this.#parts.primaryJudge.starvedBy(last, arrivals.at(-1) ?? []);
    if (starved !== undefined) this.#parts.report({ type: 'starved', view: starved });
    if (mempool.size > 0) this.#parts.announcer.changed();
  }

  import({ from, blocks, certificate }: Extract<Effect, { type: 'import' }>): void {
    const { links, listener } = this.#parts;
    this.#cancelImport = importBlocks(this.#parts, blocks, (outcome) => {
      if (outcome === 'executed') {
        const last = blocks.at(-1);
        assert(last !== undefined, 'an import has blocks');
        this.commit(blocks, certificate);
        this.#parts.report({ type: 'imported', header: last.header, certificate });
      } else {
        if (outcome === 'invalid') links.penalize(from, 'a body that is not that of its header');
        this.#parts.report({ type: 'import-failed', from, reason: outcome });
      }
      listener.importEnded?.();
    });
  }
}

/** When the transactions of a block that waited here had come. */
function arrivalsOf(body: Body, mempool: Mempool): readonly number[] {
  return body.flatMap(({ id }) => mempool.arrivedMs(id) ?? []);
}

/** How long the first of them had waited, in milliseconds. */
function waitedMs(arrivalsMs: readonly number[], nowMs: number): number | null {
  return arrivalsMs.length === 0 ? null : nowMs - arrivalsMs.reduce((a, b) => Math.min(a, b));
}

/** Round trip to the farthest of those that a quorum needs, the nearest first: answering late, f liars stretch nothing. */
function quorumRoundTripMs(links: Links, quorum: number): number {
  const trips = links.connected().flatMap((seat) => links.roundTripMs(seat) ?? []);
  return trips.sort((a, b) => a - b)[quorum - 2] ?? 0;
}
