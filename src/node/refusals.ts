import { createBoundedMap } from '../lib/bounded.ts';
import { ADDRESSES_TRACKED_MAX, REFUSALS_LOGGED_MS } from '../model/limits.ts';
import type { TransportEvent } from '../network/transport.ts';
import type { Clock } from './ports.ts';

export type RefusedEvent = Extract<TransportEvent, { type: 'refused' }>;

/** Strangers can cause any number of refused connections: of each kind some are told, with how many there were. */
export class Refusals {
  readonly #clock: Clock;
  readonly #kinds = createBoundedMap<string, { readonly toldMs: number; readonly silent: number }>(
    ADDRESSES_TRACKED_MAX,
  );

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many of this kind there were since the last one that was told; undefined when this one is not to be told. */
  count({ direction, address, reason, by }: RefusedEvent): number | undefined {
    // Whom this node dials is known and few; who dials it is neither.
    const kind = `${reason}/${by}/${direction === 'outbound' ? address : 'inbound'}`;
    const known = this.#kinds.get(kind);
    const nowMs = this.#clock.monotonicMs();
    if (known !== undefined && nowMs - known.toldMs < REFUSALS_LOGGED_MS) {
      this.#kinds.set(kind, { ...known, silent: known.silent + 1 });
      return undefined;
    }
    this.#kinds.set(kind, { toldMs: nowMs, silent: 0 });
    return 1 + (known?.silent ?? 0);
  }
}
