import type { Timer } from '../consensus/event.ts';
import type { Clock, Timers } from './ports.ts';

export interface CoreTimersParts {
  readonly timers: Timers;
  readonly clock: Clock;
  /** `lateMs`: for how long this machine was too busy to notice. */
  readonly fired: (timer: Timer, lateMs: number) => void;
}

/** The timers of the core: one of each name. */
export class CoreTimers {
  readonly #parts: CoreTimersParts;
  readonly #running = new Map<Timer, () => void>();

  constructor(parts: CoreTimersParts) {
    this.#parts = parts;
  }

  set(timer: Timer, delayMs: number): void {
    const { timers, clock, fired } = this.#parts;
    this.cancel(timer);
    const dueMs = clock.monotonicMs() + delayMs;
    const cancel = timers.after(delayMs, () => {
      this.#running.delete(timer);
      fired(timer, clock.monotonicMs() - dueMs);
    });
    this.#running.set(timer, cancel);
  }

  cancel(timer: Timer): void {
    this.#running.get(timer)?.();
    this.#running.delete(timer);
  }

  stop(): void {
    for (const cancel of this.#running.values()) cancel();
    this.#running.clear();
  }
}
