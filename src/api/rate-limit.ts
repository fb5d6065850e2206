import { isIPv6 } from 'node:net';
import { ADDRESSES_TRACKED_MAX } from '../model/limits.ts';

/** What a caller may still do, in the terms of the RateLimit header fields. */
interface Allowance {
  readonly allowed: boolean;
  /** Requests left at this moment. */
  readonly remaining: number;
  /** Seconds until the bucket is full again. */
  readonly resetSeconds: number;
  /** Seconds until the next request is allowed; 0 when it is. */
  readonly retryAfterSeconds: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** One token bucket per caller. Times are milliseconds of any steady clock. */
export interface RateLimit {
  take(caller: string, nowMs: number): Allowance;
}

/** Allows `perSecond` on average and `burst` at once; of the callers, the one longest unseen is forgotten first. */
export function createRateLimit(perSecond: number, burst: number): RateLimit {
  const buckets = new Map<string, Bucket>();
  return {
    take: (caller, nowMs) => {
      const known = buckets.get(caller) ?? { tokens: burst, atMs: nowMs };
      const earned = (Math.max(0, nowMs - known.atMs) * perSecond) / 1_000;
      const tokens = Math.min(burst, known.tokens + earned);
      const allowed = tokens >= 1;
      const left = allowed ? tokens - 1 : tokens;
      // Deleted first: a Map keeps the order of insertion, which is then the order of last use.
      buckets.delete(caller);
      buckets.set(caller, { tokens: left, atMs: nowMs });
      if (buckets.size > ADDRESSES_TRACKED_MAX) buckets.delete(buckets.keys().next().value ?? caller);
      return {
        allowed,
        remaining: Math.floor(left),
        resetSeconds: Math.ceil((burst - left) / perSecond),
        retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((1 - left) / perSecond)),
      };
    },
  };
}

/** Who counts as one caller: an IPv4 address, also when it is mapped into IPv6, or the /64 that one customer gets. */
export function callerOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const whole = [...groups, ...Array<string>(missing).fill('0'), ...(tail === undefined ? [] : tail.split(':'))];
  return whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group || '0', 16).toString(16))
    .join(':');
}
