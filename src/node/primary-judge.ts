import { type FinalisedBlock, isPassedOver } from '../consensus/fairness.ts';
import { paceOf, primaryOf, type Replica } from '../consensus/replica.ts';
import { createBoundedMap } from '../lib/bounded.ts';
import { type Block, blockHash, bodySize } from '../model/block.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { type Hash, Timestamp, type View } from '../model/ids.ts';
import { ARRIVALS_KEPT_MAX } from '../model/limits.ts';
import type { Executor } from './executor.ts';
import type { Mempool, Waiting } from './mempool.ts';
import type { Clock, Links } from './ports.ts';

export interface PrimaryJudgeParts {
  readonly replica: Replica;
  readonly seat: number;
  readonly mempool: Mempool;
  readonly executor: Executor;
  readonly links: Links;
  readonly clock: Clock;
  readonly jurisdiction: Jurisdiction;
}

/** Feeds the rule of fairness (docs/consensus.md, "Fairness") with what this node has seen, by the clock that only grows. */
export class PrimaryJudge {
  readonly #parts: PrimaryJudgeParts;
  readonly #proposedMs = createBoundedMap<Hash, number>(ARRIVALS_KEPT_MAX);

  constructor(parts: PrimaryJudgeParts) {
    this.#parts = parts;
  }

  /** A proposal came; the first time counts. */
  proposed(digest: Hash): void {
    if (this.#proposedMs.get(digest) === undefined) this.#proposedMs.set(digest, this.#parts.clock.monotonicMs());
  }

  /**
   * The view whose primary passed over the transaction that waits here longest, as this block, the newest final one, shows.
   *
   * @param arrivalsMs when those of its transactions that waited here had come
   */
  starvedBy(block: Block, arrivalsMs: readonly number[]): View | undefined {
    const { replica, seat, mempool, links } = this.#parts;
    const { view, mode } = replica;
    const primary = primaryOf(replica, view);
    const oldest = mempool.oldest();
    if (seat < 0 || mode !== 'active' || primary === seat || !oldest?.forwarded) return undefined;
    const proposedMs = this.#proposedMs.get(blockHash(block.header));
    const roundTripMs = links.roundTripMs(primary);
    if (proposedMs === undefined || roundTripMs === undefined) return undefined;
    const { forwarded, arrivedMs } = oldest;
    const isStarved = isPassedOver(
      { firstSeenAt: at(arrivedMs), forwardedAt: at(forwarded.firstMs), view: forwarded.view },
      this.#describe(block, oldest, { proposedMs, arrivalsMs }),
      { view, pace: paceOf(replica), roundTripMs },
    );
    return isStarved ? view : undefined;
  }

  #describe(
    { header, body }: Block,
    { transaction }: Waiting,
    times: { readonly proposedMs: number; readonly arrivalsMs: readonly number[] },
  ): FinalisedBlock {
    const { executor, jurisdiction } = this.#parts;
    const { blockTransactionsMax, blockBytesMax } = jurisdiction.authorities.parameters;
    const { proposedMs, arrivalsMs } = times;
    return {
      view: header.view,
      headerArrivedAt: at(proposedMs),
      newestFirstSeenAt: arrivalsMs.length === 0 ? null : at(arrivalsMs.reduce((a, b) => Math.max(a, b))),
      hadRoom: body.length < blockTransactionsMax && bodySize([...body, transaction]) <= blockBytesMax,
      // One that is in a block on its way has not been passed over.
      isNextValid: !executor.isInFlight(transaction.id) && executor.judge(header.timestamp)(transaction) === undefined,
    };
  }
}

function at(monotonicMs: number): Timestamp {
  return Timestamp(Math.round(monotonicMs));
}
