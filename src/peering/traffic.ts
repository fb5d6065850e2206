import { TokenBucket } from '../lib/token-bucket.ts';
import { PEER_MESSAGE_RATES } from '../model/limits.ts';
import type { PeerMessage, PeerMessageKind } from '../model/peer-message.ts';

interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

const RATES: Readonly<Record<PeerMessageKind, Rate>> = PEER_MESSAGE_RATES;

/** What one peer may still send: a bucket for each kind, so that none of them uses up what is for another. */
export interface Allowance {
  readonly buckets: Map<PeerMessageKind, TokenBucket>;
}

export function createAllowance(): Allowance {
  return { buckets: new Map() };
}

/** What a message counts for: one that carries many transactions is as much work as many that carry one. */
export function weightOf(message: PeerMessage): number {
  return message.kind === 'transactions' ? Math.max(1, message.transactions.length) : 1;
}

/** Whether one more message of this kind is within its rate; one that is not is to be dropped, and charged as a flood. */
export function isAllowed({ buckets }: Allowance, kind: PeerMessageKind, now: number, weight = 1): boolean {
  let bucket = buckets.get(kind);
  if (bucket === undefined) {
    const { perSecond, burst } = RATES[kind];
    bucket = new TokenBucket(perSecond, burst, now);
    buckets.set(kind, bucket);
  }
  return bucket.take(weight, now);
}
