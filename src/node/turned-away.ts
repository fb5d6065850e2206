import { TWIN_SHOWN_MS } from '../model/limits.ts';
import type { DialOutcome } from '../network/transport.ts';
import type { Clock, Log } from './ports.ts';
import { Refusals, type RefusedEvent } from './refusals.ts';

/** Connections that never came up, and what they say of somebody else with this node's keys. */
export class TurnedAway {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #refusals: Refusals;
  #twin: { readonly address: string; readonly atMs: number } | null = null;
  #seatTakenAtMs: number | null = null;
  #refusal: { readonly address: string; readonly reason: string; readonly atMs: number } | null = null;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#refusals = new Refusals(clock);
  }

  /** Where somebody was lately who holds this node's own keys, if anywhere. */
  get twinAddress(): string | null {
    return this.#isRecent(this.#twin?.atMs ?? null) ? (this.#twin?.address ?? null) : null;
  }

  /** Whether this observer was lately refused because whoever votes with its key is connected. */
  get isSeatTaken(): boolean {
    return this.#isRecent(this.#seatTakenAtMs);
  }

  /** A node that lately wanted no connection with this one, and why. */
  get refusal(): { readonly address: string; readonly reason: string } | null {
    return this.#refusal !== null && this.#isRecent(this.#refusal.atMs) ? this.#refusal : null;
  }

  /** That nobody answers where a stranger was said to live is no news; what the one there says is. */
  dialled(address: string, outcome: DialOutcome): void {
    if (outcome.reached || outcome.by === 'us' || outcome.reason === 'UNREACHABLE') return;
    this.add({ type: 'refused', direction: 'outbound', address, reason: outcome.reason, by: 'them' });
  }

  add(event: RefusedEvent): void {
    const { address, reason, by, direction } = event;
    // Somebody wanted to know who lives here, and does.
    if (reason === 'PROBED') return;
    const isTwin = reason === 'SELF' && direction === 'inbound';
    if (isTwin) this.#twin = { address, atMs: this.#clock.monotonicMs() };
    if (reason === 'SEAT_TAKEN' && by === 'them') this.#seatTakenAtMs = this.#clock.monotonicMs();
    if (direction === 'outbound' && by === 'them' && reason !== 'UNREACHABLE') {
      this.#refusal = { address, reason, atMs: this.#clock.monotonicMs() };
    }
    const times = this.#refusals.count(event);
    if (times === undefined) return;
    if (isTwin) this.#log.error({ address, times }, 'somebody else proves to hold the keys of this node');
    else this.#log.warn({ address, reason, by, times }, 'connection refused');
  }

  #isRecent(atMs: number | null): boolean {
    return atMs !== null && this.#clock.monotonicMs() - atMs < TWIN_SHOWN_MS;
  }
}
