import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FIRST_WORD_MS_MAX, PONG_TIMEOUT_MS_MAX, QUIET_SESSION_MS_MAX } from '../../../src/model/limits.ts';
import { Heartbeat } from '../../../src/network/heartbeat.ts';

const INTERVAL_MS = 200;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function createHeartbeat(patienceMs = 0) {
  const seen = { pings: [] as number[], ends: [] as string[], bytes: 0 };
  const heartbeat = new Heartbeat({
    intervalMs: INTERVAL_MS,
    patienceMs: () => patienceMs,
    bytesReceived: () => seen.bytes,
    ping: (nonce) => seen.pings.push(nonce),
    onSilent: () => seen.ends.push(`silent at ${performance.now() - start}`),
    onDeaf: () => seen.ends.push(`deaf at ${performance.now() - start}`),
  });
  const start = performance.now();
  /** Lets time pass while the peer speaks. */
  const speak = (durationMs: number): void => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += INTERVAL_MS) {
      seen.bytes += 1;
      vi.advanceTimersByTime(INTERVAL_MS);
    }
  };
  return { seen, heartbeat, speak };
}

describe('a heartbeat', () => {
  test('pings at once and every interval', () => {
    const { seen, speak } = createHeartbeat();
    expect(seen.pings).toEqual([1]);
    speak(5 * INTERVAL_MS);
    expect(seen.pings).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('calls a peer silent within 500 ms of its last word, at an interval of 200 ms', () => {
    for (let wordAtMs = 0; wordAtMs < INTERVAL_MS; wordAtMs += 5) {
      const { seen } = createHeartbeat();
      vi.advanceTimersByTime(wordAtMs);
      seen.bytes += 1;
      vi.advanceTimersByTime(500);
      const [end = ''] = seen.ends;
      expect(seen.ends.length).toBe(1);
      expect(Number(end.replace('silent at ', '')) - wordAtMs).toBeGreaterThan(2 * INTERVAL_MS - 1);
    }
  });

  test('never calls a peer silent that speaks once an interval', () => {
    const { seen, speak } = createHeartbeat();
    speak(40 * INTERVAL_MS);
    expect(seen.ends).toEqual([]);
  });

  test('bears with a peer on whose word nothing waits for longer, and not for ever', () => {
    const { seen, speak } = createHeartbeat(QUIET_SESSION_MS_MAX);
    speak(INTERVAL_MS);
    vi.advanceTimersByTime(QUIET_SESSION_MS_MAX - INTERVAL_MS);
    expect(seen.ends).toEqual([]);
    vi.advanceTimersByTime(INTERVAL_MS);
    expect(seen.ends.map((end) => end.split(' ')[0])).toEqual(['silent']);
  });

  test('lets a new peer that is far away take a round trip for its first word', () => {
    const { seen, speak } = createHeartbeat();
    vi.advanceTimersByTime(FIRST_WORD_MS_MAX - 1);
    expect(seen.ends).toEqual([]);
    speak(INTERVAL_MS);
    vi.advanceTimersByTime(3 * INTERVAL_MS);
    expect(seen.ends.length).toBe(1);
  });

  test('calls a new peer silent that never says a word', () => {
    const { seen } = createHeartbeat();
    vi.advanceTimersByTime(FIRST_WORD_MS_MAX + INTERVAL_MS);
    expect(seen.ends.map((end) => end.split(' ')[0])).toEqual(['silent']);
    expect(seen.pings.length).toBeGreaterThan(FIRST_WORD_MS_MAX / INTERVAL_MS);
  });

  test('does not blame the peer for its own sleep, but for silence after it', () => {
    const { seen, speak } = createHeartbeat();
    speak(INTERVAL_MS);
    const realNow = performance.now;
    const slept = vi.spyOn(performance, 'now').mockImplementation(() => realNow.call(performance) + 10_000);
    vi.advanceTimersByTime(2 * INTERVAL_MS);
    expect(seen.ends).toEqual([]);
    vi.advanceTimersByTime(INTERVAL_MS);
    expect(seen.ends.length).toBe(1);
    slept.mockRestore();
  });

  test('calls a peer deaf that speaks and never answers', () => {
    const { seen, speak } = createHeartbeat();
    speak(PONG_TIMEOUT_MS_MAX);
    expect(seen.ends).toEqual([]);
    speak(INTERVAL_MS);
    expect(seen.ends.map((end) => end.split(' ')[0])).toEqual(['deaf']);
  });

  test('averages the round trip, and takes the answer to a later ping for the one it awaits', () => {
    const { heartbeat, speak } = createHeartbeat();
    expect(heartbeat.latencyMs).toBeUndefined();
    heartbeat.answered(2);
    expect(heartbeat.latencyMs).toBeUndefined();
    vi.advanceTimersByTime(40);
    heartbeat.answered(1);
    expect(heartbeat.latencyMs).toBe(40);
    heartbeat.answered(1);
    expect(heartbeat.latencyMs).toBe(40);
    speak(2 * INTERVAL_MS);
    heartbeat.answered(3);
    expect(heartbeat.latencyMs).toBeGreaterThan(40);
    expect(heartbeat.latencyMs).toBeLessThan(200);
  });

  test('is still when it was stopped', () => {
    const { seen, heartbeat } = createHeartbeat();
    heartbeat.stop();
    vi.advanceTimersByTime(100 * INTERVAL_MS);
    expect(seen.ends).toEqual([]);
    expect(seen.pings).toEqual([1]);
  });
});
