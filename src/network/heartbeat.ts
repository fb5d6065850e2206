import { FIRST_WORD_MS_MAX, PONG_TIMEOUT_MS_MAX } from '../model/limits.ts';

export interface HeartbeatOptions {
  readonly intervalMs: number;
  /** Silence that is borne now, however short the interval is. Milliseconds. */
  readonly patienceMs: () => number;
  /** Bytes that the socket has received so far. */
  readonly bytesReceived: () => number;
  readonly ping: (nonce: number) => void;
  /** Nothing came for two intervals or `patienceMs`, whichever is longer, or at all for FIRST_WORD_MS_MAX. */
  readonly onSilent: () => void;
  /** The peer speaks, but has not answered for PONG_TIMEOUT_MS_MAX: it does not read. */
  readonly onDeaf: () => void;
}

/** Looks per interval: silence is then known at most an eighth of an interval late. */
const LOOKS = 8;
/** Pings that may stay without a word. */
const MISSED_PINGS_MAX = 2;
/** Weight of a new round trip in the moving average, as in RFC 6298 §2. */
const SMOOTHING = 1 / 8;

/**
 * Measures the round trip, and notices silence. Any byte is a sign of life, since a pong may wait behind a large
 * frame; and as both sides ping, a side that only receives still speaks every interval.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer: NodeJS.Timeout;
  #lookedAt = performance.now();
  #heardAt = this.#lookedAt;
  #heardBytes: number;
  #hasSpoken = false;
  #nonce = 0;
  #pingedAt = 0;
  /** The ping whose answer is awaited. Later ones go out meanwhile, and the answer to any of them will do. */
  #awaited: { readonly nonce: number; readonly sentAt: number } | undefined;
  #latencyMs: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heardBytes = options.bytesReceived();
    this.#timer = setInterval(() => this.#look(), options.intervalMs / LOOKS);
    this.#ping(this.#lookedAt);
  }

  /** Moving average in milliseconds; undefined until the first answer. */
  get latencyMs(): number | undefined {
    return this.#latencyMs;
  }

  answered(nonce: number): void {
    if (this.#awaited === undefined || nonce < this.#awaited.nonce || nonce > this.#nonce) return;
    const sample = performance.now() - this.#awaited.sentAt;
    this.#awaited = undefined;
    this.#latencyMs = this.#latencyMs === undefined ? sample : this.#latencyMs + SMOOTHING * (sample - this.#latencyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #ping(now: number): void {
    this.#nonce += 1;
    this.#pingedAt = now;
    this.#awaited ??= { nonce: this.#nonce, sentAt: now };
    this.#options.ping(this.#nonce);
  }

  #look(): void {
    const now = performance.now();
    const { intervalMs } = this.#options;
    const bytes = this.#options.bytesReceived();
    // A node that slept itself has not read what came meanwhile, and must not blame its peers.
    const slept = now - this.#lookedAt > intervalMs;
    this.#lookedAt = now;
    if (slept) this.#awaited = undefined;
    this.#hasSpoken ||= bytes !== this.#heardBytes;
    if (slept || bytes !== this.#heardBytes) this.#heardAt = now;
    this.#heardBytes = bytes;
    if (now - this.#heardAt > this.#silenceMsMax()) {
      this.stop();
      this.#options.onSilent();
      return;
    }
    if (this.#awaited !== undefined && now - this.#awaited.sentAt > PONG_TIMEOUT_MS_MAX) {
      this.stop();
      this.#options.onDeaf();
      return;
    }
    if (now - this.#pingedAt >= intervalMs) this.#ping(now);
  }

  /** Who was dialled has said its hello, and hears from the other side a whole round trip later, however long that is. */
  #silenceMsMax(): number {
    const { intervalMs, patienceMs } = this.#options;
    const spokenMs = Math.max(MISSED_PINGS_MAX * intervalMs, patienceMs());
    return this.#hasSpoken ? spokenMs : Math.max(spokenMs, FIRST_WORD_MS_MAX);
  }
}
