import { below, type DrawKey, draw, exponential, normal } from './draw.ts';

/** Times of the sample, all in milliseconds after genesis. */
const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export const SALE_OPENS = 60 * MINUTE;
/** 19:00 on the seventh day, when genesis is at midnight. */
export const KICK_OFF = 6 * 24 * HOUR + 19 * HOUR;
/** When a third gate has no connection, a quarter of an hour long. */
const OUTAGE_FROM = KICK_OFF - 45 * MINUTE;
const OUTAGE_UNTIL = KICK_OFF - 30 * MINUTE;
/** How much faster than they came people are let in when the gate is back. */
const OUTAGE_CATCH_UP = 5;

export const GATES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const OUTAGE_GATE = 2;

export function within(from: number, until: number, ...key: DrawKey): number {
  return Math.round(from + draw(...key) * (until - from));
}

/** Most buy in the first minutes. */
export function purchaseTime(...key: DrawKey): number {
  return SALE_OPENS + Math.round(Math.min(6 * HOUR, exponential(10 * MINUTE, ...key, 'purchase')));
}

/** When somebody stands at his gate, and which it is. */
export interface Arrival {
  readonly gate: number;
  readonly at: number;
}

export function arrivalOf(...key: DrawKey): Arrival {
  const minutes = Math.min(20, Math.max(-150, normal(-40, 25, ...key, 'arrival')));
  return heldUp({ gate: below(GATES.length, ...key, 'gate'), at: Math.round(KICK_OFF + minutes * MINUTE) });
}

/** Nobody is let in where nobody can be asked; whoever waited enters soon afterwards. */
export function heldUp({ gate, at }: Arrival): Arrival {
  if (gate !== OUTAGE_GATE || at < OUTAGE_FROM || at >= OUTAGE_UNTIL) return { gate, at };
  return { gate, at: Math.round(OUTAGE_UNTIL + (at - OUTAGE_FROM) / OUTAGE_CATCH_UP) };
}
